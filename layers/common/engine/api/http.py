"""The HTTP API: routes, and errors as problem documents."""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from engine.api.problems import PROBLEM_JSON, Problem, internal, problem_of
from engine.api.requests import MAX_BODY, read_place_order
from engine.api.views import order_view
from engine.domain.errors import EngineError
from engine.observability import log
from engine.service.placing import Placing
from engine.service.reading import Reading

#: The account of every caller as long as no keys are asked for.
ANYONE = "anyone"


#: Path, method, and the name of the answer below.
ROUTES: dict[str, dict[str, str]] = {
    "/api/orders/execute": {"POST": "place"},
    "/api/orders/<order_id>": {"GET": "order"},
    "/healthz": {"GET": "health"},
}


@dataclass(frozen=True, slots=True)
class HttpApi:
    """The use cases behind the HTTP API."""

    placing: Placing
    reading: Reading

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request of API Gateway's HTTP API (payload format 2.0)."""
        app = APIGatewayHttpResolver()
        answers = _Answers(self, app)
        for path, methods in ROUTES.items():
            for method, name in methods.items():
                app.route(path, method=method)(getattr(answers, name))
        app.not_found(answers.no_route)
        app.exception_handler(Problem)(answers.problem)
        app.exception_handler(EngineError)(answers.engine_error)
        app.exception_handler(Exception)(answers.bug)
        return app.resolve(event, context)


@dataclass(frozen=True, slots=True)
class _Answers:
    api: HttpApi
    app: APIGatewayHttpResolver

    def place(self) -> Response[str]:
        event = self.app.current_event
        content_type = (event.headers.get("content-type") or "").split(";")[0].strip().lower()
        if content_type != "application/json":
            raise Problem(
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                "The body is not declared as JSON",
                "Send Content-Type: application/json.",
            )
        wish = read_place_order(_body(event), event.headers.get("idempotency-key"))
        order, replayed = self.api.placing.place(wish, account=ANYONE)
        headers = {"Location": f"/api/orders/{order.order_id}"}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return self._json(HTTPStatus.ACCEPTED, order_view(order), headers)

    def order(self, order_id: str) -> Response[str]:
        if order_id == "execute":  # the longer path's name, not an order's
            return self.no_route(NotFoundError("no order"))
        order = self.api.reading.order(order_id, account=ANYONE)
        return self._json(HTTPStatus.OK, order_view(order))

    def health(self) -> Response[str]:
        return self._json(HTTPStatus.OK, {"status": "ok"})

    def no_route(self, _: NotFoundError) -> Response[str]:
        event = self.app.current_event
        allowed = sorted(_methods(event.path))
        if allowed:
            return self.problem(
                Problem(
                    405,
                    "METHOD_NOT_ALLOWED",
                    "The path does not know this method",
                    f"Use {' or '.join(allowed)}.",
                    headers={"Allow": ", ".join(allowed)},
                )
            )
        return self.problem(
            Problem(404, "NOT_FOUND", "There is nothing here", "See /docs for what there is.")
        )

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

    def _json(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Response[str]:
        text = json.dumps(body, separators=(",", ":"))
        return Response(status, "application/json", text, {**self._headers(), **(headers or {})})

    def _headers(self) -> dict[str, Any]:
        return {"X-Request-Id": self._request_id(), "Cache-Control": "no-store"}

    def _request_id(self) -> str:
        return str(self.app.current_event.request_context.request_id)


def _methods(path: str) -> set[str]:
    """Return the methods that `path` knows."""
    for template, methods in ROUTES.items():
        if re.fullmatch(re.sub("<[a-z_]+>", "[^/]+", template), path):
            return set(methods)
    return set()


def _body(event: Any) -> str:
    """Return the body as text. Raises Problem if it is too large, or not UTF-8."""
    raw = event.raw_event.get("body") or ""
    if len(raw) > 2 * MAX_BODY:
        raise _too_large()
    try:
        body: str = event.decoded_body or ""
        size = len(body.encode())
    except (UnicodeError, ValueError):
        raise Problem(
            400, "MALFORMED_JSON", "The body is not JSON", "Send one JSON object, in UTF-8."
        ) from None
    if size > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> Problem:
    return Problem(
        413, "BODY_TOO_LARGE", "The body is too large", f"Send at most {MAX_BODY} bytes."
    )
