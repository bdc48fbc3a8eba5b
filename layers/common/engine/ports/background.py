"""What runs beside the caller."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

T_co = TypeVar("T_co", covariant=True)


class Pending(Protocol[T_co]):
    """A call under way."""

    def result(self, timeout: float | None = None) -> T_co:
        """Return what the call returned, or raise what it raised; TimeoutError if not in time."""
        ...


class Background(Protocol):
    """Runs calls beside the caller's own; `concurrent.futures` executors are such."""

    def submit(self, call: Callable[[], T], /) -> Pending[T]: ...
