"""The reference price: what triggers, `GET /api/prices` and the tests go by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.tokens import Token, pair_name
from engine.market.pool import Pool
from engine.market.reference import VenuePrice, reference_price, venue_price
from engine.ports.clock import Clock
from engine.ports.prices import PriceBook, PriceRow
from engine.ports.venue import Market


@dataclass(frozen=True, slots=True)
class Priced:
    """A pair's reference price, when and of what it was made, and what each venue says.

    There is no price if no venue ever told one. One that is `stale` is too old for any trigger.
    """

    base: Token
    quote: Token
    price: Decimal | None
    at: datetime | None
    source: tuple[str, ...]
    venues: tuple[VenuePrice, ...]
    stale: bool

    @property
    def pair(self) -> str:
        return pair_name(self.base, self.quote)


@dataclass(slots=True, eq=False, repr=False)
class Pricing:
    """The use case and what it needs; a price is stale when it is older than `stale_after`."""

    market: Market
    book: PriceBook
    clock: Clock
    stale_after: timedelta

    def price(self, base: Token, quote: Token) -> Priced:
        """Return a pair's price as it is now, or the last one if no venue answers."""
        (priced,) = self.prices([(base, quote)])
        return priced

    def prices(self, pairs: Sequence[tuple[Token, Token]]) -> list[Priced]:
        """Return the prices of pairs, of one read of the market and one of the rows."""
        rows = self.book.get_many([pair_name(base, quote) for base, quote in pairs])
        now = self.clock.now()  # a price is no older than it says
        pools = self.market.pools(pairs)
        priced = []
        for base, quote in pairs:
            pair = pair_name(base, quote)
            priced.append(self._priced(base, quote, pools.get(pair, ()), rows.get(pair), now))
        return priced

    def _priced(
        self,
        base: Token,
        quote: Token,
        pools: Iterable[Pool],
        row: PriceRow | None,
        now: datetime,
    ) -> Priced:
        told = (venue_price(pool, base, quote) for pool in pools)
        venues = tuple(venue for venue in told if venue is not None)
        found = reference_price(venues, row.tick.price if row else None)
        if found is not None:
            return Priced(base, quote, found.price, now, found.source, venues, stale=False)
        if row is None:
            return Priced(base, quote, None, None, (), (), stale=True)
        stale = now - row.tick.at > self.stale_after
        return Priced(base, quote, row.tick.price, row.tick.at, row.source, (), stale)
