"""An order is taken once, durably, and only if it can trade."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from engine.api.views import order_view
from engine.domain.errors import (
    EngineError,
    IdempotencyKeyReused,
    IllegalTransition,
    InvalidOrder,
    OrderRateExceeded,
    QueueUnavailable,
    TradingHalted,
    VenueUnavailable,
)
from engine.domain.order import Order, Status
from engine.domain.tokens import TOKENS, XSLIP, Token
from engine.ports.access import TradingState
from engine.ports.queue import WorkMessage
from engine.service.limits import Limits
from engine.service.placing import NewOrder, Placing
from engine.service.pricing import Pricing
from engine.service.resting import TickerWatch
from engine.service.room import Room
from engine.service.waiting import Beginning
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
    a_life,
)


class DeafQueue(MemoryQueue):
    def enqueue(self, message: WorkMessage) -> None:
        raise QueueUnavailable("deaf")


@dataclass
class World:
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    clock: FakeClock = field(default_factory=FakeClock)
    chance: FakeChance = field(default_factory=FakeChance)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    rosters: MemoryRosters = field(default_factory=MemoryRosters)
    tickers: MemoryTickers = field(default_factory=MemoryTickers)
    at: dict[str, Decimal] = field(default_factory=lambda: {"raydium": Decimal(100)})
    most_resting: int = 200
    test_tokens: bool = False
    orders_per_minute: int = 0
    max_dollars: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        book, old = MemoryPriceBook(), timedelta(seconds=10)
        self.pricing = Pricing(Venues(self.at), book, self.clock, old)
        limits = Limits(
            self.access,
            self.clock,
            DollarPrices(),
            self.orders_per_minute,
            Decimal(0),
            self.max_dollars,
        )
        self.placing = Placing(
            self.orders,
            self.queue,
            self.clock,
            self.chance,
            timedelta(seconds=120),
            limits,
            Room(self.orders, self.rosters, self.most_resting),
            TickerWatch(self.tickers, self.clock),
            Beginning(lambda: self.pricing, MemoryBook),
            self.test_tokens,
        )

    def place(self, new_order: NewOrder, account: str = "ann") -> tuple[Order, bool]:
        placed = self.placing.place(new_order, account=account)
        return placed.order, placed.replayed


ONE_SOL = NewOrder("SOL", "USDC", Decimal(1))


def _problems(world: World, new_order: NewOrder) -> set[tuple[str, str]]:
    with pytest.raises(InvalidOrder) as refused:
        world.place(new_order)
    assert world.orders.rows == {}
    assert not world.queue.messages
    return {(p.pointer, p.code) for p in refused.value.problems}


def test_an_order_is_stored_and_enqueued() -> None:
    world = World()
    order, replayed = world.place(ONE_SOL)
    assert not replayed
    assert world.orders.get(order.order_id) == order
    assert list(world.queue.messages) == [WorkMessage(order.order_id, order)]
    assert (order.status, order.terms.amount, order.seq) == (Status.PENDING, 10**9, 1)
    assert order.deadline == START + timedelta(seconds=120)


def test_without_a_key_every_order_is_new() -> None:
    world = World()
    assert world.place(ONE_SOL)[0].order_id != world.place(ONE_SOL)[0].order_id


def test_the_same_key_and_meaning_is_the_same_order() -> None:
    world = World()
    first, _ = world.place(NewOrder("SOL", "USDC", Decimal(1), key="k"))
    world.clock.advance(5)
    again, replayed = world.place(NewOrder("SOL", "USDC", Decimal("1.0"), key="k"))
    assert replayed
    assert again == first
    assert len(world.queue.messages) == 1


def test_of_two_posts_with_one_key_in_one_millisecond_one_is_a_replay() -> None:
    world = World()
    new_order = NewOrder("SOL", "USDC", Decimal(1), key="k")
    (first, new), (second, replayed) = world.place(new_order), world.place(new_order)
    assert (new, replayed) == (False, True)
    assert first == second
    assert len(world.queue.messages) == 1


def test_a_replay_says_what_was_first_said_whatever_became_of_the_order() -> None:
    world = World()
    first, _ = world.place(NewOrder("SOL", "USDC", Decimal(1), key="k"))
    world.orders.save(a_life(first, at=START)[1], expected_seq=1)
    world.clock.advance(5)
    again, replayed = world.place(NewOrder("SOL", "USDC", Decimal(1), key="k"))
    assert (order_view(again), replayed) == (order_view(first), True)


def test_the_same_key_for_another_order_is_refused() -> None:
    world = World()
    world.place(NewOrder("SOL", "USDC", Decimal(1), key="k"))
    for other in (
        NewOrder("SOL", "USDC", Decimal(2), key="k"),
        NewOrder("SOL", "USDC", Decimal(1), 51, key="k"),
        NewOrder("SOL", "USDT", Decimal(1), key="k"),
    ):
        world.clock.advance(1)
        with pytest.raises(IdempotencyKeyReused):
            world.place(other)


def test_two_accounts_may_use_one_key() -> None:
    world = World()
    ann, _ = world.place(NewOrder("SOL", "USDC", Decimal(1), key="k"), "ann")
    bob, replayed = world.place(NewOrder("SOL", "USDC", Decimal(1), key="k"), "bob")
    assert not replayed
    assert ann.order_id != bob.order_id


def test_an_order_that_can_not_be_enqueued_is_accepted_all_the_same() -> None:
    world = World(queue=DeafQueue())
    order, _ = world.place(ONE_SOL)
    assert world.orders.get(order.order_id) == order


def test_every_field_that_is_wrong_is_named() -> None:
    assert _problems(World(), NewOrder("SOLX", "USD", Decimal(0))) == {
        ("/tokenIn", "UNKNOWN_TOKEN"),
        ("/tokenOut", "UNKNOWN_TOKEN"),
        ("/amount", "AMOUNT_OUT_OF_RANGE"),
    }


@pytest.mark.parametrize(
    ("new_order", "problem"),
    [
        (NewOrder("SOL", "SOL", Decimal(1)), ("/tokenOut", "SAME_TOKEN")),
        (NewOrder("BONK", "JUP", Decimal(1)), ("/tokenOut", "UNSUPPORTED_PAIR")),
        (NewOrder("USDC", "SOL", Decimal("0.0000001")), ("/amount", "TOO_MANY_DECIMALS")),
        (
            NewOrder("SOL", "USDC", Decimal("18446744073.709551616")),
            ("/amount", "AMOUNT_OUT_OF_RANGE"),
        ),
        (NewOrder("XFAIL", "USDC", Decimal(1)), ("/tokenIn", "UNKNOWN_TOKEN")),
    ],
)
def test_what_can_not_trade_is_refused(new_order: NewOrder, problem: tuple[str, str]) -> None:
    assert _problems(World(), new_order) == {problem}


def test_test_tokens_trade_where_the_operator_turned_them_on() -> None:
    order, _ = World(test_tokens=True).place(NewOrder("XFAIL", "USDC", Decimal(1)))
    assert order.token_in == "XFAIL"


def test_a_pair_without_a_pool_does_not_trade() -> None:
    world = World()
    world.placing.pooled = frozenset({"SOL/USDC"})
    assert list(world.placing.pairs()) == ["SOL/USDC"]
    wanted = NewOrder("RAY", "USDC", Decimal(1))
    assert _problems(world, wanted) == {("/tokenOut", "UNSUPPORTED_PAIR")}
    world.place(ONE_SOL)


def test_a_halt_is_felt_within_seconds_and_so_is_its_end() -> None:
    world = World()
    world.place(ONE_SOL)
    world.access.state = TradingState.HALTED
    world.clock.advance(2)
    with pytest.raises(TradingHalted):
        world.place(ONE_SOL)
    assert len(world.orders.rows) == 1
    world.access.state = TradingState.ACTIVE
    world.clock.advance(2)
    world.place(ONE_SOL)


def test_the_trading_state_is_not_read_for_every_order() -> None:
    world = World()
    for _ in range(10):
        world.place(ONE_SOL)
    assert world.access.reads == 1


def test_an_account_places_so_many_orders_a_minute_and_another_account_its_own() -> None:
    world = World(orders_per_minute=2)
    placed = [world.placing.place(ONE_SOL, account="ann").allowance for _ in range(2)]
    assert [(a.limit, a.remaining, a.seconds) for a in placed if a] == [(2, 1, 60), (2, 0, 60)]
    world.clock.advance(10)
    with pytest.raises(OrderRateExceeded) as refused:
        world.place(ONE_SOL, "ann")
    assert refused.value.retry_after == 50
    world.place(ONE_SOL, "bob")
    world.clock.advance(50)
    world.place(ONE_SOL, "ann")
    assert len(world.orders.rows) == 4


def test_an_order_worth_too_much_or_too_little_is_refused() -> None:
    assert _problems(World(max_dollars=Decimal(99)), ONE_SOL) == {("/amount", "NOTIONAL_TOO_LARGE")}
    world = World(max_dollars=Decimal(100))
    world.place(ONE_SOL)
    world.placing.limits.min_dollars = Decimal(101)
    with pytest.raises(InvalidOrder) as refused:
        world.place(ONE_SOL)
    assert [p.code for p in refused.value.problems] == ["NOTIONAL_TOO_SMALL"]


def _halt(world: World) -> None:
    world.access.state = TradingState.HALTED
    world.clock.advance(2)


def _use_the_rate_up(world: World) -> None:
    world.placing.limits.orders_per_minute = 1
    world.placing.limits.count_order("ann")


def _lose_the_prices(world: World) -> None:
    world.placing.limits.prices = AwayPrices()


class AwayPrices:
    def dollars(self, token: Token, at: datetime) -> Decimal:
        raise VenueUnavailable("no price")


@dataclass
class Refusing(Limits):
    """Limits with one check more, which nobody has thought of yet."""

    def check_trading(self) -> None:
        raise IllegalTransition("not today")


def _add_a_check(world: World) -> None:
    world.placing.limits = Refusing(world.access, world.clock, DollarPrices())


#: What may speak against an order that was accepted a moment ago.
SINCE: dict[str, Callable[[World], object]] = {
    "halted": _halt,
    "too many": _use_the_rate_up,
    "worth too much": lambda world: setattr(world.placing.limits, "max_dollars", Decimal(1)),
    "worth too little": lambda world: setattr(world.placing.limits, "min_dollars", Decimal(999)),
    "no prices": _lose_the_prices,
    "test tokens off": lambda world: setattr(world.placing, "test_tokens", False),
    "delisted": lambda world: TOKENS.pop("XSLIP"),
    "a check to come": _add_a_check,
}


@pytest.mark.parametrize("since", SINCE)
def test_an_accepted_order_is_told_again_whatever_is_refused_since(
    since: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TOKENS, "XSLIP", XSLIP)  # and put back, whatever the test does
    new_order = NewOrder("XSLIP", "USDC", Decimal(1), key="k")
    world = World(test_tokens=True, max_dollars=Decimal(100))
    first, _ = world.place(new_order)
    SINCE[since](world)
    for _ in range(3):
        assert world.place(new_order) == (first, True)
    for other in (
        replace(new_order, amount=Decimal(2)),
        replace(new_order, amount=Decimal("0.0000001")),
        replace(new_order, slippage_bps=51),
        replace(new_order, token_out="SOL"),
        replace(new_order, token_in="NEVER"),
    ):
        with pytest.raises(IdempotencyKeyReused):
            world.place(other)
    with pytest.raises(EngineError) as refused:
        world.place(replace(new_order, key="new"))
    assert not isinstance(refused.value, IdempotencyKeyReused)
    assert len(world.orders.rows) == 1


def test_a_repeat_means_the_tokens_of_its_order_also_when_the_symbol_is_listed_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, new_order = World(), NewOrder("RAY", "USDC", Decimal("1.123456"), key="k")
    first, _ = world.place(new_order)
    monkeypatch.setitem(TOKENS, "RAY", replace(TOKENS["RAY"], decimals=2))
    assert world.place(new_order) == (first, True)
    monkeypatch.setitem(TOKENS, "RAY", replace(TOKENS["RAY"], mint="another", decimals=9))
    world.clock.advance(1)
    assert world.place(new_order) == (first, True)


def test_a_new_order_under_a_key_costs_no_read() -> None:
    class Unread(MemoryOrders):
        def get(self, order_id: str) -> Order | None:
            raise AssertionError("read")

    World(orders=Unread()).place(replace(ONE_SOL, key="k"))


def test_terms_are_judged_as_an_order_would_be() -> None:
    world = World(max_dollars=Decimal(99))
    with pytest.raises(InvalidOrder) as refused:
        world.placing.terms(ONE_SOL)
    assert [(p.pointer, p.code) for p in refused.value.problems] == [
        ("/amount", "NOTIONAL_TOO_LARGE")
    ]


class FinePrices:
    """Every token is worth a little more than 163 dollars, by its last of 31 digits."""

    def dollars(self, token: Token, at: datetime) -> Decimal:
        return Decimal("163.0000000000000000000000000001")


def test_a_bound_is_met_to_the_last_digit() -> None:
    whole = replace(ONE_SOL, amount=Decimal(18_446_744_073))
    world = World(max_dollars=Decimal(18_446_744_073 * 163))
    world.placing.limits.prices = FinePrices()
    assert _problems(world, whole) == {("/amount", "NOTIONAL_TOO_LARGE")}
    world.placing.limits.max_dollars += Decimal("0.0000000000001")
    world.place(whole)
