"""The choice of route: every venue is heard, the trader's output decides, the figures are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

from engine.domain.errors import MarketError, VenueUnavailable
from engine.domain.money import BPS, from_base_units, nearest
from engine.domain.order import Instruction, Leg, Quote, Route
from engine.domain.tokens import SOL, Token
from engine.market.pool import Pool, Swap

#: What a split has to gain over the better single pool to be worth its second swap.
MIN_SPLIT_GAIN_BPS = 5
#: How much more than its part of a split a pool should be able to take: until the transaction lands
#: its price moves, and what it holds ahead of that with it.
ROOM_BPS = 300

Rate = Callable[[str, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class VenueResponse:
    """What came back from one venue: its pool, or the code of the error with which it failed."""

    venue: str
    pool: Pool | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Every venue's quote for the whole amount, and the route; None when nobody can fill it."""

    quotes: tuple[Quote, ...]
    route: Route | None


def choose(
    answers: Sequence[VenueResponse],
    sell: Token,
    buy: Token,
    amount_in: int,
    min_split_gain_bps: int = MIN_SPLIT_GAIN_BPS,
) -> Decision:
    """Return the route that gives the trader most of `buy`, net of fees.

    It is the best single pool, or two in one transaction if that gains `min_split_gain_bps` or
    more, or if no single one can fill the amount. Equal pools rank by venue. Never raises a
    MarketError: what a pool can't do becomes the error of its quote.
    """
    quotes: list[Quote] = []
    singles: list[Leg] = []
    for answer in answers:
        quote = _quote(answer, sell.symbol, amount_in)
        quotes.append(quote)
        if answer.pool is not None and quote.error is None:
            pool = answer.pool
            singles.append(Leg(pool.venue, pool.address, amount_in, quote.amount_out))
    best = min(singles, key=lambda leg: (-leg.amount_out, leg.venue), default=None)
    pools = [answer.pool for answer in answers if answer.pool is not None]
    splits = [_split(one, other, sell.symbol, amount_in) for one, other in combinations(pools, 2)]
    legs: tuple[Leg, ...] = (best,) if best else ()
    for split in splits:
        if split and _gains(split, legs, min_split_gain_bps if len(legs) == 1 else 0):
            legs = split
    if not legs:
        return Decision(tuple(quotes), None)
    return Decision(tuple(quotes), Route(legs, explain(quotes, legs, buy)))


def _quote(answer: VenueResponse, token_in: str, amount_in: int) -> Quote:
    if answer.pool is None:
        return Quote(answer.venue, error=answer.error or VenueUnavailable.code)
    try:
        swap = answer.pool.exact_in(token_in, amount_in)
    except MarketError as error:
        return Quote(answer.venue, error=error.code)
    return Quote(
        answer.venue,
        swap.amount_out,
        swap.fee,
        swap.price_impact_bps,
        fee_on_output=swap.fee_on_output,
    )


def _total(legs: Sequence[Leg]) -> int:
    return sum(leg.amount_out for leg in legs)


def _gains(split: Sequence[Leg], legs: Sequence[Leg], min_gain_bps: int) -> bool:
    ours, theirs = _total(split), _total(legs)
    return ours > theirs and ours * BPS >= theirs * (BPS + min_gain_bps)


def _split(one: Pool, other: Pool, token_in: str, amount: int) -> tuple[Leg, Leg] | None:
    """Return the best division of `amount` between two pools, or None if it has only one part.

    Each pool pays less for every further unit, so the best division is where both pay the same for
    the last one; that place is found by bisection on the exact rates, to the unit. A part that
    leaves its pool no room is cut back, if the other pool can take what is cut.
    """
    share = _equal_rates(one.rate, other.rate, token_in, amount)
    if not _roomy(one, other, token_in, share, amount):
        rates = partial(_rate_with_room, one), partial(_rate_with_room, other)
        cut_back = _equal_rates(*rates, token_in, amount)
        if _roomy(one, other, token_in, cut_back, amount):
            share = cut_back
    if not 0 < share < amount:
        return None
    try:
        return (
            _leg(one, one.exact_in(token_in, share)),
            _leg(other, other.exact_in(token_in, amount - share)),
        )
    except MarketError:
        return None


