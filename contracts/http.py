"""The HTTP API as an OpenAPI 3.1 document."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from contracts.codes import in_sources
from contracts.models import AskQuotes, ListOrders
from contracts.schemas import ORDER_ID, SCHEMAS, Schema, from_model, ref
from engine.api.http import ROUTES
from engine.api.problems import PROBLEM_JSON, PROBLEMS
from engine.api.requests import KEY_PATTERN

JSON = "application/json"
#: Errors of any call that reads a key or the table.
_KEPT = ("UNAUTHENTICATED", "STORE_UNAVAILABLE")
_NO_BODY = ("MALFORMED_JSON", "BODY_TOO_LARGE", "INVALID_BODY")
_FIELDS = {
    "INVALID_ORDER": in_sources("field") - {"NOT_A_COUNT"},
    "INVALID_QUERY": in_sources("field")
    - {"KEY_MISMATCH", "NOTIONAL_TOO_SMALL", "NOTIONAL_TOO_LARGE"},
    "INVALID_BODY": {"INVALID"},
}


@dataclass(frozen=True, slots=True)
class Call:
    """One route as its users see it; `codes` are the problems that it answers."""

    name: str
    summary: str
    description: str
    status: int
    answer: str
    codes: tuple[str, ...] = ()
    public: bool = False
    media: str = JSON
    parameters: tuple[Schema, ...] = ()
    body: Schema | None = None
    headers: dict[str, Schema] = field(default_factory=dict)
    tag: str = "Orders"

    @property
    def statuses(self) -> set[int]:
        return {self.status, *(PROBLEMS[code].status for code in self.problems)}

    @property
    def problems(self) -> tuple[str, ...]:
        kept = () if self.public else _KEPT
        return tuple(c for c in PROBLEMS if c in {*self.codes, *kept, "INTERNAL_ERROR"})


_ORDER_ID = {
    "name": "orderId",
    "in": "path",
    "required": True,
    "description": "As the order's placing answered it.",
    "schema": ORDER_ID,
}


def _header(description: str, required: bool = True, **schema: Any) -> Schema:
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
    }


_RATE = {
    "RateLimit-Policy": _header(
        "The quota of orders and its window; absent where nothing is counted.",
        required=False,
        examples=['"orders";q=100;w=60'],
    ),
    "RateLimit": _header(
        "Orders left, and seconds until the window ends; absent where nothing is counted.",
        required=False,
        examples=['"orders";r=99;t=42'],
    ),
}


def _query(model: Schema, said: dict[str, Schema]) -> tuple[Schema, ...]:
    """Return a pydantic model's fields as parameters of the query."""
    schema = from_model(model, {})
    return tuple(
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": said[name].pop("description"),
            "schema": _plain(parameter) | said[name],
        }
        for name, parameter in schema["properties"].items()
    )


def _plain(schema: Schema) -> Schema:
    """Return a query's schema: what may be null in Python is left out in a query."""
    if "anyOf" in schema:
        (schema,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
    if "$ref" in schema:
        return ref(schema["$ref"].rpartition("/")[2])
    return {key: value for key, value in schema.items() if key != "title"}


CALLS: dict[str, Call] = {
    "place": Call(
        "placeOrder",
        "Place a market order",
        "The order is stored before the answer goes out. With an idempotency key, in the header or "
        "as clientOrderId, the same call may be repeated for ever: it is one order, and the "
        "repeats are answered as the first was.",
        202,
        "Order",
        (
            "MALFORMED_JSON",
            "INVALID_IDEMPOTENCY_KEY",
            "IDEMPOTENCY_KEY_REUSED",
            "BODY_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "INVALID_ORDER",
            "ORDER_RATE_EXCEEDED",
            "TRADING_HALTED",
        ),
        parameters=(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Names this order among those of the account.",
                "schema": {"type": "string", "pattern": KEY_PATTERN},
            },
        ),
        body={"required": True, "content": {JSON: {"schema": ref("PlaceOrder")}}},
        headers={
            "Location": _header("The order's path.", format="uri-reference"),
            "Idempotent-Replayed": _header(
                "`true` if the order was there already.", required=False, const="true"
            ),
            **_RATE,
        },
    ),
    "order": Call(
        "getOrder",
        "Read an order",
        "The whole order, as it is now.",
        200,
        "Order",
        ("ORDER_NOT_FOUND",),
        parameters=(_ORDER_ID,),
    ),
    "orders": Call(
        "listOrders",
        "List orders",
        "Newest first, page by page: send `nextCursor` as `cursor`, with the same `status`. Orders "
        "that come meanwhile are not in later pages. With `status`, a page may be short, or empty, "
        "and still have a next one.",
        200,
        "OrderPage",
        ("INVALID_CURSOR", "INVALID_QUERY"),
        parameters=_query(
            ListOrders.model_json_schema(),
            {
                "status": {"description": "Orders in this state only."},
                "limit": {"description": "The most orders in a page."},
                "cursor": {"description": "`nextCursor` of the page before."},
            },
        ),
    ),
    "cancel": Call(
        "cancelOrder",
        "Cancel an order",
        "Works as long as no worker has begun. Cancelling what is cancelled is harmless.",
        200,
        "Order",
        ("ORDER_NOT_FOUND", "ORDER_NOT_CANCELLABLE", *_NO_BODY),
        parameters=(_ORDER_ID,),
    ),
    "quotes": Call(
        "getQuotes",
        "Ask what an order would do now",
        "Every venue's quote, the route that would be taken, and why. Nothing is promised: an "
        "order asks again.",
        200,
        "Offer",
        ("INVALID_QUERY",),
        parameters=_query(
            AskQuotes.model_json_schema(),
            {
                "tokenIn": {"description": "The token to sell.", "examples": ["SOL"]},
                "tokenOut": {"description": "The token to buy.", "examples": ["USDC"]},
                "amount": {"description": "How much of tokenIn.", "examples": ["1.5"]},
                "slippageBps": {"description": "What the least output is reckoned with."},
            },
        ),
        tag="Market",
    ),
    "tokens": Call(
        "getTokens",
        "List what trades here",
        "Tokens with their decimals, and the pairs.",
        200,
        "Tokens",
        tag="Market",
    ),
    "ticket": Call(
        "createStreamTicket",
        "Get a ticket for the stream",
        "For clients that can't set headers on a WebSocket: connect with `?ticket=`, once, within "
        "60 seconds.",
        201,
        "Ticket",
        _NO_BODY,
        tag="Stream",
    ),
    "health": Call(
        "getHealth", "Ask whether it is up", "", 200, "Health", public=True, tag="Service"
    ),
    "openapi": Call("getOpenApi", "Read this document", "", 200, "", public=True, tag="Service"),
    "docs": Call(
        "getDocs",
        "Read this document as a page",
        "",
        200,
        "",
        public=True,
        media="text/html",
        tag="Service",
    ),
}


