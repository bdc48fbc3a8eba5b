"""What rests where, and who ticks: one suite for the table's adapters and for the fakes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.resting import DynamoRestingIndex, DynamoTickers, read_start
from engine.adapters.aws.table import Table
from engine.domain.errors import Conflict, Undecodable
from engine.domain.order import Order, Waiting
from engine.domain.terms import Exit, OrderType, Terms
from engine.domain.tokens import SOL, USDC
from engine.domain.triggers import AtPrice, Direction, Fired, Level, Trailing
from engine.ports.orders import OrderRepository
from engine.ports.resting import RestingIndex, Tickers
from tests.fakes import START, MemoryOrders, MemoryResting, MemoryTickers

PAIR = "SOL/USDC"
LATER = START + timedelta(seconds=1)
both = pytest.mark.parametrize("kind", ["memory", "dynamodb"])


@pytest.fixture
def stores(kind: str, request: pytest.FixtureRequest) -> tuple[OrderRepository, RestingIndex]:
    if kind == "memory":
        orders = MemoryOrders()
        return orders, MemoryResting(orders)
    table = Table(request.getfixturevalue("dynamodb"), "orders")
    return DynamoOrders(table), DynamoRestingIndex(table)


@pytest.fixture
def tickers(kind: str, request: pytest.FixtureRequest) -> Tickers:
    if kind == "memory":
        return MemoryTickers()
    sqs = request.getfixturevalue("sqs")
    url = sqs.create_queue(QueueName="ticks")["QueueUrl"]
    return DynamoTickers(Table(request.getfixturevalue("dynamodb"), "orders"), sqs, url)


def resting(order_id: str, price: str, hours: int = 1, **changes: Any) -> Order:
    expires = START + timedelta(hours=hours)
    asked = {"kind": OrderType.LIMIT, "limit_price": Decimal(price), "expires_at": expires}
    terms = Terms(SOL, USDC, 10**9, 50, **{**asked, **changes})
    trigger = terms.trigger(Decimal(price))
    assert trigger is not None
    return Order.place(
        order_id, "ann", terms, at=START, deadline=START, waiting=Waiting(trigger, START)
    )


def above(price: str) -> Level:
    return Level(Direction.ABOVE, Decimal(price))


def below(price: str) -> Level:
    return Level(Direction.BELOW, Decimal(price))


@both
def test_what_is_reached_is_found_the_nearest_first(stores: Any) -> None:
    orders, index = stores
    for n, price in enumerate(("99.5", "100", "100.5", "9", "1000")):
        orders.add(resting(f"o{n}", price))
    assert index.reached(PAIR, above("100"), limit=9) == ["o1", "o0", "o3"]
    assert index.reached(PAIR, above("100"), limit=2) == ["o1", "o0"]
    assert index.reached(PAIR, below("100"), limit=9) == []
    assert index.reached("RAY/USDC", above("100"), limit=9) == []


@both
def test_both_legs_are_found_and_neither_once_one_is_woken(stores: Any) -> None:
    orders, index = stores
    ends: dict[str, Any] = {
        "take_profit": Exit(Decimal(120), 50),
        "stop_loss": Exit(Decimal(90), 50),
    }
    order = resting("o", "100", kind=OrderType.OCO, limit_price=None, **ends)
    orders.add(order)
    found = [index.reached(PAIR, level, limit=9) for level in (above("120"), below("90"))]
    assert found == [["o"], ["o"]]
    woken = order.wake(Fired(above("120")), Decimal(120), at=LATER, deadline=LATER)
    orders.save(woken, expected_seq=1)
    assert not index.reached(PAIR, above("120"), limit=9)
    assert not index.reached(PAIR, below("90"), limit=9)
    assert not index.rests(PAIR)
    assert not index.rests()
    assert [o.order_id for o in orders.open_before(LATER, limit=9)] == ["o"]


@both
def test_what_rests_is_not_among_the_open_orders(stores: Any) -> None:
    orders, index = stores
    orders.add(resting("o", "100"))
    assert list(orders.open_before(LATER, limit=9)) == []
    assert index.rests(PAIR)
    assert index.rests()
    assert not index.rests("RAY/USDC")


@both
def test_what_expires_is_found_the_oldest_first(stores: Any) -> None:
    orders, index = stores
    for n, hours in enumerate((3, 1, 2)):
        orders.add(resting(f"o{n}", "100", hours))
    assert index.expired(START + timedelta(hours=2), limit=9) == ["o1", "o2"]
    assert index.expired(START + timedelta(hours=9), limit=2) == ["o1", "o2"]


@both
def test_a_trigger_that_moved_is_not_moved_by_who_has_not_seen_it(stores: Any) -> None:
    orders, index = stores
    trailing: dict[str, Any] = {
        "kind": OrderType.TRAILING_STOP,
        "limit_price": None,
        "trailing_bps": 1_000,
    }
    order = resting("o", "100", **trailing)
    orders.add(order)
    moved = order.move(Trailing(Direction.ABOVE, 1_000, Decimal(110)), at=START)
    orders.save(moved, expected_seq=1, expected_moves=0)
    stale = order.move(Trailing(Direction.ABOVE, 1_000, Decimal(105)), at=START)
    with pytest.raises(Conflict) as conflict:
        orders.save(stale, expected_seq=1, expected_moves=0)
    assert conflict.value.current == moved
    assert index.reached(PAIR, below("99"), limit=9) == ["o"]
    assert orders.get_many(["o", "nobody"]) == [moved]


@both
def test_a_trigger_of_any_price_is_found_at_it_and_not_a_hair_before(stores: Any) -> None:
    orders, index = stores
    for n, price in enumerate(("0.000000000001", "0.999999999999", "1", "1e17", "123456.789")):
        order = resting(f"o{n}", "1")
        assert order.waiting
        level = Level(Direction.ABOVE, Decimal(price))
        orders.add(replace(order, waiting=replace(order.waiting, trigger=AtPrice(level))))
    assert index.reached(PAIR, above("0.999999999998"), limit=9) == ["o0"]
    assert index.reached(PAIR, above("0.999999999999"), limit=9) == ["o1", "o0"]
    assert index.reached(PAIR, above("123456.789"), limit=9) == ["o4", "o2", "o1", "o0"]


@both
def test_one_ticks_until_its_time_is_over(tickers: Tickers) -> None:
    tickers.add([PAIR, "RAY/USDC"])
    mine = tickers.take("me", until=LATER, now=START)
    assert mine
    assert (mine.holder, mine.until) == ("me", LATER)
    assert mine.pairs == {PAIR, "RAY/USDC"}
    assert tickers.take("you", until=LATER, now=START) is None
    assert tickers.take("me", until=LATER, now=START)
    assert tickers.take("you", until=LATER + timedelta(seconds=1), now=LATER)
    tickers.release("me")
    assert tickers.read().holder == "you"
    tickers.release("you")
    tickers.drop(PAIR)
    assert tickers.read().pairs == {"RAY/USDC"}
    assert tickers.take("me", until=LATER, now=START)


def test_what_starts_the_ticker_is_read_back(sqs: Any, dynamodb: Any) -> None:
    url = sqs.create_queue(QueueName="ticks")["QueueUrl"]
    DynamoTickers(Table(dynamodb, "orders"), sqs, url).start([PAIR])
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert read_start(message["Body"]) == {PAIR}
    with pytest.raises(Undecodable):
        read_start('{"pairs": 7}')
