"""The HTTP API as a Postman collection (v2.1): each route with an example and its tests.

The requests stand in an order in which they can be run from the top, by newman too: what a placing
answers is kept in the collection's variables for those that follow.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

_STREAM = """\
## The stream

Postman keeps WebSocket requests apart from collections of HTTP requests, so there is none in here.
New > WebSocket, then:

1. Address `{{wsUrl}}`, which is `ws://127.0.0.1:3000/live` of `make up`, else the stack's output
   `WebSocketUrl`. Header `X-Api-Key: {{key}}`, or `?ticket=` with what *Get a ticket for the
   stream* answers.
2. Connect, and send `{"action":"subscribe","orderId":"..."}` with the `orderId` that *Place a
   market order* answered: each of its states comes once, in order of `seq`.
3. `{"action":"subscribe","orders":"mine"}` watches all orders of the account,
   `{"action":"ping"}` is answered `{"type":"pong"}`.

docs/asyncapi.yaml has every frame and message."""

_ABOUT = (
    "Every route of the engine with an example and its tests. Set `baseUrl`, and `key` unless the "
    "stack asks for none (`make up`); `operatorKey` for what operators do.\n\n" + _STREAM
)


@dataclass(frozen=True, slots=True)
class Example:
    """A request of a route: what it sends, what comes, and what is kept of that."""

    name: str
    status: int = 200
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    #: A schema that the contract has to have for it.
    needs: str = "Order"


def _sale(kind: str, **terms: Any) -> dict[str, Any]:
    return {"type": kind, "tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"} | terms


_MADE_UP = "{{$guid}}"
#: In the order in which they are run.
EXAMPLES: dict[str, tuple[Example, ...]] = {
    "getHealth": (Example("Ask whether it is up"),),
    "getOpenApi": (Example("Read the document"),),
    "getDocs": (Example("Read it as a page"),),
    "getTokens": (
        Example("List what trades", tests=('pm.expect(json.tokens[0]).to.have.property("mint");',)),
    ),
    "getPrices": (
        Example("Ask for all prices", tests=("pm.expect(json.prices).not.to.be.empty;",)),
        Example(
            "Ask for a pair's price",
            query={"pair": "SOL/USDC"},
            keep={"price": "json.price"},
            tests=('pm.expect(json.pair).to.equal("SOL/USDC");',),
        ),
        Example("Ask for a pair that does not trade", 422, query={"pair": "SOL/NONE"}),
    ),
    "getQuotes": (
        Example(
            "Ask what an order would do",
            query={"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1", "slippageBps": "50"},
            tests=("pm.expect(json.quotes).to.have.lengthOf(2);",),
        ),
    ),
    "placeOrder": (
        Example(
            "Place a market order",
            202,
            body=_sale("market", slippageBps=50),
            headers={"Idempotency-Key": "{{clientOrderId}}"},
            keep={"orderId": "json.orderId"},
            tests=(
                'pm.response.to.have.header("Location", `/api/orders/${json.orderId}`);',
                'pm.expect(json.status).to.equal("pending");',
            ),
        ),
        Example(
            "Place it again: it is the same order",
            202,
            body=_sale("market", slippageBps=50),
            headers={"Idempotency-Key": "{{clientOrderId}}"},
            tests=(
                'pm.expect(json.orderId).to.equal(pm.collectionVariables.get("orderId"));',
                'pm.response.to.have.header("Idempotent-Replayed", "true");',
            ),
        ),
        Example(
            "Place another under its key",
            409,
            body=_sale("market", amount="2"),
            headers={"Idempotency-Key": "{{clientOrderId}}"},
        ),
        Example(
            "Place a limit order",
            202,
            body=_sale("limit", limitPrice="900"),
            keep={"restingId": "json.orderId", "seq": "json.seq"},
            tests=('pm.expect(json.status).to.equal("resting");',),
        ),
        Example("Place a stop", 202, body=_sale("stop", stopPrice="20")),
        Example(
            "Place a stop-limit", 202, body=_sale("stopLimit", stopPrice="20", limitPrice="19")
        ),
        Example("Place a take-profit", 202, body=_sale("takeProfit", stopPrice="900")),
        Example("Place a trailing stop", 202, body=_sale("trailingStop", trailingBps=5000)),
        Example(
            "Place an oco",
            202,
            body=_sale("oco", takeProfit={"price": "900"}, stopLoss={"price": "20"}),
        ),
        Example(
            "Place a twap",
            202,
            body=_sale("twap", parts=2, intervalSeconds=3600),
            needs="PlaceTwap",
        ),
        Example(
            "Place a sniper",
            202,
            body={"type": "sniper", "tokenIn": "USDC", "tokenOut": "MOON", "amount": "10"},
            needs="PlaceSniper",
        ),
        Example("Place what can't be", 422, body=_sale("market", amount="0")),
    ),
    "getOrder": (
        Example(
            "Read an order",
            path={"orderId": "{{orderId}}"},
            tests=("pm.expect(json.history).not.to.be.empty;",),
        ),
        Example("Read one that is not there", 404, path={"orderId": "nothing"}),
    ),
    "getOrderByClientId": (
        Example(
            "Read an order by its client's id",
            path={"clientOrderId": "{{clientOrderId}}"},
            tests=('pm.expect(json.orderId).to.equal(pm.collectionVariables.get("orderId"));',),
        ),
    ),
    "listOrders": (
        Example(
            "List what rests",
            query={"status": "resting", "limit": "2"},
            tests=('json.orders.forEach(o => pm.expect(o.status).to.equal("resting"));',),
        ),
    ),
    "changeOrder": (
        Example(
            "Change an order that rests",
            body={"limitPrice": "901"},
            path={"orderId": "{{restingId}}"},
            headers={"If-Match": '"{{seq}}"'},
            tests=('pm.expect(json.limitPrice).to.equal("901");',),
        ),
        Example(
            "Change it as it was",
            412,
            body={"limitPrice": "902"},
            path={"orderId": "{{restingId}}"},
            headers={"If-Match": '"{{seq}}"'},
        ),
    ),
    "cancelOrder": (
        Example(
            "Cancel an order",
            path={"orderId": "{{restingId}}"},
            tests=('pm.expect(json.status).to.equal("cancelled");',),
        ),
    ),
    "cancelAllOrders": (Example("Cancel all that rest of a pair", body={"pair": "SOL/USDC"}),),
    "movePrice": (
        Example("Move a price to where it is", body={"pair": "SOL/USDC", "price": "{{price}}"}),
    ),
    "sendSignal": (
        Example(
            "Send a signal of a source that is not known",
            404,
            body={
                "type": "token.launched",
                "timestamp": "2026-11-27T08:00:00Z",
                "data": {
                    "mint": "So11111111111111111111111111111111111111112",
                    "symbol": "MOON",
                    "decimals": 6,
                },
            },
            path={"source": "nobody"},
        ),
    ),
    "launchToken": (
        Example(
            "Launch a token",
            body={"symbol": "MOON", "price": "0.5", "liquidityUsd": "50000"},
        ),
    ),
    "haltTrading": (Example("Halt", body={"reason": "a try with Postman"}),),
    "resumeTrading": (Example("Resume", body={"reason": "the try is over"}),),
    "redriveDeadLetters": (Example("Redrive", body={"reason": "a try with Postman"}),),
    "getStory": (Example("Tell an order's story", path={"orderId": "{{orderId}}"}),),
    "createStreamTicket": (
        Example(
            "Get a ticket for the stream",
            201,
            tests=(r"pm.expect(json.ticket).to.match(/^oet_/);",),
        ),
    ),
}


def text(document: Document) -> str:
    """Return the collection as JSON text."""
    return json.dumps(collection(document), indent=1, ensure_ascii=False) + "\n"


def collection(document: Document) -> Document:
    """Return the collection; a route without examples of its own gets one from the contract."""
    found = {of["operationId"]: (p, m, of) for p, m, of in _operations(document)}
    order = [name for name in EXAMPLES if name in found]
    order += [name for name in found if name not in EXAMPLES]
    folders: dict[str, list[Document]] = {}
    for name in order:
        path, method, operation = found[name]
        for example in EXAMPLES.get(name) or (_example(document, path, operation),):
            if example.needs not in document["components"]["schemas"]:
                continue
            item = _item(document, path, method, operation, example)
            folders.setdefault(operation["tags"][0], []).append(item)
    about = {tag["name"]: tag["description"] for tag in document["tags"]}
    return {
        "info": {
            "name": document["info"]["title"],
            "description": _ABOUT,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "item": [
            {"name": name, "description": about.get(name, ""), "item": items}
            for name, items in folders.items()
        ],
        "event": [
            _script(
                "prerequest",
                'if (!pm.collectionVariables.get("clientOrderId")) {',
                '  pm.collectionVariables.set("clientOrderId", pm.variables.replaceIn('
                f'"postman-{_MADE_UP}"));',
                "}",
            )
        ],
        "variable": [
            {"key": "baseUrl", "value": "http://127.0.0.1:3000"},
            {"key": "wsUrl", "value": "ws://127.0.0.1:3000/live"},
            *({"key": name, "value": ""} for name in ("key", "operatorKey", *_kept())),
        ],
    }


def _kept() -> list[str]:
    kept = [name for of in EXAMPLES.values() for example in of for name in example.keep]
    return ["clientOrderId", *dict.fromkeys(kept)]


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _example(document: Document, path: str, operation: Document) -> Example:
    """Return a request made of the contract's own examples."""
    status = min(int(code) for code in operation["responses"])
    body = None
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = _sample(document, schema)
    names = re.findall(r"{(\w+)}", path)
    values = {name: "{{orderId}}" if name == "orderId" else f"{{{{{name}}}}}" for name in names}
    return Example(operation["summary"], status, body=body, path=values)


