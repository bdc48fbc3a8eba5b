"""The operator's screen, told what the engine tells operators."""

import json
import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from local.console import INSTALLED
from tests.console.conftest import Trader

AT = "2026-11-27T10:00:00.000Z"
PERCENTILES = {"p50": 812, "p95": 1103, "p99": 1420}


class Operators:
    """`/api/ops/*` with an order in the dead-letter queue, and what was asked of it."""

    def __init__(self, page: Page) -> None:
        self.acts: list[dict[str, Any]] = []
        self.state = "open"
        page.route(re.compile("/api/ops/"), self.answer)

    def answer(self, route: Route) -> None:
        asked = route.request
        name = asked.url.partition("/api/ops/")[2].partition("?")[0]
        if asked.method == "POST":
            self.acts.insert(0, {"act": name, **(asked.post_data_json or {})})
            self.state = {"halt": "halted", "resume": "open"}.get(name, self.state)
        route.fulfill(body=json.dumps(getattr(self, name.replace("-", "_"))()))

    def status(self) -> dict[str, Any]:
        steps = dict.fromkeys(("total", "queue", "quotes", "build"), PERCENTILES)
        return {
            "at": AT,
            "network": "simulated",
            "settlement": "simulated",
            "trading": {"state": self.state, "reason": "a venue misbehaves", "since": AT},
            "queue": {"waiting": 3, "inFlight": 2, "delayed": 1, "oldestSeconds": 12.5},
            "deadLetters": 1,
            "ticker": {"pairs": [{"pair": "SOL/USDC", "lastTickAt": AT, "ageSeconds": 0.4}]},
            "breakers": {"raydium": {"venue": "raydium", "state": "open", "until": AT}},
            "latency": {"orders": 1000, "steps": {**steps, "landing": None}},
        }

    def halt(self) -> dict[str, Any]:
        return {"trading": self.status()["trading"]}

    resume = halt

    def redrive(self) -> dict[str, Any]:
        return {"moved": 1, "remaining": 0}

    def dead_letters(self) -> dict[str, Any]:
        letter = {"messageId": "m1", "orderId": "o1", "receiveCount": 3, "sentAt": AT}
        return {"deadLetters": [{**letter, "status": "failed", "error": "NO_ROUTE"}], "count": 1}

    def audit(self) -> dict[str, Any]:
        row = {"at": AT, "account": "ops", "keyId": "k1", "result": "done"}
        acts = [{**row, **act, "id": f"{i}"} for i, act in enumerate(reversed(self.acts))]
        return {"acts": acts[::-1], "nextCursor": None}


def test_an_operator_sees_how_it_stands_and_each_act_wants_its_reason(trader: Trader) -> None:
    page = trader.page("#/market")
    operators = Operators(page)
    page.goto(f"{trader.url}/#/operation")
    tiles = page.locator(".tiles")
    for shown in ("open", "12.50 s", "raydium open", "2 in flight, 1 delayed"):
        expect(tiles).to_contain_text(shown)
    expect(page.get_by_role("row", name="queue 812 ms 1.10 s 1.42 s")).to_be_visible()
    expect(page.get_by_role("row", name="o1")).to_contain_text("NO_ROUTE")
    page.get_by_role("button", name="Halt trading").click()
    page.locator("dialog button.danger").click()
    expect(page.locator("dialog #reason-error")).to_be_visible()
    assert operators.acts == []
    page.locator("#reason").fill("drill")
    page.locator("dialog button.danger").click()
    expect(tiles).to_contain_text("halted")
    expect(page.get_by_role("row", name="ops halt drill")).to_be_visible()
    page.get_by_role("button", name="Redrive").click()
    page.locator("#reason").fill("mended")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="ops redrive mended")).to_be_visible()
    assert [act["act"] for act in operators.acts] == ["redrive", "halt"]
    page.evaluate((INSTALLED / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_a_trader_is_told_whose_key_it_takes(trader: Trader) -> None:
    trader.expected = ("403",)
    page = trader.page("#/market")
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=403, body=json.dumps({"code": "OPERATOR_ONLY"}))

    page.route(re.compile("/api/ops/"), refuse)
    page.goto(f"{trader.url}/#/operation")
    expect(page.locator("main [role=alert]")).to_contain_text("an operator's key")
    for _ in range(3):  # seconds later
        with page.expect_response("**/api/prices"):
            pass
    assert len(asked) == 1  # each refusal stands in the audit
