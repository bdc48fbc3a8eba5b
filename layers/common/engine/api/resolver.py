"""Powertools' resolver as this API wants it: what it reads with care, and how it says no."""

import inspect
import json
from collections.abc import Callable, Iterator, Sequence, Set
from decimal import Decimal
from http import HTTPStatus
from typing import Any, get_args

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from aws_lambda_powertools.event_handler.openapi.params import Query

from engine.api.problems import PROBLEM_JSON, Problem, internal, invalid, problem_of
from engine.domain.errors import EngineError, FieldCode, FieldProblem
from engine.domain.money import decimal_of
from engine.observability import log
from engine.ports.access import Caller

Handler = Callable[..., Any]

#: Where a body is an order, or what is to become of one.
_ORDERS = frozenset({"/api/orders/execute", "/api/orders/{orderId}"})
#: Where no body is an empty object.
BODY_OPTIONAL = frozenset({"/api/orders/cancel-all", "/api/ops/redrive"})
#: What pydantic says of a field, where we have words of our own for it.
_CODES = frozenset(FieldCode)
_OURS = {
    "missing": (FieldCode.REQUIRED, "is required"),
    "extra_forbidden": (FieldCode.UNKNOWN_FIELD, "is not known"),
}
#: What it says of the field that tells one of several bodies from the others.
_TAG = {
    "union_tag_not_found": (FieldCode.REQUIRED, "is required"),
    "union_tag_invalid": (FieldCode.INVALID, "is none of those that are known"),
}


class Resolver(APIGatewayHttpResolver):
    """Routes and validates; what it refuses is a problem document.

    `known` has the names of a query by path (`{variable}` in it) and method.
    """

    def __init__(self) -> None:
        super().__init__(enable_validation=True, json_body_deserializer=self._read_body)
        self.known: dict[str, dict[str, frozenset[str]]] = {}
        #: By path: what tells one of several bodies from the others.
        self.tagged: dict[str, Set[str]] = {}
        self.use([_known_names_only])
        self.exception_handler(RequestValidationError)(self._invalid)
        self.exception_handler(Exception)(self._refused)

    @property
    def caller(self) -> Caller:
        """Who asks; whoever has no key gets no further than the doorway."""
        caller: Caller = self.context["caller"]
        return caller

    def route(self, rule: str, method: Any, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """Register a handler, and keep what its path knows."""
        register = super().route(rule, method, *args, **kwargs)

        def keep(handler: Handler) -> Handler:
            path = rule.replace("<", "{").replace(">", "}")
            self.known.setdefault(path, {})[method] = frozenset(_query_names(handler))
            return register(handler)

        return keep

    def methods_of(self, path: str) -> Sequence[str]:
        """Return the methods that `path` knows."""
        methods = self.known.get(self.template_of(path) or "", {})
        return [*methods, "HEAD"] if "GET" in methods else [*methods]

    def template_of(self, path: str) -> str | None:
        """Return the path as it is known, with its variables; of two that match, the first."""
        parts = path.split("/")
        for template in self.known:
            names = template.split("/")
            if len(names) == len(parts) and all(
                part if name.startswith("{") else part == name
                for name, part in zip(names, parts, strict=True)
            ):
                return template
        return None

    def unknown_names(self) -> list[str]:
        """Return what the query names though the path doesn't know it; any may, if none is read."""
        methods = self.known.get(self.request.route, {})
        known = methods.get(self.request.method)
        return sorted(self.current_event.query_string_parameters.keys() - known) if known else []

    def _read_body(self, body: str) -> dict[str, Any]:
        """Read the JSON object of a body. Raises Problem if it is no JSON, or no object."""
        read = _json(body)
        if not isinstance(read, dict):
            raise invalid(self._unfit_body(), [_field([], "", "must be an object")])
        return read

    def _unfit_body(self) -> str:
        """Return the code of a body that is no order, or no whatever else the path takes."""
        return "INVALID_ORDER" if self.request.route in _ORDERS else "INVALID_BODY"

    def _refused(self, error: Exception) -> Response[str]:
        problem = problem_for(error)
        request_id = self.current_event.request_context.request_id
        document = problem.document(request_id)
        return Response(problem.status, PROBLEM_JSON, document, problem.headers)

    def _invalid(self, error: RequestValidationError) -> Response[str]:
        found: dict[str, list[FieldProblem]] = {"body": [], "query": [], "path": []}
        for each in error.errors():
            where, *steps = each["loc"]
            if where not in found:
                return self._refused(error)  # an answer of ours that is not as it should be
            tags = self.tagged.get(self.request.route) if where == "body" else None
            if tags and steps and steps[0] in tags:
                del steps[0]  # which of several bodies it was taken for
            found[where].append(_field(steps, each["type"], each["msg"]))
        found["query"] += [_field([n], "extra_forbidden", "") for n in self.unknown_names()]
        if found["body"]:
            return self._refused(invalid(self._unfit_body(), found["body"]))
        if found["query"]:
            return self._refused(invalid("INVALID_QUERY", found["query"]))
        return self._refused(Problem("ORDER_NOT_FOUND", "This is no order's id."))


def problem_for(error: Exception) -> Problem:
    """Return what a client is told of an error; what is wrong here is for the log to tell."""
    match error:
        case Problem():
            return error
        case RequestUnsupportedContentType():
            return Problem("UNSUPPORTED_MEDIA_TYPE", "Send Content-Type: application/json.")
        case EngineError():
            problem = problem_of(error)
        case _:
            problem = internal()
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.exception("request failed")
    return problem


def no_body(app: Resolver, next_middleware: Callable[[Resolver], Any]) -> Any:
    """Let no body pass, or an empty object. Raises Problem."""
    body = app.current_event.body or ""
    if body.strip() and _json(body) != {}:
        raise invalid("INVALID_BODY", [_field([], "", "send no body")])
    return next_middleware(app)


def _json(body: str) -> Any:
    """Read JSON: numbers digit for digit, no name twice. Raises Problem."""
    try:
        return json.loads(
            body,
            parse_float=decimal_of,
            parse_int=lambda text: int(text) if len(text) < 40 else Decimal(text),
            parse_constant=_no_number,
            object_pairs_hook=_no_repeats,
        )
    except (ValueError, RecursionError):
        raise Problem("MALFORMED_JSON", "Send one JSON object, in UTF-8, each name once.") from None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _known_names_only(app: Resolver, next_middleware: Callable[[Resolver], Any]) -> Any:
    if app.unknown_names():
        raise RequestValidationError([])  # its handler knows the names
    return next_middleware(app)


def _query_names(handler: Handler) -> Iterator[str]:
    for name, parameter in inspect.signature(handler).parameters.items():
        for said in get_args(parameter.annotation)[1:]:
            if isinstance(said, Query):
                yield said.alias or name


def _field(steps: Sequence[object], kind: str, detail: str) -> FieldProblem:
    """Return a wrong field as clients read of it; `kind` is pydantic's word, or our code."""
    pointer = "".join(f"/{str(s).replace('~', '~0').replace('/', '~1')}" for s in steps)
    if kind in _TAG:
        return FieldProblem(f"{pointer}/type", *_TAG[kind])
    otherwise = FieldCode(kind) if kind in _CODES else FieldCode.INVALID
    code, told = _OURS.get(kind, (otherwise, detail))
    return FieldProblem(pointer, code, told)
