"""The HTTP API: routes, and errors as problem documents."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.api.keys import key_in
from engine.api.problems import (
    PROBLEM_JSON,
    Problem,
    internal,
    invalid,
    problem_of,
    rate_headers,
)
from engine.api.requests import (
    MAX_BODY,
    read_ask_quotes,
    read_empty_body,
    read_list_orders,
    read_place_order,
)
from engine.api.views import offer_view, order_view, timestamp, token_view
from engine.domain.errors import EngineError, InvalidOrder
from engine.domain.tokens import PAIRS, TOKENS
from engine.observability import log
from engine.service.cancelling import Cancelling
from engine.service.identity import Identity
from engine.service.limits import Allowance
from engine.service.placing import Placing, Wish
from engine.service.reading import Reading

if TYPE_CHECKING:
    from engine.service.quoting import Quoting

#: A request of API Gateway's HTTP API, and an answer to it (payload format 2.0).
Event = dict[str, Any]
Answer = dict[str, Any]

#: Path, method, and the name of the answer below. Of two paths that match, the first is meant.
ROUTES: dict[str, dict[str, str]] = {
    "/api/orders/execute": {"POST": "place"},
    "/api/orders/<order_id>/cancel": {"POST": "cancel"},
    "/api/orders/<order_id>": {"GET": "order"},
    "/api/orders": {"GET": "orders"},
    "/api/quotes": {"GET": "quotes"},
    "/api/tokens": {"GET": "tokens"},
    "/api/stream-tickets": {"POST": "ticket"},
    "/healthz": {"GET": "health"},
    "/openapi.json": {"GET": "openapi"},
    "/docs": {"GET": "docs"},
}
_ORDER_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(slots=True, eq=False, repr=False)
class HttpApi:
    """The use cases behind the HTTP API."""

    identity: Identity
    placing: Placing
    reading: Reading
    cancelling: Cancelling
    quoting: Callable[[], "Quoting"]  # made when it is first asked for: it brings the market

    def handle(self, event: Event) -> Answer:
        """Answer one request."""
        asked = event["requestContext"]["http"]
        answer = _Answers(self, event).answer(asked["method"].upper())
        facts = {"method": asked["method"], "path": asked["path"], "status": answer["statusCode"]}
        request_id = event["requestContext"]["requestId"]
        tell = log.info if answer["statusCode"] >= HTTPStatus.BAD_REQUEST else log.debug
        tell("request answered", extra={"request_id": request_id, **facts})
        return answer


@dataclass(slots=True, eq=False, repr=False)
class _Answers:
    """What one request is answered: a method for each name in ROUTES."""

    api: HttpApi
    event: Event

    def answer(self, method: str) -> Answer:
        """Return the answer to `method`: HEAD is GET without the body, and an error an answer."""
        if method == "HEAD":
            return {**self.answer("GET"), "body": ""}
        try:
            return self._routed(method)
        except Problem as problem:
            return self._problem(problem)
        except EngineError as error:
            told = problem_of(error)
            if told.status >= 500:
                log.exception("request failed")
            return self._problem(told)
        except Exception:  # noqa: BLE001 - a bug: the log has it, the client does not
            log.exception("request failed")
            return self._problem(internal())

    def _routed(self, method: str) -> Answer:
        methods, variables = _route(_path(self.event))
        if method in methods:
            answer: Answer = getattr(self, methods[method])(*variables)
            return answer
        if not methods:
            raise Problem("NOT_FOUND", "See /docs for what there is.")
        allowed = [*methods, "HEAD"] if "GET" in methods else [*methods]
        allow = {"Allow": ", ".join(allowed)}
        if method == "OPTIONS":
            return self._reply(HTTPStatus.NO_CONTENT, "", allow)
        raise Problem("METHOD_NOT_ALLOWED", f"Use {' or '.join(allowed)}.", headers=allow)

    def place(self) -> Answer:
        account = self._account()
        sent = self._sent_headers()
        content_type = sent.get("content-type", "").split(";")[0].strip().lower()
        if content_type != "application/json":
            raise Problem("UNSUPPORTED_MEDIA_TYPE", "Send Content-Type: application/json.")
        wish = read_place_order(_body(self.event), sent.get("idempotency-key"))
        placed = self.api.placing.place(wish, account=account)
        headers = {"Location": f"/api/orders/{placed.order.order_id}"}
        headers |= _rate_headers(placed.allowance)
        if placed.replayed:
            headers["Idempotent-Replayed"] = "true"
        return self._json(HTTPStatus.ACCEPTED, order_view(placed.order), headers)

    def order(self, order_id: str) -> Answer:
        account = self._account()
        order = self.api.reading.order(_checked(order_id), account=account)
        return self._json(HTTPStatus.OK, order_view(order))

    def orders(self) -> Answer:
        account = self._account()
        query = read_list_orders(self._query())
        page, cursor = self.api.reading.page(
            account, status=query.status, limit=query.limit, cursor=query.cursor
        )
        orders = [order_view(order) for order in page]
        return self._json(HTTPStatus.OK, {"orders": orders, "nextCursor": cursor})

    def cancel(self, order_id: str) -> Answer:
        account = self._account()
        read_empty_body(_body(self.event))
        order = self.api.cancelling.cancel(_checked(order_id), account=account)
        return self._json(HTTPStatus.OK, order_view(order))

    def quotes(self) -> Answer:
        self._account()
        query = read_ask_quotes(self._query())
        try:
            terms = self.api.placing.terms(
                Wish(query.token_in, query.token_out, query.amount, query.slippage_bps)
            )
        except InvalidOrder as error:
            raise invalid("INVALID_QUERY", error.problems) from None
        return self._json(HTTPStatus.OK, offer_view(self.api.quoting().offer(terms), terms))

    def tokens(self) -> Answer:
        self._account()
        known = [t for t in TOKENS.values() if not t.fault or self.api.placing.test_tokens]
        pairs = [[a.symbol, b.symbol] for a, b in PAIRS if a in known and b in known]
        view = {"tokens": [token_view(token) for token in known], "pairs": pairs}
        return self._json(HTTPStatus.OK, view)

    def ticket(self) -> Answer:
        caller = self.api.identity.caller_of_key(key_in(self._sent_headers()))
        read_empty_body(_body(self.event))
        ticket = self.api.identity.issue_ticket(caller)
        view = {"ticket": ticket.text, "expiresAt": timestamp(ticket.expires_at)}
        return self._json(HTTPStatus.CREATED, view)

    def health(self) -> Answer:
        return self._json(HTTPStatus.OK, {"status": "ok"})

    def openapi(self) -> Answer:
        return self._file("openapi.json", "application/json")

    def docs(self) -> Answer:
        return self._file("docs.html", "text/html; charset=utf-8")

    def _account(self) -> str:
        """Return the caller's account. Raises Unauthenticated."""
        return self.api.identity.account_of_key(key_in(self._sent_headers()))

    def _sent_headers(self) -> dict[str, str]:
        """Return the request's headers, their names in lower case."""
        return {name.lower(): text for name, text in (self.event.get("headers") or {}).items()}

    def _query(self) -> Mapping[str, str]:
        return self.event.get("queryStringParameters") or {}

    def _problem(self, problem: Problem) -> Answer:
        document = problem.document(self._request_id())
        headers = {"Content-Type": PROBLEM_JSON, **problem.headers}
        return self._reply(problem.status, document, headers)

    def _json(
        self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None
    ) -> Answer:
        text = json.dumps(body, separators=(",", ":"))
        return self._reply(status, text, {"Content-Type": "application/json", **(headers or {})})

    def _file(self, name: str, content_type: str) -> Answer:
        text = Path(__file__).with_name(name).read_text()
        return self._reply(HTTPStatus.OK, text, {"Content-Type": content_type})

    def _reply(self, status: int, body: str, headers: Mapping[str, str]) -> Answer:
        always = {"X-Request-Id": self._request_id(), "Cache-Control": "no-store"}
        return {"statusCode": status, "headers": {**always, **headers}, "body": body}

    def _request_id(self) -> str:
        return str(self.event["requestContext"]["requestId"])


