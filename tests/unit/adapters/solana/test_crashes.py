"""A worker dies around a call to chain or key: another ends the order, once and truly.

The chain is the one of this machine, which executes what is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from engine.adapters.solana import layouts
from engine.adapters.solana.chain import SolanaChain
from engine.adapters.solana.rpc import NodeUnavailable
from engine.adapters.solana.signers import LocalSigner
from engine.adapters.solana.venues import PoolBook, SolanaVenue
from engine.domain.order import Order, Settlement, Status
from engine.domain.tokens import SOL, USDC
from engine.ports.queue import WorkMessage
from engine.service.epochs import Epochs
from engine.service.execution import Execution, TryAgain
from engine.service.resting import TickerWatch
from local.solana.node import LocalNode
from tests.fakes import (
    FakeChance,
    FakeClock,
    Inline,
    MemoryOrders,
    MemoryQueue,
    MemoryRosters,
    MemoryTickers,
    a_parting,
    a_quoting,
    an_order,
)
from tests.local_chain import Client, mints, wallet
from tests.nodes import METEORA, RAYDIUM, sol_usdc
from tests.unit.adapters.solana.test_chain import KEY, PAYER

#: What a worker asks of chain and key on its way, as often as it does.
CALLS = (
    "getMultipleAccounts",
    "getLatestBlockhash",
    "getRecentPrioritizationFees",
    "sign",
    "sendTransaction",
    "getSignatureStatuses",
    "getTransaction",
)


DEATHS = ("dies before", "dies after")
CASES = [
    *((method, how) for method in CALLS for how in DEATHS),
    *(
        (method, how)
        for method in CALLS
        if method != "sign"
        for how in ("is not asked", "is not answered")
    ),
    ("sendTransaction", "forgets"),
]


class Died(BaseException):
    """The process ends here."""


@dataclass(slots=True, eq=False, repr=False)
class Chaotic(Client):
    """A client of a node around whose next call of `method` something happens once."""

    method: str = ""
    how: str = ""

    def arm(self, method: str, how: str) -> None:
        self.method, self.how = method, how

    def _post(self, method: str, params: Sequence[Any], left: float) -> Any:
        def post() -> Any:
            return Client._post(self, method, params, left)

        if method != self.method:
            return post()
        how, self.method = self.how, ""
        if how == "dies before":
            raise Died
        if how == "is not asked":
            raise NodeUnavailable("lost on the way")
        if how == "forgets":
            self.local.faults.lose = 100
            answer = post()
            self.local.faults.lose = 0
            return answer
        post()
        if how == "dies after":
            raise Died
        raise NodeUnavailable("the answer was lost")


class Mortal(MemoryOrders):
    """A table around whose `at`-th change of an order the process dies, once."""

    at, how, made = 0, "", 0

    def save(self, order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        self.made += 1
        if (self.made, self.how) == (self.at, "dies before"):
            raise Died
        MemoryOrders.save(self, order, expected_seq=expected_seq, expected_moves=expected_moves)
        if (self.made, self.how) == (self.at, "dies after"):
            raise Died


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.node = LocalNode(self.clock)
        self.node.give({**mints(SOL, USDC), **sol_usdc(), **wallet(PAYER)})
        self.client = Chaotic("memory", self.clock, local=self.node)
        self.orders, self.queue, self.rosters = Mortal(), MemoryQueue(), MemoryRosters()
        self.signed = 0

    def execution(self, *, sign: str = "") -> Execution:
        """Return a process's own use case; its key may die as it is asked."""
        world, book = self, PoolBook(self.client, self.clock, (RAYDIUM, METEORA))

        class Key(LocalSigner):
            def sign(self, message: bytes) -> bytes:
                if sign == "dies before":
                    raise Died
                world.signed += 1
                signature = super().sign(message)
                if sign == "dies after":
                    raise Died
                return signature

        return Execution(
            self.orders,
            self.queue,
            a_quoting([SolanaVenue(n, book) for n in ("raydium", "meteora")], self.clock, Inline()),
            SolanaChain(self.client, book, self.clock, Key(KEY), 20_000),
            self.clock,
            FakeChance(),
            Inline(),
            TickerWatch(MemoryTickers(), self.clock),
            Epochs(self.rosters),
            a_parting(self.orders, self.queue, self.clock, self.rosters),
            settlement=Settlement.LIVE,
        )

    def usdc(self) -> int:
        account = self.node.account(layouts.associated_account(PAYER, USDC.mint))
        assert account is not None
        return int(layouts.TOKEN_ACCOUNT.decode(account.data)["amount"])


#: How long it takes until another worker goes on: a little, or longer than a blockhash is good for.
SLEEPS = (16, 45)


#: What an order's row goes through: taken, signed, sent, landed.
SAVES = [(f"save {n}", how) for n in range(1, 5) for how in DEATHS]


@pytest.mark.parametrize("sleeps", SLEEPS)
@pytest.mark.parametrize(("method", "how"), [*CASES, *SAVES])
def test_an_order_lands_once_and_says_so_whatever_happens_around_a_call(
    method: str, how: str, sleeps: int
) -> None:
    world = World()
    order = replace(an_order(), settlement=Settlement.LIVE)
    world.orders.add(order)
    before = world.usdc()
    world.client.arm(method, how)
    if method.startswith("save"):
        world.orders.at, world.orders.how = int(method[-1]), how
    sign = how if method == "sign" else ""
    for _ in range(12):
        try:
            outcome = world.execution(sign=sign).settle(WorkMessage(order.order_id))
        except Died:
            outcome = TryAgain(sleeps)
        sign = ""
        if world.orders.rows[order.order_id].final:
            break
        if isinstance(outcome, TryAgain):
            world.clock.advance(outcome.seconds)
    ended = world.orders.rows[order.order_id]
    landed = [s for s, entry in world.node.landed.items() if entry.outcome.error is None]
    assert ended.status is Status.CONFIRMED, ended.error
    assert landed == [ended.tx_hash]
    assert ended.amount_out == world.usdc() - before
    assert len([t for t in ended.tries if t.signature]) <= 2
    assert world.orders.made >= len(SAVES) // len(DEATHS)


def test_a_send_that_is_always_forgotten_ends_as_expired_and_never_as_traded() -> None:
    world = World()
    order = replace(an_order(), settlement=Settlement.LIVE)
    world.orders.add(order)
    world.node.faults.lose = 100
    for _ in range(40):
        outcome = world.execution().settle(WorkMessage(order.order_id))
        if not isinstance(outcome, TryAgain):
            break
        world.clock.advance(outcome.seconds)
    ended = world.orders.rows[order.order_id]
    assert ended.status is Status.FAILED
    assert world.node.landed == {}
    assert len({t.signature for t in ended.tries if t.signature}) == world.signed
