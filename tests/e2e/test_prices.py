"""The reference price from outside: anybody moves it, and everything goes by it at once."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from local.system import running
from tests.e2e.client import Trader

#: No other test trades this pair.
PAIR = "RAY/SOL"


def move(trader: Trader, price: str, pair: str = PAIR) -> dict[str, Any]:
    answer = trader.http.post("/api/simulation/prices", json={"pair": pair, "price": price})
    assert answer.status_code == 200, answer.text
    moved: dict[str, Any] = answer.json()
    return moved


def prices_of(quotes: list[dict[str, Any]]) -> list[Decimal]:
    return [Decimal(quote["price"]) for quote in quotes]


def is_near(price: Decimal, moved: str) -> bool:
    """Tell whether a small trade at a venue that stands at `moved` is paid like this, fees off."""
    return Decimal(moved) * Decimal("0.99") < price < Decimal(moved)


def test_a_moved_price_is_told_quoted_and_traded_at_from_the_answer_on(trader: Trader) -> None:
    """`execute` and `worker` are processes of their own, and both have believed another price."""
    query = {"tokenIn": "RAY", "tokenOut": "SOL", "amount": "1"}
    for price in ("0.02", "0.01", "0.0155"):
        moved = move(trader, price)
        assert (moved["price"], moved["stale"]) == (price, False)
        assert {venue["price"] for venue in moved["venues"]} == {price}
        told = trader.http.get("/api/prices", params={"pair": PAIR}).json()
        assert {**told, "at": moved["at"]} == moved
        quoted = trader.http.get("/api/quotes", params=query).json()
        assert all(is_near(each, price) for each in prices_of(quoted["quotes"]))
        order_id = trader.place(tokenIn="RAY", tokenOut="SOL")
        order = trader.wait_for(order_id)
        assert order["status"] == "confirmed", order["error"]
        assert all(is_near(each, price) for each in prices_of(order["quotes"]))
        assert is_near(Decimal(order["executedPrice"]), price)


def test_a_spike_is_kept_for_the_next_tick(trader: Trader) -> None:
    row: dict[str, Any] = {}
    for price in ("2.5", "40", "0.5", "3"):
        move(trader, price, "XSLIP/USDC")
    row = trader.system.client("dynamodb").get_item(
        TableName=trader.system.stack.table,
        Key={"pk": {"S": "PRICE#XSLIP/USDC"}, "sk": {"S": "PRICE"}},
        ConsistentRead=True,
    )["Item"]
    kept = [row[name]["S"].partition("@")[0] for name in ("price", "high", "low")]
    assert kept == ["3", "40", "0.5"]


@pytest.fixture(scope="module")
def serious() -> Iterator[httpx.Client]:
    """A stack that nobody tries things out on."""
    with running({"SimulatedFaults": "off"}) as system, httpx.Client(base_url=system.url) as http:
        yield http


def test_where_faults_are_off_prices_are_told_and_nobody_moves_them(serious: httpx.Client) -> None:
    before = serious.get("/api/prices", params={"pair": PAIR})
    assert (before.status_code, before.json()["pair"]) == (200, PAIR)
    moved = serious.post("/api/simulation/prices", json={"pair": PAIR, "price": "0.5"})
    assert (moved.status_code, moved.json()["code"]) == (404, "NOT_FOUND")
    assert "/api/simulation/prices" not in serious.get("/openapi.json").json()["paths"]
