"""Orders, from the POST to the end."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from local.system import System
from tests.e2e.client import Trader, a_body, until

HAPPY = ["pending", "routing", "building", "submitted", "confirmed"]


def _history(order: dict[str, object]) -> list[str]:
    history = order["history"]
    assert isinstance(history, list)
    assert [step["seq"] for step in history] == list(range(1, len(history) + 1))
    return [step["status"] for step in history]


def test_an_order_is_confirmed_and_reads_as_the_design_says(trader: Trader) -> None:
    answer = trader.post()
    assert answer.status_code == 202
    order_id = answer.json()["orderId"]
    assert answer.headers["location"] == f"/api/orders/{order_id}"
    order = trader.wait_for(order_id)
    assert (order["status"], order["attempts"], order["seq"]) == ("confirmed", 1, 5)
    assert _history(order) == HAPPY
    assert {quote["venue"] for quote in order["quotes"]} == {"raydium", "meteora"}
    assert Decimal(order["amountOut"]) >= Decimal(order["minAmountOut"])
    assert order["route"]["legs"]
    assert order["route"]["reason"]
    assert trader.landed(order_id) == [order["txHash"]]


def test_a_hundred_orders_at_once_are_all_confirmed(trader: Trader, system: System) -> None:
    busiest = 0
    with ThreadPoolExecutor(100) as at_once:
        ids = list(at_once.map(lambda _: trader.place(), range(100)))
        assert len(set(ids)) == 100
        waiting = [at_once.submit(trader.wait_for, order_id) for order_id in ids]
        while not all(done.done() for done in waiting):
            busiest = max(busiest, len(system.workers("worker")))
            time.sleep(0.1)
        orders = [done.result() for done in waiting]
    assert [order["status"] for order in orders] == ["confirmed"] * 100
    assert 1 <= busiest <= 10
    assert trader.dead_letters() == []


def test_xfail_fails_after_three_attempts_with_growing_gaps(trader: Trader) -> None:
    order_id = trader.place(tokenIn="XFAIL")
    order = trader.wait_for(order_id)
    assert (order["status"], order["attempts"]) == ("failed", 3)
    assert order["error"]["code"] == "VENUES_UNAVAILABLE"
    claims = [step for step in order["history"] if step["status"] == "routing"][::2]
    at = [datetime.fromisoformat(step["at"]) for step in claims]
    assert at[1] - at[0] >= timedelta(seconds=2)  # a machine may be late, an attempt never early
    assert at[2] - at[1] >= timedelta(seconds=4)
    dead_letters = until(trader.dead_letters, bool)
    assert dead_letters == [{"orderId": order_id, "reason": "VENUES_UNAVAILABLE", "attempts": "3"}]


def test_xslip_fails_once_and_trades_nothing(trader: Trader) -> None:
    order_id = trader.place(tokenIn="XSLIP")
    order = trader.wait_for(order_id)
    assert (order["status"], order["attempts"]) == ("failed", 1)
    assert order["error"]["code"] == "SLIPPAGE_EXCEEDED"
    assert order["amountOut"] is None
    assert trader.landed(order_id) == []


def test_xdrop_is_sent_again_and_lands_once(trader: Trader) -> None:
    order_id = trader.place(tokenIn="XDROP")
    order = trader.wait_for(order_id)
    assert (order["status"], order["attempts"]) == ("confirmed", 1)
    assert trader.landed(order_id) == [order["txHash"]]


def test_one_key_is_one_order_however_often_it_is_sent(trader: Trader) -> None:
    def post(_: int) -> httpx.Response:
        return trader.post(a_body(amount="1.0"), **{"Idempotency-Key": "once-only"})

    with ThreadPoolExecutor(20) as at_once:
        answers = list(at_once.map(post, range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
    replayed = [a for a in answers if a.headers.get("idempotent-replayed") == "true"]
    assert len(replayed) == 99
    order_id = answers[0].json()["orderId"]
    order = trader.wait_for(order_id)
    assert (order["status"], order["attempts"]) == ("confirmed", 1)
    assert len(trader.landed(order_id)) == 1
    other = trader.post(a_body(amount=2), **{"Idempotency-Key": "once-only"})
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


BAD = {
    "broken JSON": ("{", None),
    "no body": ("", None),
    "wrong content type": (json.dumps(a_body()), None),
    "missing field": ('{"type":"market","tokenIn":"SOL","tokenOut":"USDC"}', "/amount"),
    "extra field": (json.dumps(a_body(limit=1)), "/limit"),
    "zero": (json.dumps(a_body(amount=0)), "/amount"),
    "negative": (json.dumps(a_body(amount=-1)), "/amount"),
    "NaN": (json.dumps(a_body(amount=float("nan"))), None),  # no JSON
    "1e400": ('{"type":"market","tokenIn":"SOL","tokenOut":"USDC","amount":1e400}', "/amount"),
    "twenty decimals": (json.dumps(a_body(amount="1.12345678901234567890")), "/amount"),
    "boolean": (json.dumps(a_body(amount=True)), "/amount"),
    "unknown token": (json.dumps(a_body(tokenIn="DOGE")), "/tokenIn"),
    "same token twice": (json.dumps(a_body(tokenOut="SOL")), "/tokenOut"),
    "1 MB": (json.dumps(a_body()).ljust(1_000_000), None),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_a_problem_that_names_the_field_and_writes_nothing(
    trader: Trader, what: str
) -> None:
    body, pointer = BAD[what]
    orders = sum(row["sk"]["S"] == "ORDER" for row in trader.rows())
    kind = "text/plain" if what == "wrong content type" else "application/json"
    answer = trader.http.post("/api/orders/execute", content=body, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["requestId"] == answer.headers["x-request-id"]
    assert problem["code"]
    if pointer:
        assert answer.status_code == 422
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert sum(row["sk"]["S"] == "ORDER" for row in trader.rows()) == orders


def test_unknown_paths_methods_and_orders_are_problems(trader: Trader) -> None:
    for method, path, status in (
        ("GET", "/api/orders/11111111-1111-4111-8111-111111111111", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/api/orders/execute", 405),
    ):
        answer = trader.http.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_system_is_healthy(trader: Trader) -> None:
    assert trader.http.get("/healthz").json()["status"] == "ok"


def test_memory_stays_within_bounds(trader: Trader, system: System) -> None:
    assert signal.SIGKILL  # the workers of the burst above are still there
    assert system.resident() < 1.5e9
