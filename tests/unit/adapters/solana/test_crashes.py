"""A worker dies around a call to chain or key: another ends the order, once and truly."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.adapters.solana.chain import SolanaChain
from engine.adapters.solana.rpc import NodeUnavailable
from engine.adapters.solana.signers import LocalSigner
from engine.adapters.solana.venues import SolanaVenue
from engine.domain.order import Settlement, Status
from engine.ports.queue import WorkMessage
from engine.service.epochs import Epochs
from engine.service.execution import Execution, TryAgain
from engine.service.resting import TickerWatch
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
from tests.nodes import FakeNode, funded
from tests.unit.adapters.solana.test_chain import KEY, PAYER, book_of

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


class Chaotic(FakeNode):
    """A node around whose `at`-th call of `method` something happens once, or always."""

    def arm(self, method: str, how: str) -> None:
        self.method, self.how = method, how

    def call(self, method: str, *params: Any, timeout: float | None = None) -> Any:
        return self._around(method, lambda: FakeNode.call(self, method, *params))

    def accounts(self, addresses: Any, **config: Any) -> Any:
        return self._around("getMultipleAccounts", lambda: FakeNode.accounts(self, addresses))

    def _around(self, method: str, call: Any) -> Any:
        if method != getattr(self, "method", None):
            return call()
        how, self.method = self.how, ""
        if how == "dies before":
            raise Died
        if how == "is not asked":
            raise NodeUnavailable("lost on the way")
        if how == "forgets":
            return "forgotten"
        call()
        if how == "dies after":
            raise Died
        raise NodeUnavailable("the answer was lost")


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.node = Chaotic(clock=self.clock)
        funded(self.node, PAYER)
        self.orders, self.queue, self.rosters = MemoryOrders(), MemoryQueue(), MemoryRosters()
        self.signed = 0

    def execution(self, *, sign: str = "") -> Execution:
        """Return a process's own use case; its key may die as it is asked."""
        world, book = self, book_of(self.node)

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
            SolanaChain(self.node, book, self.clock, Key(KEY), 20_000),
            self.clock,
            FakeChance(),
            Inline(),
            TickerWatch(MemoryTickers(), self.clock),
            Epochs(self.rosters),
            a_parting(self.orders, self.queue, self.clock, self.rosters),
            settlement=Settlement.LIVE,
        )


@pytest.mark.parametrize(("method", "how"), CASES)
def test_an_order_lands_once_and_says_so_whatever_happens_around_a_call(
    method: str, how: str
) -> None:
    world = World()
    order = replace(an_order(), settlement=Settlement.LIVE)
    world.orders.add(order)
    world.node.arm(method, how)
    sign = how if method == "sign" else ""
    for _ in range(12):
        try:
            outcome = world.execution(sign=sign).settle(WorkMessage(order.order_id))
        except Died:
            outcome = TryAgain(16)
        sign = ""
        if world.orders.rows[order.order_id].final:
            break
        if isinstance(outcome, TryAgain):
            world.clock.advance(outcome.seconds)
    ended = world.orders.rows[order.order_id]
    landed = {sig: e for sig, e in world.node.landed.items() if e["meta"]["err"] is None}
    assert ended.status is Status.CONFIRMED, ended.error
    assert list(landed) == [ended.tx_hash]
    (meta,) = (entry["meta"] for entry in landed.values())
    before, after = (
        int(meta[name][0]["uiTokenAmount"]["amount"])
        for name in ("preTokenBalances", "postTokenBalances")
    )
    assert ended.amount_out == after - before
    assert len([t for t in ended.tries if t.signature]) <= 2


def test_a_send_that_is_always_forgotten_ends_as_expired_and_never_as_traded() -> None:
    world = World()
    order = replace(an_order(), settlement=Settlement.LIVE)
    world.orders.add(order)
    world.node.lost = True
    for _ in range(40):
        outcome = world.execution().settle(WorkMessage(order.order_id))
        if not isinstance(outcome, TryAgain):
            break
        world.clock.advance(timedelta(seconds=outcome.seconds).total_seconds())
    ended = world.orders.rows[order.order_id]
    assert ended.status is Status.FAILED
    assert world.node.landed == {}
    assert len({t.signature for t in ended.tries if t.signature}) == world.signed
