"""A venue's circuit breaker: who fails in a row is left alone for a while, then tried by one."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

#: So many failures in a row open it,
MAX_FAILURES = 5
#: for so long;
OPEN_FOR = timedelta(seconds=30)
#: and so long whoever then tries the venue may take, before somebody else does.
PROBE_FOR = timedelta(seconds=5)


class BreakerState(StrEnum):
    """closed: everybody asks the venue; open: nobody; probing: one does, or may now."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class Breaker:
    """A venue's failures in a row, and until when it is not asked; None: it is."""

    venue: str
    failures: int = 0
    until: datetime | None = None
    probing: bool = False

    def state(self, now: datetime) -> BreakerState:
        if self.until is None:
            return BreakerState.CLOSED
        return BreakerState.PROBING if self.probing or now >= self.until else BreakerState.OPEN

    def failed(self, now: datetime) -> "Breaker":
        """Return this breaker after a failure. One that is open already stays as it is."""
        if self.state(now) is BreakerState.OPEN:
            return self
        failures = self.failures + 1
        until = now + OPEN_FOR if failures >= MAX_FAILURES else None
        return replace(self, failures=failures, until=until, probing=False)

    def answered(self) -> "Breaker":
        """Return this breaker after the venue answered."""
        return Breaker(self.venue)

    def probe(self, now: datetime) -> "Breaker | None":
        """Return this breaker with one who tries the venue; None while that is not due."""
        if self.until is None or now < self.until:
            return None
        return replace(self, until=now + PROBE_FOR, probing=True)
