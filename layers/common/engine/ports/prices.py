"""Reference prices, and who moves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from engine.domain.tokens import Token
from engine.domain.triggers import Tick


class Prices(Protocol):
    """Reference prices, good enough to bound an order's size by."""

    def dollars(self, token: Token, at: datetime) -> Decimal:
        """Return what one token is worth, in US dollars."""
        ...


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What is kept of a pair's reference price: all that it did since the last whole sweep."""

    pair: str
    tick: Tick
    source: tuple[str, ...]
    version: int = 0


class PriceBook(Protocol):
    """The reference prices, one row a pair; reads are strongly consistent."""

    def get(self, pair: str) -> PriceRow | None:
        """Read a pair's row."""
        ...

    def get_many(self, pairs: Sequence[str]) -> Mapping[str, PriceRow]:
        """Read rows at once; return those that are there, by pair."""
        ...

    def put(self, row: PriceRow, *, expected_version: int) -> None:
        """Write a pair's row, one version on; 0: there is none yet. Raises Conflict."""
        ...


class Simulation(Protocol):
    """The simulated market's prices, which anybody may set for everybody."""

    def move(self, pair: str, price: Decimal) -> datetime:
        """Set a pair's price, and return from when on every process goes by it."""
        ...
