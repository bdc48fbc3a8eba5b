"""The WebSocket API: connect, subscribe, unsubscribe, ping."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from engine.api.frames import (
    FRAMES,
    MAX_FRAME,
    Ping,
    Subscribe,
    Unsubscribe,
    error_message,
    pong_message,
    revoked_message,
)
from engine.api.handshake import BadFrame, BadHandshake, read_handshake, watcher_of, words_for
from engine.api.keys import key_in
from engine.domain.errors import (
    ConnectionGone,
    ConnectRateExceeded,
    KeyRevoked,
    PushFailed,
    StoreUnavailable,
    TooManySubscriptions,
    Unauthenticated,
    Undecodable,
)
from engine.observability import log
from engine.ports.subscriptions import Push
from engine.service.connecting import Connecting
from engine.service.identity import Identity
from engine.service.watching import Watching

_OK = {"statusCode": 200}
#: The status of a handshake that is refused, by code.
REFUSED = {
    BadHandshake.code: HTTPStatus.BAD_REQUEST,
    Unauthenticated.code: HTTPStatus.UNAUTHORIZED,
    ConnectRateExceeded.code: HTTPStatus.TOO_MANY_REQUESTS,
    StoreUnavailable.code: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(slots=True, eq=False, repr=False)
class Sockets:
    """Answers API Gateway's WebSocket events; `push_to(api id, stage)` makes a push."""

    identity: Identity
    connecting: Connecting
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
        try:
            answer = self._answered(connection_id, event.get("body") or "")
        except KeyRevoked:
            self._reply(context, connection_id, revoked_message())
            self._close(context, connection_id)
            return _OK
        if answer is not None:
            self._reply(context, connection_id, answer)
        return _OK

    def _connect(self, connection_id: str, event: dict[str, Any]) -> dict[str, Any]:
        try:
            protocol = self._connected(connection_id, event)
        except (BadHandshake, Unauthenticated) as error:
            return _refusal(event, error.code, str(error))
        except ConnectRateExceeded as error:
            after = {"Retry-After": str(error.retry_after)}
            return _refusal(event, error.code, str(error), after)
        except (StoreUnavailable, Undecodable) as error:
            log.error("handshake failed", exc_info=error)
            return _refusal(event, StoreUnavailable.code, "Connect again in a moment.")
        return {**_OK, "headers": {"Sec-WebSocket-Protocol": protocol}} if protocol else _OK

    def _connected(self, connection_id: str, event: dict[str, Any]) -> str | None:
        """Store a connection; return the subprotocol that it is to speak, if it offers any."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        asked = read_handshake(_query(event), headers.get("sec-websocket-protocol", ""))
        if asked.ticket is None:
            caller = self.identity.caller_of_key(key_in(headers))
        else:
            caller = self.identity.caller_of_ticket(asked.ticket)
        first = asked.subscription(connection_id, caller.account) if asked.subscription else None
        self.connecting.connect(connection_id, caller, first, asked.ticket)
        return asked.protocol

    def _answered(self, connection_id: str, body: str) -> bytes | None:
        try:
            return self._frame(connection_id, body)
        except (BadFrame, TooManySubscriptions) as error:
            return error_message(error.code, str(error))
        except (StoreUnavailable, Undecodable) as error:
            log.error("frame failed", exc_info=error)
            return error_message(StoreUnavailable.code, "Try again in a moment.")
        except ConnectionGone:
            return None

    def _frame(self, connection_id: str, body: str) -> bytes | None:
        frame = _read(body)
        if isinstance(frame, Ping):
            return pong_message()
        subscription = watcher_of(frame)
        if subscription is None:
            raise BadFrame('name an orderId, or {"orders": "mine"}')
        caller = self.watching.caller_of(connection_id)
        if caller.key_id is not None and not self.identity.is_good(caller.key_id):
            raise KeyRevoked
        if isinstance(frame, Subscribe):
            self.watching.watch(subscription(connection_id, caller.account))
        else:
            self.watching.unwatch(subscription(connection_id, caller.account))
        return None

    def _reply(self, context: dict[str, Any], connection_id: str, answer: bytes) -> None:
        try:
            self.push_to(context["apiId"], context["stage"])(connection_id, answer)
        except ConnectionGone:
            self.watching.leave(connection_id)
        except PushFailed as error:
            log.warning("answer not pushed", extra={"why": str(error)})

    def _close(self, context: dict[str, Any], connection_id: str) -> None:
        with suppress(ConnectionGone, PushFailed):
            self.push_to(context["apiId"], context["stage"]).close(connection_id)
        self.watching.leave(connection_id)


def _refusal(
    event: dict[str, Any], code: str, detail: str, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the answer to a handshake that is refused; API Gateway may keep only the status."""
    from engine.api.models import Problem  # the start of whoever is let in does without

    status = REFUSED[code]
    document = Problem(
        type=f"/docs#{code}",
        title=status.phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=event["requestContext"]["requestId"],
    )
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    headers |= more or {}
    return {"statusCode": int(status), "headers": headers, "body": document.model_dump_json()}


def _query(event: dict[str, Any]) -> Mapping[str, Sequence[str]]:
    several: Mapping[str, Sequence[str]] | None = event.get("multiValueQueryStringParameters")
    single: Mapping[str, str] = event.get("queryStringParameters") or {}
    return several or {name: [text] for name, text in single.items()}


def _read(body: str) -> Ping | Subscribe | Unsubscribe:
    if len(body) > MAX_FRAME:
        raise BadFrame(f"a frame has at most {MAX_FRAME} characters")
    try:
        frame = json.loads(body, object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError):
        raise BadFrame("a frame is one JSON object, each name once") from None
    if not isinstance(frame, dict):
        raise BadFrame("a frame is one JSON object, each name once")
    action = frame.get("action")
    model = FRAMES.get(action) if isinstance(action, str) else None
    if model is None:
        raise BadFrame(f"action must be one of {', '.join(FRAMES)}")
    try:
        return model.model_validate(frame)
    except ValidationError as error:
        raise BadFrame(words_for(error)) from None


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read
