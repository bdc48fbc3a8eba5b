"""The HTTP API behind its doorway: what clients send, what they get back."""

import copy
import importlib.util
import json
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.adapters.simulated.venues import SimulatedPools, SimulatedVenue
from engine.api.doorway import MAX_BODY
from engine.api.http import HttpApi
from engine.domain.errors import StoreUnavailable
from engine.domain.order import Order, Status
from engine.domain.terms import Terms
from engine.domain.tokens import USDC, Token
from engine.market.simulation import SimulatedMarket
from engine.ports.access import TradingState
from engine.service.cancelling import Cancelling
from engine.service.changing import Changing
from engine.service.epochs import Epochs
from engine.service.identity import ANYONE, Identity, new_key
from engine.service.limits import Limits
from engine.service.moving import Moving
from engine.service.placing import Placing
from engine.service.pricing import Pricing
from engine.service.reading import Reading
from engine.service.resting import TickerWatch
from engine.service.room import Room
from engine.service.waiting import Beginning
from tests.fakes import (
    START,
    DollarPrices,
    FakeChance,
    FakeClock,
    Inline,
    MemoryAccess,
    MemoryBook,
    MemoryOrders,
    MemoryPriceBook,
    MemoryQueue,
    MemoryRosters,
    MemorySimulation,
    MemoryTickers,
    a_parting,
    a_quoting,
    an_order,
)

ROOT = Path(__file__).parents[2]
PLACE = json.loads((ROOT / "events/http_place_order.json").read_text())
GET = json.loads((ROOT / "events/http_get_order.json").read_text())
BODY = json.loads(PLACE["body"])

#: What /healthz says.
HEALTHY = {"status": "ok", "network": "simulated", "settlement": "simulated"}