def _sample(document: Document, schema: Document) -> Any:
    """Return a value that a schema takes."""
    if "$ref" in schema:
        return _sample(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    for value in [*schema.get("examples", []), schema.get("const"), *schema.get("enum", [])]:
        if value is not None:
            return value
    choices = [*schema.get("oneOf", []), *schema.get("anyOf", [])]
    if choices:
        return _sample(document, choices[0])
    match schema.get("type"):
        case "object":
            needed = schema.get("required", ())
            fields = schema.get("properties", {})
            return {name: _sample(document, fields[name]) for name in needed}
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "array":
            return []
        case "boolean":
            return True
    return "a try with Postman"


def _item(
    document: Document, path: str, method: str, operation: Document, example: Example
) -> Document:
    steps = [re.sub(r"^{(\w+)}$", r":\1", step) for step in path.strip("/").split("/")]
    query = [{"key": name, "value": value} for name, value in example.query.items()]
    asked = "&".join(f"{name}={value}" for name, value in example.query.items())
    headers = dict(example.headers)
    if path.startswith("/api/"):
        name = "operatorKey" if path.startswith("/api/ops/") else "key"
        headers = {"X-Api-Key": f"{{{{{name}}}}}", **headers}
    request: Document = {
        "method": method.upper(),
        "header": [{"key": name, "value": value} for name, value in headers.items()],
        "url": {
            "raw": "{{baseUrl}}/" + "/".join(steps) + (f"?{asked}" if asked else ""),
            "host": ["{{baseUrl}}"],
            "path": steps,
            "query": query,
            "variable": [{"key": name, "value": value} for name, value in example.path.items()],
        },
        "description": f"{operation['summary']}. {operation.get('description', '')}".strip(),
    }
    if example.body is not None:
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {
            "mode": "raw",
            "raw": json.dumps(example.body, indent=2),
            "options": {"raw": {"language": "json"}},
        }
    tests = _tests(document, operation, example)
    return {"name": example.name, "event": [tests], "request": request, "response": []}


def _tests(document: Document, operation: Document, example: Example) -> Document:
    """Return the script that compares an answer with the contract, and keeps what is wanted."""
    answer = operation["responses"][str(example.status)]
    kind = next(iter(answer["content"]))
    said = 'pm.expect(pm.response.headers.get("Content-Type"))'
    lines = [
        _test(f"answers {example.status}", f"pm.response.to.have.status({example.status});"),
        _test(f"is {kind}", f'{said}.to.include("{kind}");'),
        _test("names the request", 'pm.response.to.have.header("X-Request-Id");'),
    ]
    if not kind.endswith("json"):
        return _script("test", *lines)
    lines.append("const json = pm.response.json();")
    lines += [
        _test(f"has {name}", f'pm.expect(json).to.have.property("{name}");')
        for name in _required(document, answer["content"][kind]["schema"])
    ]
    lines += [_test(example.name, check) for check in example.tests]
    lines += [
        f'pm.collectionVariables.set("{name}", {value});' for name, value in example.keep.items()
    ]
    return _script("test", *lines)


def _required(document: Document, schema: Document) -> list[str]:
    """Return the fields that an answer has, whichever it is of those that it may be."""
    if "$ref" in schema:
        return _required(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    if "allOf" in schema:
        return list(dict.fromkeys(n for each in schema["allOf"] for n in _required(document, each)))
    if choices := schema.get("anyOf", []):
        first, *rest = (_required(document, each) for each in choices)
        return [name for name in first if all(name in each for each in rest)]
    return list(schema.get("required", ()))


def _test(name: str, check: str) -> str:
    return f'pm.test("{name}", () => {{ {check} }});'


def _script(listen: str, *lines: str) -> Document:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": [*lines]}}
