"""Ask every venue, and say what an order would do now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from engine.domain.errors import MarketError, VenueError, VenueTimeout
from engine.domain.order import Quote, Route
from engine.domain.terms import Terms
from engine.market.pool import Pool
from engine.market.router import VenueResponse, choose
from engine.ports.background import Background, Pending
from engine.ports.clock import Clock
from engine.ports.venue import Venue


@dataclass(frozen=True, slots=True)
class Offer:
    """Every venue's quote and the route that would be taken; None when nobody can fill it."""

    quotes: tuple[Quote, ...]
    route: Route | None
    at: datetime


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Venues that have been asked and will answer."""

    pending: Sequence[tuple[str, Pending[Pool]]]
    answer_by: datetime


@dataclass(slots=True, eq=False, repr=False)
class Quoting:
    """The use case and what it needs."""

    venues: Sequence[Venue]
    clock: Clock
    background: Background
    timeout: timedelta = timedelta(seconds=1)
    min_split_gain_bps: int = 5

    def offer(self, terms: Terms) -> Offer:
        """Return what an order of these terms would bring now, venue by venue."""
        return self.collect_quotes(self.request_quotes(terms), terms)

    def request_quotes(self, terms: Terms) -> QuoteRequest:
        """Ask all venues at the same time; it has no effect, so it may be in vain."""
        sell, buy = terms.sell.symbol, terms.buy.symbol
        pending = [
            (venue.name, self.background.submit(partial(venue.pool, sell, buy)))
            for venue in self.venues
        ]
        return QuoteRequest(pending, self.clock.now() + self.timeout)

    def collect_quotes(self, asked: QuoteRequest, terms: Terms) -> Offer:
        """Wait for the answers, each venue until its own deadline, and choose."""
        answers = [self._answer(name, pending, asked) for name, pending in asked.pending]
        decision = choose(
            answers,
            terms.sell,
            terms.buy,
            terms.amount,
            min_split_gain_bps=self.min_split_gain_bps,
        )
        return Offer(decision.quotes, decision.route, self.clock.now())

    def _answer(self, venue: str, pending: Pending[Pool], asked: QuoteRequest) -> VenueResponse:
        left = (asked.answer_by - self.clock.now()).total_seconds()
        try:
            return VenueResponse(venue, pool=pending.result(max(0.0, left)))
        except TimeoutError:
            return VenueResponse(venue, error=VenueTimeout.code)
        except (VenueError, MarketError) as error:
            return VenueResponse(venue, error=error.code)
