"""The stream as an AsyncAPI 3.0 document, of the models of its frames and messages."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from engine.adapters.aws.subscriptions import MAX_SUBSCRIPTIONS
from engine.api import frames, models
from engine.api.handshake import PROTOCOL, TICKET

#: Each message by its name: who sends it, and what it is.
_MESSAGES: dict[str, tuple[str, type[BaseModel]]] = {
    **{action: ("receive", model) for action, model in frames.FRAMES.items()},
    "snapshot": ("send", models.Snapshot),
    "status": ("send", models.StatusChange),
    "pong": ("send", frames.Pong),
    "error": ("send", frames.Error),
}
_MODES = {"receive": "validation", "send": "serialization"}


def document() -> dict[str, Any]:
    """Return the whole document."""
    _, schemas = models_json_schema(
        [(model, _MODES[action]) for action, model in _MESSAGES.values()],  # type: ignore[misc]
        ref_template="#/components/schemas/{model}",
    )
    defined = schemas["$defs"]
    query = {
        **frames.ConnectQuery.model_json_schema(),
        "dependentRequired": {"afterSeq": ["orderId"]},
    }
    payloads = {name: defined.pop(model.__name__) for name, (_, model) in _MESSAGES.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Order execution engine: the stream",
            "version": "1.0.0",
            "description": "Connect and watch orders. Whoever watches an order is told each of "
            "its states once, in order of `seq`, whenever they connect: a `status` for each above "
            "`afterSeq`, the newest of those that were as a `snapshot`. What is sent again after "
            "a failure may repeat: drop what has a `seq` not above the one you have of that "
            "order. After a cut, connect again with `afterSeq`: nothing is missed.\n\n"
            f"A connection has at most {MAX_SUBSCRIPTIONS} subscriptions and lives for two hours "
            "at most; after ten idle minutes it is closed, so ping. A frame has at most "
            f"{frames.MAX_FRAME} characters, and each name once.\n\nA client that offers "
            f"subprotocols is answered `{PROTOCOL}`, so it has to be among them. One that can send "
            f"neither headers nor a query offers its ticket beside it, as `{TICKET}oet_…`.",
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
                "security": [{"$ref": f"#/components/securitySchemes/{n}"} for n in _SECURITY],
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
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in payloads},
                "bindings": {"ws": {"query": query, "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            name: {
                "action": action,
                "channel": {"$ref": "#/channels/live"},
                "summary": payloads[name]["description"],
                "messages": [{"$ref": f"#/channels/live/messages/{name}"}],
            }
            for name, (action, _) in _MESSAGES.items()
        },
        "components": {
            "messages": {
                name: {"name": name, "payload": payload} for name, payload in payloads.items()
            },
            "schemas": defined,
            "securitySchemes": _SECURITY,
        },
    }


_SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "apiKey": {"type": "httpApiKey", "in": "header", "name": "X-Api-Key"},
    "ticket": {"type": "httpApiKey", "in": "query", "name": "ticket"},
}