def _doorway(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"functions/{name}/app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BrokenOrders(MemoryOrders):
    error: Exception = StoreUnavailable("the table at 10.0.0.1 is on fire")

    def add(self, order: Order) -> None:
        raise self.error


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def problems(self) -> set[tuple[str, str]]:
        return {(e["pointer"], e["code"]) for e in self.body["errors"]}


@dataclass
class World:
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    rosters: MemoryRosters = field(default_factory=MemoryRosters)
    keys: bool = False
    per_minute: int = 0
    max_dollars: Decimal = Decimal(0)
    faults: bool = False

    def __post_init__(self) -> None:
        clock, chance = FakeClock(), FakeChance()
        simulation, book = MemorySimulation(clock), MemoryPriceBook()
        market = SimulatedMarket(7, simulation.prices)
        venues = [
            SimulatedVenue(name, market, clock, chance, (0.2, 0.4))
            for name in ("raydium", "meteora")
        ]
        bounds = Decimal(0), self.max_dollars
        limits = Limits(self.access, clock, DollarPrices(), self.per_minute, *bounds)
        deadline = timedelta(seconds=120)
        pricing = Pricing(SimulatedPools(market, clock), book, clock, timedelta(seconds=10))
        beginning, epochs = Beginning(lambda: pricing, MemoryBook), Epochs(self.rosters)
        placing = Placing(
            self.orders,
            self.queue,
            clock,
            chance,
            deadline,
            limits,
            Room(self.orders, self.rosters, 3),
            TickerWatch(MemoryTickers(), clock),
            beginning,
            self.faults,
        )
        self.api = HttpApi(
            Identity(self.access, clock, chance, self.keys),
            placing,
            Reading(self.orders, self.access, epochs),
            Changing(self.orders, self.queue, epochs, beginning, clock, deadline),
            Cancelling(
                self.orders, self.rosters, epochs, a_parting(self.orders, self.queue, clock), clock
            ),
            lambda: a_quoting(venues, clock, Inline()),
            lambda: pricing,
            (lambda: Moving(simulation, pricing, book, clock)) if self.faults else None,
        )

    def request_quotes(self, event: dict[str, Any]) -> Answer:
        answer = _doorway("execute").lambda_handler(event, None, using=self.api)
        headers = {k.lower(): v for k, v in answer["headers"].items()}
        body = answer["body"]
        is_json = body and "json" in headers.get("content-type", "")
        return Answer(answer["statusCode"], headers, json.loads(body) if is_json else body)

    def get(self, path: str, **query: str) -> Answer:
        return self.request_quotes(_asking("GET", path, **query))

    def account(self, name: str) -> dict[str, str]:
        """Return the headers of a new key of an account."""
        text, stored = new_key(name, FakeChance(counter=len(self.access.keys) * 7))
        self.access.add_key(stored)
        return {"authorization": f"Bearer {text}"}

    def post(self, body: object, **headers: str) -> Answer:
        event = copy.deepcopy(PLACE)
        event["body"] = body if isinstance(body, str) else json.dumps(body)
        event["headers"] |= {k.replace("_", "-"): v for k, v in headers.items()}
        return self.request_quotes(event)

    def refused(self, body: object, **headers: str) -> Answer:
        answer = self.post(body, **headers)
        assert 400 <= answer.status < 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code", "requestId"} <= answer.body.keys()
        assert answer.body["status"] == answer.status
        assert self.orders.rows == {}
        return answer


def _with(**changes: object) -> dict[str, object]:
    return {**BODY, **changes}


def _raw(**changes: str) -> str:
    """Return the body with some fields replaced by raw JSON text."""
    fields = {name: json.dumps(value) for name, value in BODY.items()} | changes
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"


def test_an_order_is_accepted() -> None:
    world = World()
    answer = world.request_quotes(PLACE)
    assert answer.status == 202
    order_id = answer.body["orderId"]
    assert answer.headers["location"] == f"/api/orders/{order_id}"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == PLACE["requestContext"]["requestId"]
    assert answer.body["status"] == "pending"
    assert answer.body["amount"] == "1"
    assert world.orders.rows[order_id].terms.amount == 10**9


def test_an_order_reads_as_the_design_says() -> None:
    world = World()
    world.orders.add(an_order(account=ANYONE))
    assert world.request_quotes(GET).body == {
        "orderId": "11111111-1111-4111-8111-111111111111",
        "clientOrderId": None,
        "network": "simulated",
        "settlement": "simulated",
        "type": "market",
        "pair": "SOL/USDC",
        "side": "sell",
        "tokenIn": "SOL",
        "tokenOut": "USDC",
        "amount": "1",
        "slippageBps": 50,
        "limitPrice": None,
        "stopPrice": None,
        "trailingBps": None,
        "activationPrice": None,
        "takeProfit": None,
        "stopLoss": None,
        "parts": None,
        "intervalSeconds": None,
        "minPrice": None,
        "maxPrice": None,
        "parentId": None,
        "mint": None,
        "maxAgeSeconds": None,
        "minLiquidityUsd": None,
        "ifTriggered": None,
        "expiresAt": None,
        "summary": "Sell 1 SOL for USDC now, at most 0.5 % below its quote.",
        "trigger": None,
        "status": "pending",
        "seq": 1,
        "attempts": 0,
        "createdAt": "2026-11-22T08:24:00.000Z",
        "updatedAt": "2026-11-22T08:24:00.000Z",
        "quotes": [],
        "route": None,
        "minAmountOut": None,
        "amountOut": None,
        "executedPrice": None,
        "filledAmount": None,
        "averagePrice": None,
        "stopping": None,
        "children": None,
        "txHash": None,
        "error": None,
        "history": [{"seq": 1, "status": "pending", "at": "2026-11-22T08:24:00.000Z"}],
        "tries": [],
    }


TRADE = {name: value for name, value in BODY.items() if name != "slippageBps"}
RESTS: dict[str, dict[str, Any]] = {
    "limit": {"limitPrice": "1000000"},
    "stop": {"stopPrice": 1},
    "stopLimit": {"stopPrice": "1", "limitPrice": "0.9"},
    "takeProfit": {"stopPrice": "1000000"},
    "trailingStop": {"trailingBps": 500},
    "oco": {"takeProfit": {"price": 1_000_000}, "stopLoss": {"price": "1"}},
    "twap": {"parts": 2, "intervalSeconds": 1},
}
#: What a field of each type may be wrong with, besides what is wrong with a market order.
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("twap", {"parts": 1}, "/parts", "INVALID"),
    ("twap", {"parts": 101}, "/parts", "INVALID"),
    ("twap", {"intervalSeconds": 0}, "/intervalSeconds", "INVALID"),
    ("twap", {"intervalSeconds": 1.5}, "/intervalSeconds", "INVALID"),
    ("twap", {"minPrice": 2, "maxPrice": 2}, "/maxPrice", "PRICES_CROSSED"),
    ("twap", {"amount": "0.000000001"}, "/parts", "PARTS_TOO_SMALL"),
    ("twap", {"parts": 99, "intervalSeconds": 86_400}, "/intervalSeconds", "SCHEDULE_TOO_LONG"),
    ("limit", {"limitPrice": 0}, "/limitPrice", "PRICE_OUT_OF_RANGE"),
    ("limit", {"limitPrice": "0.0000000000000000001"}, "/limitPrice", "PRICE_OUT_OF_RANGE"),
    ("limit", {"limitPrice": "1000000000000000001"}, "/limitPrice", "PRICE_OUT_OF_RANGE"),
    ("limit", {"limitPrice": "1.234567890123"}, "/limitPrice", "PRICE_TOO_PRECISE"),
    ("limit", {"limitPrice": "1e3"}, "/limitPrice", "PRICE_TYPE"),
    ("limit", {"limitPrice": None}, "/limitPrice", "PRICE_TYPE"),
    ("limit", {"limitPrice": -1}, "/limitPrice", "PRICE_OUT_OF_RANGE"),
    ("limit", {"stopPrice": 1}, "/stopPrice", "UNKNOWN_FIELD"),
    ("limit", {"ifTriggered": "never"}, "/ifTriggered", "INVALID"),
    ("limit", {"expiresAt": "2026-11-23"}, "/expiresAt", "TIME_TYPE"),
    ("limit", {"expiresAt": "2026-11-23T08:24:00"}, "/expiresAt", "TIME_TYPE"),
    ("limit", {"expiresAt": "2026-13-23T08:24:00Z"}, "/expiresAt", "TIME_TYPE"),
    ("limit", {"expiresAt": "0001-01-01T00:00:00+23:00"}, "/expiresAt", "TIME_TYPE"),
    ("limit", {"expiresAt": 1_800_000_000}, "/expiresAt", "TIME_TYPE"),
    ("limit", {"expiresAt": None}, "/expiresAt", "TIME_TYPE"),
    ("limit", {"expiresAt": "2026-11-22T08:24:00Z"}, "/expiresAt", "EXPIRY_OUT_OF_RANGE"),
    ("limit", {"expiresAt": "2026-12-22T08:24:00.001Z"}, "/expiresAt", "EXPIRY_OUT_OF_RANGE"),
    ("stop", {"limitPrice": 1}, "/limitPrice", "UNKNOWN_FIELD"),
    ("stop", {"slippageBps": 10_001}, "/slippageBps", "INVALID"),
    ("stopLimit", {"limitPrice": 0}, "/limitPrice", "PRICE_OUT_OF_RANGE"),
    ("takeProfit", {"trailingBps": 50}, "/trailingBps", "UNKNOWN_FIELD"),
    ("trailingStop", {"trailingBps": 9}, "/trailingBps", "INVALID"),
    ("trailingStop", {"trailingBps": 9_001}, "/trailingBps", "INVALID"),
    ("trailingStop", {"trailingBps": 10.5}, "/trailingBps", "INVALID"),
    ("trailingStop", {"activationPrice": "x"}, "/activationPrice", "PRICE_TYPE"),
    ("trailingStop", {"stopPrice": 1}, "/stopPrice", "UNKNOWN_FIELD"),
    ("oco", {"takeProfit": {}}, "/takeProfit/price", "REQUIRED"),
    ("oco", {"takeProfit": 5}, "/takeProfit", "INVALID"),
    ("oco", {"stopLoss": {"price": "1", "at": 1}}, "/stopLoss/at", "UNKNOWN_FIELD"),
    ("oco", {"stopLoss": {"price": 1, "slippageBps": -1}}, "/stopLoss/slippageBps", "INVALID"),
    ("oco", {"stopLoss": {"price": "2000000"}}, "/stopLoss/price", "PRICES_CROSSED"),
    ("oco", {"stopPrice": 1}, "/stopPrice", "UNKNOWN_FIELD"),
]


