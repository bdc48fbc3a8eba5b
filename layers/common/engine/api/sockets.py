"""The WebSocket API: connect, subscribe, unsubscribe, ping."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.api.keys import key_in
from engine.api.views import error_message, pong_message
from engine.domain.errors import (
    ConnectionGone,
    EngineError,
    PushFailed,
    StoreUnavailable,
    TooManySubscriptions,
    Unauthenticated,
)
from engine.observability import log
from engine.ports import Push, Watcher, account_topic, order_topic
from engine.service.identity import Identity
from engine.service.watching import Watching

#: The longest frame that is read, in characters.
MAX_FRAME = 4_096
_ORDER_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_OK = {"statusCode": 200}
FRAMES = {
    "ping": set[str](),
    "subscribe": {"orderId", "afterSeq", "orders"},
    "unsubscribe": {"orderId", "orders"},
}


class BadFrame(EngineError):
    """A frame, or a query, that asks for nothing we know."""

    code = "BAD_FRAME"


@dataclass(slots=True, eq=False, repr=False)
class Sockets:
    """Answers API Gateway's WebSocket events; `push_to(api id, stage)` makes a push."""

    identity: Identity
    watching: Watching
    push_to: Callable[[str, str], Push]

    def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answer one event of the WebSocket API; a bad frame gets an error message back."""
        context = event["requestContext"]
        connection_id = context["connectionId"]
        kind = context.get("eventType", "MESSAGE")
        log.debug("socket event", extra={"kind": kind, "connection_id": connection_id})
        if kind == "CONNECT":
            return self._connect(connection_id, event)
        if kind == "DISCONNECT":
            self.watching.leave(connection_id)
            return _OK
        answer = self._answered(connection_id, event.get("body") or "")
        if answer is not None:
            self._reply(context, connection_id, answer)
        return _OK

    def _connect(self, connection_id: str, event: dict[str, Any]) -> dict[str, Any]:
        query: dict[str, str] = event.get("queryStringParameters") or {}
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        try:
            watcher = _asked_for(query, connection_id)
            account = self._account(query.get("ticket"), headers)
        except BadFrame:
            return {"statusCode": 400}
        except Unauthenticated:
            return {"statusCode": 401}
        self.watching.connect(connection_id, account, watcher and watcher(account))
        return _OK

    def _account(self, ticket: str | None, headers: Mapping[str, str]) -> str:
        if ticket is not None:
            return self.identity.account_of_ticket(ticket)
        return self.identity.account_of_key(key_in(headers))

    def _answered(self, connection_id: str, body: str) -> bytes | None:
        try:
            return self._frame(connection_id, body)
        except (BadFrame, TooManySubscriptions) as error:
            return error_message(error.code, str(error))
        except StoreUnavailable as error:
            log.error("frame failed", exc_info=error)
            return error_message(error.code, "Try again in a moment.")
        except ConnectionGone:
            return None

    def _frame(self, connection_id: str, body: str) -> bytes | None:
        frame = _read(body)
        action = frame.get("action")
        if action == "ping":
            return pong_message()
        asked = _asked_for(frame, connection_id)
        if asked is None:
            raise BadFrame('name an orderId, or {"orders": "mine"}')
        account = self.watching.account_of(connection_id)
        if action == "subscribe":
            self.watching.watch(asked(account))
        else:
            self.watching.unwatch(asked(account))
        return None

    def _reply(self, context: dict[str, Any], connection_id: str, answer: bytes) -> None:
        try:
            self.push_to(context["apiId"], context["stage"])(connection_id, answer)
        except ConnectionGone:
            self.watching.leave(connection_id)
        except PushFailed as error:
            log.warning("answer not pushed", extra={"why": str(error)})


def _read(body: str) -> dict[str, Any]:
    if len(body) > MAX_FRAME:
        raise BadFrame(f"a frame has at most {MAX_FRAME} characters")
    try:
        frame = json.loads(body)
    except (ValueError, RecursionError):
        raise BadFrame("a frame is one JSON object") from None
    if not isinstance(frame, dict):
        raise BadFrame("a frame is one JSON object")
    fields = FRAMES.get(frame["action"]) if isinstance(frame.get("action"), str) else None
    if fields is None:
        raise BadFrame(f"action must be one of {', '.join(FRAMES)}")
    unknown = sorted(frame.keys() - fields - {"action"})
    if unknown:
        raise BadFrame(f"{', '.join(unknown)}: not known with {frame['action']}")
    return frame


def _asked_for(asked: Mapping[str, Any], connection_id: str) -> Callable[[str], Watcher] | None:
    """Return what makes a subscription of an account, None if none was asked for."""
    orders, order_id = asked.get("orders"), asked.get("orderId")
    after_seq = _after_seq(asked.get("afterSeq", 0))
    if orders is not None:
        if orders != "mine" or order_id is not None or after_seq:
            raise BadFrame('orders can only be "mine", and stands alone')
        return lambda account: Watcher(account_topic(account), connection_id, account)
    if order_id is None:
        return None
    if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
        raise BadFrame("orderId must be the id of an order")
    return lambda account: Watcher(order_topic(order_id), connection_id, account, after_seq)


def _after_seq(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 7:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**6:
        raise BadFrame("afterSeq must be a whole number, 0 or more")
    return value
