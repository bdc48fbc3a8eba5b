"""The formula of the page, on counts that are easy to reckon with."""

from typing import Any

import pytest

from bench.cost import Case, Price, batch_ms, of_million

FUNCTIONS = ("execute", "worker", "ws_connect", "ws_notify")


def a_life(**changes: Any) -> dict[str, Any]:
    nothing = {
        f"{f}_{what}": 0.0
        for f in FUNCTIONS
        for what in ("write_units", "read_units", "log_bytes", "runs")
    }
    calls: dict[str, Any] = {f"{f}_operations": {} for f in FUNCTIONS}
    return {
        **nothing,
        **calls,
        "pushes": 0,
        "ten_worker_log_bytes": 0,
        "ws_notify_runs": 1,
        "worker_waits": 4,
        "access_log_bytes": 0,
    } | changes


REQUEST = dict.fromkeys(
    (
        "place_ms",
        "settle_ms",
        "settle_ten_ms",
        "connect_ms",
        "disconnect_ms",
        "announce_ms",
        "announce_ten_ms",
    ),
    0.0,
)


def test_units_are_paid_by_the_million() -> None:
    lines = of_million(Case(10), a_life(execute_write_units=4, worker_read_units=8), REQUEST)
    assert lines["dynamodb"] == pytest.approx(4 * 0.625 + 8 * 0.125)


def test_provisioned_units_are_paid_by_the_hour_used_or_not() -> None:
    lines = of_million(Case(10, provisioned=True), a_life(execute_write_units=1), REQUEST)
    assert lines["dynamodb"] == pytest.approx(1e6 / 3600 * 0.00065 / 0.7)


def test_a_full_batch_pays_for_its_receipt_and_its_deletion_once() -> None:
    one, ten = (of_million(Case(n), a_life(), REQUEST)["sqs"] for n in (1, 10))
    assert one == pytest.approx(3 * Price.QUEUE.dollars)
    assert ten == pytest.approx(1.2 * Price.QUEUE.dollars)


def test_a_second_of_a_worker_is_paid_once_for_ten() -> None:
    one, ten = (of_million(Case(n), a_life(), REQUEST)["lambda_time"] for n in (1, 10))
    assert ten < one / 5


def test_the_slowest_of_ten_takes_longer_than_one() -> None:
    assert 900 < batch_ms(1) < 970
    assert batch_ms(1) < batch_ms(10) < 1_200


def test_one_connection_for_all_orders_pays_no_minutes_and_no_connecting() -> None:
    life = a_life(pushes=5, ws_connect_runs=0)
    request = REQUEST | {"connect_ms": 1e6}
    mine, own = (of_million(Case(10, mine=m), life, request) for m in (True, False))
    assert mine["websocket"] == pytest.approx(5 * Price.MESSAGE.dollars)
    assert own["websocket"] == pytest.approx(mine["websocket"] + Price.MINUTE.dollars)
    assert own["lambda_time"] > 100 * mine["lambda_time"]


def test_changes_that_share_a_run_share_its_invocation() -> None:
    life = a_life(ws_notify_runs=8)
    alone, shared = (of_million(Case(10, n), life, REQUEST)["lambda_requests"] for n in (1, 8))
    assert alone - shared == pytest.approx(7 * Price.INVOCATION.dollars)