@pytest.mark.parametrize("kind", RESTS)
def test_every_type_that_waits_is_placed_read_and_found(kind: str) -> None:
    world = World()
    body = {**TRADE, "type": kind, **RESTS[kind], "clientOrderId": "k"}
    placed = world.post(body)
    assert (placed.status, placed.body["status"], placed.headers["etag"]) == (202, "resting", '"1"')
    assert placed.body["expiresAt"] == "2026-12-22T08:24:00.000Z"
    assert placed.body["trigger"]["source"] == ("time" if kind == "twap" else "reference")
    for path in (placed.headers["location"], "/api/orders/by-client-id/k"):
        assert world.get(path).body == placed.body
    assert world.get("/api/orders", type=kind, pair="SOL/USDC").body["orders"] == [placed.body]
    assert world.get("/api/orders", type="market").body["orders"] == []
    assert world.get("/api/orders", pair="RAY/USDC").body["orders"] == []
    assert world.post(body).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("kind", RESTS)
def test_a_field_that_a_type_needs_is_required(kind: str) -> None:
    for name in RESTS[kind]:
        body = {
            n: value for n, value in {**TRADE, "type": kind, **RESTS[kind]}.items() if n != name
        }
        assert World().refused(body).problems == {(f"/{name}", "REQUIRED")}


@pytest.mark.parametrize(("kind", "changes", "pointer", "code"), WRONG)
def test_a_bad_field_of_an_order_that_waits_is_named(
    kind: str, changes: dict[str, Any], pointer: str, code: str
) -> None:
    answer = World().refused({**TRADE, "type": kind, **RESTS[kind], **changes})
    assert (answer.status, answer.body["code"]) == (422, "INVALID_ORDER")
    assert answer.problems == {(pointer, code)}


def test_tolerances_have_the_defaults_of_their_type() -> None:
    told = {k: World().post({**TRADE, "type": k, **asked}).body for k, asked in RESTS.items()}
    assert {kind: order["slippageBps"] for kind, order in told.items()} == {
        "limit": 50,
        "stop": 300,
        "stopLimit": 50,
        "takeProfit": 50,
        "trailingStop": 50,
        "oco": 50,
        "twap": 50,
    }
    legs = told["oco"]["takeProfit"], told["oco"]["stopLoss"]
    assert [leg["slippageBps"] for leg in legs] == [50, 300]
    said = World().post({**TRADE, "type": "oco", **RESTS["oco"], "slippageBps": 7}).body
    assert [said[leg]["slippageBps"] for leg in ("takeProfit", "stopLoss")] == [7, 7]


def test_an_end_may_have_any_offset_and_is_told_in_utc() -> None:
    body = {
        **TRADE,
        "type": "limit",
        **RESTS["limit"],
        "expiresAt": "2026-11-23T01:00:00.1239+05:30",
    }
    assert World().post(body).body["expiresAt"] == "2026-11-22T19:30:00.123Z"


def test_what_would_be_due_at_once_is_a_422_of_its_own() -> None:
    body = {**TRADE, "type": "limit", "limitPrice": "1", "ifTriggered": "reject"}
    answer = World().refused(body)
    assert (answer.status, answer.body["code"]) == (422, "WOULD_TRIGGER_NOW")
    assert answer.problems == {("/limitPrice", "WOULD_TRIGGER_NOW")}
    executed = World().post({**body, "ifTriggered": "execute"}).body
    assert (executed["status"], executed["trigger"]["triggeredAt"]) == (
        "pending",
        "2026-11-22T08:24:00.000Z",
    )


def test_too_many_that_wait_are_a_422_of_their_own() -> None:
    world = World()
    body = {**TRADE, "type": "limit", **RESTS["limit"]}
    for _ in range(3):
        assert world.post(body).status == 202
    answer = world.post(body)
    assert (answer.status, answer.body["code"]) == (422, "TOO_MANY_RESTING_ORDERS")
    assert answer.problems == {("/type", "TOO_MANY_RESTING_ORDERS")}


def _changing(world: World, order_id: str, change: object, **headers: str) -> Answer:
    asked = _asking("PATCH", f"/api/orders/{order_id}")
    asked["headers"] |= {"content-type": "application/json", **headers}
    return world.request_quotes({**asked, "body": json.dumps(change)})


