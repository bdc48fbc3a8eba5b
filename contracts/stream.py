"""The stream as an AsyncAPI 3.0 document."""

from collections.abc import Mapping
from typing import Any

from contracts.codes import chapters
from contracts.schemas import ORDER_ID, SCHEMAS, SEQ, TIME, Schema, ref, thing, titled
from engine.adapters.watchers import MOST_SUBSCRIPTIONS
from engine.api.handshake import PROTOCOL, QUERY, TICKET
from engine.api.sockets import FRAMES, MAX_FRAME

_AFTER: Schema = {
    "type": "integer",
    "minimum": 0,
    "maximum": 999_999,
    "default": 0,
    "description": "The `seq` that the client has; it is sent every later one.",
}
_MINE: Schema = {"const": "mine", "description": "All orders of the account."}
_FIELDS = {"orderId": ORDER_ID, "afterSeq": _AFTER, "orders": _MINE}
_STATE = {
    "orderId": ORDER_ID,
    "seq": titled(SEQ, "Drop what has a `seq` not above the one you have of this order."),
    "status": ref("Status"),
    "at": TIME,
    "order": ref("Order"),
}


def _frame(action: str, description: str) -> Schema:
    fields = {name: _FIELDS[name] for name in sorted(FRAMES[action])}
    frame = thing(description, tuple(fields), action={"const": action}, **fields)
    frame["additionalProperties"] = False
    if fields:
        single = {"required": ["orderId"], "properties": {"orders": False}}
        frame["oneOf"] = [
            single,
            {
                "required": ["orders"],
                "properties": dict.fromkeys([name for name in fields if name != "orders"], False),
            },
        ]
    return frame


def _messages() -> dict[str, tuple[str, Schema]]:
    (codes,) = [
        [entry.code for entry in chapter.entries]
        for chapter in chapters()
        if chapter.title == "Stream"
    ]
    return {
        "subscribe": (
            "receive",
            _frame(
                "subscribe",
                "Watch an order, from `afterSeq` on, or all orders of the account.",
            ),
        ),
        "unsubscribe": ("receive", _frame("unsubscribe", "Watch it no more.")),
        "ping": ("receive", _frame("ping", "Is anybody there?")),
        "snapshot": (
            "send",
            thing("How an order stands, after subscribing.", type={"const": "snapshot"}, **_STATE),
        ),
        "status": (
            "send",
            thing("An order has changed.", type={"const": "status"}, **_STATE),
        ),
        "pong": ("send", thing("Yes.", type={"const": "pong"})),
        "error": (
            "send",
            thing(
                "What was asked can't be done. The connection lives on.",
                ("orderId",),
                type={"const": "error"},
                code={"type": "string", "enum": codes},
                detail={"type": "string"},
                orderId=titled(ORDER_ID, "With ORDER_NOT_FOUND: which."),
            ),
        ),
    }


def document() -> dict[str, Any]:
    """Return the whole document."""
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Order execution engine: the stream",
            "version": "1.0.0",
            "description": "Connect and watch orders. A message carries the whole order and its "
            "`seq`: drop what has a `seq` not above the one you have of that order, and you see "
            "every state once. After a cut, connect again with `afterSeq`: nothing is missed.\n\n"
            f"A connection has at most {MOST_SUBSCRIPTIONS} subscriptions and lives for two hours "
            "at most; after ten idle minutes it is closed, so ping. A frame has at most "
            f"{MAX_FRAME} characters, and each name once.\n\nA client that offers subprotocols is "
            f"answered `{PROTOCOL}`, so it has to be among them. One that can send neither headers "
            f"nor a query offers its ticket beside it, as `{TICKET}oet_…`.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "deployed": {
                "host": "{api}.execute-api.{region}.amazonaws.com",
                "pathname": "/live",
                "protocol": "wss",
                "description": "The stack's output WebSocketUrl.",
                "variables": {
                    "api": {"description": "The API's id."},
                    "region": {"default": "us-east-1"},
                },
                "security": [{"$ref": f"#/components/securitySchemes/{n}"} for n in _security()],
            },
            "local": {
                "host": "127.0.0.1:3000",
                "pathname": "/live",
                "protocol": "ws",
                "description": "What `make up` serves; there also /api/orders/status/{orderId}.",
            },
        },
        "channels": {
            "live": {
                "address": "/",
                "description": "One connection. What it watches from the start may be named in "
                "the query.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"query": _query(), "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            name: {
                "action": action,
                "channel": {"$ref": "#/channels/live"},
                "summary": schema["description"],
                "messages": [{"$ref": f"#/channels/live/messages/{name}"}],
            }
            for name, (action, schema) in messages.items()
        },
        "components": {
            "messages": {
                name: {"name": name, "payload": schema} for name, (_, schema) in messages.items()
            },
            "schemas": _reachable(messages),
            "securitySchemes": _security(),
        },
    }


def _query() -> Schema:
    known: Schema = {
        "orderId": titled(ORDER_ID, "Watch this order from the start."),
        "afterSeq": _AFTER,
        "orders": _MINE,
        "ticket": {"type": "string", "description": "From POST /api/stream-tickets; once."},
    }
    return {
        "type": "object",
        "properties": {name: known[name] for name in QUERY},
        "dependentRequired": {"afterSeq": ["orderId"]},
        "additionalProperties": False,
    }


def _security() -> dict[str, Any]:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "apiKey": {"type": "httpApiKey", "in": "header", "name": "X-Api-Key"},
        "ticket": {"type": "httpApiKey", "in": "query", "name": "ticket"},
    }


def _reachable(messages: Mapping[str, tuple[str, Schema]]) -> dict[str, Schema]:
    """Return the schemas that the messages refer to, and those that these refer to."""
    found: dict[str, Schema] = {}
    left = [str(name) for _, schema in messages.values() for name in _named(schema)]
    while left:
        name = left.pop()
        if name not in found:
            found[name] = SCHEMAS[name]
            left += _named(SCHEMAS[name])
    return {name: found[name] for name in sorted(found)}


def _named(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        here = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
        return here + [name for value in schema.values() for name in _named(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in _named(value)]
    return []
