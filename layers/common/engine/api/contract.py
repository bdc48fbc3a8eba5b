"""What each call answers, for the contract: every status, its headers and its codes."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from engine.api.problems import JSON, PROBLEM_JSON, PROBLEMS
from engine.domain.errors import FieldCode

Schema = dict[str, Any]

#: Errors of any call that reads a key or the table.
_KEPT = ("UNAUTHENTICATED", "STORE_UNAVAILABLE")
#: Errors of a call that takes no body.
NO_BODY = ("MALFORMED_JSON", "BODY_TOO_LARGE", "INVALID_BODY")
PRICES = {FieldCode.PRICE_TYPE, FieldCode.PRICE_OUT_OF_RANGE, FieldCode.PRICE_TOO_PRECISE}
_ORDERS = PRICES | {
    FieldCode.PRICES_CROSSED,
    FieldCode.TIME_TYPE,
    FieldCode.EXPIRY_OUT_OF_RANGE,
    FieldCode.KEY_MISMATCH,
}
_ALONE = {FieldCode.WOULD_TRIGGER_NOW, FieldCode.TOO_MANY_RESTING_ORDERS}
#: What may be wrong with a field, by the problem that tells it.
_FIELDS = {
    **{code.value: {code} for code in _ALONE},
    "INVALID_ORDER": set(FieldCode) - {FieldCode.NOT_A_COUNT} - _ALONE,
    "INVALID_QUERY": set(FieldCode) - _ORDERS - _ALONE,
    "INVALID_BODY": {FieldCode.INVALID},
}
#: What API Gateway may answer itself, in its own words.
_GATEWAYS = {429, 500, 503}


def header(description: str, required: bool = True, **schema: Any) -> Schema:
    """Return a header's description."""
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
    }


#: Headers of every answer of the engine.
ALWAYS = {
    "X-Request-Id": header("Names the request, as in the log and in problems."),
    "Cache-Control": header("Nothing is to be kept.", const="no-store"),
}
RATE = {
    "RateLimit-Policy": header(
        "The quota of orders and its window; absent where nothing is counted.",
        required=False,
        examples=['"orders";q=100;w=60'],
    ),
    "RateLimit": header(
        "Orders left, and seconds until the window ends; absent where nothing is counted.",
        required=False,
        examples=['"orders";r=99;t=42'],
    ),
}


def answers(
    status: int,
    *codes: str,
    fields: Iterable[FieldCode] = (),
    public: bool = False,
    headers: Mapping[str, Schema] | None = None,
    content: Schema | None = None,
) -> dict[int, Any]:
    """Return what a call answers, by status: what its handler returns, and the problems `codes`.

    `fields` are what may be wrong with a field beside what its code says; `content` is what it
    returns if that is no model.
    """
    kept = () if public else _KEPT
    told = [code for code in PROBLEMS if code in {*codes, *kept, "INTERNAL_ERROR"}]
    good = {
        "description": HTTPStatus(status).phrase,
        "headers": _always() | dict(headers or {}),
        **({"content": content} if content else {}),
    }
    bad = {PROBLEMS[code].status for code in told} | {429}
    return {status: good} | {
        each: _refusal(each, [code for code in told if PROBLEMS[code].status == each], fields)
        for each in sorted(bad)
    }


def _refusal(status: int, codes: list[str], fields: Iterable[FieldCode]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    if codes:
        content[PROBLEM_JSON] = {"schema": _problem(status, codes, fields)}
        headers = _always()
    if status in _GATEWAYS:
        content[JSON] = {"schema": {"$ref": "#/components/schemas/GatewayMessage"}}
        headers = {name: {**ALWAYS[name], "required": False} for name in headers}
    for code in codes:
        for name, value in PROBLEMS[code].headers.items():
            said = "Seconds to wait." if name == "Retry-After" else f"`{value}`."
            headers[name] = header(said, required=status not in _GATEWAYS)
    if "ORDER_RATE_EXCEEDED" in codes:
        headers["Retry-After"] = header("Seconds to wait.", required=False, pattern="^[0-9]+$")
        headers |= RATE
    titles = [PROBLEMS[code].title for code in codes] or ["API Gateway takes no more at present"]
    answer: dict[str, Any] = {"description": ". ".join(titles) + ".", "content": content}
    return answer | ({"headers": headers} if headers else {})


def _problem(status: int, codes: Iterable[str], beside: Iterable[FieldCode]) -> Schema:
    """Return a problem's schema, narrowed to what this answer may be."""
    narrowed: dict[str, Any] = {
        "status": {"type": "integer", "enum": [status]},
        "code": {"type": "string", "enum": list(codes)},
    }
    schema: dict[str, Any] = {"type": "object", "properties": narrowed}
    fields = set[str]().union(*(_FIELDS.get(code, set()) for code in codes))
    if fields:
        fields |= set(beside)
        within = {"properties": {"code": {"type": "string", "enum": sorted(fields)}}}
        narrowed["errors"] = {"type": "array", "items": {"type": "object", **within}}
        schema["required"] = ["errors"]
    return {"allOf": [{"$ref": "#/components/schemas/Problem"}, schema]}


def _always() -> dict[str, Schema]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ALWAYS}