def test_an_order_that_rests_is_changed_if_it_is_as_its_client_believes() -> None:
    world = World()
    order_id = world.post({**TRADE, "type": "oco", **RESTS["oco"]}).body["orderId"]
    change = {"stopLoss": {"price": "2"}, "expiresAt": "2026-11-23T08:24:00Z"}
    changed = _changing(world, order_id, change, **{"if-match": '"1"'})
    assert (changed.status, changed.body["seq"], changed.headers["etag"]) == (200, 2, '"2"')
    assert changed.body["stopLoss"] == {"price": "2", "slippageBps": 300}
    for believed in ('"1"', "2", 'W/"2"', '"x"', ""):
        answer = _changing(world, order_id, change, **{"if-match": believed})
        assert (answer.status, answer.body["code"]) == (412, "PRECONDITION_FAILED")
    for believed in ('"2"', '"1", "2"', "*"):
        assert _changing(world, order_id, change, **{"if-match": believed}).body == changed.body


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ("", "INVALID")),
        ({"limitPrice": None}, ("/limitPrice", "PRICE_TYPE")),
        ({"limitPrice": 0}, ("/limitPrice", "PRICE_OUT_OF_RANGE")),
        ({"stopPrice": 1}, ("/stopPrice", "UNKNOWN_FIELD")),
        ({"amount": 1}, ("/amount", "UNKNOWN_FIELD")),
        ({"slippageBps": 10_001}, ("/slippageBps", "INVALID")),
        ({"takeProfit": {"price": 1}}, ("/takeProfit", "UNKNOWN_FIELD")),
        ({"expiresAt": "2026-11-22T08:24:00Z"}, ("/expiresAt", "EXPIRY_OUT_OF_RANGE")),
        ({"expiresAt": "soon"}, ("/expiresAt", "TIME_TYPE")),
    ],
)
def test_a_bad_change_is_named(change: dict[str, Any], problem: tuple[str, str]) -> None:
    world = World()
    order = world.post({**TRADE, "type": "limit", **RESTS["limit"]}).body
    answer = _changing(world, order["orderId"], change)
    assert (answer.status, answer.problems) == (422, {problem})
    assert world.get(f"/api/orders/{order['orderId']}").body == order


def test_what_does_not_rest_is_not_changed() -> None:
    world = World()
    world.orders.add(an_order(account=ANYONE))
    answer = _changing(world, an_order().order_id, {"slippageBps": 1})
    assert (answer.status, answer.body["code"]) == (409, "ORDER_NOT_CHANGEABLE")


def test_all_that_rest_are_cancelled_at_once() -> None:
    world = World()
    order_id = world.post({**TRADE, "type": "limit", **RESTS["limit"]}).body["orderId"]
    asked = _asking("POST", "/api/orders/cancel-all")
    as_json = {**asked, "headers": {**asked["headers"], "content-type": "application/json"}}
    told = world.request_quotes({**as_json, "body": '{"pair":"RAY/USDC"}'})
    assert (told.status, told.body["pair"]) == (200, "RAY/USDC")
    assert world.get(f"/api/orders/{order_id}").body["status"] == "resting"
    for bodyless in (asked, {**as_json, "body": "{}"}):
        told = world.request_quotes(bodyless)
        assert (told.status, told.body["pair"]) == (200, None)
        read = world.get(f"/api/orders/{order_id}").body
        assert (read["status"], read["seq"]) == ("cancelled", 2)


@pytest.mark.parametrize("body", ['{"pair":"USDC/SOL"}', '{"pair":null}', '{"all":1}', "[]"])
def test_a_bad_cancel_all_is_named(body: str) -> None:
    asked = _asking("POST", "/api/orders/cancel-all")
    asked["headers"] |= {"content-type": "application/json"}
    answer = World().request_quotes({**asked, "body": body})
    assert (answer.status, answer.body["code"]) == (422, "INVALID_BODY")


def test_an_order_of_a_token_that_is_not_listed_is_read_listed_and_cancelled() -> None:
    world = World()
    gone = Token("GONE", "Gone111111111111111111111111111111111111111", 4)
    world.orders.add(an_order(account=ANYONE, terms=Terms(gone, USDC, 12_345, 50)))
    order = world.request_quotes(GET).body
    assert (order["tokenIn"], order["amount"]) == ("GONE", "1.2345")
    assert world.request_quotes(_asking("GET", "/api/orders")).body["orders"] == [order]
    cancel = _asking("POST", f"/api/orders/{order['orderId']}/cancel")
    assert world.request_quotes(cancel).body["status"] == "cancelled"


@pytest.mark.parametrize("account", [None, "somebody"])
def test_no_order_and_another_accounts_order_look_alike(account: str | None) -> None:
    world = World()
    if account:
        world.orders.add(an_order(account=account))
    answer = world.request_quotes(GET)
    assert (answer.status, answer.body["code"]) == (404, "ORDER_NOT_FOUND")


@pytest.mark.parametrize("amount", ["1", "1.0", '"1"', '"1.0"', "1e0", "10e-1", '"01"'])
def test_one_is_one_however_it_is_written(amount: str) -> None:
    answer = World().post(_raw(amount=amount))
    assert (answer.status, answer.body["amount"]) == (202, "1")


@pytest.mark.parametrize(
    "amount",
    [
        "0", "-1", "0.0", "-0", "1e400", "1E+999999999", "1e999999999999999999999",
        "0.12345678901234567890", "18446744073.709551616", "1" * 5000, "true", "false", "null",
        "[]", "{}", '""', '"abc"', '"1_000"', '" 1"', '"1e3"', '"-1"', '"+1"', '"NaN"', '"١"',
        '"1.2.3"', '"0x10"', '"' + "9" * 5000 + '"',
    ],
)  # fmt: skip
def test_a_bad_amount_is_named(amount: str) -> None:
    answer = World().refused(_raw(amount=amount))
    assert answer.status == 422
    assert {pointer for pointer, _ in answer.problems} == {"/amount"}


@pytest.mark.parametrize("amount", ["1e-9999999", "1e-999999999999999999999", "1.0000000001"])
def test_no_digit_of_an_amount_is_lost(amount: str) -> None:
    assert World().refused(_raw(amount=amount)).problems == {("/amount", "TOO_MANY_DECIMALS")}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("name", ["amount", "slippageBps", "more"])
def test_what_is_no_number_of_json_is_no_json(number: str, name: str) -> None:
    answer = World().refused(_raw(**{name: number}))
    assert (answer.status, answer.body["code"]) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize("name", ["type", "tokenIn", "tokenOut", "amount"])
