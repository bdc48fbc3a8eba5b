"""Time and chance, as arguments."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time as an argument: aware datetimes in UTC."""

    def now(self) -> datetime: ...
    def sleep(self, seconds: float) -> None: ...


class Chance(Protocol):
    """Chance as an argument."""

    def uniform(self, low: float, high: float) -> float: ...
    def token_bytes(self) -> bytes:
        """Return 16 random bytes."""
        ...
