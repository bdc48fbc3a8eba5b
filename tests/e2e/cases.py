"""One request for every status of every route; docs/api.md has them as a table."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoOrders
from engine.domain.signatures import signed_headers
from engine.ports.access import Trading, TradingState
from engine.ports.signals import Source
from engine.service.limits import BELIEVED
from tests.e2e.client import Trader, a_body, a_stored_order, until

ROOT = Path(__file__).parents[2]
BIG = json.dumps(a_body()).ljust(20_000)
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class World:
    """Somebody with a key, somebody else, nobody; and what lies behind the API."""

    ann: Trader
    bob: Trader
    nobody: httpx.Client
    orders: DynamoOrders
    access: DynamoAccess
    operator: httpx.Client
    source: Source

    def pending(self) -> str:
        """Return the id of an order of ann's that no worker hears of."""
        return self.orders_of(self.ann)

    def orders_of(self, trader: Trader) -> str:
        order = a_stored_order(trader.account)
        self.orders.add(order)
        return order.order_id

    def resting(self) -> str:
        """Return the id of an order of ann's that waits for a price which never comes."""
        answer = self.ann.post(a_body(type="limit", limitPrice=1_000_000))
        order_id: str = answer.json()["orderId"]
        return order_id

    def confirmed(self) -> str:
        order_id = self.ann.place()
        self.ann.wait_for(order_id)
        return order_id


Case = Callable[[World], httpx.Response]
CASES: dict[tuple[str, int], Case] = {}


def case(route: str, status: int) -> Callable[[Case], Case]:
    def keep(ask: Case) -> Case:
        assert (route, status) not in CASES
        CASES[route, status] = ask
        return ask

    return keep


def routes() -> list[tuple[str, str]]:
    """Return every route of the contract, as method and path with `{variables}`."""
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


PUBLIC = {"/healthz", "/openapi.json", "/docs"}
PLACE, CANCEL = "POST /api/orders/execute", "POST /api/orders/{orderId}/cancel"
CHANGE, CANCEL_ALL = "PATCH /api/orders/{orderId}", "POST /api/orders/cancel-all"
READ, LIST = "GET /api/orders/{orderId}", "GET /api/orders"
BY_KEY = "GET /api/orders/by-client-id/{clientOrderId}"
QUOTES, TOKENS, TICKET = "GET /api/quotes", "GET /api/tokens", "POST /api/stream-tickets"
PRICES, MOVE = "GET /api/prices", "POST /api/simulation/prices"
HALT, RESUME, REDRIVE = (f"POST /api/ops/{act}" for act in ("halt", "resume", "redrive"))
STORY = "GET /api/ops/orders/{orderId}/story"
_REASON = {"reason": "a case"}
LAUNCH, SIGNAL = "POST /api/simulation/launches", "POST /api/signals/{source}"
_QUERY = {"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"}
#: No other test trades this pair: where it is moved to does not matter.
_MOVE = {"pair": "XDROP/USDC", "price": "2.5"}
#: No test waits for either.
_LAUNCH = {"symbol": "LAUNCHED", "price": "1", "liquidityUsd": 1_000}
SIGNALLED = {
    "type": "token.launched",
    "timestamp": "2026-11-22T08:24:00Z",
    "data": {
        "mint": "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6S",
        "symbol": "FAR",
        "decimals": 6,
    },
}
_CHANGE = {"expiresAt": "2099-01-01T00:00:00Z"}
_BODIES = {
    PLACE: a_body(),
    CHANGE: _CHANGE,
    CANCEL_ALL: {"pair": "RAY/SOL"},  # which no other test trades
    MOVE: _MOVE,
    HALT: _REASON,
    RESUME: _REASON,
    REDRIVE: _REASON,
    LAUNCH: _LAUNCH,
    SIGNAL: SIGNALLED,
}


def filled(path: str, name: str) -> str:
    """Return a path with its variable, if it has one, filled in."""
    path = path.replace("{source}", "simulation")
    return path.replace("{orderId}", name).replace("{clientOrderId}", name)


def plain(http: httpx.Client, method: str, path: str, order_id: str = "any") -> httpx.Response:
    """Ask a route in the simplest way that is right."""
    query = _QUERY if path == "/api/quotes" else {}
    body = _BODIES.get(f"{method} {path}")
    return http.request(method, filled(path, order_id), params=query, json=body)


def anonymous(method: str, path: str, world: World) -> httpx.Response:
    return plain(world.nobody, method, path)


for _method, _path in routes():
    CASES[f"{_method} {_path}", 200 if _path in PUBLIC else 401] = partial(
        anonymous, _method, _path
    )


@case(PLACE, 202)
def _(world: World) -> httpx.Response:
    return world.ann.post()