def test_a_missing_field_is_named(name: str) -> None:
    body = {key: value for key, value in BODY.items() if key != name}
    answer = World().refused(body)
    assert (answer.status, answer.problems) == (422, {(f"/{name}", "REQUIRED")})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (_with(limitPrice=1), ("/limitPrice", "UNKNOWN_FIELD")),
        (_with(**{"a/b~c": 1}), ("/a~1b~0c", "UNKNOWN_FIELD")),
        (_with(type="limit"), ("/limitPrice", "REQUIRED")),
        (_with(type="never"), ("/type", "INVALID")),
        (_with(type=1), ("/type", "INVALID")),
        (_with(expiresAt="2026-11-22T09:00:00Z"), ("/expiresAt", "UNKNOWN_FIELD")),
        (_with(ifTriggered="execute"), ("/ifTriggered", "UNKNOWN_FIELD")),
        (_with(tokenIn="DOGE"), ("/tokenIn", "UNKNOWN_TOKEN")),
        (_with(tokenIn=1), ("/tokenIn", "INVALID")),
        (_with(tokenIn="X" * 65), ("/tokenIn", "INVALID")),
        (_with(tokenOut="SOL"), ("/tokenOut", "SAME_TOKEN")),
        (_with(tokenIn="BONK", tokenOut="JUP"), ("/tokenOut", "UNSUPPORTED_PAIR")),
        (_with(slippageBps=-1), ("/slippageBps", "INVALID")),
        (_with(slippageBps=10_001), ("/slippageBps", "INVALID")),
        (_with(slippageBps=0.5), ("/slippageBps", "INVALID")),
        (_with(slippageBps=True), ("/slippageBps", "INVALID")),
        (_with(slippageBps="50"), ("/slippageBps", "INVALID")),
        (_with(clientOrderId=""), ("/clientOrderId", "INVALID")),
        (_with(clientOrderId="a b"), ("/clientOrderId", "INVALID")),
        (_with(clientOrderId="x" * 65), ("/clientOrderId", "INVALID")),
    ],
)
def test_a_bad_field_is_named(body: dict[str, object], problem: tuple[str, str]) -> None:
    answer = World().refused(body)
    assert (answer.status, answer.problems) == (422, {problem})


@pytest.mark.parametrize("body", ["[]", "1", "1.5", "null", '"x"', "true", f"[{json.dumps(BODY)}]"])
def test_a_body_that_is_no_object_is_refused(body: str) -> None:
    answer = World().refused(body)
    assert (answer.status, answer.problems) == (422, {("", "INVALID")})


@pytest.mark.parametrize(
    "body",
    ["", "{", "{'type':'market'}", "[" * 3_000, "[" * 10_000, '{"amount":1,"amount":2}', "\x00"],
)
def test_a_body_that_is_not_json_is_refused(body: str) -> None:
    answer = World().refused(body)
    assert (answer.status, answer.body["code"]) == (400, "MALFORMED_JSON")


def test_bytes_that_are_no_text_are_refused() -> None:
    world = World()
    answer = world.request_quotes({**PLACE, "body": "/////w==", "isBase64Encoded": True})
    assert (answer.status, answer.body["code"]) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize("body", ["a", "é", "\ud800"])
def test_what_only_claims_to_be_base64_is_refused(body: str) -> None:
    answer = World().request_quotes({**PLACE, "body": body, "isBase64Encoded": True})
    assert (answer.status, answer.body["code"]) == (400, "MALFORMED_JSON")


def test_a_body_in_base64_is_read() -> None:
    import base64

    body = base64.b64encode(PLACE["body"].encode()).decode()
    assert World().request_quotes({**PLACE, "body": body, "isBase64Encoded": True}).status == 202


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(content_type: str) -> None:
    answer = World().refused(BODY, content_type=content_type)
    assert (answer.status, answer.body["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_json_with_a_charset_is_json() -> None:
    assert World().post(BODY, content_type="Application/JSON; charset=utf-8").status == 202


def test_names_of_headers_have_no_case() -> None:
    world = World(keys=True)
    (key,) = world.account("ann").values()
    sent = {"Content-Type": "application/json", "Idempotency-Key": "k", "Authorization": key}
    answer = world.request_quotes({**PLACE, "headers": sent})
    assert (answer.status, answer.body["clientOrderId"]) == (202, "k")


def test_a_request_without_headers_is_answered() -> None:
    without = {name: value for name, value in PLACE.items() if name != "headers"}
    for event in (without, {**without, "headers": None}):
        assert World().request_quotes(event).status == 415


@pytest.mark.parametrize("size", [MAX_BODY + 1, 1_000_000])
def test_a_large_body_is_refused(size: int) -> None:
    answer = World().refused(json.dumps(BODY).ljust(size))
    assert (answer.status, answer.body["code"]) == (413, "BODY_TOO_LARGE")


def test_an_order_is_found_by_its_clients_id() -> None:
    world = World(keys=True)
    ann, bob = world.account("ann"), world.account("bob")
    placed = world.post(BODY, idempotency_key="a.b:c-1", **ann).body
    asked = _asking("GET", "/api/orders/by-client-id/a.b:c-1")
    assert world.request_quotes({**asked, "headers": ann}).body == placed
    other = world.request_quotes({**asked, "headers": bob})
    assert (other.status, other.body["code"]) == (404, "ORDER_NOT_FOUND")


def test_the_key_may_come_in_the_header_or_in_the_body() -> None:
    world = World()
    first = world.post(BODY, idempotency_key="k-1")
    again = world.post(_with(clientOrderId="k-1"))
    assert first.body == again.body
    assert first.body["clientOrderId"] == "k-1"
    assert "idempotent-replayed" not in first.headers
    assert len(world.orders.rows) == 1


def test_two_keys_that_differ_are_refused() -> None:
    answer = World().refused(_with(clientOrderId="a"), idempotency_key="b")
    assert answer.problems == {("/clientOrderId", "KEY_MISMATCH")}


@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "é"])
def test_a_key_that_can_not_be_used_is_refused(key: str) -> None:
    answer = World().refused(BODY, idempotency_key=key)
    assert (answer.status, answer.body["code"]) == (400, "INVALID_IDEMPOTENCY_KEY")