def document() -> dict[str, Any]:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Order execution engine",
            "version": "1.0.0",
            "summary": "Market orders for Solana tokens, routed to the better of two venues.",
            "description": "Every call but those of the service wants an API key, unless the stack "
            "runs with `Auth=none`. An account sees its own orders only: others' are `404`.\n\n"
            "`HEAD` answers as `GET` does, without the body. Another method is `405` with `Allow`, "
            "another path `404`, both problem documents.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "Where this document was read."}],
        "tags": [
            {"name": "Orders", "description": "Place, read, list and cancel."},
            {"name": "Market", "description": "What trades, and at what price."},
            {"name": "Stream", "description": "Orders as they happen; see docs/asyncapi.yaml."},
            {"name": "Service", "description": "For everybody, without a key."},
        ],
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": {
            openapi_path(path): {
                method.lower(): _operation(CALLS[name]) for method, name in methods.items()
            }
            for path, methods in ROUTES.items()
        },
        "components": {
            "schemas": SCHEMAS,
            "headers": _common_headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
    }


def openapi_path(path: str) -> str:
    return path.replace("<order_id>", "{orderId}")


def _operation(call: Call) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": call.name,
        "tags": [call.tag],
        "summary": call.summary,
    }
    if call.description:
        operation["description"] = call.description
    if call.public:
        operation["security"] = []
    if call.parameters:
        operation["parameters"] = list(call.parameters)
    if call.body:
        operation["requestBody"] = call.body
    operation["responses"] = dict(_responses(call))
    return operation


def _responses(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = ref(call.answer) if call.answer else _other(call.media)
    yield (
        str(call.status),
        {
            "description": HTTPStatus(call.status).phrase,
            "headers": _always() | call.headers,
            "content": {call.media: {"schema": schema}},
        },
    )
    for status in sorted(call.statuses - {call.status} | {429}):
        codes = [code for code in call.problems if PROBLEMS[code].status == status]
        yield str(status), _refusal(status, codes)


def _other(media: str) -> Schema:
    return {"type": "object"} if media == JSON else {"type": "string"}


def _refusal(status: int, codes: list[str]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    if codes:
        content[PROBLEM_JSON] = {"schema": _problem(status, codes)}
        headers = _always()
    if status in {429, 500, 503}:  # these API Gateway may answer itself, in its own words
        content[JSON] = {"schema": ref("GatewayMessage")}
        headers = {name: {**each, "required": False} for name, each in _inline(headers).items()}
    own = status in {429, 500, 503} or not codes
    for code in codes:
        for name, value in PROBLEMS[code].headers.items():
            said = "Seconds to wait." if name == "Retry-After" else f"`{value}`."
            headers[name] = _header(said, required=not own)
    if "ORDER_RATE_EXCEEDED" in codes:
        headers["Retry-After"] = _header("Seconds to wait.", required=False, pattern="^[0-9]+$")
        headers |= _RATE
    titles = [PROBLEMS[code].title for code in codes] or ["API Gateway takes no more at present"]
    answer: dict[str, Any] = {"description": ". ".join(titles) + ".", "content": content}
    return answer | ({"headers": headers} if headers else {})


def _problem(status: int, codes: list[str]) -> Schema:
    """Return a problem's schema, narrowed to what this answer may be."""
    narrowed: dict[str, Any] = {"status": {"const": status}, "code": {"enum": codes}}
    schema: dict[str, Any] = {"type": "object", "properties": narrowed}
    fields = set[str]().union(*(_FIELDS.get(code, set()) for code in codes))
    if fields:
        within = {"properties": {"code": {"enum": sorted(fields)}}}
        narrowed["errors"] = {"items": within}
        schema["required"] = ["errors"]
    return {"allOf": [ref("Problem"), schema]}


def _always() -> dict[str, Schema]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _common_headers()}


def _inline(headers: dict[str, Schema]) -> dict[str, Schema]:
    return {name: _common_headers()[name] for name in headers}


def _common_headers() -> dict[str, Schema]:
    return {
        "X-Request-Id": _header("Names the request, as in the log and in problems."),
        "Cache-Control": _header("Nothing is to be kept.", const="no-store"),
    }
