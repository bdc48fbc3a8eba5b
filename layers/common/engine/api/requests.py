"""What clients may send, read with care: numbers as `Decimal`, nothing unknown, nothing twice.

By hand, for a quick start; `contracts/models.py` has the same as pydantic models, and a test holds
the two to one judgement.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.api.problems import Problem, invalid
from engine.domain.errors import FieldProblem
from engine.domain.order import Status
from engine.service.placing import Wish

#: The largest body that is read, in bytes.
MAX_BODY = 16_384
KEY_PATTERN = r"^[A-Za-z0-9._:-]{1,64}$"
_KEY = re.compile(KEY_PATTERN)


class Wrong(ValueError):
    """A value that a field can't have."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read_amount(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Wrong("AMOUNT_TYPE", "must be a number or a decimal string")
    try:
        amount = Decimal(value) if not isinstance(value, str) else _decimal(value)
    except InvalidOperation:
        raise Wrong("AMOUNT_TYPE", "must be a number or a decimal string") from None
    if not amount.is_finite():
        raise Wrong("AMOUNT_OUT_OF_RANGE", "must be a finite number")
    return amount


def _decimal(text: str) -> Decimal:
    """Read digits with an optional point; Python's underscores, blanks and words are no amounts."""
    digits = text.replace(".", "", 1)
    if len(text) > 64 or not (digits.isascii() and digits.isdigit()):
        raise InvalidOperation
    return Decimal(text)


def read_count(value: object) -> object:
    """Let a query's digits be a number; Python's other ways to write one are not ours."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Wrong("NOT_A_COUNT", "must be a whole number")
    return int(value) if isinstance(value, str) else value


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


Read = Callable[[Any], Any]


def _text(most: int) -> Read:
    def read(value: object) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise Wrong("INVALID", f"must be a string of 1 to {most} characters")
        return value

    return read


def _one_of(*known: str) -> Read:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise Wrong("INVALID", f"must be {' or '.join(known)}")
        return value

    return read


def _whole(first: Read, least: int, most: int) -> Read:
    def read(value: object) -> int:
        number = first(value)
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise Wrong("INVALID", f"must be a whole number from {least} to {most}")
        return number

    return read


def _key(value: object) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise Wrong("INVALID", "must be 1 to 64 of A-Z a-z 0-9 . _ : -")
    return value


def _or_null(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


#: How each field is read, and what it is if it may be left out.
_PLACE: dict[str, tuple[Any, ...]] = {
    "type": (_one_of("market"),),
    "tokenIn": (_text(64),),
    "tokenOut": (_text(64),),
    "amount": (read_amount,),
    "slippageBps": (_whole(read_whole, 0, 10_000), 50),
    "clientOrderId": (_or_null(_key), None),
}
_LIST: dict[str, tuple[Any, ...]] = {
    "status": (_or_null(_one_of(*Status)), None),
    "limit": (_whole(read_count, 1, 100), 50),
    "cursor": (_text(256), None),
}
_QUOTES: dict[str, tuple[Any, ...]] = {
    "tokenIn": (_text(64),),
    "tokenOut": (_text(64),),
    "amount": (read_amount,),
    "slippageBps": (_whole(read_count, 0, 10_000), 50),
}


def _checked(fields: Mapping[str, tuple[Any, ...]], value: object, code: str) -> dict[str, Any]:
    """Return `value` with each of `fields` read. Raises Problem, naming each wrong one."""
    if not isinstance(value, Mapping):
        raise invalid(code, [FieldProblem("", "INVALID", "must be an object")])
    checked: dict[str, Any] = {}
    problems = []
    for name, (read, *default) in fields.items():
        if name not in value and default:
            (checked[name],) = default
        elif name not in value:
            problems.append(FieldProblem(f"/{name}", "REQUIRED", "is required"))
        else:
            try:
                checked[name] = read(value[name])
            except Wrong as wrong:
                problems.append(FieldProblem(f"/{name}", wrong.code, wrong.detail))
    for name in sorted(value.keys() - fields.keys()):
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        problems.append(FieldProblem(pointer, "UNKNOWN_FIELD", "is not known"))
    if problems:
        raise invalid(code, problems)
    return checked


def read_place_order(body: str, idempotency_key: str | None) -> Wish:
    """Return the order that `body` asks for. Raises Problem, naming each field that is wrong."""
    order = _checked(_PLACE, _read_json(body), "INVALID_ORDER")
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
    read = _checked(_LIST, query, "INVALID_QUERY")
    status = read.get("status")
    return ListOrders(Status(status) if status else None, read["limit"], read.get("cursor"))


def read_ask_quotes(query: Mapping[str, str]) -> AskQuotes:
    """Return what a question for quotes asks. Raises Problem, naming each parameter."""
    read = _checked(_QUOTES, query, "INVALID_QUERY")
    return AskQuotes(read["tokenIn"], read["tokenOut"], read["amount"], read["slippageBps"])


def read_empty_body(body: str) -> None:
    """Accept no body, or an empty object. Raises Problem."""
    if body.strip() and _read_json(body) != {}:
        raise invalid("INVALID_BODY", [FieldProblem("", "INVALID", "send no body")])


def _check_key(key: str) -> None:
    try:
        _key(key)
    except Wrong as wrong:
        raise Problem("INVALID_IDEMPOTENCY_KEY", f"Idempotency-Key {wrong.detail}") from None


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
