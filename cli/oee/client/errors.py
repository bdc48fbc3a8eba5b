"""What can go wrong, as a tree.

EngineError
├── Unreachable        no answer, or none but 5xx, for as long as the client is patient
├── Refused            the engine said no; asking again does not help
│   ├── Unauthenticated    401: no key, or one that is unknown or revoked
│   ├── Forbidden          403: not for this key's role
│   ├── NotFound           404: no such order of this account, or no such path here
│   ├── Conflict           409, 412: the order, or the key, is not as you believe
│   ├── RateLimited        429 for longer than the client is patient
│   └── Halted             503 TRADING_HALTED
├── NotUnderstood      an answer that is none of the contract's: another server, or version
└── TimedOut           what was waited for did not come in the time that was given
"""

from collections.abc import Mapping
from dataclasses import dataclass


class EngineError(Exception):
    """Any of them."""


class Unreachable(EngineError):
    """No answer. `key`, of a placing: whether there is an order is not known.

    Place again under the same key, or look for it by it: it is one order at most.
    """

    key: str | None = None


class NotUnderstood(EngineError):
    """The answer is none of the contract's."""


class TimedOut(EngineError):
    """What was waited for did not come in time; nothing else is wrong."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `pointer` as in RFC 6901."""

    pointer: str
    code: str
    detail: str


class Refused(EngineError):
    """The engine's problem document (RFC 9457): `code` is stable, see docs/errors.md."""

    def __init__(self, status: int, problem: Mapping[str, object]) -> None:
        self.status = status
        self.code = str(problem.get("code") or f"HTTP_{status}")
        self.detail = str(problem.get("detail") or problem.get("message") or "no reason is given")
        self.request_id = str(problem.get("requestId") or "")
        found = problem.get("errors")
        self.errors = tuple(
            FieldError(*(str(each.get(name, "")) for name in ("pointer", "code", "detail")))
            for each in (found if isinstance(found, list) else ())
            if isinstance(each, dict)
        )
        super().__init__(f"{self.code}: {'; '.join(self._fields()) or self.detail}")

    def _fields(self) -> list[str]:
        return [f"{each.pointer.lstrip('/') or 'body'} {each.detail}" for each in self.errors]


class Unauthenticated(Refused):
    """No key, or none that is good."""


class Forbidden(Refused):
    """Not for this key's role."""


class NotFound(Refused):
    """There is no such thing."""


class Conflict(Refused):
    """The order, or the key, is not as you believe."""


class RateLimited(Refused):
    """Too much, for longer than the client is patient."""


class Halted(Refused):
    """No new orders are taken at present."""


_BY_STATUS: dict[int, type[Refused]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    429: RateLimited,
}


def refusal(status: int, problem: Mapping[str, object]) -> Refused:
    """Return the error that an answer is."""
    if problem.get("code") == "TRADING_HALTED":
        return Halted(status, problem)
    return _BY_STATUS.get(status, Refused)(status, problem)
