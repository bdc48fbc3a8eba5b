"""Orders that wait for a price, from outside: each kind, on both sides, in bad markets."""

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.resting import DynamoTickers
from engine.adapters.aws.table import Table
from local.ops.keys import create
from local.system import System, running
from tests.e2e.client import FINAL, Trader, landed, until
from tests.e2e.markets import QUICK, many

PAIR = "SOL/USDC"
SELL: dict[str, Any] = {"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"}
BUY: dict[str, Any] = {"tokenIn": "USDC", "tokenOut": "SOL", "amount": "150"}
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def market() -> Iterator[System]:
    with running(QUICK) as system:
        yield system


@pytest.fixture
def trader(market: System) -> Iterator[Trader]:
    """A trader of an account that nobody else has, while SOL is at 150 USDC."""
    access = DynamoAccess(Table(market.client("dynamodb"), market.stack.table))
    name = f"waiting-{next(_NUMBERS)}"
    with Trader(market, create(access, name), name) as trader:
        trader.move(PAIR, 150)
        yield trader


def woken(order: dict[str, Any]) -> bool:
    return any(step["status"] == "pending" for step in order["history"])


def oco(profit: object, loss: object) -> dict[str, Any]:
    ends = {"takeProfit": {"price": str(profit)}, "stopLoss": {"price": str(loss)}}
    return {"type": "oco", **ends}


#: What comes due when the price rises to 165, placed at 150, and what does when it falls to 135.
RISING = {
    "sell limit": SELL | {"type": "limit", "limitPrice": "165"},
    "sell takeProfit": SELL | {"type": "takeProfit", "stopPrice": "165"},
    "sell oco, its profit": SELL | oco(165, 15),
    "buy stop": BUY | {"type": "stop", "stopPrice": "165"},
    "buy stopLimit": BUY | {"type": "stopLimit", "stopPrice": "165", "limitPrice": "1000"},
    "buy trailingStop": BUY | {"type": "trailingStop", "trailingBps": 1_000},
    "buy oco, its loss": BUY | oco(15, 165),
}
FALLING = {
    "buy limit": BUY | {"type": "limit", "limitPrice": "135"},
    "buy takeProfit": BUY | {"type": "takeProfit", "stopPrice": "135"},
    "buy oco, its profit": BUY | oco(135, 1500),
    "sell stop": SELL | {"type": "stop", "stopPrice": "135"},
    "sell stopLimit": SELL | {"type": "stopLimit", "stopPrice": "135", "limitPrice": "1"},
    "sell trailingStop": SELL | {"type": "trailingStop", "trailingBps": 1_000},
    "sell oco, its loss": SELL | oco(1500, 135),
}


@pytest.mark.parametrize(
    ("kinds", "before", "to"),
    [
        (RISING, "164.9999999", "165"),
        (RISING, "164.9999999", "165.0000001"),
        (RISING, None, "300"),
        (FALLING, "135.0000001", "135"),
        (FALLING, "135.0000001", "134.9999999"),
        (FALLING, None, "75"),
    ],
    ids=["at-above", "past-above", "gap-above", "at-below", "past-below", "gap-below"],
)
def test_each_kind_comes_due_at_its_price_and_not_a_hair_before(
    trader: Trader, kinds: dict[str, dict[str, Any]], before: str | None, to: str
) -> None:
    placed = {what: trader.place(**asked) for what, asked in kinds.items()}
    if before:
        probe = dict(kinds["buy stop" if kinds is RISING else "sell stop"], stopPrice=before)
        first = trader.place(**probe)
        trader.move(PAIR, before)
        trader.wait_for(first)  # so a tick has looked at this price
        assert {what: trader.order(i)["status"] for what, i in placed.items()} == dict.fromkeys(
            kinds, "resting"
        )
    trader.move(PAIR, to)
    for what, order_id in placed.items():
        order = until(lambda i=order_id: trader.order(i), woken)  # type: ignore[misc]
        assert Decimal(order["trigger"]["triggeredPrice"]) == Decimal(to), what
        if order["type"] != "limit":
            assert trader.wait_for(order_id)["status"] == "confirmed", what


