"""Orders in parts: what is begun when, how much, and how the whole ends."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.codec import decode, encode, version_of
from engine.api.views import order_view
from engine.domain.order import Failure, Order, Status, Waiting, part_order_id
from engine.domain.parts import share
from engine.domain.terms import OrderType, Terms
from engine.domain.tokens import SOL, USDC
from engine.domain.triggers import ByTime
from engine.service.parting import Parting
from tests.fakes import START, FakeClock, MemoryOrders, MemoryQueue, MemoryRosters, a_parting

AMOUNT = 10**9 + 1


def a_parent(parts: int = 4, every: int = 10, amount: int = AMOUNT, **changes: object) -> Order:
    until = START + timedelta(days=1)
    terms = Terms(SOL, USDC, amount, 50, OrderType.TWAP, expires_at=until)
    terms = replace(terms, parts=parts, interval_seconds=every, **changes)  # type: ignore[arg-type]
    waiting = Waiting(ByTime(), START)
    return Order.place("p", "ann", terms, at=START, deadline=until, waiting=waiting)


@dataclass
class World:
    """A parent, and what looks at it."""

    parent: Order
    price: str | None = "100"
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    clock: FakeClock = field(default_factory=FakeClock)
    rosters: MemoryRosters = field(default_factory=MemoryRosters)

    def __post_init__(self) -> None:
        self.clock.time = START
        self.orders.add(self.parent)

    @property
    def parting(self) -> Parting:
        return a_parting(self.orders, self.queue, self.clock, self.rosters)

    def look(self, seconds: float = 0) -> bool:
        self.clock.advance(seconds)
        price = Decimal(self.price) if self.price else None
        return self.parting.look(self.now, lambda _: price)

    @property
    def now(self) -> Order:
        order = self.orders.get("p")
        assert order is not None
        return order

    def part(self, place: int) -> Order | None:
        return self.orders.get(part_order_id("ann", "p", place))

    def end(self, place: int, *, out: int | None = None) -> None:
        """Let a part's order trade, or fail, and its parent hear of it."""
        order = self.part(place)
        assert order is not None
        ended = order.fail(Failure("NO_ROUTE", "none"), at=self.clock.now())
        if out is not None:
            (*_, step) = ended.history
            step = replace(step, status=Status.CONFIRMED)
            ended = replace(ended, history=(*order.history, step), error=None, amount_out=out)
        self.orders.save(ended, expected_seq=order.seq)
        self.parting.note(ended)


@given(st.integers(1, 2**64 - 1), st.integers(2, 100))
def test_parts_sum_to_the_amount(amount: int, parts: int) -> None:
    shares = [share(amount, parts, n) for n in range(1, parts + 1)]
    assert sum(shares) == amount
    assert max(shares) - min(shares) <= 1


def test_one_part_begins_in_a_slot_and_all_of_them_are_the_whole() -> None:
    world = World(a_parent())
    begun = [world.look(2.5) for _ in range(16)]
    assert begun == [True, False, False, True, *[False] * 3, True, *[False] * 3, True, *[False] * 4]
    for place in range(4):
        world.end(place, out=25_000_000)
    end = world.now
    assert (end.status, end.plan and end.plan.filled) == (Status.CONFIRMED, AMOUNT)
    told = order_view(end).model_dump()
    assert (told["filledAmount"], told["amountOut"]) == ("1.000000001", "100")
    assert told["averagePrice"] == told["executedPrice"] == "99.9999999"
    assert [child["status"] for child in told["children"]] == ["confirmed"] * 4
    assert world.part(0) == decode(encode(world.part(0) or end))


def test_after_an_outage_the_late_parts_do_not_all_begin_at_once() -> None:
    world = World(a_parent())
    assert world.look()
    assert world.look(3_600)
    assert not world.look()
    assert world.look(10)


def test_a_part_outside_the_band_is_carried_to_the_last_which_waits_for_a_price_inside() -> None:
    world = World(a_parent(2, min_price=Decimal(90), max_price=Decimal(110)), price="89")
    assert not world.look()
    (tried,) = world.now.tries
    assert (tried.code, tried.price) == ("PRICE_OUTSIDE_BAND", Decimal(89))
    for _ in range(30):  # said once, however long it lasts
        assert not world.look(10)
    assert len(world.now.tries) == 2
    world.price = None
    assert not world.look(10)
    world.price = "110"
    assert world.look(10)
    world.end(0, out=7)
    plan = world.now.plan
    assert plan is not None
    assert (world.now.status, [p.amount for p in plan.begun]) == (Status.CONFIRMED, [AMOUNT])


