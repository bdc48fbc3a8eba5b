"""What clients may send, as pydantic models: the contract, from which OpenAPI is generated.

At run time `engine/api/requests.py` reads by the same rules, by hand, because pydantic, even its
core alone, costs a start too much. A property test holds the two to one judgement.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from engine.api.requests import KEY_PATTERN, read_amount, read_count, read_whole
from engine.domain.order import Status

#: What an amount looks like on paper; `read_amount` is what reads it.
AMOUNT_TEXT = {
    "type": "string",
    "maxLength": 64,
    "pattern": r"^(?=.*[1-9])([0-9]+\.?[0-9]*|\.[0-9]+)$",
}
AMOUNT_NUMBER = {"type": "number", "exclusiveMinimum": 0}


class PlaceOrder(BaseModel):
    """The body of `POST /api/orders/execute`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["market"]
    tokenIn: str = Field(min_length=1, max_length=64)  # noqa: N815 - the client's names
    tokenOut: str = Field(min_length=1, max_length=64)  # noqa: N815
    amount: Annotated[
        Decimal,
        BeforeValidator(read_amount),
        WithJsonSchema({"anyOf": [AMOUNT_TEXT, AMOUNT_NUMBER]}),
    ]
    slippageBps: Annotated[int, BeforeValidator(read_whole)] = Field(50, ge=0, le=10_000)  # noqa: N815
    clientOrderId: str | None = Field(None, pattern=KEY_PATTERN)  # noqa: N815


class ListOrders(BaseModel):
    """The query of `GET /api/orders`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status | None = None
    limit: Annotated[int, BeforeValidator(read_count)] = Field(50, ge=1, le=100)
    cursor: str | None = Field(None, min_length=1, max_length=256)


class AskQuotes(BaseModel):
    """The query of `GET /api/quotes`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokenIn: str = Field(min_length=1, max_length=64)  # noqa: N815
    tokenOut: str = Field(min_length=1, max_length=64)  # noqa: N815
    amount: Annotated[Decimal, BeforeValidator(read_amount), WithJsonSchema(AMOUNT_TEXT)]
    slippageBps: Annotated[int, BeforeValidator(read_count)] = Field(50, ge=0, le=10_000)  # noqa: N815
