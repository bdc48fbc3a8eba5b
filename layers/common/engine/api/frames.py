"""What goes over the stream: the frames that clients send, the messages that they are sent."""

from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from engine.api.catalogue import STREAM
from engine.api.models import Id, Order, Sent, Seq, Time, Told, optional, plain
from engine.domain.order import Status

#: The longest frame that is read, in characters.
MAX_FRAME = 4_096


def _one_of_two(schema: dict[str, Any]) -> None:
    """Say that a frame names an order, or all of them."""
    plain(schema)
    beside = [name for name in schema["properties"] if name not in {"action", "orders"}]
    schema["oneOf"] = [
        {"required": ["orderId"], "properties": {"orders": False}},
        {"required": ["orders"], "properties": dict.fromkeys(beside, False)},
    ]


class Subscribe(Sent, json_schema_extra=_one_of_two):
    """Watch an order, from `afterSeq` on, or all orders of the account."""

    action: Literal["subscribe"]
    order_id: Id | SkipJsonSchema[None] = None
    after_seq: int = Field(
        default=0,
        ge=0,
        le=999_999,
        description="The `seq` that the client has; it is sent every later one.",
    )
    orders: Literal["mine"] | SkipJsonSchema[None] = Field(
        default=None, description="All orders of the account."
    )


class Unsubscribe(Sent, json_schema_extra=_one_of_two):
    """Watch it no more."""

    action: Literal["unsubscribe"]
    order_id: Id | SkipJsonSchema[None] = None
    orders: Literal["mine"] | SkipJsonSchema[None] = Field(
        default=None, description="All orders of the account."
    )


class Ping(Sent):
    """Is anybody there?"""

    action: Literal["ping"]


class _OfOrder(Told):
    type: str
    order_id: Id
    seq: Seq = Field(description="Drop what has a `seq` not above the one you have of this order.")
    status: Status
    at: Time
    order: Order


class Snapshot(_OfOrder):
    """How an order stands, after subscribing."""

    type: Literal["snapshot"] = "snapshot"


class StatusChange(_OfOrder):
    """An order has changed."""

    type: Literal["status"] = "status"


class Pong(Told):
    """Yes."""

    type: Literal["pong"] = "pong"


class Error(Told):
    """What was asked can't be done. The connection lives on."""

    type: Literal["error"] = "error"
    code: str = Field(json_schema_extra={"enum": list(STREAM)})
    detail: str
    order_id: Id | SkipJsonSchema[None] = optional("With ORDER_NOT_FOUND: which.")