def test_a_key_used_for_another_order_is_a_conflict() -> None:
    world = World()
    world.post(BODY, idempotency_key="k")
    answer = world.post(_with(amount=2), idempotency_key="k")
    assert (answer.status, answer.body["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def _asking(method: str, path: str, **query: str) -> dict[str, Any]:
    event: dict[str, Any] = copy.deepcopy(GET)
    if query:
        event["queryStringParameters"] = query
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    return event


def test_an_unknown_path_is_not_found() -> None:
    answer = World().request_quotes(_asking("GET", "/api/nothing"))
    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("order_id", ["🤡", "a b", "x" * 65, "é", "a∕b", "a%2Fb", "<order_id>"])
def test_what_is_no_id_is_no_order(order_id: str) -> None:
    for method, path in (("GET", ""), ("POST", "/cancel")):
        asked = _asking(method, f"/api/orders/{order_id}{path}")
        answer = World().request_quotes(asked)
        assert (answer.status, answer.body["code"]) == (404, "ORDER_NOT_FOUND")
        assert World(keys=True).request_quotes(asked).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "healthz", "//healthz", "/healthz/", "/healthz\n", "/openapi-json", "/HEALTHZ",
        "/api/orders/", "/api/orders//", "/api/orders/o1/", "/api/orders//cancel",
        "/api/orders/o1/cancel/", "/api/orders/a/b", "/$default/healthz",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_path_that_only_looks_like_another_is_not_found(method: str, path: str) -> None:
    answer = World(keys=True).request_quotes(_asking(method, path))
    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/live/healthz", "/healthz"])
def test_a_stage_with_a_name_may_stand_before_the_path(path: str) -> None:
    asked = _asking("GET", path)
    asked["requestContext"]["stage"] = "live"
    assert World().request_quotes(asked).body == HEALTHY


def test_what_is_refused_is_a_line_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr("engine.api.doorway.log.info", lambda _, extra: lines.append(extra))
    World().request_quotes(_asking("GET", "/healthz"))
    World().request_quotes(_asking("HEAD", "/api/nothing"))
    (line,) = lines
    assert (line["method"], line["path"], line["status"]) == ("HEAD", "/api/nothing", 404)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/orders/execute", "POST"),
        ("DELETE", "/api/orders/o1", "GET, PATCH, HEAD"),
        ("GET", "/api/orders/o1/cancel", "POST"),
        ("POST", "/api/orders", "GET, HEAD"),
        ("HEAD", "/api/orders/execute", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("BREW", "/docs", "GET, HEAD"),
    ],
)
def test_another_method_is_told_the_right_one(method: str, path: str, allow: str) -> None:
    answer = World().request_quotes(_asking(method, path))
    assert answer.status == 405
    assert answer.headers["allow"] == allow
    assert method == "HEAD" or answer.body["code"] == "METHOD_NOT_ALLOWED"


def test_health_is_told() -> None:
    assert World().request_quotes(_asking("GET", "/healthz")).body == HEALTHY


def test_a_table_that_is_away_is_a_503_that_says_nothing_of_the_inside() -> None:
    answer = World(orders=BrokenOrders()).post(BODY)
    assert (answer.status, answer.body["code"]) == (503, "STORE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"
    assert "10.0.0.1" not in json.dumps(answer.body)


def test_a_bug_is_a_500_that_says_nothing_of_the_inside() -> None:
    orders = BrokenOrders()
    orders.error = RuntimeError("secret")
    answer = World(orders=orders).post(BODY)
    assert (answer.status, answer.body["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in json.dumps(answer.body)


@pytest.mark.parametrize("error", [RuntimeError("secret"), StoreUnavailable("secret")])
def test_what_is_wrong_inside_is_told_to_the_log(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException | None] = []
    monkeypatch.setattr("engine.api.resolver.log.exception", lambda _: told.append(sys.exception()))
    orders = BrokenOrders()
    orders.error = error
    World(orders=orders).post(BODY)
    assert told == [error]


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/api/orders", "/api/orders/o1", "/nothing"])
def test_head_is_get_without_the_body(path: str) -> None:
    head, get = (World().request_quotes(_asking(method, path)) for method in ("HEAD", "GET"))
    assert (head.status, head.headers, head.body) == (get.status, get.headers, "")


@pytest.mark.parametrize(
    ("path", "allow"), [("/api/orders", "GET, HEAD"), ("/api/orders/o1/cancel", "POST")]
)
def test_options_tells_the_methods_to_anybody(path: str, allow: str) -> None:
    answer = World(keys=True).request_quotes(_asking("OPTIONS", path))
    assert (answer.status, answer.headers["allow"], answer.body) == (204, allow, "")
    assert answer.headers["cache-control"] == "no-store"
    assert "content-type" not in answer.headers


def test_an_answer_is_what_api_gateway_takes() -> None:
    answer = World().api.handle(_asking("GET", "/healthz"))
    assert json.loads(json.dumps(answer)) == {
        "statusCode": 200,
        "headers": {
            "X-Request-Id": GET["requestContext"]["requestId"],
            "Cache-Control": "no-store",
            "Content-Type": "application/json",
        },
        "body": json.dumps(HEALTHY, separators=(",", ":")),
        "isBase64Encoded": False,
        "cookies": [],
    }


def test_orders_are_listed_page_by_page() -> None:
    world = World()
    for n in range(5):
        at = START + timedelta(seconds=n)
        world.orders.add(an_order(order_id=f"o{n}", account=ANYONE, at=at))
    first = world.get("/api/orders", limit="3").body
    assert [order["orderId"] for order in first["orders"]] == ["o4", "o3", "o2"]
    rest = world.get("/api/orders", limit="3", cursor=first["nextCursor"]).body
    assert [order["orderId"] for order in rest["orders"]] == ["o1", "o0"]
    assert rest["nextCursor"] is None
    assert world.get("/api/orders", status="failed").body["orders"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "1.0"}, "limit"),
        ({"limit": " 1"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"status": "nothing"}, "status"),
        ({"cursor": ""}, "cursor"),
        ({"page": "1"}, "page"),
    ],
)
def test_a_bad_query_is_named(query: dict[str, str], name: str) -> None:
    answer = World().get("/api/orders", **query)
    assert (answer.status, answer.body["code"]) == (422, "INVALID_QUERY")
    assert {pointer for pointer, _ in answer.problems} == {f"/{name}"}


def test_a_bad_cursor_is_refused() -> None:
    answer = World().get("/api/orders", cursor="abc")
    assert (answer.status, answer.body["code"]) == (400, "INVALID_CURSOR")


def test_an_order_is_cancelled_once_and_for_all() -> None:
    world = World()
    world.orders.add(an_order(account=ANYONE))
    path = f"/api/orders/{an_order().order_id}/cancel"
    for _ in range(2):
        answer = world.request_quotes(_asking("POST", path))
        assert (answer.status, answer.body["status"]) == (200, "cancelled")
    assert world.request_quotes(_asking("POST", "/api/orders/nothing/cancel")).status == 404


def test_a_cancel_takes_no_body() -> None:
    world = World()
    world.orders.add(an_order(account=ANYONE))
    asked = _asking("POST", f"/api/orders/{an_order().order_id}/cancel")
    answer = world.request_quotes({**asked, "body": '{"reason":"none"}'})
    assert (answer.status, answer.body["code"]) == (422, "INVALID_BODY")
    assert world.request_quotes({**asked, "body": "{}"}).status == 200


def test_an_order_that_has_begun_is_not_cancelled() -> None:
    world = World()
    world.orders.add(an_order(account=ANYONE, status=Status.ROUTING))
    answer = world.request_quotes(_asking("POST", f"/api/orders/{an_order().order_id}/cancel"))
    assert (answer.status, answer.body["code"]) == (409, "ORDER_NOT_CANCELLABLE")


def test_quotes_come_with_the_choice_and_the_reason() -> None:
    offer = (
        World()
        .get("/api/quotes", tokenIn="SOL", tokenOut="USDC", amount="1.5", slippageBps="100")
        .body
    )
    assert (offer["tokenIn"], offer["tokenOut"], offer["amount"]) == ("SOL", "USDC", "1.5")
    assert {quote["venue"] for quote in offer["quotes"]} == {"raydium", "meteora"}
    assert offer["route"]["legs"]
    assert offer["route"]["reason"]
    assert float(offer["minAmountOut"]) < float(offer["amountOut"])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"/tokenIn", "/tokenOut", "/amount"}),
        ({"tokenIn": "SOL", "tokenOut": "USDC", "amount": "0"}, {"/amount"}),
        ({"tokenIn": "SOL", "tokenOut": "USDC", "amount": "NaN"}, {"/amount"}),
        ({"tokenIn": "SOL", "tokenOut": "SOL", "amount": "1"}, {"/tokenOut"}),
        (
            {"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1", "slippageBps": "-1"},
            {"/slippageBps"},
        ),
    ],
)
def test_a_bad_question_for_quotes_is_named(query: dict[str, str], names: set[str]) -> None:
    answer = World().get("/api/quotes", **query)
    assert (answer.status, answer.body["code"]) == (422, "INVALID_QUERY")
    assert {pointer for pointer, _ in answer.problems} == names