def test_a_part_that_failed_is_tried_again_in_the_next_slot_three_times() -> None:
    world = World(a_parent(2))
    for place in range(3):
        assert world.look(10)
        world.end(place)
    end = world.now
    assert (end.status, end.error and end.error.code) == (Status.FAILED, "PART_FAILED")
    assert {part.number for part in end.plan.begun} == {1} if end.plan else False


def test_what_a_crash_kept_from_being_stored_is_stored_by_the_next_look() -> None:
    world = World(a_parent())
    begun = world.now.begin_part(at=START)
    world.orders.save(begun, expected_seq=1, expected_moves=0)
    world.look(20)
    part = world.part(0)
    assert part == begun.part_order(0, timedelta(seconds=120))
    assert world.queue.messages[0].snapshot == part


def test_what_was_not_stored_when_its_parent_stopped_has_not_begun() -> None:
    world = World(a_parent())
    begun = world.now.begin_part(at=START)
    world.orders.save(begun, expected_seq=1, expected_moves=0)
    world.orders.save(begun.stop(Status.CANCELLED, at=START), expected_seq=2, expected_moves=0)
    world.look(20)
    part = world.part(0)
    assert part is not None
    assert (part.status, world.now.status) == (Status.CANCELLED, Status.CANCELLED)


@pytest.mark.parametrize(("out", "ends"), [(5, "cancelled"), (None, "cancelled")])
def test_a_parent_that_is_stopped_ends_when_what_is_under_way_has(
    out: int | None, ends: str
) -> None:
    world = World(a_parent())
    world.look()
    stopped = world.now.stop(Status.CANCELLED, at=START)
    world.orders.save(stopped, expected_seq=2, expected_moves=0)
    told = order_view(stopped).model_dump()
    assert (told["status"], told["stopping"]) == ("resting", "cancelled")
    assert not world.look(10)
    world.end(0, out=out)
    assert (world.now.status, len(world.now.plan.begun)) == (ends, 1)  # type: ignore[union-attr]


def test_a_stopped_parent_whose_last_part_fills_it_is_confirmed() -> None:
    world = World(a_parent(2))
    world.look()
    world.end(0, out=5)
    world.look(10)
    read = world.now
    stopped = read.stop(Status.CANCELLED, at=world.clock.now())
    world.orders.save(stopped, expected_seq=read.seq, expected_moves=0)
    world.end(1, out=5)
    assert world.now.status is Status.CONFIRMED


def test_its_end_comes_when_its_time_is_over() -> None:
    world = World(a_parent())
    world.look()
    world.end(0, out=5)
    world.look(86_400)
    assert world.now.status is Status.EXPIRED


def states(world: World) -> list[Order]:
    """Return the states of a parent that was skipped, begun, filled, failed, stopped, ended."""
    found = [world.now]
    for price, seconds, out in [("80", 0, 0), ("100", 10, 5), ("100", 10, None), ("100", 10, 3)]:
        world.price = price
        if world.look(seconds):
            found.append(world.now)
            world.end(len(world.now.plan.begun) - 1, out=out)  # type: ignore[union-attr]
        found.append(world.now)
    read = world.now
    found.append(read.stop(Status.CANCELLED, at=datetime.max.replace(tzinfo=START.tzinfo)))
    return found


def test_a_repeat_is_answered_as_the_first_was_whatever_has_begun_since() -> None:
    world = World(a_parent())
    first = order_view(world.parent)
    world.look()
    assert order_view(world.now.as_of(1)) == first


def test_every_state_is_kept_as_text_and_told_of_later_as_it_was() -> None:
    seen = states(World(a_parent(min_price=Decimal(90))))
    assert [order.seq for order in seen] == list(range(1, len(seen) + 1))
    for order in seen[:-1]:
        assert (decode(encode(order)), version_of(order)) == (order, 5)
    for order in seen:
        then, told = order_view(order).model_dump(), order_view(seen[-1].as_of(order.seq))
        then["trigger"]["dueAt"] = told.trigger.due_at if told.trigger else None
        assert told.model_dump() == then
