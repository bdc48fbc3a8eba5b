"""Errors as RFC 9457 problem documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.api import models
from engine.domain.errors import (
    EngineError,
    FieldProblem,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidOrder,
    OperatorOnly,
    OrderNotCancellable,
    OrderNotChangeable,
    OrderNotFound,
    OrderRateExceeded,
    PreconditionFailed,
    PriceUnavailable,
    QueueUnavailable,
    SignatureInvalid,
    StoreUnavailable,
    TooManyRestingOrders,
    TradingHalted,
    Unauthenticated,
    Undecodable,
    UnknownSource,
    WouldTriggerNow,
)
from engine.service.limits import Allowance

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """What all problems of one code share."""

    status: int
    title: str
    headers: Mapping[str, str]


def _kind(status: int, title: str, **headers: str) -> Kind:
    return Kind(status, title, {name.replace("_", "-"): text for name, text in headers.items()})


#: Every problem that the engine answers, by its code. The docs are made from this.
PROBLEMS: dict[str, Kind] = {
    "MALFORMED_JSON": _kind(400, "The body is not JSON"),
    "INVALID_IDEMPOTENCY_KEY": _kind(400, "The Idempotency-Key header can't be used"),
    InvalidCursor.code: _kind(400, "The cursor can't be used"),
    Unauthenticated.code: _kind(401, "No valid API key", WWW_Authenticate="Bearer"),
    OperatorOnly.code: _kind(403, "For operators only"),
    SignatureInvalid.code: _kind(401, "The signal is not its source's"),
    UnknownSource.code: _kind(404, "No such source of signals"),
    "NOT_FOUND": _kind(404, "There is nothing here"),
    OrderNotFound.code: _kind(404, "No such order"),
    "METHOD_NOT_ALLOWED": _kind(405, "The path does not know this method"),
    IdempotencyKeyReused.code: _kind(409, "The key was used for another order"),
    OrderNotCancellable.code: _kind(409, "The order can't be cancelled any more"),
    OrderNotChangeable.code: _kind(409, "The order can't be changed any more"),
    PreconditionFailed.code: _kind(412, "The order is not as you believe"),
    "BODY_TOO_LARGE": _kind(413, "The body is too large"),
    "UNSUPPORTED_MEDIA_TYPE": _kind(415, "The body is not declared as JSON"),
    "INVALID_ORDER": _kind(422, "The order can't be accepted"),
    WouldTriggerNow.code: _kind(422, "The order would be due at once"),
    TooManyRestingOrders.code: _kind(422, "Too many orders rest"),
    "INVALID_QUERY": _kind(422, "The query can't be accepted"),
    "INVALID_BODY": _kind(422, "The body can't be accepted"),
    OrderRateExceeded.code: _kind(429, "Too many orders"),
    "INTERNAL_ERROR": _kind(500, "Something went wrong here"),
    TradingHalted.code: _kind(503, "Trading is halted", Retry_After="30"),
    PriceUnavailable.code: _kind(503, "There is no price at present", Retry_After="5"),
    StoreUnavailable.code: _kind(503, "Try again in a moment", Retry_After="1"),
}

#: The engine's errors that clients hear of in words of their own; all others are INTERNAL_ERROR.
_TOLD = (
    OrderNotFound,
    OrderNotCancellable,
    OrderNotChangeable,
    PreconditionFailed,
    PriceUnavailable,
    IdempotencyKeyReused,
    InvalidCursor,
    Unauthenticated,
    OperatorOnly,
    TradingHalted,
    SignatureInvalid,
    UnknownSource,
)


class Problem(Exception):
    """An answer that is an error: raise it, and the client gets the document."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = {**PROBLEMS[code].headers, **(headers or {})}

    @property
    def status(self) -> int:
        return PROBLEMS[self.code].status

    def document(self, request_id: str) -> str:
        """Return the problem document as JSON text; `type` leads to what /docs says of the code."""
        document = models.Problem(
            type=f"/docs#{self.code}",
            title=PROBLEMS[self.code].title,
            status=self.status,
            detail=self.detail,
            code=self.code,
            request_id=request_id,
            errors=[
                models.FieldProblem(pointer=e.pointer, code=e.code, detail=e.detail)
                for e in self.errors
            ]
            or None,
        )
        return document.model_dump_json()


def problem_of(error: EngineError) -> Problem:
    """Return the problem that tells a client of `error`; what is not theirs to know is a 500."""
    match error:
        case InvalidOrder():
            return invalid(error.code, error.problems)
        case OrderRateExceeded():
            headers = rate_headers(Allowance(error.limit, 0, error.retry_after))
            headers["Retry-After"] = str(error.retry_after)
            return Problem(error.code, str(error), headers=headers)
        case (
            StoreUnavailable() | QueueUnavailable() | Undecodable()
        ):  # a newer version reads it, in a moment
            return Problem(StoreUnavailable.code, "Nothing is known to be wrong with the request.")
        case _ if isinstance(error, _TOLD):
            return Problem(error.code, str(error))
    return internal()


def invalid(code: str, errors: Sequence[FieldProblem]) -> Problem:
    """Return a problem that names each field, or parameter, that is wrong."""
    names = ", ".join(sorted({e.pointer.lstrip("/") or "the body" for e in errors}))
    return Problem(code, f"See {names}.", errors=errors)


def internal() -> Problem:
    detail = "The request may be sent again; with the same key it has its effect once."
    return Problem("INTERNAL_ERROR", detail)


def rate_headers(allowance: Allowance) -> dict[str, str]:
    """Return the fields of draft-ietf-httpapi-ratelimit-headers: orders left, and for how long."""
    return {
        "RateLimit-Policy": f'"orders";q={allowance.limit};w=60',
        "RateLimit": f'"orders";r={allowance.remaining};t={allowance.seconds}',
    }
