"""Errors as RFC 9457 problem documents."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.domain.errors import (
    EngineError,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidOrder,
    OrderNotCancellable,
    OrderNotFound,
    OrderRateExceeded,
    StoreUnavailable,
    TradingHalted,
    Unauthenticated,
)
from engine.service.placing import InvalidWish

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field; `pointer` is a JSON pointer into the body (RFC 6901)."""

    pointer: str
    code: str
    detail: str


class Problem(Exception):
    """An answer that is an error: raise it, and the client gets the document."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def document(self, request_id: str) -> str:
        """Return the problem document as JSON text."""
        body: dict[str, Any] = {
            "type": f"urn:problem:{self.code.lower().replace('_', '-')}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "requestId": request_id,
        }
        if self.errors:
            body["errors"] = [
                {"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in self.errors
            ]
        return json.dumps(body)


@dataclass(frozen=True, slots=True)
class _Kind:
    status: int
    title: str
    headers: Mapping[str, str] = field(default_factory=dict)


#: The one place that maps the engine's errors to HTTP.
_KINDS: dict[type[EngineError], _Kind] = {
    OrderNotFound: _Kind(404, "No such order"),
    OrderNotCancellable: _Kind(409, "The order can't be cancelled any more"),
    IdempotencyKeyReused: _Kind(409, "The key was used for another order"),
    InvalidCursor: _Kind(400, "The cursor can't be used"),
    Unauthenticated: _Kind(401, "No valid API key", {"WWW-Authenticate": "Bearer"}),
    OrderRateExceeded: _Kind(429, "Too many orders"),
    TradingHalted: _Kind(503, "Trading is halted", {"Retry-After": "30"}),
    StoreUnavailable: _Kind(503, "Try again in a moment", {"Retry-After": "1"}),
}

#: Errors whose own words a client may read though the fault is not theirs.
_TOLD = (TradingHalted,)


def problem_of(error: EngineError) -> Problem:
    """Return the problem that tells a client of `error`; what is not theirs to know is a 500."""
    if isinstance(error, InvalidWish):
        return invalid([FieldProblem(p.pointer, p.code, p.detail) for p in error.problems])
    if isinstance(error, InvalidOrder):
        return invalid([FieldProblem(error.pointer, error.code, error.detail)])
    kind = _KINDS.get(type(error))
    if kind is None:
        return internal()
    told = kind.status < 500 or isinstance(error, _TOLD)
    detail = str(error) if told else "Nothing is known to be wrong with the request."
    headers = dict(kind.headers)
    if isinstance(error, OrderRateExceeded):
        headers["Retry-After"] = str(error.retry_after)
    return Problem(kind.status, error.code, kind.title, detail, headers=headers)


def invalid(errors: Sequence[FieldProblem]) -> Problem:
    fields = ", ".join(sorted({e.pointer.lstrip("/") or "the body" for e in errors}))
    return Problem(
        422, "INVALID_ORDER", "The request can't be accepted", f"See {fields}.", errors=errors
    )


def invalid_query(errors: Sequence[FieldProblem]) -> Problem:
    """Return a 422 for parameters of the query; `pointer` is the parameter's name after a slash."""
    names = ", ".join(sorted({e.pointer.lstrip("/") for e in errors}))
    return Problem(
        422, "INVALID_QUERY", "The query can't be accepted", f"See {names}.", errors=errors
    )


def internal() -> Problem:
    return Problem(
        500,
        "INTERNAL_ERROR",
        "Something went wrong here",
        "The request may be sent again; with the same key it has its effect once.",
    )
