"""Ask every venue, and say what an order would do now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from engine.domain.breaker import Breaker
from engine.domain.errors import MarketError, VenueError, VenueSuspended, VenueTimeout
from engine.domain.order import Quote, Route
from engine.domain.terms import Terms
from engine.market.liquidity import liquidity
from engine.market.pool import Pool
from engine.market.router import VenueResponse, choose
from engine.ports.background import Background, Pending
from engine.ports.clock import Clock
from engine.ports.venue import Venue
from engine.service.breaking import Breaking

#: How long the others are waited for when the first has answered.
GRACE = timedelta(milliseconds=400)
#: How long one answer is waited for before the others are looked at.
_LOOK = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Offer:
    """Every venue's quote and breaker, and the route that would be taken; None: nobody can fill."""

    quotes: tuple[Quote, ...]
    route: Route | None
    at: datetime
    breakers: tuple[Breaker, ...] = ()
    #: What the pools that answered hold together, base units of the pair's quote token.
    liquidity: int = 0

    @property
    def again_at(self) -> datetime:
        """When the first of the venues that are left alone may be tried again, if any is."""
        return min((each.until for each in self.breakers if each.until), default=self.at)


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Venues that have been asked and will answer; None has not been asked, for it fails."""

    pending: Mapping[str, Pending[Pool] | None]
    answer_by: datetime
    #: Whether a failure says something of its venue: not of a token that fails on purpose.
    telling: bool


@dataclass(slots=True, eq=False, repr=False)
class Quoting:
    """The use case and what it needs.

    A venue has `timeout` to answer, and `grace` after the first that did: one that hangs costs an
    order no more than that, and after some failures nothing, for then it is not asked.
    """

    venues: Sequence[Venue]
    clock: Clock
    background: Background
    breaking: Breaking
    timeout: timedelta = timedelta(seconds=1)
    grace: timedelta = GRACE
    min_split_gain_bps: int = 5

    def offer(self, terms: Terms) -> Offer:
        """Return what an order of these terms would bring now, venue by venue."""
        return self.collect_quotes(self.request_quotes(terms), terms)

    def request_quotes(self, terms: Terms) -> QuoteRequest:
        """Ask all venues at the same time; it has no effect, so it may be in vain."""
        telling = not (terms.sell.fault or terms.buy.fault)
        admitted = self.breaking.admitted(venue.name for venue in self.venues)
        answer_by = self.clock.now() + self.timeout
        pending = {
            venue.name: self.background.submit(partial(self._pool, venue, terms, answer_by))
            if venue.name in admitted
            else None
            for venue in self.venues
        }
        return QuoteRequest(pending, answer_by, telling)

    def collect_quotes(self, asked: QuoteRequest, terms: Terms) -> Offer:
        """Wait for the answers and choose."""
        answers = self._answers(asked)
        decision = choose(
            [answers[venue] for venue in asked.pending],
            terms.sell,
            terms.buy,
            terms.amount,
            min_split_gain_bps=self.min_split_gain_bps,
        )
        breakers = tuple(self.breaking.board.of(venue) for venue in asked.pending)
        held = 0
        if terms.min_liquidity_usd:
            pools = [each.pool for each in answers.values() if each.pool is not None]
            held = sum(liquidity(pool, terms.quote.symbol) for pool in pools)
        return Offer(decision.quotes, decision.route, self.clock.now(), breakers, held)

    def _pool(self, venue: Venue, terms: Terms, answer_by: datetime) -> Pool:
        """Read a venue's pool; one that is late for the order, but not for good, has answered."""
        try:
            pool = venue.pool(terms.sell.symbol, terms.buy.symbol)
        except MarketError:
            self._well(venue, answer_by)
            raise
        self._well(venue, answer_by)
        return pool

    def _well(self, venue: Venue, answer_by: datetime) -> None:
        if self.clock.now() <= answer_by:
            self.breaking.answered(venue.name)

    def _answers(self, asked: QuoteRequest) -> dict[str, VenueResponse]:
        """Return each venue's answer, or why there is none."""
        answers = {
            venue: VenueResponse(venue, error=VenueSuspended.code)
            for venue, pending in asked.pending.items()
            if pending is None
        }
        waiting = {venue: each for venue, each in asked.pending.items() if each is not None}
        answer_by = asked.answer_by
        for _ in range(1 + 2 * (self.timeout // _LOOK)):
            for venue, pending in list(waiting.items()):
                left = answer_by - self.clock.now()
                wait = left if len(waiting) == 1 else min(left, _LOOK)
                try:
                    pool = pending.result(max(0.0, wait.total_seconds()))
                except TimeoutError:
                    continue
                except (VenueError, MarketError) as error:
                    answers[venue] = VenueResponse(venue, error=error.code)
                    if asked.telling and isinstance(error, VenueError):
                        self.breaking.failed(venue)
                else:
                    answers[venue] = VenueResponse(venue, pool=pool)
                    answer_by = min(answer_by, self.clock.now() + self.grace)
                del waiting[venue]
            if not waiting or self.clock.now() >= answer_by:
                break
        for venue in waiting:
            answers[venue] = VenueResponse(venue, error=VenueTimeout.code)
            if asked.telling:
                self.breaking.failed(venue)
        return answers
