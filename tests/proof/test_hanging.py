"""A venue that hangs, under a hundred orders a minute: nobody waits for it for long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from engine.domain.breaker import Breaker, BreakerState
from engine.domain.order import Status
from engine.service.breaking import Breaking
from tests.fakes import START, FakeChance, FakeClock, Parallel
from tests.proof.world import ORDERS, World

EVERY, RUN = timedelta(seconds=0.6), 100


@dataclass
class Hanging:
    """A venue that answers nobody for a minute."""

    clock: FakeClock
    name: str = "raydium"

    def pool(self, token_in: str, token_out: str) -> Any:
        self.clock.sleep(60)
        raise TimeoutError


class Chance(FakeChance):
    """Spreads what takes time evenly over its range."""

    def uniform(self, low: float, high: float) -> float:
        self.where = (self.where + 0.618034) % 1
        return super().uniform(low, high)


class Stalled(World):
    """A world of which one venue hangs while `hangs`."""

    hangs = False

    def stage(self) -> tuple[object, ...]:
        """Say nothing: no call is harmed here, and with hundreds of orders it would be dear."""
        return ()

    def _venue(self, venue: Any) -> Any:
        return Hanging(self.clock) if self.hangs and venue.name == "raydium" else venue


def minute(world: Stalled) -> Iterator[float]:
    """Place an order every 0.6 s for a minute, each settled by a process of its own; yield times.

    Orders overlap: each begins when it is placed, whatever the clock of the one before it says.
    """
    began = world.clock.now()
    for n in range(RUN):
        world.clock.time = began + n * EVERY
        order_id = str(world.place().body["orderId"])
        world.work(world.sqs.receive(ORDERS, world.sqs.visible(ORDERS), timedelta(seconds=60)))
        order = world.states[order_id][-1]
        assert order.status is Status.CONFIRMED
        yield (order.updated_at - order.created_at).total_seconds()
    world.clock.time = began + RUN * EVERY


def p99(times: Iterator[float]) -> float:
    return sorted(times)[-2]


def a_world() -> Stalled:
    clock = FakeClock(START)
    return Stalled(clock=clock, chance=Chance(), background=Parallel(clock))


def ratio(world: Stalled) -> float:
    healthy = p99(minute(world))
    world.hangs = True
    return p99(minute(world)) / healthy


def test_the_slowest_orders_are_at_most_a_third_slower_and_it_heals_by_itself() -> None:
    world = a_world()
    assert 1 <= ratio(world) <= 1.3
    assert world.breakers.read().of("raydium").state(world.clock.now()) is not BreakerState.CLOSED
    world.hangs = False
    list(minute(world))
    assert world.breakers.read().of("raydium") == Breaker("raydium")
    last = world.states[world.order_ids[-1]][-1]
    assert {quote.venue for quote in last.quotes if quote.error is None} == {"raydium", "meteora"}


def never_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("engine.domain.breaker.MAX_FAILURES", 10**9)


def wait_for_the_last_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("engine.service.quoting.min", lambda a, *_: a, raising=False)


def never_try_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Breaking, "_probes", lambda *_: False)


@pytest.mark.parametrize("guard", [never_open, wait_for_the_last_one, never_try_again])
def test_without_a_guard_it_shows(guard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    guard(monkeypatch)
    with pytest.raises(AssertionError):
        test_the_slowest_orders_are_at_most_a_third_slower_and_it_heals_by_itself()