@pytest.mark.parametrize("to", ["1.1", "0.9"])
def test_a_token_that_has_launched_trades_by_every_kind(trader: Trader, to: str) -> None:
    symbol = f"NEW{next(_NUMBERS)}"
    launch = {"symbol": symbol, "price": "1", "liquidityUsd": 1_000_000}
    assert trader.http.post("/api/simulation/launches", json=launch).status_code == 200
    pair = {"tokenIn": symbol, "tokenOut": "USDC", "amount": "10"}
    rising: list[dict[str, Any]] = [
        {"type": "limit", "limitPrice": "1.09"},
        {"type": "takeProfit", "stopPrice": "1.1"},
        oco("1.1", "0.5"),
    ]
    falling: list[dict[str, Any]] = [
        {"type": "stop", "stopPrice": "0.9"},
        {"type": "stopLimit", "stopPrice": "0.9", "limitPrice": "0.1"},
        {"type": "trailingStop", "trailingBps": 500},
    ]
    at_once: list[dict[str, Any]] = [
        {"type": "market"},
        {"type": "twap", "parts": 2, "intervalSeconds": 1},
    ]
    waiting = rising if to == "1.1" else falling
    placed = [trader.place(**pair, **kind) for kind in at_once]
    resting = [trader.place(**pair, **kind) for kind in waiting]
    for order_id in resting:
        assert trader.wait_for(order_id, "resting")["pair"] == f"{symbol}/USDC"
    trader.move(f"{symbol}/USDC", to)
    for order_id in [*placed, *resting]:
        assert trader.wait_for(order_id, "confirmed")["tokenIn"] == symbol


def test_a_limit_at_the_very_price_is_tried_and_says_why_it_rests_on(trader: Trader) -> None:
    """The price is there, but what is left of it after fees is not: a little further on it is."""
    order_id = trader.place(**SELL, type="limit", limitPrice="165")
    price = Decimal(165)
    for missed in range(1, 6):
        trader.move(PAIR, price)
        until(lambda: trader.order(order_id)["tries"], lambda tries: len(tries) == missed)  # noqa: B023
        order = trader.wait_for(order_id, "resting")
        if order["status"] == "confirmed":
            break
        tried = order["tries"][-1]
        assert (tried["code"], tried["bound"]) == ("LIMIT_NOT_MET", "165")
        assert Decimal(tried["quotedOut"]) < 165
        further = Decimal(order["trigger"]["price"])
        assert Decimal("165.0165") <= further <= Decimal("166.65")
        price = further.quantize(Decimal("0.0001"), ROUND_UP)
    assert (order["status"], missed > 1) == ("confirmed", True)
    assert Decimal(order["amountOut"]) >= 165


@contextmanager
def prices_run(trader: Trader, following: Callable[[], object]) -> Iterator[None]:
    """Let the price go where `following` says, without a pause."""
    over = threading.Event()

    def run() -> None:
        with Trader(trader.system, trader.key, trader.account) as mover:
            while not over.is_set():
                mover.move(PAIR, following())

    with ThreadPoolExecutor(1) as beside:
        running_on = beside.submit(run)
        try:
            yield
        finally:
            over.set()
            running_on.result()


