"""What stands before every resolver of the HTTP API: paths, methods, keys, bodies, answers."""

from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from engine.api.keys import key_in
from engine.api.problems import JSON, PROBLEM_JSON, Problem
from engine.api.resolver import BODY_OPTIONAL, Resolver, problem_for
from engine.observability import log
from engine.ports.access import Caller
from engine.ports.metrics import UNMEASURED, Metrics

if TYPE_CHECKING:
    from engine.service.signalling import Signal

#: A request of API Gateway's HTTP API, and an answer to it (payload format 2.0).
Event = dict[str, Any]
Answer = dict[str, Any]

#: The largest body that is read, in bytes.
MAX_BODY = 16_384
#: Whoever asks for what lies below is asked for a key.
_KEYED = "/api/"
#: What is below is an order's id.
_ORDERS = "/api/orders/"
#: What a path may have as it is; the rest is encoded, so that a variable takes whatever comes.
_SAFE = "/-._~()'!*:@,;=+&$%"


class Doorway(ABC):
    """A part of the HTTP API: its calls behind one resolver."""

    metrics: Metrics = UNMEASURED

    @property
    @abstractmethod
    def resolver(self) -> Resolver:
        """What answers; made once a process."""

    @abstractmethod
    def caller(self, key: str | None, method: str, path: str) -> Caller:
        """Return who asks. Raises Unauthenticated, or what else keeps them out."""

    def verified(self, path: str, headers: Mapping[str, str], event: Event) -> "Signal | None":  # noqa: ARG002
        """Return the signal that a request is, by the raw bytes of its body; None: it is none.

        Raises UnknownSource, SignatureInvalid.
        """
        return None

    def handle(self, event: Event, context: Any = None) -> Answer:
        """Answer one request: HEAD is GET without the body, and an error an answer."""
        request_id = event["requestContext"]["requestId"]
        log.append_keys(request_id=request_id)
        asked = event["requestContext"]["http"]
        method = asked["method"].upper()
        try:
            answer = self._answer("GET" if method == "HEAD" else method, event, context)
        except Exception as error:  # noqa: BLE001 - a bug: the log has it, the client does not
            problem = problem_for(error)
            headers = {"Content-Type": PROBLEM_JSON, **problem.headers}
            answer = _answer(problem.status, problem.document(request_id), headers)
        answer["headers"] |= {"X-Request-Id": request_id, "Cache-Control": "no-store"}
        if method == "HEAD":
            answer |= {"body": "", "isBase64Encoded": False}
        status = answer["statusCode"]
        facts = {"method": asked["method"], "path": asked["path"], "status": status}
        location = answer["headers"].get("Location", "")
        if location.startswith(_ORDERS):
            facts["order_id"] = location.removeprefix(_ORDERS)
        reads = method in {"GET", "HEAD", "OPTIONS"}  # all are in the access log anyway
        tell = log.info if status >= HTTPStatus.BAD_REQUEST or not reads else log.debug
        self.metrics.emit()
        tell("request answered", extra={"request_id": request_id, **facts})
        return answer

    def _answer(self, method: str, event: Event, context: Any) -> Answer:
        path = _path(event)
        methods = self.resolver.methods_of(path)
        allow = {"Allow": ", ".join(methods)}
        if not methods:
            raise Problem("NOT_FOUND", "See /docs for what there is.")
        if method == "OPTIONS":
            return _answer(HTTPStatus.NO_CONTENT, "", allow)
        if method not in methods:
            detail = f"Use {' or '.join(methods)}."
            raise Problem("METHOD_NOT_ALLOWED", detail, headers=allow)
        headers = {name.lower(): text for name, text in (event.get("headers") or {}).items()}
        signal = self.verified(path, headers, event)  # before anybody reads what it says
        if signal is not None:
            self.resolver.append_context(signal=signal)  # type: ignore[no-untyped-call]
        elif path.startswith(_KEYED):
            caller = self.caller(key_in(headers), method, path)
            self.resolver.append_context(caller=caller)  # type: ignore[no-untyped-call]
        # A form, or what is not declared, is not taken for JSON.
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        headers["content-type"] = kind if kind == JSON else "application/octet-stream"
        body = None if method == "GET" else _body(event) or " "  # nothing is no JSON either
        if body == " " and path in BODY_OPTIONAL:
            body, headers["content-type"] = "{}", JSON
        asked = event["requestContext"]
        http = {**asked["http"], "method": method}
        read = {
            "body": body,
            "headers": headers,
            "isBase64Encoded": False,
            "rawPath": path,
            "requestContext": {**asked, "stage": "$default", "http": http},
        }
        return self.resolver.resolve({**event, **read}, context)


def _path(event: Event) -> str:
    """Return a request's path without the stage, which stands before it if it has a name.

    What a template's variable would not take is percent-encoded.
    """
    path: str = event["rawPath"]
    stage = event["requestContext"]["stage"]
    return quote(path if stage == "$default" else path.removeprefix(f"/{stage}"), safe=_SAFE)


def _body(event: Event) -> str:
    """Return the body as text. Raises Problem if it is too large, or not UTF-8."""
    try:
        return raw_body(event).decode()
    except ValueError:
        raise Problem("MALFORMED_JSON", "Send one JSON object, in UTF-8.") from None


def raw_body(event: Event) -> bytes:
    """Return the body's bytes as they were sent. Raises Problem if they are too many."""
    body: str = event.get("body") or ""
    if len(body) > 2 * MAX_BODY:
        raise _too_large()
    try:
        raw = b64decode(body) if event.get("isBase64Encoded") else body.encode()
    except ValueError:
        raise Problem("MALFORMED_JSON", "Send one JSON object, in UTF-8.") from None
    if len(raw) > MAX_BODY:
        raise _too_large()
    return raw


def _too_large() -> Problem:
    return Problem("BODY_TOO_LARGE", f"Send at most {MAX_BODY} bytes.")


def _answer(status: int, body: str, headers: Mapping[str, str]) -> Answer:
    return {"statusCode": status, "headers": dict(headers), "body": body}
