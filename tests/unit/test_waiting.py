"""Orders that wait: how they are placed, changed and cancelled, one by one and all at once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.api.views import order_view
from engine.domain.errors import (
    IdempotencyKeyReused,
    InvalidOrder,
    OrderNotCancellable,
    OrderNotChangeable,
    OrderNotFound,
    PreconditionFailed,
    PriceUnavailable,
    StoreUnavailable,
    TooManyRestingOrders,
    WouldTriggerNow,
)
from engine.domain.order import Order, Status
from engine.domain.terms import Exit, IfTriggered, OrderType
from engine.domain.triggers import AtPrice, Direction, Fired, Level, ThenLimit, Tick, Trailing
from engine.ports.queue import WorkMessage
from engine.ports.resting import Ticker
from engine.ports.rosters import Entry
from engine.service.cancelling import Cancelling
from engine.service.changing import MAX_CHANGES, Changing, ExitChange
from engine.service.epochs import Epochs
from engine.service.limits import Limits
from engine.service.placing import NewOrder, Placing
from engine.service.pricing import Pricing
from engine.service.reading import Reading, Wanted
from engine.service.resting import TickerWatch
from engine.service.room import FIRST, PLACING, Room
from engine.service.sweeping import Sweeping
from engine.service.waiting import LONGEST_REST, Beginning
from tests.fakes import (
    START,
    DollarPrices,
    FakeChance,
    FakeClock,
    MemoryAccess,
    MemoryBook,
    MemoryOrders,
    MemoryPriceBook,
    MemoryQueue,
    MemoryRosters,
    MemoryTickers,
    Venues,
    a_parting,
    an_order,
)

PAIR = "SOL/USDC"


@dataclass
class World:
    """One SOL is worth `price` USDC on the only venue; None: it does not answer."""

    price: str | None = "100"
    maximum: int = 200
    clock: FakeClock = field(default_factory=FakeClock)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    tickers: MemoryTickers = field(default_factory=MemoryTickers)
    rosters: MemoryRosters = field(default_factory=MemoryRosters)
    venues: Venues = field(default_factory=lambda: Venues({}))

    def __post_init__(self) -> None:
        self.move(self.price)
        pricing = Pricing(self.venues, MemoryPriceBook(), self.clock, timedelta(seconds=10))
        deadline, beginning = timedelta(seconds=120), Beginning(lambda: pricing, MemoryBook)
        self.epochs = Epochs(self.rosters)
        self.placing = Placing(
            self.orders,
            self.queue,
            self.clock,
            FakeChance(),
            deadline,
            Limits(MemoryAccess(), self.clock, DollarPrices()),
            Room(self.orders, self.rosters, self.maximum),
            TickerWatch(self.tickers, self.clock),
            beginning,
        )
        self.changing = Changing(
            self.orders, self.queue, self.epochs, beginning, self.clock, deadline
        )
        self.cancelling = Cancelling(
            self.orders,
            self.rosters,
            self.epochs,
            a_parting(self.orders, self.queue, self.clock, self.rosters),
            self.clock,
        )
        self.reading = Reading(self.orders, MemoryAccess(), self.epochs)
        self.sweeping = Sweeping(self.orders, self.rosters, self.clock)

    def move(self, price: str | None) -> None:
        self.venues.at = {"raydium": Decimal(price)} if price else {}

    def place(self, new_order: NewOrder) -> Order:
        return self.placing.place(new_order, account="ann").order

    def change(self, order: Order, *seqs: int, **changes: Any) -> Order:
        if_match = frozenset(seqs) or None
        return self.changing.change(order.order_id, changes, account="ann", seqs=if_match)

    def cancel_all(self, pair: str | None = None) -> datetime:
        self.clock.advance(1)
        return self.cancelling.cancel_all(pair, account="ann")

    def read(self, order: Order) -> Order:
        return self.reading.order(order.order_id, account="ann")

    def wake(self, order: Order) -> Order:
        """Do what a tick at 100 does to an order that it finds due."""
        fired = Fired(Level(Direction.ABOVE, Decimal(100)))
        woken = order.wake(fired, Decimal(100), at=self.clock.now(), deadline=self.clock.now())
        self.orders.save(woken, expected_seq=order.seq, expected_moves=order.moves)
        return woken


@pytest.fixture
def world() -> World:
    return World()


def sell(kind: OrderType, **terms: Any) -> NewOrder:
    return replace(NewOrder("SOL", "USDC", Decimal(1), kind=kind), **_decimals(terms))


def buy(kind: OrderType, **terms: Any) -> NewOrder:
    return replace(NewOrder("USDC", "SOL", Decimal(100), kind=kind), **_decimals(terms))


def _decimals(terms: dict[str, Any]) -> dict[str, Any]:
    return {n: Decimal(v) if n.endswith("price") else v for n, v in terms.items()}


def limit(price: str, **terms: Any) -> NewOrder:
    return sell(OrderType.LIMIT, limit_price=price, **terms)


def oco(profit: str, loss: str) -> NewOrder:
    ends = Exit(Decimal(profit), 10), Exit(Decimal(loss), 300)
    return sell(OrderType.OCO, take_profit=ends[0], stop_loss=ends[1])


ABOVE, BELOW = Direction.ABOVE, Direction.BELOW


@pytest.mark.parametrize(
    ("new_order", "direction", "price"),
    [
        (limit("101"), ABOVE, "101"),
        (buy(OrderType.LIMIT, limit_price="99"), BELOW, "99"),
        (sell(OrderType.STOP, stop_price="99"), BELOW, "99"),
        (buy(OrderType.STOP, stop_price="101"), ABOVE, "101"),
        (sell(OrderType.TAKE_PROFIT, stop_price="101"), ABOVE, "101"),
        (buy(OrderType.TAKE_PROFIT, stop_price="99"), BELOW, "99"),
        (sell(OrderType.STOP_LIMIT, stop_price="95", limit_price="94"), BELOW, "95"),
        (sell(OrderType.TRAILING_STOP, trailing_bps=1_000), BELOW, "90"),
        (buy(OrderType.TRAILING_STOP, trailing_bps=1_000), ABOVE, "110"),
        (
            sell(OrderType.TRAILING_STOP, trailing_bps=1_000, activation_price="120"),
            ABOVE,
            "120",
        ),
    ],
)
def test_an_order_rests_for_its_price_and_its_pair_is_ticked(
    world: World, new_order: NewOrder, direction: Direction, price: str
) -> None:
    order = world.place(new_order)
    assert (order.status, order.seq) == (Status.RESTING, 1)
    assert world.orders.rows[order.order_id] == order
    assert not world.queue.messages
    assert world.tickers.started == [frozenset({PAIR})]
    told = order_view(order)
    assert told.trigger
    assert (told.trigger.direction, told.trigger.price) == (direction, price)
    assert told.trigger.triggered_at is None
    assert order.expires_at == START + LONGEST_REST


def test_a_pair_that_is_ticked_is_not_started_again(world: World) -> None:
    world.tickers.row = Ticker("me", START + timedelta(seconds=5), frozenset({PAIR}))
    world.place(limit("101"))
    assert world.tickers.started == []


def test_an_oco_waits_for_both_of_its_prices(world: World) -> None:
    told = order_view(world.place(oco("120", "90")))
    assert told.trigger
    assert (told.trigger.direction, told.trigger.price) == (None, None)
    assert [(level.leg, level.direction, level.price) for level in told.trigger.levels] == [
        ("takeProfit", ABOVE, "120"),
        ("stopLoss", BELOW, "90"),
    ]


@pytest.mark.parametrize(
    ("new_order", "pointer"),
    [
        (limit("100"), "/limitPrice"),
        (buy(OrderType.LIMIT, limit_price="100"), "/limitPrice"),
        (sell(OrderType.STOP, stop_price="100"), "/stopPrice"),
        (sell(OrderType.TAKE_PROFIT, stop_price="99"), "/stopPrice"),
        (sell(OrderType.STOP_LIMIT, stop_price="101", limit_price="99"), "/stopPrice"),
        (oco("99", "90"), "/takeProfit/price"),
        (oco("120", "101"), "/stopLoss/price"),
    ],
)
def test_what_is_due_as_it_is_placed_trades_or_is_refused(
    world: World, new_order: NewOrder, pointer: str
) -> None:
    order = world.place(new_order)
    assert order.status is Status.PENDING
    assert list(world.queue.messages) == [WorkMessage(order.order_id, order)]
    assert world.tickers.started == []
    told = order_view(order).trigger
    assert told
    assert (told.triggered_price, told.triggered_at) == ("100", "2026-11-22T08:24:00.000Z")
    with pytest.raises(WouldTriggerNow) as refused:
        world.place(replace(new_order, if_triggered=IfTriggered.REJECT))
    assert [(p.pointer, p.code) for p in refused.value.problems] == [(pointer, "WOULD_TRIGGER_NOW")]
    assert len(world.orders.rows) == 1


def test_a_stop_limit_whose_stop_is_reached_but_not_its_limit_rests_for_that(world: World) -> None:
    new_order = sell(OrderType.STOP_LIMIT, stop_price="101", limit_price="102")
    assert world.place(new_order).waiting == replace(
        world.place(limit("102")).waiting,  # type: ignore[type-var]
        trigger=AtPrice(Level(ABOVE, Decimal(102))),
    )
    with pytest.raises(WouldTriggerNow):
        world.place(replace(new_order, if_triggered=IfTriggered.REJECT))


def test_an_activation_that_is_reached_begins_and_is_not_due(world: World) -> None:
    new_order = sell(
        OrderType.TRAILING_STOP,
        trailing_bps=500,
        activation_price="90",
        if_triggered=IfTriggered.REJECT,
    )
    waiting = world.place(new_order).waiting
    assert waiting
    assert waiting.trigger == Trailing(ABOVE, 500, Decimal(100))


def test_without_a_price_all_rest_but_what_has_to_follow_one() -> None:
    world = World(price=None)
    assert world.place(limit("1")).status is Status.RESTING
    with_activation = sell(OrderType.TRAILING_STOP, trailing_bps=500, activation_price="90")
    assert world.place(with_activation).status is Status.RESTING
    with pytest.raises(PriceUnavailable):
        world.place(replace(with_activation, activation_price=None))
    assert len(world.orders.rows) == 2


@pytest.mark.parametrize(("profit", "loss"), [("90", "120"), ("100", "100")])
def test_an_oco_on_the_wrong_sides_of_itself_is_refused(
    world: World, profit: str, loss: str
) -> None:
    for new_order in (
        oco(profit, loss),
        replace(oco(loss, profit), token_in="USDC", token_out="SOL"),
    ):
        with pytest.raises(InvalidOrder) as refused:
            world.place(new_order)
        assert [(p.pointer, p.code) for p in refused.value.problems] == [
            ("/stopLoss/price", "PRICES_CROSSED")
        ]


@pytest.mark.parametrize(
    ("after", "taken"),
    [
        (timedelta(0), False),
        (timedelta(milliseconds=1), True),
        (LONGEST_REST, True),
        (LONGEST_REST + timedelta(milliseconds=1), False),
    ],
)
def test_an_order_ends_in_the_future_and_within_thirty_days(
    world: World, after: timedelta, taken: bool
) -> None:
    new_order = limit("101", expires_at=START + after)
    if taken:
        assert world.place(new_order).expires_at == START + after
        return
    with pytest.raises(InvalidOrder) as refused:
        world.place(new_order)
    assert [(p.pointer, p.code) for p in refused.value.problems] == [
        ("/expiresAt", "EXPIRY_OUT_OF_RANGE")
    ]


def test_a_repeat_is_the_same_order_whatever_has_become_of_it(world: World) -> None:
    new_order = limit("101", key="k")
    first = order_view(world.place(new_order))
    since: list[Callable[[Order], object]] = [
        lambda order: world.change(order, limit_price=Decimal(105)),
        lambda order: world.move("200"),
        world.wake,
    ]
    for happen in since:
        happen(world.orders.rows[first.order_id])
        world.clock.advance(3_600)
        again = world.placing.place(new_order, account="ann")
        assert again.replayed
        assert order_view(again.order) == first
        assert world.placing.place(
            replace(new_order, expires_at=START + LONGEST_REST), account="ann"
        ).replayed


@pytest.mark.parametrize(
    "other",
    [
        {"limit_price": Decimal("101.1")},
        {"slippage_bps": 51},
        {"if_triggered": IfTriggered.REJECT},
        {"expires_at": START + timedelta(days=1)},
        {"kind": OrderType.MARKET, "limit_price": None},
        {"amount": Decimal(2)},
    ],
)
def test_another_order_under_the_same_key_is_refused(world: World, other: dict[str, Any]) -> None:
    new_order = limit("101", key="k")
    world.place(new_order)
    with pytest.raises(IdempotencyKeyReused):
        world.place(replace(new_order, **other))


def test_an_order_whose_ticker_can_not_be_started_is_accepted_all_the_same() -> None:
    class Away(MemoryTickers):
        def read(self) -> Ticker:
            raise StoreUnavailable

    world = World(tickers=Away())
    assert world.place(limit("101")).status is Status.RESTING


# Changes


def test_a_change_is_a_step_and_what_was_placed_is_kept(world: World) -> None:
    order = world.place(limit("101"))
    world.clock.advance(1)
    changed = world.change(order, limit_price=Decimal(110), expires_at=START + timedelta(days=2))
    assert (changed.status, changed.seq) == (Status.RESTING, 2)
    assert world.orders.rows[order.order_id] == changed
    assert changed.waiting
    assert changed.waiting.trigger == AtPrice(Level(ABOVE, Decimal(110)))
    assert order_view(changed).limit_price == "110"
    assert order_view(changed.as_of(1)) == order_view(order)


def test_the_same_change_again_changes_nothing(world: World) -> None:
    order = world.place(limit("101"))
    first = world.change(order, limit_price=Decimal(110))
    assert world.change(order, limit_price=Decimal("110.0")) == first


def test_a_leg_that_is_changed_keeps_what_is_not_named(world: World) -> None:
    order = world.place(oco("120", "90"))
    changed = world.change(order, stop_loss=ExitChange(price=Decimal(95)))
    assert changed.terms.stop_loss == Exit(Decimal(95), 300)
    assert changed.terms.take_profit == Exit(Decimal(120), 10)
    with pytest.raises(InvalidOrder) as refused:
        world.change(order, take_profit=ExitChange(price=Decimal(94)))
    assert [p.code for p in refused.value.problems] == ["PRICES_CROSSED"]


@pytest.mark.parametrize(
    ("new_order", "name", "pointer"),
    [
        (limit("101"), "stop_price", "/stopPrice"),
        (limit("101"), "trailing_bps", "/trailingBps"),
        (limit("101"), "take_profit", "/takeProfit"),
        (sell(OrderType.STOP, stop_price="99"), "limit_price", "/limitPrice"),
        (oco("120", "90"), "slippage_bps", "/slippageBps"),
    ],
)
def test_a_change_of_what_an_order_has_not_is_refused(
    world: World, new_order: NewOrder, name: str, pointer: str
) -> None:
    order = world.place(new_order)
    with pytest.raises(InvalidOrder) as refused:
        world.change(order, **{name: Decimal(1)})
    assert [(p.pointer, p.code) for p in refused.value.problems] == [(pointer, "UNKNOWN_FIELD")]


def test_a_watermark_outlives_a_change_of_the_distance_but_not_of_the_activation(
    world: World,
) -> None:
    order = world.place(sell(OrderType.TRAILING_STOP, trailing_bps=1_000))
    moved = order.move(Trailing(ABOVE, 1_000, Decimal(150)), at=START)
    world.orders.save(moved, expected_seq=1, expected_moves=0)
    world.move("149")
    changed = world.change(order, trailing_bps=500)
    assert changed.waiting
    assert changed.waiting.trigger == Trailing(ABOVE, 500, Decimal(150))
    again = world.change(order, activation_price=Decimal(200))
    assert order_view(again).trigger == replace_levels(again, ABOVE, "200")


def replace_levels(order: Order, direction: Direction, price: str) -> Any:
    told = order_view(order).trigger
    assert told
    level = told.levels[0].model_copy(update={"direction": direction, "price": price})
    update = {"direction": direction, "price": price, "levels": [level], "watermark": None}
    return told.model_copy(update=update)


def test_a_stop_limit_that_became_a_limit_stays_one_unless_its_stop_is_changed(
    world: World,
) -> None:
    order = world.place(sell(OrderType.STOP_LIMIT, stop_price="95", limit_price="98"))
    world.move("94")
    assert order.waiting
    stage = order.waiting.trigger.on(Tick.of(Decimal(94), world.clock.now()))
    assert isinstance(stage, AtPrice)
    world.orders.save(order.move(stage, at=START), expected_seq=1, expected_moves=0)
    changed = world.change(order, limit_price=Decimal(97))
    assert changed.waiting
    assert changed.waiting.trigger == AtPrice(Level(ABOVE, Decimal(97)))
    again = world.change(order, stop_price=Decimal(90))
    assert again.waiting
    assert again.waiting.trigger == ThenLimit(Level(BELOW, Decimal(90)), Level(ABOVE, Decimal(97)))


def test_a_change_that_makes_it_due_is_told_as_a_change_and_a_trigger(world: World) -> None:
    order = world.place(limit("101"))
    changed = world.change(order, limit_price=Decimal(99))
    assert [step.status for step in changed.history] == [
        Status.RESTING,
        Status.RESTING,
        Status.PENDING,
    ]
    assert list(world.queue.messages) == [WorkMessage(order.order_id, changed)]
    refusing = world.place(limit("101", if_triggered=IfTriggered.REJECT))
    with pytest.raises(WouldTriggerNow):
        world.change(refusing, limit_price=Decimal(99))
    assert world.orders.rows[refusing.order_id] == refusing


@pytest.mark.parametrize("status", [Status.PENDING, Status.ROUTING, Status.CONFIRMED])
def test_what_does_not_rest_is_not_changed(world: World, status: Status) -> None:
    order = an_order(account="ann", status=status)
    world.orders.add(order)
    with pytest.raises(OrderNotChangeable):
        world.change(order, slippage_bps=1)


def test_what_is_about_to_expire_is_not_changed(world: World) -> None:
    until = world.clock.now() + timedelta(seconds=2)
    order = world.place(sell(OrderType.LIMIT, limit_price="110", expires_at=until))
    world.clock.advance(2)
    with pytest.raises(OrderNotChangeable, match="time is over"):
        world.change(order, limit_price=Decimal(90))
    assert not world.queue.messages


def test_somebody_elses_order_is_not_changed(world: World) -> None:
    order = world.place(limit("101"))
    with pytest.raises(OrderNotFound):
        world.changing.change(order.order_id, {"slippage_bps": 1}, account="bob")


def test_a_change_of_what_it_is_no_more_is_refused(world: World) -> None:
    order = world.place(limit("101"))
    world.change(order, 1, slippage_bps=1)
    with pytest.raises(PreconditionFailed):
        world.change(order, 1, slippage_bps=2)
    assert world.change(order, 1, 2, slippage_bps=2).seq == 3


def test_an_order_is_changed_so_often_and_no_more(world: World) -> None:
    order = world.place(limit("101"))
    for n in range(MAX_CHANGES):
        world.change(order, slippage_bps=n)
    with pytest.raises(OrderNotChangeable):
        world.change(order, slippage_bps=MAX_CHANGES)


@dataclass
class Raced(MemoryOrders):
    """Somebody else is always first, once."""

    first: Callable[[Order], Order] | None = None

    def save(self, order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        if self.first:
            standing = self.rows[order.order_id]
            self.rows[order.order_id] = self.first(standing)
            self.first = None
        super().save(order, expected_seq=expected_seq, expected_moves=expected_moves)


def _woken(order: Order) -> Order:
    return order.wake(Fired(Level(ABOVE, Decimal(101))), Decimal(101), at=START, deadline=START)


def test_a_change_and_a_cancel_that_lose_to_the_trigger_say_so() -> None:
    orders = Raced()
    world = World(orders=orders)
    order = world.place(limit("101"))
    orders.first = _woken
    with pytest.raises(OrderNotChangeable, match="pending"):
        world.change(order, slippage_bps=1)
    other = world.place(limit("101"))
    orders.first = lambda resting: _woken(resting).claim(at=START, until=START, by="w")
    with pytest.raises(OrderNotCancellable, match="routing"):
        world.cancelling.cancel(other.order_id, account="ann")


def test_a_change_that_loses_to_a_watermark_is_made_after_it() -> None:
    orders = Raced()
    world = World(orders=orders)
    order = world.place(sell(OrderType.TRAILING_STOP, trailing_bps=1_000))
    orders.first = lambda resting: resting.move(Trailing(ABOVE, 1_000, Decimal(105)), at=START)
    changed = world.change(order, trailing_bps=2_000)
    assert changed.waiting
    assert changed.waiting.trigger == Trailing(ABOVE, 2_000, Decimal(105))


# Cancelling


def test_a_resting_order_is_cancelled(world: World) -> None:
    order = world.place(limit("101"))
    cancelled = world.cancelling.cancel(order.order_id, account="ann")
    assert (cancelled.status, cancelled.seq) == (Status.CANCELLED, 2)
    assert world.cancelling.cancel(order.order_id, account="ann") == cancelled


def test_all_that_rest_read_as_cancelled_at_once_without_a_write_of_theirs(world: World) -> None:
    resting = [world.place(limit(str(101 + n))) for n in range(5)]
    before = dict(world.orders.rows)
    at = world.cancel_all()
    assert world.orders.rows == before
    for order in resting:
        read = world.read(order)
        assert (read.status, read.seq, read.updated_at) == (Status.CANCELLED, 2, at)
    page, _ = world.reading.page("ann", Wanted(Status.CANCELLED), limit=10, cursor=None)
    assert len(page) == 5
    assert world.reading.page("ann", Wanted(Status.RESTING), limit=10, cursor=None) == ([], None)


def test_what_is_placed_after_a_cancel_all_rests(world: World) -> None:
    world.cancel_all()
    order = world.place(limit("101"))
    assert world.read(order) == order


def test_other_pairs_other_accounts_and_what_is_under_way_are_not_cancelled(world: World) -> None:
    sol = world.place(limit("101"))
    other = world.placing.place(limit("101"), account="bob").order
    ray = world.place(replace(sell(OrderType.LIMIT, limit_price="1000"), token_in="RAY"))
    pending = an_order(account="ann", order_id="busy")
    world.orders.add(pending)
    world.cancel_all(PAIR)
    assert world.read(sol).status is Status.CANCELLED
    assert world.read(ray).status is Status.RESTING
    assert world.read(pending) == pending
    assert world.reading.order(other.order_id, account="bob") == other
    world.cancel_all()
    assert world.read(ray).status is Status.CANCELLED


def test_an_order_that_a_cancel_all_ended_is_neither_changed_nor_cancelled_otherwise(
    world: World,
) -> None:
    order = world.place(limit("101"))
    at = world.cancel_all()
    with pytest.raises(OrderNotChangeable, match="cancelled"):
        world.change(order, slippage_bps=1)
    world.clock.advance(60)
    cancelled = world.cancelling.cancel(order.order_id, account="ann")
    assert cancelled.updated_at == at
    assert world.orders.rows[order.order_id] == cancelled


def test_two_cancel_alls_of_one_moment_are_two_epochs(world: World) -> None:
    first = world.rosters.cancel_all("ann", None, at=START)
    order = world.place(limit("101"))
    assert world.rosters.cancel_all("ann", PAIR, at=START) == first + 1
    assert world.read(order).status is Status.CANCELLED


def test_a_sweep_writes_down_what_is_cancelled_already(world: World) -> None:
    order, woken = world.place(limit("101")), world.wake(world.place(limit("101")))
    at = world.cancel_all()
    kept = world.place(limit("101"))
    told = world.read(order)
    world.clock.advance(30)
    assert world.sweeping.sweep() == 1
    assert world.orders.rows[order.order_id] == told
    assert told.updated_at == at
    assert world.orders.rows[kept.order_id] == kept
    assert world.orders.rows[woken.order_id] == woken
    assert world.sweeping.sweep() == 0


def test_a_sweep_comes_back_for_what_was_being_placed(world: World) -> None:
    world.rosters.enter("ann", Entry("under way", world.clock.now()), room=FIRST)
    world.cancel_all()
    world.sweeping.sweep()
    assert world.rosters.unswept(limit=1) == ["ann"]
    world.clock.advance(PLACING.total_seconds())
    world.sweeping.sweep()
    assert world.rosters.unswept(limit=1) == []


# Room


def test_no_more_orders_wait_than_may_and_one_that_ends_makes_room() -> None:
    world = World(maximum=3)
    resting = [world.place(limit("101")) for _ in range(3)]
    with pytest.raises(TooManyRestingOrders):
        world.place(limit("101"))
    assert len(world.orders.rows) == 3
    world.placing.place(limit("101"), account="bob")
    world.place(NewOrder("SOL", "USDC", Decimal(1)))
    world.cancelling.cancel(resting[0].order_id, account="ann")
    world.place(limit("101"))
    with pytest.raises(TooManyRestingOrders):
        world.place(limit("101"))


def test_a_cancel_all_makes_room_at_once() -> None:
    world = World(maximum=3)
    for _ in range(3):
        world.place(limit("101"))
    world.cancel_all()
    for _ in range(3):
        world.place(limit("101"))
    with pytest.raises(TooManyRestingOrders):
        world.place(limit("101"))


def test_repeats_take_no_room_and_are_answered_also_without_any() -> None:
    world = World(maximum=2)
    new_order = limit("101", key="k")
    world.place(new_order)
    for _ in range(5):
        world.clock.advance(0.001)
        assert world.placing.place(new_order, account="ann").replayed
    world.place(limit("101"))
    with pytest.raises(TooManyRestingOrders):
        world.place(limit("101"))
    assert world.placing.place(new_order, account="ann").replayed


def test_what_is_being_placed_counts_until_it_can_not_be_any_more() -> None:
    world = World(maximum=2)
    for n in range(2):
        world.rosters.enter("ann", Entry(f"under way {n}", world.clock.now()), room=2)
    with pytest.raises(TooManyRestingOrders):
        world.place(limit("101"))
    world.clock.advance(PLACING.total_seconds())
    world.place(limit("101"))


@pytest.mark.parametrize("live", [0, 10, 150])
def test_the_roster_stays_small_where_few_rest(live: int) -> None:
    world = World()
    for _ in range(live):
        world.place(limit("101"))
    for _ in range(300):
        ended = world.place(limit("101"))
        world.cancelling.cancel(ended.order_id, account="ann")
    assert len(world.rosters.read("ann").entries) <= min(200, 2 * live + 2 * FIRST)
    assert world.read(ended).status is Status.CANCELLED


def test_of_two_who_count_at_once_one_says_how_many_there_may_be() -> None:
    world = World(maximum=3)
    for _ in range(3):
        world.place(limit("101"))
    seen = world.rosters.read("ann")
    world.cancel_all()
    world.place(limit("101"))
    world.rosters.clear("ann", (), room=99, version=seen.version)
    assert world.rosters.rooms["ann"] < 99