def test_a_limit_orders_fill_is_never_below_its_limit(trader: Trader) -> None:
    """The price walks on while orders are woken, routed and settled: some miss, and rest again."""
    chance = random.Random(1)
    price = Decimal(150)

    def walk() -> Decimal:
        nonlocal price
        step = Decimal(chance.randrange(-150, 151)) / 10_000
        price = min(max(price * (1 + step), Decimal(140)), Decimal(160)).quantize(Decimal("0.01"))
        return price

    placed = []
    with prices_run(trader, walk):
        for n in range(many(12, 200)):
            away = Decimal(chance.randrange(10, 150)) / 10_000
            limit = price * (1 + away if n % 2 else 1 - away)
            # Where the walk comes by, also after misses: others would rest for ever.
            limit = min(max(limit, Decimal(142)), Decimal(158))
            asked = {"type": "limit", "limitPrice": f"{limit:.4f}"}
            placed.append(trader.place(**(SELL if n % 2 else BUY), **asked))
            until(lambda: trader.orders(status="resting"), lambda resting: len(resting) < 8)
        until(lambda: trader.orders(status="confirmed"), lambda done: len(done) >= len(placed) // 2)
    assert trader.http.post("/api/orders/cancel-all", json={}).status_code == 200
    ended = [trader.wait_for(order_id) for order_id in placed]
    filled = [order for order in ended if order["status"] == "confirmed"]
    assert {order["status"] for order in ended} <= {"confirmed", "cancelled"}
    for order in filled:
        limit, got = Decimal(order["limitPrice"]), Decimal(order["amountOut"])
        sold = order["side"] == "sell"
        assert got >= limit * Decimal(order["amount"]) if sold else got * limit >= 150
    tries = sum(len(order["tries"]) for order in ended)
    print(f"{len(filled)} of {len(placed)} limit orders filled, {tries} tries")
    assert filled


def test_an_oco_whose_legs_are_crossed_at_once_fills_once(trader: Trader) -> None:
    count = many(20, 300)
    for first, last in ((170, 130), (130, 170)):
        trader.move(PAIR, 150)
        with ThreadPoolExecutor(4) as at_once:
            # A tick may see the first move alone: what it then quotes, the second undoes.
            wide = {"slippageBps": 5_000}
            asked = [SELL | oco(160, 140) | wide, BUY | oco(140, 160) | wide] * (count // 4)
            placed = list(at_once.map(lambda body: trader.place(**body), asked))
        trader.move(PAIR, first)
        trader.move(PAIR, last)
        for order_id in placed:
            order = trader.wait_for(order_id)
            assert [s["status"] for s in order["history"]].count("pending") == 1
            assert order["status"] == "confirmed", order["error"]
        fills = [of for _, of in landed(trader.rows()) if of in set(placed)]
        assert sorted(fills) == sorted(placed)


def test_a_stop_fills_in_a_falling_market(trader: Trader) -> None:
    """Each price is worse than the last, from the moment that it is due until it has landed."""
    placed = [trader.place(**SELL, type="stop", stopPrice=str(149 - n)) for n in range(8)]
    price = Decimal(150)

    def fall() -> Decimal:
        nonlocal price
        price = (price * Decimal("0.997")).quantize(Decimal("0.0001"))
        return price

    with prices_run(trader, fall):
        ended = [trader.wait_for(order_id) for order_id in placed]
    assert [order["status"] for order in ended] == ["confirmed"] * len(placed)
    for order in ended:
        assert Decimal(order["executedPrice"]) < Decimal(order["stopPrice"])


def test_whoever_watches_the_account_hears_an_order_rest_wake_and_fill(trader: Trader) -> None:
    watch = trader.listen()
    watch.socket.send(json.dumps({"action": "subscribe", "orders": "mine"}))
    until(lambda: trader.watching(trader.account) or "ACCOUNT", bool)
    order_id = trader.place(**SELL, type="takeProfit", stopPrice="160")
    while watch.seq < 1:
        watch.hear()
    trader.move(PAIR, 161)
    while watch.seq < 2:
        watch.hear()
    heard, woke = datetime.now(UTC), datetime.fromisoformat(watch.kept[1]["order"]["updatedAt"])
    assert heard - woke < timedelta(seconds=1)
    watch.to_the_end()
    told = [(m["orderId"], m["status"]) for m in watch.kept]
    life = ["resting", "pending", "routing", "building", "submitted", "confirmed"]
    assert told == [(order_id, status) for status in life]
    order = watch.kept[1]["order"]
    assert (order["summary"], order["trigger"]["triggeredPrice"]) == (
        watch.kept[0]["order"]["summary"],
        "161",
    )


def test_an_order_whose_time_is_over_expires_and_its_watcher_hears_it(trader: Trader) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=3)
    order_id = trader.place(**SELL, type="stop", stopPrice="1", expiresAt=ends.isoformat())
    watch = trader.watch(order_id)
    assert [m["status"] for m in watch.to_the_end()][-1] == "expired"
    order = trader.order(order_id)
    assert (order["status"], order["error"]) == ("expired", None)
    assert datetime.fromisoformat(order["updatedAt"]) >= ends.replace(microsecond=0)


def test_what_has_expired_in_the_tick_in_which_it_comes_due_is_one_of_the_two(
    trader: Trader,
) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    order_id = trader.place(**SELL, type="stop", stopPrice="140", expiresAt=ends.isoformat())
    until(lambda: datetime.now(UTC), lambda now: now >= ends, every=0.01)
    trader.move(PAIR, 130)
    order = trader.wait_for(order_id)
    assert order["status"] in {"expired", "confirmed"}
    assert (order["status"] == "confirmed") == bool(trader.landed(order_id))


def tickers_of(trader: Trader) -> DynamoTickers:
    system = trader.system
    table = Table(system.client("dynamodb"), system.stack.table)
    return DynamoTickers(table, system.client("sqs"), system.stack.outputs["TickQueueUrl"])


def test_a_ticker_that_dies_is_revived_and_one_that_has_nothing_to_do_ends(trader: Trader) -> None:
    order_id = trader.place(**SELL, type="stop", stopPrice="140")
    tickers = tickers_of(trader)
    until(tickers.read, lambda ticker: ticker.holder and PAIR in ticker.pairs)
    for pid in trader.system.workers("trigger"):
        trader.system.cloud.kill_worker(pid)
    trader.move(PAIR, 130)
    until(
        lambda: trader.system.invoke("reconcile", {}) and trader.order(order_id),
        lambda order: order["status"] in FINAL,
        every=1,
    )
    assert trader.order(order_id)["status"] == "confirmed"
    idle = until(tickers.read, lambda ticker: not ticker.pairs and ticker.holder is None)
    assert idle.until.timestamp() == 0
