"""Where the venues' circuit breakers are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.domain.breaker import Breaker


@dataclass(frozen=True, slots=True)
class Board:
    """The breakers that are not as new, by venue; `version` is the number of changes.

    `by` is unlike any other change's: two processes that count the same failure are two failures.
    """

    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    version: int = 0
    by: str = ""

    def of(self, venue: str) -> Breaker:
        return self.breakers.get(venue) or Breaker(venue)

    def with_(self, breaker: Breaker, by: str) -> "Board":
        """Return this board with one breaker changed, as the next version."""
        return Board({**self.breakers, breaker.venue: breaker}, self.version + 1, by)


class Breakers(Protocol):
    """All breakers, in one row: one read tells of every venue."""

    def read(self) -> Board: ...

    def write(self, board: Board) -> Board:
        """Replace the board whose version is one less; return what stands, be it another."""
        ...
