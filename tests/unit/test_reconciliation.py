"""What a crash left behind is found and repaired."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from engine.adapters.simulated.chain import Faults, SimulatedChain
from engine.adapters.simulated.venues import SimulatedVenue
from engine.domain.errors import QueueUnavailable
from engine.domain.order import Failure, Order, Route, Status
from engine.market.simulation import SimulatedMarket
from engine.ports.queue import DeadLetter, WorkMessage
from engine.service.epochs import Epochs
from engine.service.execution import Execution
from engine.service.reconciliation import Reconciliation, Report
from engine.service.resting import TickerWatch
from engine.service.sweeping import Sweeping
from tests.fakes import (
    FakeChance,
    FakeClock,
    Inline,
    MemoryLedger,
    MemoryOrders,
    MemoryQueue,
    MemoryResting,
    MemoryRosters,
    MemoryTickers,
    a_parting,
    a_quoting,
    an_order,
)


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    rosters: MemoryRosters = field(default_factory=MemoryRosters)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    tickers: MemoryTickers = field(default_factory=MemoryTickers)

    def __post_init__(self) -> None:
        market, chance = SimulatedMarket(7), FakeChance()
        self.execution = Execution(
            self.orders,
            self.queue,
            a_quoting(
                [
                    SimulatedVenue(name, market, self.clock, chance, (0.2, 0.4))
                    for name in ("raydium", "meteora")
                ],
                self.clock,
                Inline(),
            ),
            SimulatedChain(market, self.ledger, self.clock, (0.4, 0.8)),
            self.clock,
            chance,
            Inline(),
            TickerWatch(self.tickers, self.clock),
            Epochs(self.rosters),
            a_parting(self.orders, self.queue, self.clock),
        )

    def repair(self, maximum: int = 200) -> Report:
        return Reconciliation(
            self.orders,
            self.queue,
            lambda: self.execution,
            self.clock,
            TickerWatch(self.tickers, self.clock),
            MemoryResting(self.orders),
            Sweeping(self.orders, self.rosters, self.clock),
            maximum=maximum,
        ).repair()

    def built(self, order: Order) -> Order:
        """Let a worker sign and store a transaction, and die."""
        now = self.clock.now()
        transaction = self.execution.chain.sign(order, (), valid_for=timedelta(seconds=60))
        held = order.claim(at=now, until=now, by="dead")
        built = held.build((), Route((), "because"), transaction, at=now)
        self.orders.save(built, expected_seq=order.seq)
        return built

    def placed(self, **changes: Any) -> Order:
        order = an_order(**changes)
        self.orders.add(order)
        return order


def test_an_order_that_was_never_enqueued_is() -> None:
    world = World()
    order = world.placed()
    world.clock.advance(21)
    assert world.repair() == Report(seen=1, enqueued=1)
    assert list(world.queue.messages) == [WorkMessage(order.order_id, order)]


def test_a_young_order_is_left_alone() -> None:
    world = World()
    world.placed()
    world.clock.advance(19)
    assert world.repair() == Report()


def test_an_order_that_a_worker_holds_is_left_alone() -> None:
    world = World()
    order = world.placed()
    world.clock.advance(100)
    now = world.clock.now()
    held = order.claim(at=now, until=now + timedelta(seconds=15), by="w")
    world.orders.save(held, expected_seq=1)
    assert world.repair() == Report(seen=1)


def test_an_order_past_its_deadline_is_failed_here() -> None:
    world = World()
    order = world.placed()
    world.clock.advance(121)
    assert world.repair() == Report(seen=1, settled=1)
    failed = world.orders.rows[order.order_id]
    assert failed.error is not None
    assert (failed.status, failed.error.code) == (Status.FAILED, "EXPIRED")


def test_what_was_sent_by_a_worker_that_died_is_resolved_by_asking_the_chain() -> None:
    world = World()
    order = world.placed()
    built = world.built(order)
    assert built.in_flight is not None
    world.execution.chain.send(built, built.in_flight)
    world.clock.advance(30)
    assert world.repair() == Report(seen=1, settled=1)
    assert world.orders.rows[order.order_id].status is Status.CONFIRMED


def test_a_dead_letter_that_is_owed_is_sent() -> None:
    world = World()
    order = world.placed()
    failed = order.fail(Failure("X", "x"), at=world.clock.now(), dead_letter=True)
    world.orders.save(failed, expected_seq=1)
    world.clock.advance(30)
    world.repair()
    assert world.queue.dead_lettered == [DeadLetter(order.order_id, "X", 0)]
    assert world.repair() == Report()


def test_a_run_is_bounded_and_begins_with_the_oldest() -> None:
    world = World()
    for n in range(5):
        at = world.clock.now() + timedelta(seconds=n)
        world.placed(order_id=f"o{n}", at=at)
    world.clock.advance(60)
    world.repair(maximum=2)
    assert [message.order_id for message in world.queue.messages] == ["o0", "o1"]


def test_two_runs_at_once_do_no_harm() -> None:
    world = World()
    order = world.placed()
    world.clock.advance(121)
    stale = replace(order)
    world.repair()
    world.execution.settle(WorkMessage(stale.order_id, stale))
    assert world.orders.rows[order.order_id].seq == 2


def test_a_letter_of_an_order_that_came_to_a_good_end_is_dropped() -> None:
    world = World()
    now = world.clock.now()
    good = world.placed(order_id="good")
    bad = world.placed(order_id="bad")
    world.orders.save(good.cancel(at=now), expected_seq=1)
    world.orders.save(bad.fail(Failure("X", "x"), at=now), expected_seq=1)
    world.queue.dead_lettered = [DeadLetter(name, "X", 1) for name in ("good", "bad", "unheard-of")]
    assert world.repair() == Report(dropped=1)
    assert [letter.order_id for letter in world.queue.dead_lettered] == ["bad", "unheard-of"]


def test_a_deaf_queue_is_no_end_of_the_run() -> None:
    class Deaf(MemoryQueue):
        def enqueue(self, message: WorkMessage) -> None:
            raise QueueUnavailable("deaf")

        def dead_letters(self, *, limit: int) -> list[object]:  # type: ignore[override]
            raise QueueUnavailable("deaf")

    world = World(queue=Deaf())
    world.placed()
    world.placed(order_id="o2", deadline=world.clock.now())
    world.clock.advance(60)
    assert world.repair() == Report(seen=2, settled=1)


def test_an_order_that_can_not_be_settled_keeps_nobody_waiting() -> None:
    world = World()
    world.placed(order_id="poison", deadline=world.clock.now())
    good = world.placed(order_id="good", deadline=world.clock.now())
    lost = world.placed(order_id="lost")
    world.orders.save = _poisoned(world.orders.save)  # type: ignore[method-assign]
    world.clock.advance(60)
    with pytest.raises(ZeroDivisionError):
        world.repair()
    assert world.orders.rows[good.order_id].status is Status.FAILED
    assert [message.order_id for message in world.queue.messages] == [lost.order_id]


def _poisoned(save: Callable[..., None]) -> Callable[..., None]:
    def poisoned(order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        if order.order_id == "poison":
            raise ZeroDivisionError("a bug")
        save(order, expected_seq=expected_seq)

    return poisoned


def test_a_run_ends_before_its_time_does_when_the_chain_says_nothing() -> None:
    world = World()
    world.execution.chain = SimulatedChain(
        SimulatedMarket(7), world.ledger, world.clock, (0.4, 0.8), faults=Faults(mute=1.0)
    )
    for n in range(20):
        world.built(world.placed(order_id=f"o{n}"))
    world.clock.advance(21)
    started = world.clock.now()
    assert 0 < world.repair().settled < 20
    assert world.clock.now() - started < timedelta(seconds=45)
