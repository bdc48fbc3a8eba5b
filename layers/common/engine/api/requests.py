"""What clients may send, read with care: numbers as `Decimal`, nothing unknown, nothing twice."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from pydantic_core import ErrorDetails, PydanticCustomError, SchemaValidator, ValidationError

from engine.api.problems import FieldProblem, Problem, invalid
from engine.domain.order import Status
from engine.service.placing import Wish

#: The largest body that is read, in bytes.
MAX_BODY = 16_384
KEY_PATTERN = r"^[A-Za-z0-9._:-]{1,64}$"


def read_amount(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise PydanticCustomError("AMOUNT_TYPE", "must be a number or a decimal string")
    if isinstance(value, str) and not value.replace(".", "", 1).isascii():
        raise PydanticCustomError("AMOUNT_TYPE", "must be a number or a decimal string")
    try:
        amount = Decimal(value) if not isinstance(value, str) else _decimal(value)
    except InvalidOperation:
        raise PydanticCustomError("AMOUNT_TYPE", "must be a number or a decimal string") from None
    if not amount.is_finite():
        raise PydanticCustomError("AMOUNT_OUT_OF_RANGE", "must be a finite number")
    return amount


def _decimal(text: str) -> Decimal:
    """Read digits with an optional point; Python's underscores, blanks and words are no amounts."""
    if len(text) > 64 or not text.replace(".", "", 1).isdigit():
        raise InvalidOperation
    return Decimal(text)


def read_count(value: object) -> object:
    """Let a query's digits be a number; Python's other ways to write one are not ours."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise PydanticCustomError("NOT_A_COUNT", "must be a whole number")
    return value


def read_whole(value: object) -> object:
    """Let `50.0` be the whole number that JSON says it is."""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 10:
        return int(value) if value == value.to_integral_value() else value
    return value


@dataclass(slots=True, eq=False)
class ListOrders:
    """The query of `GET /api/orders`."""

    status: Status | None
    limit: int
    cursor: str | None


@dataclass(slots=True, eq=False)
class AskQuotes:
    """The query of `GET /api/quotes`."""

    token_in: str
    token_out: str
    amount: Decimal
    slippage_bps: int


_SYMBOL = {"type": "str", "strict": True, "min_length": 1, "max_length": 64}
_KEY = {"type": "str", "strict": True, "pattern": KEY_PATTERN}
_AMOUNT = {"type": "function-plain", "function": {"type": "no-info", "function": read_amount}}
_BPS = {"type": "int", "strict": True, "ge": 0, "le": 10_000}
_STATUS = {"type": "literal", "expected": [status.value for status in Status]}


def _before(read: Callable[[object], object], schema: Any) -> Any:
    function = {"type": "no-info", "function": read}
    return {"type": "function-before", "function": function, "schema": schema}


def _default(schema: Any, default: object) -> Any:
    return {"type": "default", "schema": schema, "default": default}


def _nullable(schema: Any) -> Any:
    return {"type": "nullable", "schema": schema}


#: Fields and their schemas, as pydantic's core has them; `models.py` has the same as models.
_FIELDS: dict[str, dict[str, Any]] = {
    "place": {
        "type": {"type": "literal", "expected": ["market"]},
        "tokenIn": _SYMBOL,
        "tokenOut": _SYMBOL,
        "amount": _AMOUNT,
        "slippageBps": _default(_before(read_whole, _BPS), 50),
        "clientOrderId": _default(_nullable(_KEY), None),
    },
    "list": {
        "status": _default(_nullable(_STATUS), None),
        "limit": _default(_before(read_count, {"type": "int", "ge": 1, "le": 100}), 50),
        "cursor": _default({"type": "str", "min_length": 1, "max_length": 256}, None),
    },
    "quotes": {
        "tokenIn": _SYMBOL,
        "tokenOut": _SYMBOL,
        "amount": _AMOUNT,
        "slippageBps": _default(_before(read_count, {"type": "int", "ge": 0, "le": 10_000}), 50),
    },
    "key": {"key": _KEY},
}


@cache
def _validator(name: str) -> SchemaValidator:
    fields = {
        field: {
            "type": "typed-dict-field",
            "schema": schema,
            "required": schema["type"] != "default",
        }
        for field, schema in _FIELDS[name].items()
    }
    schema: Any = {"type": "typed-dict", "fields": fields, "extra_behavior": "forbid"}
    return SchemaValidator(schema)


def _checked(name: str, value: object, code: str) -> dict[str, Any]:
    """Return `value` as the schema `name` reads it. Raises Problem, naming each wrong field."""
    if isinstance(value, Mapping):
        value = dict(value)
    try:
        checked: dict[str, Any] = _validator(name).validate_python(value)
    except ValidationError as error:
        raise invalid(code, [_field_problem(e) for e in error.errors()]) from None
    return checked


def read_place_order(body: str, idempotency_key: str | None) -> Wish:
    """Return the order that `body` asks for. Raises Problem, naming each field that is wrong."""
    order = _checked("place", _read_json(body), "INVALID_ORDER")
    client_order_id: str | None = order["clientOrderId"]
    if idempotency_key is not None:
        if client_order_id not in (None, idempotency_key):
            detail = "differs from the Idempotency-Key header; send one of them, or both alike"
            raise invalid("INVALID_ORDER", [FieldProblem("/clientOrderId", "KEY_MISMATCH", detail)])
        _check_key(idempotency_key)
    return Wish(
        order["tokenIn"],
        order["tokenOut"],
        order["amount"],
        order["slippageBps"],
        idempotency_key or client_order_id,
    )


def read_list_orders(query: Mapping[str, str]) -> ListOrders:
    """Return what a list's query asks for. Raises Problem, naming each parameter that is wrong."""
    read = _checked("list", query, "INVALID_QUERY")
    status = read.get("status")
    return ListOrders(Status(status) if status else None, read["limit"], read.get("cursor"))


def read_ask_quotes(query: Mapping[str, str]) -> AskQuotes:
    """Return what a question for quotes asks. Raises Problem, naming each parameter."""
    read = _checked("quotes", query, "INVALID_QUERY")
    return AskQuotes(read["tokenIn"], read["tokenOut"], read["amount"], read["slippageBps"])


def read_empty_body(body: str) -> None:
    """Accept no body, or an empty object. Raises Problem."""
    if body.strip() and _read_json(body) != {}:
        raise invalid("INVALID_BODY", [FieldProblem("", "INVALID", "send no body")])


def _check_key(key: str) -> None:
    try:
        _validator("key").validate_python({"key": key})
    except ValidationError:
        raise Problem(
            "INVALID_IDEMPOTENCY_KEY",
            "Idempotency-Key must be 1 to 64 of A-Z a-z 0-9 . _ : -",
        ) from None


def _read_json(body: str) -> Any:
    try:
        return json.loads(
            body,
            parse_float=Decimal,
            parse_int=lambda text: int(text) if len(text) < 40 else Decimal(text),
            parse_constant=Decimal,
            object_pairs_hook=_no_repeats,
        )
    except (ValueError, RecursionError, InvalidOperation):
        raise Problem(
            "MALFORMED_JSON",
            "Send one JSON object, in UTF-8, each name once.",
        ) from None


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


_CODES = {"missing": "REQUIRED", "extra_forbidden": "UNKNOWN_FIELD"}


def _field_problem(error: ErrorDetails) -> FieldProblem:
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"])
    kind = error["type"]
    code = _CODES.get(kind, kind if kind.isupper() else "INVALID")
    return FieldProblem("".join(f"/{part}" for part in parts), code, error["msg"])
