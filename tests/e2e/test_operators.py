"""Operators on the running system: what they see, what they do, and who is no operator."""

from typing import Any

import httpx

from contracts.fuzz import fuzz
from engine.adapters.aws.keys import DynamoAccess
from engine.ports.access import Role
from local.ops.keys import create
from local.system import System
from tests.e2e.client import until
from tests.e2e.conftest import Accounts

READ = ("status", "dead-letters", "audit", "orders/none/story")
ACT = ("halt", "resume", "redrive")


def _acts(operator: httpx.Client) -> list[dict[str, Any]]:
    acts: list[dict[str, Any]] = operator.get("/api/ops/audit?limit=100").json()["acts"]
    return acts


def test_a_trader_is_refused_everywhere_nothing_changes_and_the_audit_has_it(
    keyed: System, operator: httpx.Client, account: Accounts
) -> None:
    trader = account("tom")
    before = operator.get("/api/ops/status").json()["trading"]
    headers = {"X-Api-Key": trader.key}
    for call in READ:
        answer = httpx.get(f"{keyed.url}/api/ops/{call}", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (403, "OPERATOR_ONLY")
    for call in ACT:
        answer = httpx.post(
            f"{keyed.url}/api/ops/{call}", headers=headers, json={"reason": "mine"}, timeout=60
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "OPERATOR_ONLY")
    assert operator.get("/api/ops/status").json()["trading"] == before
    mine = [act for act in _acts(operator) if act["account"] == trader.account]
    assert {act["act"] for act in mine} == {
        *(f"GET /api/ops/{call}".replace("none", "{orderId}") for call in READ),
        *(f"POST /api/ops/{call}" for call in ACT),
    }
    assert {act["result"] for act in mine} == {"refused"}


def test_an_operator_halts_and_resumes_and_every_act_is_in_the_audit(
    operator: httpx.Client, account: Accounts
) -> None:
    trader = account("tom")
    halted = operator.post("/api/ops/halt", json={"reason": "e2e halt"}).json()["trading"]
    assert (halted["state"], halted["reason"]) == ("halted", "e2e halt")
    try:
        until(lambda: trader.post().status_code, lambda status: status == 503)
        assert operator.get("/api/ops/status").json()["trading"] == halted
    finally:
        operator.post("/api/ops/resume", json={"reason": "e2e resume"}).raise_for_status()
    until(lambda: trader.post().status_code, lambda status: status == 202)
    acts = [(act["act"], act["reason"], act["result"]) for act in _acts(operator)]
    assert ("halt", "e2e halt", "done") in acts
    assert ("resume", "e2e resume", "done") in acts


def test_a_failed_order_is_seen_told_of_and_its_letter_moved(
    operator: httpx.Client, account: Accounts
) -> None:
    trader = account("tom")
    order_id = trader.place(tokenIn="XFAIL")
    trader.wait_for(order_id, "failed")

    def letters() -> dict[str, Any]:
        told = operator.get("/api/ops/dead-letters?limit=100").json()["deadLetters"]
        return {each["orderId"]: each for each in told}

    found = until(letters, lambda letters: order_id in letters)[order_id]
    assert (found["status"], found["error"]) == ("failed", "VENUES_UNAVAILABLE")
    assert operator.get("/api/ops/status").json()["deadLetters"] >= 1
    moved = operator.post("/api/ops/redrive", json={"reason": "e2e"}).json()
    assert moved["moved"] >= 1
    until(letters, lambda letters: order_id not in letters)
    assert trader.order(order_id)["status"] == "failed"
    story = until(
        lambda: operator.get(f"/api/ops/orders/{order_id}/story").json()["lines"],
        lambda lines: "order failed" in {line["what"] for line in lines},
    )
    assert story[0]["what"] == "order placed"
    timed = operator.get("/api/ops/status").json()["latency"]
    assert timed["orders"] >= 1
    assert timed["steps"]["total"]["p50"] > 0


def test_no_answer_to_an_operator_is_outside_the_contract(
    keyed: System, access: DynamoAccess, operator: httpx.Client
) -> None:
    key = create(access, "fuzz", Role.OPERATOR)
    try:
        report = fuzz(keyed.url, key, examples=8, seed=5, only="^/api/ops/")
    finally:
        operator.post("/api/ops/resume", json={"reason": "fuzzed"}).raise_for_status()
    assert report.passed, report.output
    assert report.broken == 0
    assert report.cases >= 50
