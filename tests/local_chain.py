"""The local chain for tests: the engine's own client, speaking to the node without a socket."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.adapters.solana import layouts
from engine.adapters.solana.rpc import Account, Node, NodeTimeout, _Answer
from engine.domain.tokens import USDC, Token
from local.solana.accounts import mint, token_account
from local.solana.node import LocalNode


@dataclass(slots=True, eq=False, repr=False)
class Client(Node):
    """The engine's client of a node that is in this process."""

    local: LocalNode = None  # type: ignore[assignment]

    def _post(self, method: str, params: Sequence[Any], left: float) -> _Answer:
        number = next(self._ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        told = self.local.answer(json.dumps(body).encode())
        if told is None:
            self.clock.sleep(left)
            raise NodeTimeout("nobody answers")
        return _Answer(number, told[0], told[1].get("Retry-After"), told[2])


def client(local: LocalNode) -> Client:
    return Client("memory", local.clock, local=local)


def mints(*tokens: Token) -> dict[str, Account]:
    return {token.mint: mint(token) for token in tokens}


def wallet(
    payer: str, *, lamports: int = 10**13, held: int = 10**12, token: Token = USDC
) -> dict[str, Account]:
    """Return the accounts of somebody who has SOL and a token."""
    where = layouts.associated_account(payer, token.mint)
    return {
        payer: Account(layouts.SYSTEM, lamports, b""),
        where: token_account(token.mint, payer, held),
    }
