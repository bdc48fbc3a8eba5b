"""What rests where, and who ticks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain.triggers import Level


class RestingIndex(Protocol):
    """Which orders rest where; read eventually: it may lag behind the rows by a moment."""

    def reached(self, pair: str, level: Level, *, limit: int) -> Sequence[str]:
        """Return up to `limit` orders of a pair that wait for this price or one before it.

        `level` is where the price has come to, from which side. Those nearest to it come first.
        """
        ...

    def awaiting(self, launches: Sequence[str], *, limit: int) -> Sequence[str]:
        """Return up to `limit` orders that wait for one of these launches, the oldest first."""
        ...

    def expired(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Return up to `limit` orders that rest no longer than until `at`, the oldest first."""
        ...

    def rests(self, pair: str | None = None) -> bool:
        """Tell whether any order of a pair rests, or of any pair."""
        ...

    def population(self, pair: str, *, limit: int) -> int:
        """Count the orders of a pair that rest, up to `limit` of them."""
        ...


@dataclass(frozen=True, slots=True)
class Ticker:
    """Who ticks until when, and for which pairs."""

    holder: str | None
    until: datetime
    pairs: frozenset[str]


class Tickers(Protocol):
    """The one ticker's row, and the messages that start it."""

    def read(self) -> Ticker: ...

    def take(self, holder: str, *, until: datetime, now: datetime) -> Ticker | None:
        """Begin or go on to tick; None if somebody else does."""
        ...

    def release(self, holder: str) -> None: ...

    def add(self, pairs: Iterable[str]) -> None: ...

    def drop(self, pair: str) -> None: ...

    def start(self, pairs: Iterable[str]) -> None:
        """Send what starts a ticker for these pairs. Raises QueueUnavailable."""
        ...
