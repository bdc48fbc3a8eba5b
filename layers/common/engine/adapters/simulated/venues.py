"""Venues whose pools come from the simulated market."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.adapters.simulated.prices import MovedPrices
from engine.domain.errors import (
    VenueUnavailable,
)
from engine.domain.launches import Opened
from engine.domain.tokens import TOKENS, Fault, Token, pair_name
from engine.market.pool import Pool
from engine.market.simulation import VENUES, SimulatedMarket
from engine.ports.clock import Chance, Clock


class PoolsAt(Protocol):
    """Both venues' pools at any time."""

    def pool(self, venue: str, token_in: str, token_out: str, at: datetime) -> Pool:
        """Return a venue's pool for two tokens. Raises UnsupportedPair."""
        ...


@dataclass(slots=True, eq=False, repr=False)
class MovedMarket:
    """The simulated market with the prices that somebody has set, and what was launched."""

    seed: int
    moved: MovedPrices
    launched: Callable[[], Mapping[str, Opened]] = dict

    def pool(self, venue: str, token_in: str, token_out: str, at: datetime) -> Pool:
        market = SimulatedMarket(self.seed, self.moved.at(at), self.launched)
        return market.pool(venue, token_in, token_out, at)


@dataclass(slots=True, eq=False, repr=False)
class SimulatedPools:
    """Every pair's pools, also of what no venue quotes: none is ever away."""

    market: PoolsAt
    clock: Clock

    @property
    def pairs(self) -> None:
        return None

    def pools(self, pairs: Sequence[tuple[Token, Token]]) -> Mapping[str, Sequence[Pool]]:
        at = self.clock.now()
        return {
            pair_name(base, quote): [
                self.market.pool(venue, base.symbol, quote.symbol, at) for venue in VENUES
            ]
            for base, quote in pairs
        }


@dataclass(slots=True, eq=False, repr=False)
class SimulatedVenue:
    """A venue whose pools come from the simulated market, after `delay` (least, most) seconds."""

    name: str
    market: PoolsAt
    clock: Clock
    chance: Chance
    delay: tuple[float, float]

    def pool(self, token_in: str, token_out: str) -> Pool:
        self.clock.sleep(self.chance.uniform(*self.delay))
        listed = [TOKENS[symbol] for symbol in (token_in, token_out) if symbol in TOKENS]
        if any(token.fault is Fault.NO_QUOTES for token in listed):
            raise VenueUnavailable(f"{self.name} is out of order for this token, as asked")
        return self.market.pool(self.name, token_in, token_out, self.clock.now())