def test_quotes_say_of_an_amount_what_an_order_would_be_told() -> None:
    world = World(max_dollars=Decimal(99))
    asked = world.get("/api/quotes", tokenIn="SOL", tokenOut="USDC", amount="1")
    assert (asked.status, asked.body["code"]) == (422, "INVALID_QUERY")
    assert (
        asked.problems
        == world.request_quotes(PLACE).problems
        == {("/amount", "NOTIONAL_TOO_LARGE")}
    )


def test_tokens_and_pairs_are_told_without_those_that_fail_on_purpose() -> None:
    told = World().get("/api/tokens").body
    sol = {"symbol": "SOL", "mint": "So11111111111111111111111111111111111111112", "decimals": 9}
    assert sol in told["tokens"]
    assert ["SOL", "USDC"] in told["pairs"]
    assert "XFAIL" not in json.dumps(told)


# Prices


def move(world: World, body: object) -> Answer:
    event = copy.deepcopy(PLACE)
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/api/simulation/prices"
    event["body"] = body if isinstance(body, str) else json.dumps(body)
    return world.request_quotes(event)


def test_the_reference_price_of_a_pair_is_told_with_both_venues() -> None:
    answer = World().get("/api/prices", pair="SOL/USDC")
    assert answer.status == 200
    assert answer.body.keys() == {
        "network",
        "settlement",
        "pair",
        "price",
        "at",
        "source",
        "stale",
        "venues",
    }
    assert (answer.body["network"], answer.body["settlement"]) == ("simulated", "simulated")
    assert (answer.body["pair"], answer.body["stale"]) == ("SOL/USDC", False)
    assert [v["venue"] for v in answer.body["venues"]] == ["raydium", "meteora"]
    assert {*answer.body["source"]} <= {"raydium", "meteora"}
    low, high = sorted(Decimal(v["price"]) for v in answer.body["venues"])
    assert low <= Decimal(answer.body["price"]) <= high
    assert all(Decimal(v["depth"]) > 10_000 for v in answer.body["venues"])