@case(PLACE, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/orders/execute", content="{", headers=JSON)


@case(PLACE, 409)
def _(world: World) -> httpx.Response:
    world.ann.post(a_body(), **{"Idempotency-Key": "k"})
    return world.ann.post(a_body(amount=2), **{"Idempotency-Key": "k"})


@case(PLACE, 413)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/orders/execute", content=BIG, headers=JSON)


@case(PLACE, 415)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/orders/execute", content=json.dumps(a_body()))


@case(PLACE, 422)
def _(world: World) -> httpx.Response:
    return world.ann.post(a_body(amount=0))


@case(PLACE, 429)
def _(world: World) -> httpx.Response:
    return until(world.bob.post, lambda answer: answer.status_code == 429, every=0)


@case(PLACE, 503)
def _(world: World) -> httpx.Response:
    world.access.set_trading(Trading(TradingState.HALTED))
    try:
        return until(world.ann.post, lambda answer: answer.status_code == 503)
    finally:
        world.access.set_trading(Trading())
        time.sleep(BELIEVED.total_seconds())  # then no process believes the halt any more


@case(READ, 200)
def _(world: World) -> httpx.Response:
    return world.ann.http.get(f"/api/orders/{world.confirmed()}")


@case(BY_KEY, 200)
def _(world: World) -> httpx.Response:
    world.ann.post(a_body(clientOrderId="by.my:own-id"))
    return world.ann.http.get("/api/orders/by-client-id/by.my:own-id")


@case(BY_KEY, 404)
def _(world: World) -> httpx.Response:
    return world.bob.http.get("/api/orders/by-client-id/by.my:own-id")


@case(READ, 404)
def _(world: World) -> httpx.Response:
    return world.bob.http.get(f"/api/orders/{world.pending()}")


@case(READ, 503)
def _(world: World) -> httpx.Response:
    """An order that can't be read: a newer version can, in a moment."""
    broken = a_stored_order(world.ann.account)
    world.orders.add(broken)
    world.orders.table.update(f"ORDER#{broken.order_id}", "ORDER", "SET doc = :doc", doc="{")
    return world.ann.http.get(f"/api/orders/{broken.order_id}")


@case(LIST, 200)
def _(world: World) -> httpx.Response:
    return world.bob.http.get("/api/orders", params={"limit": 100})


@case(LIST, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.get("/api/orders", params={"cursor": "abc"})


@case(LIST, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.get("/api/orders", params={"limit": 0})


@case(CANCEL, 200)
def _(world: World) -> httpx.Response:
    return world.ann.http.post(f"/api/orders/{world.pending()}/cancel")


@case(CANCEL, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.post(f"/api/orders/{world.pending()}/cancel", content="{")


@case(CANCEL, 404)
def _(world: World) -> httpx.Response:
    return world.bob.http.post(f"/api/orders/{world.pending()}/cancel")


@case(CANCEL, 409)
def _(world: World) -> httpx.Response:
    return world.ann.http.post(f"/api/orders/{world.confirmed()}/cancel")


@case(CANCEL, 413)
def _(world: World) -> httpx.Response:
    return world.ann.http.post(f"/api/orders/{world.pending()}/cancel", content=BIG)


@case(CANCEL, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.post(f"/api/orders/{world.pending()}/cancel", json={"why": "not"})


@case(CHANGE, 200)
def _(world: World) -> httpx.Response:
    change = {"limitPrice": "2000000"}
    return world.ann.http.patch(f"/api/orders/{world.resting()}", json=change)


@case(CHANGE, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.patch("/api/orders/any", content="{", headers=JSON)


@case(CHANGE, 404)
def _(world: World) -> httpx.Response:
    return world.bob.http.patch(f"/api/orders/{world.pending()}", json=_CHANGE)


@case(CHANGE, 409)
def _(world: World) -> httpx.Response:
    return world.ann.http.patch(f"/api/orders/{world.pending()}", json=_CHANGE)


@case(CHANGE, 412)
def _(world: World) -> httpx.Response:
    path, believed = f"/api/orders/{world.pending()}", {"If-Match": '"7"'}
    return world.ann.http.patch(path, json=_CHANGE, headers=believed)


@case(CHANGE, 413)
def _(world: World) -> httpx.Response:
    return world.ann.http.patch("/api/orders/any", content=BIG, headers=JSON)


@case(CHANGE, 415)
def _(world: World) -> httpx.Response:
    return world.ann.http.patch("/api/orders/any", content=json.dumps(_CHANGE))


@case(CHANGE, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.patch("/api/orders/any", json={})


@case(CANCEL_ALL, 200)
def _(world: World) -> httpx.Response:
    return world.bob.http.post("/api/orders/cancel-all")


@case(CANCEL_ALL, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/orders/cancel-all", content="{", headers=JSON)


@case(CANCEL_ALL, 413)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/orders/cancel-all", content=BIG, headers=JSON)


@case(CANCEL_ALL, 415)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/orders/cancel-all", content='{"pair":"RAY/SOL"}')


@case(CANCEL_ALL, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/orders/cancel-all", json={"pair": "SOL/RAY"})


@case(QUOTES, 200)
def _(world: World) -> httpx.Response:
    return world.ann.http.get("/api/quotes", params=_QUERY)


@case(QUOTES, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.get("/api/quotes", params={**_QUERY, "tokenOut": "SOL"})


@case(PRICES, 200)
def _(world: World) -> httpx.Response:
    return world.ann.http.get("/api/prices")


@case(PRICES, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.get("/api/prices", params={"pair": "USDC/SOL"})


@case(MOVE, 200)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/prices", json=_MOVE)


@case(MOVE, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/prices", content="{", headers=JSON)


@case(MOVE, 413)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/prices", content=BIG, headers=JSON)


@case(MOVE, 415)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/prices", content=json.dumps(_MOVE))


@case(MOVE, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/prices", json={**_MOVE, "price": 0})


@case(LAUNCH, 200)
def _(world: World) -> httpx.Response:
    symbol = f"T{uuid.uuid4().hex[:10].upper()}"
    return world.ann.http.post("/api/simulation/launches", json={**_LAUNCH, "symbol": symbol})


@case(LAUNCH, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/launches", content="{", headers=JSON)


@case(LAUNCH, 413)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/launches", content=BIG, headers=JSON)


@case(LAUNCH, 415)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/launches", content=json.dumps(_LAUNCH))


@case(LAUNCH, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/simulation/launches", json={**_LAUNCH, "symbol": "SOL"})


def signal(
    world: World, body: bytes, kind: str = "application/json", name: str | None = None
) -> httpx.Response:
    """Send a signed signal; its source is known everywhere within seconds."""
    name = world.source.name if name is None else name
    for _ in range(100):
        now = datetime.now(UTC)
        signed = signed_headers(uuid.uuid4().hex, now, body, world.source.secrets[0])
        headers = {"Content-Type": kind, **signed}
        answer = world.nobody.post(f"/api/signals/{name}", content=body, headers=headers)
        if answer.status_code != 404 or name != world.source.name:
            break
        time.sleep(0.1)
    return answer


@case(SIGNAL, 200)
def _(world: World) -> httpx.Response:
    return signal(world, json.dumps(SIGNALLED).encode())


@case(SIGNAL, 400)
def _(world: World) -> httpx.Response:
    return signal(world, b"{")


@case(SIGNAL, 404)
def _(world: World) -> httpx.Response:
    return signal(world, json.dumps(SIGNALLED).encode(), name="nobody")


@case(SIGNAL, 413)
def _(world: World) -> httpx.Response:
    return world.nobody.post("/api/signals/simulation", content=BIG, headers=JSON)


@case(SIGNAL, 415)
def _(world: World) -> httpx.Response:
    return signal(world, json.dumps(SIGNALLED).encode(), "text/plain")


@case(SIGNAL, 422)
def _(world: World) -> httpx.Response:
    return signal(world, json.dumps({**SIGNALLED, "type": "token.delisted"}).encode())


@case(TOKENS, 200)
def _(world: World) -> httpx.Response:
    return world.ann.http.get("/api/tokens")


@case(TICKET, 201)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/stream-tickets")


@case(TICKET, 400)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/stream-tickets", content="{")


@case(TICKET, 413)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/stream-tickets", content=BIG)


@case(TICKET, 422)
def _(world: World) -> httpx.Response:
    return world.ann.http.post("/api/stream-tickets", json=[])


def operated(method: str, path: str, world: World) -> httpx.Response:
    """Ask an operators' route with an operator's key; a halt ends with the case."""
    try:
        return plain(world.operator, method, path, world.pending())
    finally:
        if path.endswith("/halt"):
            world.access.set_trading(Trading())
            time.sleep(BELIEVED.total_seconds())


def refused(method: str, path: str, world: World) -> httpx.Response:
    return plain(world.ann.http, method, path)


def sending(path: str, how: dict[str, str | dict[str, str]], world: World) -> httpx.Response:
    return world.operator.post(path, **how)  # type: ignore[arg-type]


for _method, _path in routes():
    if _path.startswith("/api/ops/"):
        CASES[f"{_method} {_path}", 200] = partial(operated, _method, _path)
        CASES[f"{_method} {_path}", 403] = partial(refused, _method, _path)
for _act in (HALT, RESUME, REDRIVE):
    _path = _act.removeprefix("POST ")
    CASES[_act, 400] = partial(sending, _path, {"content": "{", "headers": JSON})
    CASES[_act, 413] = partial(sending, _path, {"content": BIG, "headers": JSON})
    CASES[_act, 415] = partial(sending, _path, {"content": json.dumps(_REASON)})
    CASES[_act, 422] = partial(sending, _path, {"json": {"why": "not"}})


@case("GET /api/ops/dead-letters", 422)
def _(world: World) -> httpx.Response:
    return world.operator.get("/api/ops/dead-letters", params={"limit": 0})


@case("GET /api/ops/audit", 422)
def _(world: World) -> httpx.Response:
    return world.operator.get("/api/ops/audit", params={"cursor": "abc"})


@case(STORY, 404)
def _(world: World) -> httpx.Response:
    return world.operator.get("/api/ops/orders/none/story")


def covered() -> set[tuple[str, int]]:
    """Return every route and status that the tests of test_api.py see: also those of failures."""
    failing = {(f"{method} {path}", 500) for method, path in routes()}
    storeless = {(f"{m} {path}", 503) for m, path in routes() if path not in PUBLIC}
    return CASES.keys() | failing | storeless
