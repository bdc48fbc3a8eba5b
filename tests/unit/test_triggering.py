"""What a tick does: who is due is woken once, who is not stays, and nothing is lost in between."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.errors import Conflict, QueueUnavailable
from engine.domain.order import Order, Status, Waiting
from engine.domain.terms import Exit, OrderType, Terms
from engine.domain.tokens import SOL, USDC
from engine.domain.triggers import STOP_LOSS, AtPrice, Direction, Level, Side, Trailing
from engine.ports.queue import WorkMessage
from engine.service.epochs import Epochs
from engine.service.pricing import Priced
from engine.service.resting import TickerWatch
from engine.service.triggering import Swept, Triggering, in_turns
from tests.fakes import (
    START,
    FakeClock,
    Inline,
    MemoryOrders,
    MemoryPriceBook,
    MemoryQueue,
    MemoryResting,
    MemoryRosters,
    MemoryTickers,
    a_parting,
    an_order,
)

PAIR = "SOL/USDC"
EXPIRES = START + timedelta(hours=1)


def limit(price: str, **changes: object) -> Terms:
    return terms(OrderType.LIMIT, limit_price=Decimal(price), **changes)


def stop(price: str, **changes: object) -> Terms:
    return terms(OrderType.STOP, stop_price=Decimal(price), **changes)


def terms(kind: OrderType, **changes: object) -> Terms:
    return Terms(SOL, USDC, 10**9, 50, kind, **{"expires_at": EXPIRES, **changes})  # type: ignore[arg-type]


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    rosters: MemoryRosters = field(default_factory=MemoryRosters)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    book: MemoryPriceBook = field(default_factory=MemoryPriceBook)
    budget: int = 1_000

    def place(self, asked: Terms, price: str = "100") -> str:
        trigger = asked.trigger(Decimal(price))
        assert trigger is not None
        order = Order.place(
            f"o{len(self.orders.rows)}",
            "ann",
            asked,
            at=self.clock.now(),
            deadline=self.clock.now(),
            waiting=Waiting(trigger, self.clock.now()),
        )
        self.orders.add(order)
        return order.order_id

    def tick(self, price: str, *, stale: bool = False, ago: float = 0) -> Swept:
        """Tick at a price that was read `ago` seconds before."""
        self.clock.advance(0.5)
        triggering = Triggering(
            self.orders,
            MemoryResting(self.orders),
            self.book,
            self.queue,
            Inline(),
            self.clock,
            Epochs(self.rosters),
            timedelta(seconds=120),
            timedelta(seconds=10),
            a_parting(self.orders, self.queue, self.clock, self.rosters),
            self.budget,
        )
        at = self.clock.now() - timedelta(seconds=ago)
        return triggering.tick([Priced(SOL, USDC, Decimal(price), at, ("raydium",), (), stale)])

    def spike(self, price: str) -> None:
        """Let the price go somewhere and come back, between two ticks."""
        row = self.book.rows[PAIR]
        back = row.tick.price
        tick = row.tick.seen(Decimal(price), self.clock.now()).seen(back, self.clock.now())
        self.book.put(replace(row, tick=tick), expected_version=row.version)

    def status(self, order_id: str) -> Status:
        return self.orders.rows[order_id].status


@pytest.fixture
def world() -> World:
    return World()


def test_who_is_due_is_woken_and_handed_to_the_workers_once(world: World) -> None:
    due, waits = world.place(limit("110")), world.place(limit("110.000000001"))
    assert world.tick("110") == Swept(seen=1, woken=1)
    assert (world.status(due), world.status(waits)) == (Status.PENDING, Status.RESTING)
    assert list(world.queue.messages) == [WorkMessage(due, world.orders.rows[due])]
    assert world.tick("110") == Swept()


def test_a_gap_skips_nobody_and_the_nearest_are_woken_first() -> None:
    world = World(budget=6)
    placed = [world.place(limit(str(price))) for price in (101, 102, 103, 104)]
    assert not world.tick("200").complete
    assert [message.order_id for message in world.queue.messages] == placed[:0:-1]
    assert world.tick("90") == Swept(seen=1, woken=1)  # its price was there, if only for a moment
    assert [world.status(order_id) for order_id in placed] == [Status.PENDING] * 4


def test_who_is_near_and_not_due_does_not_keep_a_tick_from_who_is() -> None:
    world = World(budget=6)
    due = [world.place(limit("105")) for _ in range(4)]
    assert world.tick("110") == Swept(seen=3, woken=3, complete=False)
    world.clock.advance(1)
    later = [world.place(limit(str(price))) for price in (106, 107, 108, 109)]
    assert world.tick("100").complete
    assert {world.status(order_id) for order_id in due} == {Status.PENDING}
    assert {world.status(order_id) for order_id in later} == {Status.RESTING}


def test_a_lower_high_counts_for_who_came_after_the_highest_however_short_the_budget() -> None:
    world = World(budget=6)
    for _ in range(8):
        world.place(limit("105"))
    assert not world.tick("110").complete
    world.clock.advance(1)
    later = world.place(limit("102"))
    assert not world.tick("103").complete  # which looks at the older ones, nearer its high
    for _ in range(3):
        world.tick("100")
    assert len(world.queue.messages) >= 8
    assert world.status(later) is Status.PENDING


def test_a_spike_between_two_ticks_counts(world: World) -> None:
    world.tick("100")
    order_id = world.place(stop("95"))
    world.clock.advance(0.1)
    world.spike("94")
    world.tick("100")
    assert world.status(order_id) is Status.PENDING


def test_what_the_price_did_before_an_order_was_placed_wakes_it_not(world: World) -> None:
    world.tick("100")
    world.spike("94")
    world.clock.advance(0.1)
    order_id = world.place(stop("95"))
    world.tick("100")
    assert world.status(order_id) is Status.RESTING


def test_a_jump_since_a_tick_read_its_price_is_no_fall(world: World) -> None:
    order_id = world.place(terms(OrderType.TRAILING_STOP, trailing_bps=200))
    world.tick("100")
    world.clock.advance(0.5)
    row = world.book.rows[PAIR]
    jumped = replace(row, tick=row.tick.seen(Decimal(105), world.clock.now()))
    world.book.put(jumped, expected_version=row.version)
    swept = world.tick("100", ago=0.6)
    assert (swept.moved, swept.woken) == (1, 0)
    assert world.status(order_id) is Status.RESTING
    assert world.book.rows[PAIR].tick.price == Decimal(105)


def test_a_tick_that_was_held_up_wakes_nobody_by_what_the_price_was_then(world: World) -> None:
    order_id = world.place(limit("110"))
    world.clock.advance(20)
    assert world.tick("120", ago=11) == Swept(seen=1, complete=False)
    assert world.status(order_id) is Status.RESTING
    assert world.tick("120", ago=9).woken == 1


def test_a_stale_price_wakes_nobody(world: World) -> None:
    order_id = world.place(limit("110"))
    assert world.tick("120", stale=True) == Swept()
    assert world.status(order_id) is Status.RESTING


def test_of_an_oco_one_leg_is_woken_and_its_tolerance_counts(world: World) -> None:
    ends = {"take_profit": Exit(Decimal(120), 10), "stop_loss": Exit(Decimal(90), 500)}
    order_id = world.place(terms(OrderType.OCO, **ends))
    world.tick("89")
    order = world.orders.rows[order_id]
    assert order.waiting
    assert order.waiting.fired
    assert (order.waiting.fired.leg, order.waiting.fired_price) == (STOP_LOSS, Decimal(89))
    assert order.minimum(10**9, 1_000) == 950
    assert world.tick("121") == Swept()


def test_a_stop_limit_rests_on_as_a_limit(world: World) -> None:
    asked = terms(OrderType.STOP_LIMIT, stop_price=Decimal(90), limit_price=Decimal(91))
    order_id = world.place(asked)
    assert world.tick("89") == Swept(seen=1, moved=1)
    order = world.orders.rows[order_id]
    assert order.waiting
    assert order.waiting.trigger == AtPrice(Level(Direction.ABOVE, Decimal(91)))
    assert (order.seq, world.tick("91").woken) == (1, 1)


def test_a_trailing_stop_is_written_only_when_its_stop_moves_by_a_band(world: World) -> None:
    order_id = world.place(terms(OrderType.TRAILING_STOP, trailing_bps=1_000))
    moved = [world.tick(price).moved for price in ("100.1", "100.19", "100.2", "101", "100.9")]
    assert moved == [0, 0, 1, 1, 0]
    waiting = world.orders.rows[order_id].waiting
    assert waiting
    assert waiting.trigger == Trailing(Direction.ABOVE, 1_000, Decimal(101))
    assert world.tick("90.9").woken == 1


def test_a_moved_stop_is_not_held_against_prices_from_before_it_moved(world: World) -> None:
    order_id = world.place(terms(OrderType.TRAILING_STOP, trailing_bps=500))
    world.tick("100")
    assert world.tick("110") == Swept(seen=2, moved=1)  # met again, by its new stop at 104.5
    assert world.tick("110").woken == 0
    assert world.status(order_id) is Status.RESTING
    assert world.tick("104.5").woken == 1


def test_what_expires_in_the_tick_that_reaches_it_is_one_of_the_two(world: World) -> None:
    order_id = world.place(limit("110", expires_at=world.clock.now() + timedelta(seconds=0.3)))
    assert world.tick("110") == Swept(seen=1, expired=1)
    assert world.status(order_id) is Status.EXPIRED
    assert not world.queue.messages


def test_a_buy_is_the_mirror(world: World) -> None:
    asked = Terms(USDC, SOL, 10**8, 50, OrderType.LIMIT, Side.BUY, Decimal(90), expires_at=EXPIRES)
    order_id = world.place(asked)
    assert world.tick("90.1") == Swept()
    assert world.tick("90").woken == 1
    assert world.status(order_id) is Status.PENDING


def test_who_is_woken_but_not_enqueued_is_among_the_open_orders(world: World) -> None:
    class Deaf(MemoryQueue):
        def enqueue(self, message: WorkMessage) -> None:
            raise QueueUnavailable

    world.queue = Deaf()
    order_id = world.place(limit("110"))
    assert world.tick("110").woken == 1
    later = world.clock.now() + timedelta(seconds=1)
    assert [o.order_id for o in world.orders.open_before(later, limit=9)] == [order_id]


def test_a_cancel_that_is_first_counts(world: World) -> None:
    order_id = world.place(limit("110"))
    order = world.orders.rows[order_id]

    class Overtaken(MemoryOrders):
        def save(
            self, order: Order, *, expected_seq: int, expected_moves: int | None = None
        ) -> None:
            raise Conflict(order)

    world.orders = Overtaken(world.orders.rows)
    assert world.tick("110") == Swept(seen=1)
    assert world.orders.rows[order_id] == order
    assert not world.queue.messages


def test_a_tick_that_dies_before_its_end_is_made_up_for(world: World) -> None:
    order_id = world.place(limit("110"))
    world.tick("100")
    world.spike("111")
    orders, world.orders = world.orders, MemoryOrders()  # nobody is found: as good as a death
    rows = dict(world.book.rows)
    world.tick("100")
    world.book.rows, world.orders = rows, orders
    assert world.tick("100").woken == 1
    assert world.status(order_id) is Status.PENDING


def test_a_pair_that_is_not_ticked_is_started(world: World) -> None:
    tickers = MemoryTickers()
    watch = TickerWatch(tickers, world.clock)
    watch.ensure(PAIR)
    tickers.add([PAIR])
    tickers.take("me", until=world.clock.now() + timedelta(seconds=5), now=world.clock.now())
    watch.ensure(PAIR)
    world.clock.advance(6)
    watch.ensure(PAIR)
    assert tickers.started == [frozenset({PAIR})] * 2


def test_who_a_cancel_all_has_ended_is_neither_woken_nor_expired(world: World) -> None:
    due = world.place(limit("110"))
    over = world.place(limit("200", expires_at=world.clock.now() + timedelta(seconds=2)))
    at = world.clock.now() + timedelta(seconds=1)
    world.rosters.cancel_all("ann", None, at=at)
    assert world.tick("110").woken == 0
    world.clock.advance(5)
    assert world.tick("110").expired == 0
    for order_id in (due, over):
        order = world.orders.rows[order_id]
        assert (order.status, order.updated_at) == (Status.CANCELLED, at)
    assert not world.queue.messages


@pytest.mark.parametrize("late", [False, True])
def test_what_expired_and_was_cancelled_at_once_reads_the_same_before_and_after_it_is_met(
    world: World, late: bool
) -> None:
    order_id = world.place(limit("110", expires_at=world.clock.now() + timedelta(seconds=3)))
    world.clock.advance(5 if late else 1)
    world.rosters.cancel_all("ann", None, at=world.clock.now())
    world.clock.advance(5)
    read = Epochs(world.rosters).read(world.orders.rows[order_id])
    assert read.status is Status.CANCELLED
    world.tick("100")
    assert world.orders.rows[order_id] == read


def test_a_ticker_that_died_is_started_again_while_anything_rests(world: World) -> None:
    tickers, index = MemoryTickers(), MemoryResting(world.orders)
    watch = TickerWatch(tickers, world.clock)
    watch.revive(index, [PAIR])
    assert not tickers.started
    world.place(limit("110"))
    watch.revive(index, ["RAY/USDC", PAIR])
    assert tickers.started == [frozenset(), frozenset({PAIR})]
    tickers.add([PAIR])
    watch.revive(index, [PAIR])
    assert tickers.started[2:] == [frozenset()]
    tickers.take("me", until=world.clock.now() + timedelta(seconds=5), now=world.clock.now())
    watch.revive(index, [PAIR])
    assert len(tickers.started) == 3


def test_those_due_are_woken_in_turns_of_their_accounts() -> None:
    """Of the first hundred, no account has more than a tenth while others wait."""
    greedy = [replace(an_order(), order_id=f"g{n}", account="greedy") for n in range(951)]
    others = [replace(an_order(), order_id=f"o{n}", account=f"a{n}") for n in range(49)]
    turns = in_turns([*greedy, *others])
    assert [order.order_id for order in turns[:50]] == ["g0", *(f"o{n}" for n in range(49))]
    assert [order.order_id for order in turns if order.account == "greedy"] == [
        f"g{n}" for n in range(951)
    ]
    even = [replace(an_order(), order_id=f"{n}", account=f"a{n // 20}") for n in range(1_000)]
    assert max(Counter(order.account for order in in_turns(even)[:100]).values()) <= 10
