"""The reference price of a pair: what triggers go by, made of both venues' pools.

It is the mid of the pools weighted by their depth, and the same wherever it is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from engine.domain.money import BPS
from engine.domain.tokens import Token
from engine.market.pool import Pool

#: Venues that are further apart than this are not averaged.
BAND_BPS = 600
#: Both ways of the depth that weighs a venue's mid.
DEPTH_BPS = 100
#: What is left of a mid: pools hold whole base units, so its further digits are noise.
DIGITS = 10
_ROUNDED = Context(prec=DIGITS)


@dataclass(frozen=True, slots=True)
class VenuePrice:
    """A venue's mid, in quote tokens for one base token, and its depth in quote base units."""

    venue: str
    mid: Decimal
    depth: int


@dataclass(frozen=True, slots=True)
class Reference:
    """The price that counts and the venues that it comes from."""

    price: Decimal
    source: tuple[str, ...]


def venue_price(pool: Pool, base: Token, quote: Token) -> VenuePrice | None:
    """Return what a pool says of a pair; None if it holds nothing to tell a price by."""
    mid = pool.mid()
    if not mid:
        return None
    depth = pool.depth(DEPTH_BPS)
    if pool.token_x != base.symbol:  # the pool has the pair the other way round
        mid, depth = 1 / mid, int(depth / mid)
    price = mid * Fraction(10) ** (base.decimals - quote.decimals)
    return VenuePrice(pool.venue, _decimal(price), depth)


def reference_price(venues: Sequence[VenuePrice], last: Decimal | None) -> Reference | None:
    """Return the price that counts; None if no venue tells one.

    One venue alone counts if the other is away. Where two disagree by more than `BAND_BPS`, the one
    nearer the last price counts, so that a single bad answer moves nothing; a jump on which they
    agree is a jump. Without a last price the deeper one counts.
    """
    if not venues:
        return None
    low, high = min(v.mid for v in venues), max(v.mid for v in venues)
    if (high - low) * BPS > low * BAND_BPS:
        nearest = min(venues, key=lambda v: _distance(v, last))
        return Reference(nearest.mid, (nearest.venue,))
    weights: Mapping[str, int] = {v.venue: max(1, v.depth) for v in venues}
    total = sum((Fraction(v.mid) * weights[v.venue] for v in venues), Fraction())
    return Reference(_decimal(total / sum(weights.values())), tuple(v.venue for v in venues))


def _distance(venue: VenuePrice, last: Decimal | None) -> tuple[Fraction, str]:
    """Return how far a venue is from the last price as a ratio above one: halving is doubling."""
    if last is None:
        return Fraction(1, max(1, venue.depth)), venue.venue
    ratio = Fraction(venue.mid) / Fraction(last)
    return max(ratio, 1 / ratio), venue.venue


def reference_digits(price: Decimal) -> Decimal:
    """Return what a reference price shows of `price`, on which all venues stand."""
    return price.normalize(_ROUNDED)


def _decimal(value: Fraction) -> Decimal:
    ratio = _ROUNDED.divide(Decimal(value.numerator), Decimal(value.denominator))
    return reference_digits(ratio)
