"""What clients may send, read with care: numbers as `Decimal`, nothing unknown, nothing twice."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from engine.api.problems import FieldProblem, Problem, invalid
from engine.domain.order import Status
from engine.service.placing import Wish

#: The largest body that is read, in bytes.
MAX_BODY = 16_384
KEY_PATTERN = r"^[A-Za-z0-9._:-]{1,64}$"
#: What an amount looks like on paper; `_read_amount` is what reads it.
AMOUNT_TEXT = {
    "type": "string",
    "maxLength": 64,
    "pattern": r"^(?=.*[1-9])([0-9]+\.?[0-9]*|\.[0-9]+)$",
}
AMOUNT_NUMBER = {"type": "number", "exclusiveMinimum": 0}


def _read_amount(value: object) -> Decimal:
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


def _count(value: object) -> object:
    """Let a query's digits be a number; Python's other ways to write one are not ours."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise PydanticCustomError("NOT_A_COUNT", "must be a whole number")
    return value


def _whole(value: object) -> object:
    """Let `50.0` be the whole number that JSON says it is."""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 10:
        return int(value) if value == value.to_integral_value() else value
    return value


class PlaceOrder(BaseModel):
    """The body of `POST /api/orders/execute`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["market"]
    tokenIn: str = Field(min_length=1, max_length=64)  # noqa: N815 - the client's names
    tokenOut: str = Field(min_length=1, max_length=64)  # noqa: N815
    amount: Annotated[
        Decimal,
        BeforeValidator(_read_amount),
        WithJsonSchema({"anyOf": [AMOUNT_TEXT, AMOUNT_NUMBER]}),
    ]
    slippageBps: Annotated[int, BeforeValidator(_whole)] = Field(50, ge=0, le=10_000)  # noqa: N815
    clientOrderId: str | None = Field(None, pattern=KEY_PATTERN)  # noqa: N815


def read_place_order(body: str, idempotency_key: str | None) -> Wish:
    """Return the order that `body` asks for. Raises Problem, naming each field that is wrong."""
    try:
        order = PlaceOrder.model_validate(_read_json(body))
    except ValidationError as error:
        raise invalid("INVALID_ORDER", [_field_problem(e) for e in error.errors()]) from None
    if idempotency_key is not None:
        if order.clientOrderId not in (None, idempotency_key):
            detail = "differs from the Idempotency-Key header; send one of them, or both alike"
            raise invalid("INVALID_ORDER", [FieldProblem("/clientOrderId", "KEY_MISMATCH", detail)])
        _check_key(idempotency_key)
    return Wish(
        order.tokenIn,
        order.tokenOut,
        order.amount,
        order.slippageBps,
        idempotency_key or order.clientOrderId,
    )


class ListOrders(BaseModel):
    """The query of `GET /api/orders`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status | None = None
    limit: Annotated[int, BeforeValidator(_count)] = Field(50, ge=1, le=100)
    cursor: str | None = Field(None, min_length=1, max_length=256)


class AskQuotes(BaseModel):
    """The query of `GET /api/quotes`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokenIn: str = Field(min_length=1, max_length=64)  # noqa: N815
    tokenOut: str = Field(min_length=1, max_length=64)  # noqa: N815
    amount: Annotated[Decimal, BeforeValidator(_read_amount), WithJsonSchema(AMOUNT_TEXT)]
    slippageBps: Annotated[int, BeforeValidator(_count)] = Field(50, ge=0, le=10_000)  # noqa: N815


Query = TypeVar("Query", bound=BaseModel)


def read_query(model: type[Query], query: Mapping[str, str]) -> Query:
    """Return the query as `model`. Raises Problem, naming each parameter that is wrong."""
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise invalid("INVALID_QUERY", [_field_problem(e) for e in error.errors()]) from None


def read_empty_body(body: str) -> None:
    """Accept no body, or an empty object. Raises Problem."""
    if body.strip() and _read_json(body) != {}:
        raise invalid("INVALID_BODY", [FieldProblem("", "INVALID", "send no body")])


def _check_key(key: str) -> None:
    try:
        PlaceOrder.__pydantic_validator__.validate_assignment(
            PlaceOrder.model_construct(), "clientOrderId", key
        )
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