def _equal_rates(one: Rate, other: Rate, token_in: str, amount: int) -> int:
    """Return how much to sell to `one`: the least at which it no longer pays more than `other`."""
    low, high = 0, amount
    while low < high:
        middle = (low + high) // 2
        gets, by = one(token_in, middle)
        lost, of = other(token_in, amount - middle)
        if gets * of > lost * by:
            low = middle + 1
        else:
            high = middle
    return low


def _rate_with_room(pool: Pool, token_in: str, amount: int) -> tuple[int, int]:
    """Return the pool's rate, none where it could not take `ROOM_BPS` more than `amount`."""
    room = amount + amount * ROOM_BPS // BPS
    return pool.rate(token_in, amount) if pool.rate(token_in, room)[0] else (0, 1)


def _roomy(one: Pool, other: Pool, token_in: str, share: int, amount: int) -> bool:
    parts = (one, share), (other, amount - share)
    return all(_rate_with_room(pool, token_in, part)[0] for pool, part in parts if part)


def _leg(pool: Pool, swap: Swap) -> Leg:
    return Leg(pool.venue, pool.address, swap.amount_in, swap.amount_out)


def explain(quotes: Sequence[Quote], legs: Sequence[Leg], buy: Token) -> str:
    """Return why the route is what it is, in a sentence with the figures."""
    offers = sorted(
        (quote for quote in quotes if quote.error is None),
        key=lambda quote: (-quote.amount_out, quote.venue),
    )
    pays = f"pays {from_base_units(_total(legs), buy.decimals)} {buy.symbol}"
    if len(legs) == 1:
        said = [f"{legs[0].venue} {pays}"]
        if len(offers) > 1:
            said[0] += f", {_lead(legs, offers[1], buy)}"
    else:
        amount = sum(leg.amount_in for leg in legs)
        shares = " with ".join(
            f"{_percent(leg.amount_in, amount)} % on {leg.venue}" for leg in legs
        )
        said = [f"{shares} {pays}"]
        if offers:
            said[0] += f", {_lead(legs, offers[0], buy)} alone"
        else:
            said[0] += "; no single pool can fill the amount"
    said += [f"{quote.venue} has no quote ({quote.error})" for quote in quotes if quote.error]
    return "; ".join(said)


def _lead(legs: Sequence[Leg], rival: Quote, buy: Token) -> str:
    ours, theirs = _total(legs), rival.amount_out
    if ours == theirs:
        return f"the same as {rival.venue}: the first by name is taken"
    # Rounded down: a gain is never told larger than it is.
    gain = f"{from_base_units((ours - theirs) * BPS * 10 // theirs, 1)} bps"
    if gain == "0 bps":
        gain = "under 0.1 bps"
    return f"{gain} more than {rival.venue} ({from_base_units(theirs, buy.decimals)})"


def _percent(part: int, whole: int) -> str:
    return from_base_units(nearest(part * BPS, whole), 2)


def instructions(
    token_in: str, token_out: str, legs: Sequence[Leg], minimum: Callable[[int, int], int]
) -> tuple[Instruction, ...]:
    """Return a transaction's steps: wrap SOL going in, swap each leg, unwrap SOL coming out.

    Each swap has a minimum of its own, which `minimum` says for what it takes and promises; rounded
    up one by one they add up to the route's minimum or up to one base unit a leg more.
    """
    steps = [
        Instruction(leg.venue, leg.amount_in, minimum(leg.amount_in, leg.amount_out), leg.pool)
        for leg in legs
    ]
    if token_in == SOL.symbol:
        steps.insert(0, Instruction("wrap-sol", sum(leg.amount_in for leg in legs)))
    if token_out == SOL.symbol:
        steps.append(Instruction("unwrap-sol"))
    return tuple(steps)
