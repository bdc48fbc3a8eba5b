"""A Solana node in this process: pools as accounts, blocks by the clock, transactions by bytes.

The venues' programs are stood in for by our arithmetic; everything else is read from the bytes.
"""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.adapters.solana import layouts
from engine.adapters.solana.addresses import encode
from engine.adapters.solana.message import message_of, read
from engine.adapters.solana.pools import READERS, Found, Kind, Listing
from engine.adapters.solana.rpc import Account, Accounts, Node, NodeError, NodeUnavailable
from engine.domain.errors import MarketError
from engine.domain.tokens import SOL, USDC
from engine.ports.clock import Clock
from local.solana.accounts import amm_v4, an_address, cpmm, dlmm, token_account

__all__ = ["amm_v4", "an_address", "cpmm", "dlmm", "token_account"]

BLOCK_SECONDS = 0.2
#: So that blocks have passed when a test begins.
FIRST_BLOCK = 1_000
RICH = 10**13


RAYDIUM = Listing(SOL, USDC, Kind.CPMM, an_address("raydium"))
RAYDIUM_V4 = Listing(SOL, USDC, Kind.AMM_V4, an_address("raydium-v4"))
METEORA = Listing(SOL, USDC, Kind.DLMM, an_address("meteora"))


def sol_usdc() -> dict[str, Account]:
    """Return the accounts of pools of SOL and USDC, at some 163 USDC, of each kind."""
    active = -18_142 // 10  # 10**-3 * 1.001**active is 0.163
    bins = {
        active + n: {"amount_x": 10**14 if n >= 0 else 0, "amount_y": 10**13 if n <= 0 else 0}
        for n in range(-60, 61)
    }
    fields = {
        "active_id": active,
        "bin_step": 10,
        "base_factor": 10_000,
        "filter_period": 30,
        "decay_period": 600,
        "reduction_factor": 5_000,
        "variable_fee_control": 40_000,
        "max_volatility_accumulator": 350_000,
    }
    return (
        cpmm(RAYDIUM.address, SOL, USDC, 30_000 * 10**9, 4_890_000 * 10**6)
        | amm_v4(RAYDIUM_V4.address, SOL, USDC, 30_000 * 10**9, 4_890_000 * 10**6)
        | dlmm(METEORA.address, SOL, USDC, bins, fields)
    )


@dataclass(eq=False)
class FakeNode(Node):
    """A node whose blocks pass with the clock; what is sent lands in the block after.

    `silent` answers nobody; `lost` sends are taken and forgotten; `finality` is in blocks.
    """

    url: str = "memory"
    clock: Clock = None  # type: ignore[assignment]
    state: dict[str, Account | None] = field(default_factory=lambda: {**sol_usdc()})
    listed: Sequence[Listing] = (RAYDIUM, METEORA)
    silent: bool = False
    lost: bool = False
    finality: int = 2
    landed: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    began: datetime | None = None

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    @property
    def height(self) -> int:
        assert self.began is not None
        passed = (self.clock.now() - self.began).total_seconds()
        return FIRST_BLOCK + int(passed / BLOCK_SECONDS)

    def accounts(
        self, addresses: Sequence[str], *, commitment: str = "", timeout: float | None = None
    ) -> Accounts:
        self._heard("getMultipleAccounts")
        assert len(addresses) <= 100
        clock = layouts.CLOCK_SYSVAR.encode({"unix_timestamp": int(self.clock.now().timestamp())})
        told = {layouts.CLOCK: Account("Sysvar", 1, clock), **self.state}
        return Accounts(self.height, {address: told.get(address) for address in addresses})

    def call(self, method: str, *params: Any, timeout: float | None = None) -> Any:
        self._heard(method)
        height = self.height
        match method, params:
            case "getLatestBlockhash", _:
                value = {"blockhash": self._hash(height), "lastValidBlockHeight": height + 150}
                return {"context": {"slot": height}, "value": value}
            case "getBlock", (int(slot), _):
                if slot % 5 == 3:
                    raise NodeError(-32007, "skipped", None)
                return {"blockhash": self._hash(slot), "blockHeight": slot}
            case "getBlockHeight", _:
                return height - self.finality
            case "getEpochInfo", _:
                final = height - self.finality
                return {"blockHeight": final, "absoluteSlot": final}
            case "getRecentPrioritizationFees", _:
                return [{"slot": height, "prioritizationFee": n} for n in range(100)]
            case "sendTransaction", (str(wire), _):
                return self._send(b64decode(wire), height)
            case "getSignatureStatuses", ([str(signature)], _):
                entry = self.landed.get(signature)
                reached = {"confirmationStatus": "confirmed", "err": entry and entry["meta"]["err"]}
                there = entry is not None and entry["slot"] < height
                return {"context": {"slot": height}, "value": [reached if there else None]}
            case "getTransaction", (str(signature), _):
                return self.landed.get(signature)
        raise AssertionError(method)

    def _heard(self, method: str) -> None:
        self.calls.append(method)
        if self.silent:
            raise NodeUnavailable("nobody there")

    @staticmethod
    def _hash(height: int) -> str:
        return encode(height.to_bytes(8).rjust(32, b"h"))

    def _send(self, wire: bytes, height: int) -> str:
        signature, message = encode(wire[1:65]), read(message_of(wire))
        oldest = height - 150
        valid = message.blockhash in {self._hash(n) for n in range(oldest, height + 1)}
        if self.lost or not valid or signature in self.landed:
            return signature
        pools = self._pools()
        paid, error = 0, None
        for n, call in enumerate(message.calls):
            found = next(
                (f for f in pools if f.listing.address in {m.address for m in call.accounts}), None
            )
            if found is None:
                continue
            at = 1 if found.listing.kind is Kind.AMM_V4 else 8
            amount = int.from_bytes(call.data[at : at + 8], "little")
            minimum = int.from_bytes(call.data[at + 8 : at + 16], "little")
            try:
                out = found.pool.exact_in(SOL.symbol, amount).amount_out
            except MarketError:
                out = 0
            if out < minimum:
                number = {Kind.CPMM: 6005, Kind.AMM_V4: 30, Kind.DLMM: 6003}[found.listing.kind]
                error = {"InstructionError": [n, {"Custom": number}]}
                break
            paid += out
        rows = [
            {"owner": message.payer, "mint": USDC.mint, "uiTokenAmount": {"amount": str(had)}}
            for had in (7, 7 + paid)
        ]
        meta: dict[str, Any] = {
            "err": error,
            "fee": 5_000,
            "preBalances": [RICH],
            "postBalances": [RICH],
        }
        meta |= {"preTokenBalances": rows[:1], "postTokenBalances": rows[1:]}
        when = int(self.clock.now().timestamp())
        self.landed[signature] = {"slot": height, "blockTime": when, "meta": meta}
        return signature

    def _pools(self) -> list[Found]:
        found = []
        for listing in self.listed:
            reader = READERS[listing.kind](listing)
            now = int(self.clock.now().timestamp())
            there = Accounts(self.height, self.state)
            answer = reader.read(there, now)
            assert answer is not None
            found.append(answer)
        return found


def funded(node: FakeNode, payer: str, *, lamports: int = RICH, usdc: int = 10**12) -> None:
    """Give an account SOL and USDC."""
    node.state[payer] = Account(layouts.SYSTEM, lamports, b"")
    held = layouts.associated_account(payer, USDC.mint)
    node.state[held] = token_account(USDC.mint, payer, usdc)
