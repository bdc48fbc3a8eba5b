"""What goes over the stream: the frames that clients send, the messages that they are sent."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from engine.api.base import Id, Sent, Told, count, optional, plain
from engine.domain.errors import EngineError

#: The longest frame that is read, in characters.
MAX_FRAME = 4_096
#: What an error may say.
CODES = (
    "BAD_FRAME",
    "ORDER_NOT_FOUND",
    "SEQ_NOT_REACHED",
    "TOO_MANY_SUBSCRIPTIONS",
    "KEY_REVOKED",
    "STORE_UNAVAILABLE",
)


#: Where a client left off.
AfterSeq = Annotated[
    int,
    Field(
        ge=0, le=999_999, description="The `seq` that the client has; it is sent every later one."
    ),
]


def _one_of_two(schema: dict[str, Any]) -> None:
    """Say that a frame names an order, or all of them."""
    plain(schema)
    beside = [name for name in schema["properties"] if name not in {"action", "orders"}]
    schema["oneOf"] = [
        {"required": ["orderId"], "properties": {"orders": False}},
        {"required": ["orders"], "properties": dict.fromkeys(beside, False)},
    ]


class Watched(Sent):
    """What is to be watched: an order, or all of the account, or nothing."""

    order_id: Id | SkipJsonSchema[None] = None
    orders: Literal["mine"] | SkipJsonSchema[None] = Field(
        default=None, description="All orders of the account."
    )

    @model_validator(mode="after")
    def _stands_alone(self) -> Self:
        named = {to_camel(name) for name in self.model_fields_set}
        wrong = None
        if "orders" in named and named & {"orderId", "afterSeq"}:
            wrong = 'orders can only be "mine", and stands alone'
        elif "afterSeq" in named and "orderId" not in named:
            wrong = "afterSeq needs an orderId"
        elif any(getattr(self, name) is None for name in self.model_fields_set):
            wrong = "null names nothing"
        if wrong:
            raise PydanticCustomError("watched", "{wrong}", {"wrong": wrong})
        return self


class Subscribe(Watched, json_schema_extra=_one_of_two):
    """Watch an order, from `afterSeq` on, or all orders of the account."""

    action: Literal["subscribe"]
    after_seq: AfterSeq = 0


class Unsubscribe(Watched, json_schema_extra=_one_of_two):
    """Watch it no more."""

    action: Literal["unsubscribe"]


class Ping(Sent):
    """Is anybody there?"""

    action: Literal["ping"]


class ConnectQuery(Watched):
    """The query of a handshake: what is watched from the start, and whose right to it."""

    after_seq: Annotated[AfterSeq, BeforeValidator(count)] = 0
    ticket: str | SkipJsonSchema[None] = Field(
        default=None, description="From POST /api/stream-tickets; once."
    )


class Pong(Told):
    """Yes."""

    type: Literal["pong"] = "pong"


class Error(Told):
    """What was asked can't be done. The connection lives on."""

    type: Literal["error"] = "error"
    code: str = Field(json_schema_extra={"enum": [*CODES]})
    detail: str
    order_id: Id | SkipJsonSchema[None] = optional(
        "With ORDER_NOT_FOUND and SEQ_NOT_REACHED: which."
    )


#: What a client may send, by its `action`.
FRAMES: dict[str, type[Ping | Subscribe | Unsubscribe]] = {
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
}


def error_message(code: str, detail: str, order_id: str | None = None) -> bytes:
    """Return the stream's message of something that can't be done."""
    return Error(code=code, detail=detail, order_id=order_id).model_dump_json().encode()


def refusal_message(error: EngineError, order_id: str) -> bytes:
    """Return the stream's message of why an order can't be watched as was asked."""
    return error_message(error.code, str(error), order_id)


def revoked_message() -> bytes:
    return error_message("KEY_REVOKED", "The key is revoked; this connection is closed.")


def pong_message() -> bytes:
    return Pong().model_dump_json().encode()
