"""The WebSocket API: connect, subscribe, unsubscribe, ping."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.api.views import error_message, pong_message
from engine.domain.errors import ConnectionGone, EngineError
from engine.observability import log
from engine.ports import Push, Watcher
from engine.service.watching import Watching

_ORDER_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_OK = {"statusCode": 200}


class BadFrame(EngineError):
    """A frame that asks for nothing we know."""

    code = "BAD_FRAME"


@dataclass(frozen=True, slots=True)
class Sockets:
    """Answers API Gateway's WebSocket events; `push_to(api id, stage)` makes a push."""

    watching: Watching
    push_to: Callable[[str, str], Push]

    def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answer one event of the WebSocket API; a bad frame gets an error message back."""
        context = event["requestContext"]
        connection_id = context["connectionId"]
        kind = context.get("eventType", "MESSAGE")
        log.info("socket event", extra={"kind": kind, "connection_id": connection_id})
        if kind == "CONNECT":
            return self._connect(connection_id, event.get("queryStringParameters") or {})
        if kind == "DISCONNECT":
            self.watching.leave(connection_id)
            return _OK
        try:
            answer = self._frame(connection_id, event.get("body") or "")
        except BadFrame as error:
            answer = error_message(error.code, str(error))
        if answer is not None:
            try:
                self.push_to(context["apiId"], context["stage"])(connection_id, answer)
            except ConnectionGone:
                self.watching.leave(connection_id)
        return _OK

    def _connect(self, connection_id: str, query: dict[str, str]) -> dict[str, Any]:
        order_id = query.get("orderId")
        if order_id is not None:
            if not _ORDER_ID.fullmatch(order_id):
                return {"statusCode": 400}
            self.watching.watch(Watcher(order_id, connection_id))
        return _OK

    def _frame(self, connection_id: str, body: str) -> bytes | None:
        frame = _read(body)
        match frame.get("action"):
            case "ping":
                return pong_message()
            case "subscribe":
                self.watching.watch(Watcher(_order_id(frame), connection_id))
            case "unsubscribe":
                self.watching.unwatch(Watcher(_order_id(frame), connection_id))
            case _:
                raise BadFrame("action must be subscribe, unsubscribe or ping")
        return None


def _read(body: str) -> dict[str, Any]:
    try:
        frame = json.loads(body)
    except (ValueError, RecursionError):
        raise BadFrame("a frame is one JSON object") from None
    if not isinstance(frame, dict):
        raise BadFrame("a frame is one JSON object")
    return frame


def _order_id(frame: dict[str, Any]) -> str:
    order_id = frame.get("orderId")
    if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
        raise BadFrame("orderId must be the id of an order")
    return order_id
