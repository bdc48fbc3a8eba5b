"""Changes and cancels against triggers: one of them wins, and says so."""

import itertools
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.table import Table
from local.ops.keys import create
from local.system import System, running
from tests.e2e.client import Trader, landed
from tests.e2e.markets import QUICK, many

PAIR = "JUP/USDC"
TRADE: dict[str, Any] = {"tokenIn": "JUP", "tokenOut": "USDC", "amount": "1"}
#: Races that run at once: a move wakes all that rest.
_ROUND = 20
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def market() -> Iterator[System]:
    with running(QUICK) as system:
        yield system


@pytest.fixture
def trader(market: System) -> Iterator[Trader]:
    access = DynamoAccess(Table(market.client("dynamodb"), market.stack.table))
    name = f"racer-{next(_NUMBERS)}"
    with Trader(market, create(access, name), name) as trader:
        trader.move(PAIR, 1)
        yield trader


def races(
    trader: Trader, act: Callable[[str], httpx.Response], loser: str
) -> list[tuple[int, dict[str, Any]]]:
    """Act on orders just as they come due; return each answer's status, and the order at its end.

    Whoever was too late is told so with the code `loser`.
    """
    ended: list[tuple[int, dict[str, Any]]] = []
    chance = random.Random(1)

    def late(order_id: str, seconds: float) -> int:
        time.sleep(seconds)
        answer = act(order_id)
        assert answer.status_code == 200 or answer.json()["code"] == loser, answer.text
        return answer.status_code

    for _ in range(many(3, 200 // _ROUND)):
        trader.move(PAIR, 1)
        placed = [trader.place(**TRADE, type="limit", limitPrice="1.1") for _ in range(_ROUND)]
        with ThreadPoolExecutor(8) as at_once:
            moved = at_once.submit(trader.move, PAIR, "1.2")
            delays = [chance.uniform(0, 0.5) for _ in placed]
            answers = list(at_once.map(late, placed, delays))
            moved.result()
        for order_id, status in zip(placed, answers, strict=True):
            kept = ("resting",) if status == 200 else ()
            ended.append((status, trader.wait_for(order_id, *kept)))
    return ended


def told(ended: list[tuple[int, dict[str, Any]]], what: str) -> None:
    won = sum(status == 200 for status, _ in ended)
    print(f"{len(ended)} races: {won} {what}, {len(ended) - won} too late")
    assert 0 < won < len(ended)


def test_a_change_wins_against_the_trigger_or_is_told_that_it_lost(trader: Trader) -> None:
    ended = races(trader, lambda i: trader.change(i, limitPrice="3"), "ORDER_NOT_CHANGEABLE")
    traded = {of for _, of in landed(trader.rows())}
    for status, order in ended:
        if status == 200:
            assert (order["status"], order["limitPrice"]) == ("resting", "3")
            assert order["orderId"] not in traded
        else:
            assert (order["status"], order["limitPrice"]) == ("confirmed", "1.1")
            assert order["orderId"] in traded
    told(ended, "changed")


def test_a_cancel_wins_against_the_trigger_or_is_told_that_it_lost(trader: Trader) -> None:
    ended = races(trader, trader.cancel, "ORDER_NOT_CANCELLABLE")
    traded = {of for _, of in landed(trader.rows())}
    for status, order in ended:
        assert order["status"] == ("cancelled" if status == 200 else "confirmed")
        assert (order["orderId"] in traded) == (status != 200)
    told(ended, "cancelled")


def test_a_change_of_an_order_that_has_changed_meanwhile_is_refused(trader: Trader) -> None:
    order_id = trader.place(**TRADE, type="limit", limitPrice="2")
    path = f"/api/orders/{order_id}"
    first = trader.http.patch(path, json={"limitPrice": "3"}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.json()["limitPrice"], first.headers["ETag"]) == (
        200,
        "3",
        '"2"',
    )
    second = trader.http.patch(path, json={"limitPrice": "4"}, headers={"If-Match": '"1"'})
    assert (second.status_code, second.json()["code"]) == (412, "PRECONDITION_FAILED")
    assert trader.order(order_id)["limitPrice"] == "3"


def test_a_cancel_of_all_ends_what_rests_at_once_while_prices_run(trader: Trader) -> None:
    """From its answer on nothing rests; what was not cancelled by then has come due before."""
    count = many(40, 200)
    levels = [f"{1 + n / 1000:.3f}" for n in range(1, count + 1)]

    def place(level: str) -> str:
        return trader.place(**TRADE, type="takeProfit", stopPrice=level)

    def rise() -> None:
        for n in range(1, 5):
            trader.move(PAIR, f"{1 + n / 100:.2f}")

    with ThreadPoolExecutor(6) as at_once:
        placed = list(at_once.map(place, levels))
        moved = at_once.submit(rise)
        time.sleep(0.5)
        assert trader.http.post("/api/orders/cancel-all", json={}).status_code == 200
        assert trader.orders(status="resting") == []
        found = list(at_once.map(trader.order, placed))
        assert "resting" not in {order["status"] for order in found}
        moved.result()
    already = {order["orderId"] for order in found if order["status"] == "cancelled"}
    ended = [trader.wait_for(order_id) for order_id in placed]
    traded = [of for _, of in landed(trader.rows()) if of in set(placed)]
    assert {order["status"] for order in ended} <= {"confirmed", "cancelled"}
    for order in ended:
        assert (order["status"] == "confirmed") == (traded.count(order["orderId"]) == 1)
    assert already.isdisjoint(traded)
    assert already
