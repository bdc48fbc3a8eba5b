"""The HTTP API: routes, and errors as problem documents."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from engine.api.keys import key_in
from engine.api.problems import (
    PROBLEM_JSON,
    Problem,
    fields_of,
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
from engine.service.placing import Placing
from engine.service.reading import Reading

if TYPE_CHECKING:
    from engine.service.quoting import Quoting

#: Path, method, and the name of the answer below. Of two that match, the first is meant.
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

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request of API Gateway's HTTP API (payload format 2.0)."""
        asked = event["requestContext"]["http"]
        method = asked["method"]
        if method == "HEAD":
            as_get = {**event["requestContext"], "http": {**asked, "method": "GET"}}
            answer = {**self._answer({**event, "requestContext": as_get}, context), "body": ""}
        else:
            answer = self._answer(event, context)
        facts = {"method": method, "path": asked["path"], "status": answer["statusCode"]}
        request_id = event["requestContext"]["requestId"]
        log.info("request answered", extra={"request_id": request_id, **facts})
        return answer

    def _answer(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        app = APIGatewayHttpResolver()
        answers = _Answers(self, app)
        for path, methods in ROUTES.items():
            for method, name in methods.items():
                app.route(path.replace(".", r"\."), method=method)(getattr(answers, name))
        app.not_found(answers.no_route)
        app.exception_handler(Problem)(answers.problem)
        app.exception_handler(EngineError)(answers.engine_error)
        app.exception_handler(Exception)(answers.bug)
        return app.resolve(event, context)


@dataclass(slots=True, eq=False, repr=False)
class _Answers:
    api: HttpApi
    app: APIGatewayHttpResolver

    def place(self) -> Response[str]:
        account = self._account()
        event = self.app.current_event
        content_type = (event.headers.get("content-type") or "").split(";")[0].strip().lower()
        if content_type != "application/json":
            raise Problem("UNSUPPORTED_MEDIA_TYPE", "Send Content-Type: application/json.")
        wish = read_place_order(_body(event), event.headers.get("idempotency-key"))
        placed = self.api.placing.place(wish, account=account)
        headers = {"Location": f"/api/orders/{placed.order.order_id}"}
        headers |= _rate_headers(placed.allowance)
        if placed.replayed:
            headers["Idempotent-Replayed"] = "true"
        return self._json(HTTPStatus.ACCEPTED, order_view(placed.order), headers)

    def order(self, order_id: str) -> Response[str]:
        if order_id == "execute":  # the longer path's name, not an order's
            return self._wrong_method(["POST"])
        account = self._account()
        order = self.api.reading.order(_checked(order_id), account=account)
        return self._json(HTTPStatus.OK, order_view(order))

    def orders(self) -> Response[str]:
        account = self._account()
        query = read_list_orders(self._query())
        page, cursor = self.api.reading.page(
            account, status=query.status, limit=query.limit, cursor=query.cursor
        )
        orders = [order_view(order) for order in page]
        return self._json(HTTPStatus.OK, {"orders": orders, "nextCursor": cursor})

    def cancel(self, order_id: str) -> Response[str]:
        account = self._account()
        read_empty_body(_body(self.app.current_event))
        order = self.api.cancelling.cancel(_checked(order_id), account=account)
        return self._json(HTTPStatus.OK, order_view(order))

    def quotes(self) -> Response[str]:
        self._account()
        query = read_ask_quotes(self._query())
        try:
            terms = self.api.placing.terms(query.token_in, query.token_out, query.amount)
        except InvalidOrder as error:
            raise invalid("INVALID_QUERY", fields_of(error)) from None
        token_in, token_out, amount = terms
        offer = self.api.quoting().offer(token_in.symbol, token_out.symbol, amount)
        view = offer_view(offer, token_in, token_out, amount, query.slippage_bps)
        return self._json(HTTPStatus.OK, view)

    def tokens(self) -> Response[str]:
        self._account()
        known = [t for t in TOKENS.values() if not t.fault or self.api.placing.test_tokens]
        pairs = [[a.symbol, b.symbol] for a, b in PAIRS if a in known and b in known]
        view = {"tokens": [token_view(token) for token in known], "pairs": pairs}
        return self._json(HTTPStatus.OK, view)

    def ticket(self) -> Response[str]:
        account = self._account()
        read_empty_body(_body(self.app.current_event))
        ticket = self.api.identity.issue_ticket(account)
        view = {"ticket": ticket.text, "expiresAt": timestamp(ticket.expires_at)}
        return self._json(HTTPStatus.CREATED, view)

    def health(self) -> Response[str]:
        return self._json(HTTPStatus.OK, {"status": "ok"})

    def openapi(self) -> Response[str]:
        return self._file("openapi.json", "application/json")

    def docs(self) -> Response[str]:
        return self._file("docs.html", "text/html; charset=utf-8")

    def no_route(self, _: NotFoundError) -> Response[str]:
        event = self.app.current_event
        allowed = _methods(event.path)
        if event.http_method == "OPTIONS" and allowed:
            return Response(HTTPStatus.NO_CONTENT, None, "", {**self._headers(), **_allow(allowed)})
        if event.http_method in allowed:  # the path's variable is what no order's id looks like
            return self._answered_no_id()
        if allowed:
            return self._wrong_method(allowed)
        return self.problem(Problem("NOT_FOUND", "See /docs for what there is."))

    def engine_error(self, error: EngineError) -> Response[str]:
        problem = problem_of(error)
        if problem.status >= 500:
            log.error("request failed", exc_info=error)
        return self.problem(problem)

    def bug(self, error: Exception) -> Response[str]:
        log.error("request failed", exc_info=error)
        return self.problem(internal())

    def problem(self, problem: Problem) -> Response[str]:
        headers = {**self._headers(), **problem.headers}
        document = problem.document(self._request_id())
        return Response(problem.status, PROBLEM_JSON, document, headers)

    def _answered_no_id(self) -> Response[str]:
        try:
            self._account()
        except EngineError as error:
            return self.engine_error(error)
        return self.problem(_no_id())

    def _wrong_method(self, allowed: list[str]) -> Response[str]:
        detail = f"Use {' or '.join(allowed)}."
        return self.problem(Problem("METHOD_NOT_ALLOWED", detail, headers=_allow(allowed)))

    def _account(self) -> str:
        """Return the caller's account. Raises Unauthenticated."""
        headers = self.app.current_event.headers
        return self.api.identity.account_of_key(key_in(headers))

    def _query(self) -> Mapping[str, str]:
        return self.app.current_event.query_string_parameters or {}

    def _json(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Response[str]:
        text = json.dumps(body, separators=(",", ":"))
        return Response(status, "application/json", text, {**self._headers(), **(headers or {})})

    def _file(self, name: str, content_type: str) -> Response[str]:
        text = Path(__file__).with_name(name).read_text()
        return Response(HTTPStatus.OK, content_type, text, self._headers())

    def _headers(self) -> dict[str, Any]:
        return {"X-Request-Id": self._request_id(), "Cache-Control": "no-store"}

    def _request_id(self) -> str:
        return str(self.app.current_event.request_context.request_id)


def _checked(order_id: str) -> str:
    if not _ORDER_ID.fullmatch(order_id):
        raise _no_id()
    return order_id


def _no_id() -> Problem:
    return Problem("ORDER_NOT_FOUND", "This is no order's id.")


def _methods(path: str) -> list[str]:
    """Return the methods that `path` knows."""
    for template, methods in ROUTES.items():
        if re.fullmatch(re.sub("<[a-z_]+>", "[^/]+", template.replace(".", r"\.")), path):
            return [*methods, *(["HEAD"] if "GET" in methods else [])]
    return []


def _allow(methods: list[str]) -> dict[str, str]:
    return {"Allow": ", ".join(methods)}


def _rate_headers(allowance: Allowance | None) -> dict[str, str]:
    if allowance is None:
        return {}
    return rate_headers(allowance.limit, allowance.remaining, allowance.seconds)


def _body(event: Any) -> str:
    """Return the body as text. Raises Problem if it is too large, or not UTF-8."""
    raw = event.raw_event.get("body") or ""
    if len(raw) > 2 * MAX_BODY:
        raise _too_large()
    try:
        body: str = event.decoded_body or ""
        size = len(body.encode())
    except (UnicodeError, ValueError):
        raise Problem("MALFORMED_JSON", "Send one JSON object, in UTF-8.") from None
    if size > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> Problem:
    return Problem("BODY_TOO_LARGE", f"Send at most {MAX_BODY} bytes.")