def _path(event: Event) -> str:
    """Return a request's path without the stage, which stands before it if it has a name."""
    path: str = event["rawPath"]
    stage = event["requestContext"]["stage"]
    return path if stage == "$default" else path.removeprefix(f"/{stage}")


def _route(path: str) -> tuple[Mapping[str, str], list[str]]:
    """Return the methods that `path` knows, none if there is no such path, and its variables.

    A path is its template with the variables filled in, each by one part that is not empty.
    """
    parts = path.split("/")
    for template, methods in ROUTES.items():
        names = template.split("/")
        filled = {n: part for n, part in zip(names, parts, strict=False) if n.startswith("<")}
        if [filled.get(n, n) for n in names] == parts and all(filled.values()):
            return methods, list(filled.values())
    return {}, []


def _checked(order_id: str) -> str:
    """Return what may be an order's id. Raises Problem."""
    if not _ORDER_ID.fullmatch(order_id):
        raise Problem("ORDER_NOT_FOUND", "This is no order's id.")
    return order_id


def _rate_headers(allowance: Allowance | None) -> dict[str, str]:
    if allowance is None:
        return {}
    return rate_headers(allowance.limit, allowance.remaining, allowance.seconds)


def _body(event: Event) -> str:
    """Return the body as text. Raises Problem if it is too large, or not UTF-8."""
    body: str = event.get("body") or ""
    if len(body) > 2 * MAX_BODY:
        raise _too_large()
    try:
        if event.get("isBase64Encoded"):
            body = b64decode(body).decode()
        size = len(body.encode())
    except ValueError:
        raise Problem("MALFORMED_JSON", "Send one JSON object, in UTF-8.") from None
    if size > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> Problem:
    return Problem("BODY_TOO_LARGE", f"Send at most {MAX_BODY} bytes.")