@pytest.mark.parametrize("faults", [False, True])
def test_without_a_pair_all_that_are_listed_are_told(faults: bool) -> None:
    world = World(faults=faults)
    listed = ["/".join(pair) for pair in world.get("/api/tokens").body["pairs"]]
    answer = world.get("/api/prices")
    assert [each["pair"] for each in answer.body["prices"]] == listed
    assert answer.body["prices"][0] == world.get("/api/prices", pair=listed[0]).body
    assert ("XFAIL/USDC" in listed) is faults


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"pair": "USDC/SOL"}, ("/pair", "UNSUPPORTED_PAIR")),
        ({"pair": "SOL"}, ("/pair", "UNSUPPORTED_PAIR")),
        ({"pair": "XFAIL/USDC"}, ("/pair", "UNSUPPORTED_PAIR")),
        ({"pair": ""}, ("/pair", "INVALID")),
        ({"symbol": "SOL/USDC"}, ("/symbol", "UNKNOWN_FIELD")),
    ],
)
def test_a_bad_question_for_prices_is_named(
    query: dict[str, str], problem: tuple[str, str]
) -> None:
    answer = World().get("/api/prices", **query)
    assert (answer.status, answer.body["code"]) == (422, "INVALID_QUERY")
    assert answer.problems == {problem}


@pytest.mark.parametrize("price", [150, 150.0, "150", "150.00"])
def test_a_moved_price_is_everybodys_from_then_on(price: object) -> None:
    world = World(faults=True)
    answer = move(world, {"pair": "SOL/USDC", "price": price})
    assert (answer.status, answer.body["price"]) == (200, "150")
    assert answer.body == world.get("/api/prices", pair="SOL/USDC").body
    offer = world.get("/api/quotes", tokenIn="SOL", tokenOut="USDC", amount="0.01")
    for quote in offer.body["quotes"]:
        assert Decimal(150) * Decimal("0.99") < Decimal(quote["price"]) < 150


def test_nobody_moves_a_market_that_is_not_there_to_be_tried_out() -> None:
    answer = move(World(), {"pair": "SOL/USDC", "price": 150})
    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"pair": "SOL/USDC"}, ("/price", "REQUIRED")),
        ({"pair": "USDC/SOL", "price": 1}, ("/pair", "UNSUPPORTED_PAIR")),
        ({"pair": "SOL/USDC", "price": "1e3"}, ("/price", "PRICE_TYPE")),
        ({"pair": "SOL/USDC", "price": True}, ("/price", "PRICE_TYPE")),
        ({"pair": "SOL/USDC", "price": 0}, ("/price", "PRICE_OUT_OF_RANGE")),
        ({"pair": "SOL/USDC", "price": -1}, ("/price", "PRICE_OUT_OF_RANGE")),
        ({"pair": "SOL/USDC", "price": 163001}, ("/price", "PRICE_OUT_OF_RANGE")),
        ({"pair": "SOL/USDC", "price": "1.234567890123"}, ("/price", "PRICE_TOO_PRECISE")),
        ({"pair": "SOL/USDC", "price": 1, "at": 2}, ("/at", "UNKNOWN_FIELD")),
        ([], ("", "INVALID")),
    ],
)
def test_a_bad_move_is_named(body: object, problem: tuple[str, str]) -> None:
    answer = move(World(faults=True), body)
    assert (answer.status, answer.body["code"]) == (422, "INVALID_BODY")
    assert answer.problems == {problem}


def test_without_a_key_only_what_is_public_is_answered() -> None:
    world = World(keys=True)
    for path, methods in world.api.resolver.known.items():
        for method in methods:
            answer = world.request_quotes(
                _asking(method, path.replace("{orderId}", "o1").replace("{clientOrderId}", "k1"))
            )
            public = not path.startswith("/api/")
            assert answer.status == (200 if public else 401), path
            if not public:
                assert answer.body["code"] == "UNAUTHENTICATED"
                assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_may_come_in_either_header() -> None:
    world = World(keys=True)
    bearer = world.account("ann")
    assert world.post(BODY, **bearer).status == 202
    assert world.post(BODY, x_api_key=bearer["authorization"].split()[1]).status == 202
    assert {order.account for order in world.orders.rows.values()} == {"ann"}


def test_accounts_see_and_change_their_own_orders_only() -> None:
    world = World(keys=True)
    ann, bob = world.account("ann"), world.account("bob")
    order_id = world.post(BODY, **ann).body["orderId"]
    for method, path in (
        ("GET", f"/api/orders/{order_id}"),
        ("POST", f"/api/orders/{order_id}/cancel"),
    ):
        event = _asking(method, path)
        event["headers"] |= bob
        answer = world.request_quotes(event)
        assert (answer.status, answer.body["code"]) == (404, "ORDER_NOT_FOUND")
    listing = _asking("GET", "/api/orders")
    listing["headers"] |= bob
    assert world.request_quotes(listing).body["orders"] == []


def test_an_account_gets_a_ticket() -> None:
    world = World(keys=True)
    event = _asking("POST", "/api/stream-tickets")
    event["headers"] |= world.account("ann")
    answer = world.request_quotes(event)
    assert (answer.status, answer.body["expiresAt"]) == (201, "2026-11-22T08:25:00.000Z")
    assert world.api.identity.caller_of_ticket(answer.body["ticket"]).account == "ann"


def test_an_account_that_orders_too_often_is_told_when_to_come_back() -> None:
    world = World(keys=True, per_minute=1)
    ann = world.account("ann")
    first = world.post(BODY, **ann)
    assert first.headers["ratelimit-policy"] == '"orders";q=1;w=60'
    assert first.headers["ratelimit"] == '"orders";r=0;t=60'
    second = world.post(BODY, **ann)
    assert (second.status, second.body["code"]) == (429, "ORDER_RATE_EXCEEDED")
    assert second.headers["retry-after"] == "60"
    assert second.headers["ratelimit-policy"] == '"orders";q=1;w=60'
    assert second.headers["ratelimit"] == '"orders";r=0;t=60'
    assert len(world.orders.rows) == 1


def test_a_halt_is_a_503_that_says_so() -> None:
    world = World()
    world.access.state = TradingState.HALTED
    answer = world.post(BODY)
    assert (answer.status, answer.body["code"]) == (503, "TRADING_HALTED")
    assert answer.headers["retry-after"]
    assert world.orders.rows == {}


def test_a_problems_type_leads_to_what_the_docs_say_of_it() -> None:
    assert World().get("/api/nothing").body["type"] == "/docs#NOT_FOUND"
