"""What holds for every pool, every amount and every choice of route."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import assume, example, given
from hypothesis import strategies as st

from engine.domain.errors import AmountTooLarge, AmountTooSmall, InsufficientLiquidity, MarketError
from engine.domain.money import MAX_BASE_UNITS
from engine.domain.order import Leg, Quote
from engine.domain.tokens import PAIRS, Token
from engine.domain.tokens import TOKENS as LISTED
from engine.market.bins import MAX_BIN_ID, FeeSchedule, Volatility
from engine.market.meteora import DlmmPool, DlmmSwap
from engine.market.pool import Pool, impact_bps
from engine.market.raydium import ConstantProductPool
from engine.market.router import ROOM_BPS, VenueResponse, choose, explain
from engine.market.simulation import VENUES, SimulatedMarket

U64 = st.integers(1, MAX_BASE_UNITS)
#: Amounts of every size, not mostly huge ones: a number of bits first, then the number.
AMOUNTS = st.integers(0, 63).flatmap(lambda bits: st.integers(1 << bits, (2 << bits) - 1))
RESERVES = st.one_of(st.integers(0, 50), AMOUNTS)
TRADES = st.sampled_from(
    [(one.symbol, other.symbol) for pair in PAIRS for one, other in (pair, pair[::-1])]
)
TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
EXPECTED = (AmountTooSmall, AmountTooLarge, InsufficientLiquidity)

constant_products = st.builds(
    ConstantProductPool,
    address=st.just("c"),
    token_x=st.just("X"),
    token_y=st.just("Y"),
    reserve_x=RESERVES,
    reserve_y=RESERVES,
    fee_bps=st.one_of(st.sampled_from([0, 1, 25, 30, 100]), st.integers(0, 9_999)),
)


FEES = st.sampled_from(
    [
        FeeSchedule(10, 10_000),
        FeeSchedule(1, 0, variable_fee_control=0),
        FeeSchedule(4, 5_000, variable_fee_control=60_000, max_volatility_accumulator=500_000),
        FeeSchedule(25, 8_000, filter_period=0, decay_period=0),
        FeeSchedule(80, 12_500, variable_fee_control=7_500, max_volatility_accumulator=150_000),
        FeeSchedule(400, 60_000, base_fee_power_factor=2),
    ]
)
VOLATILITIES = st.builds(
    Volatility, st.integers(0, 400_000), st.integers(0, 400_000), st.integers(-9, 9), st.just(0)
)


@st.composite
def dlmms(draw: st.DrawFn, held: st.SearchStrategy[int], reach: int) -> DlmmPool:
    """Draw a well-formed pool: only Y and bids below the active bin, only X and asks above it.

    Its price is at most about e**(reach/10000), or the inverse.
    """
    fees = draw(FEES)
    active = draw(st.integers(-1, 1)) * min(MAX_BIN_ID - 10, reach // fees.bin_step)
    below, above = (draw(st.lists(held, min_size=1, max_size=6)) for _ in "YX")
    orders = st.one_of(st.just(()), st.tuples(st.one_of(st.just(0), held), held))
    bins: dict[int, tuple[int, ...]] = {active - i: (0, y) for i, y in enumerate(below)}
    bins |= {active + i: (x, 0) for i, x in enumerate(above)}
    bins[active] = above[0], below[0]
    for id_, makers in bins.items():
        asks = draw(st.booleans()) if id_ == active else id_ > active
        if resting := draw(orders):
            bins[id_] = (*makers, *resting, asks)
    volatility = draw(VOLATILITIES)
    volatility = replace(volatility, index_reference=active + volatility.index_reference)
    return DlmmPool(
        "d",
        "X",
        "Y",
        active,
        bins,
        fees,
        volatility,
        draw(st.integers(0, 700)),
        fee_on_y=draw(st.booleans()),
    )


TOKENS = st.sampled_from("XY")
#: Any pool at all: empty ones, prices at the edge of the integers.
POOLS = st.one_of(constant_products, dlmms(RESERVES, 450_000))
ORDINARY = st.one_of(
    st.builds(
        ConstantProductPool,
        address=st.just("c"),
        token_x=st.just("X"),
        token_y=st.just("Y"),
        reserve_x=st.integers(10, 2**50),
        reserve_y=st.integers(10, 2**50),
        fee_bps=st.sampled_from([0, 1, 25, 30, 100]),
    ),
    dlmms(st.integers(2, 2**50), 20_000),
)


@st.composite
def fillable(draw: st.DrawFn, pools: st.SearchStrategy[Pool]) -> tuple[Pool, str, int]:
    """Draw a pool and a trade of a size that it is likely to fill, of any order of magnitude."""
    pool, token = draw(pools), draw(TOKENS)
    other = "Y" if token == "X" else "X"
    # A fee on the output is a tenth at most, and rounded up in each of a dozen bins.
    maximum = pool.exact_out(token, max(1, reserve(pool, other) * 9 // 10 - 12)).amount_in
    bits = draw(st.integers(0, maximum.bit_length() - 1))
    return pool, token, min(maximum, draw(st.integers(1 << bits, (2 << bits) - 1)))


def paid(pool: Pool, token: str, amount: int) -> int:
    """Return what a pool pays, 0 for an amount that it calls too small."""
    try:
        return pool.exact_in(token, amount).amount_out
    except AmountTooSmall:
        return 0


def reserve(pool: Pool, token: str) -> int:
    """Return how much of a token a pool holds."""
    if isinstance(pool, DlmmPool):
        sells_x = token != pool.token_x
        return sum(sum(layers(held, sells_x)) for held in pool.bins.values())
    assert isinstance(pool, ConstantProductPool)
    return pool.reserve_x if token == pool.token_x else pool.reserve_y


def layers(held: tuple[int, ...], sells_x: bool) -> list[int]:
    """Return what a bin has for who sells X, or Y, in the order in which it is given."""
    makers = [held[1 if sells_x else 0]]
    serves = len(held) > 2 and bool(held[4]) != sells_x
    return [*makers, held[3], held[2]] if serves else makers


def after(pool: Pool, token_in: str, amount: int) -> Pool:
    """Return the pool as a swap leaves it; the fee stays in a constant product, not in bins."""
    if isinstance(pool, ConstantProductPool):
        swap = pool.exact_in(token_in, amount)
        into, out = swap.amount_in, -swap.amount_out
        dx, dy = (into, out) if token_in == "X" else (out, into)
        return replace(pool, reserve_x=pool.reserve_x + dx, reserve_y=pool.reserve_y + dy)
    assert isinstance(pool, DlmmPool)
    sells_x = token_in == "X"
    done: DlmmSwap = pool.swap_exact_in(amount, sells_x)
    bins = dict(pool.bins)
    for fill in done.per_bin:
        charged_out = sells_x and pool.fee_on_y
        gross = fill.out + fill.fee if charged_out else fill.out
        net = fill.in_incl_fee if charged_out else fill.in_incl_fee - fill.fee
        left_of = []
        for layer in layers(bins[fill.bin], sells_x):
            left_of.append(layer - min(layer, gross))
            gross -= min(layer, gross)
        assert gross == 0
        bins[fill.bin] = (net, left_of[0]) if sells_x else (left_of[0], net)
    volatility = pool.volatility.at(pool.now, pool.active_id, pool.fees)
    left = replace(volatility, accumulator=done.vol_acc, last_update=pool.now)
    return replace(pool, active_id=done.active_after, bins=bins, volatility=left)


@given(POOLS, TOKENS, U64)
@example(ConstantProductPool("c", "X", "Y", 0, 0), "X", 1)
@example(ConstantProductPool("c", "X", "Y", 1, 1), "Y", MAX_BASE_UNITS)
def test_a_pool_fills_or_fails_by_name(pool, token, amount):
    for ask in (pool.exact_in, pool.exact_out):
        try:
            swap = ask(token, amount)
        except EXPECTED:
            continue
        assert 1 <= swap.amount_in <= MAX_BASE_UNITS
        assert swap.amount_out >= 1
        assert swap.fee >= 0
        if not swap.fee_on_output:
            assert swap.fee <= swap.amount_in
        elif ask == pool.exact_in:
            assert swap.fee <= swap.amount_out
        assert 0 <= swap.price_impact_bps <= 10_000


@given(POOLS, TOKENS, AMOUNTS)
def test_out_never_exceeds_the_reserve(pool, token, amount):
    other = "Y" if token == "X" else "X"
    for ask in (pool.exact_in, pool.exact_out):
        try:
            assert ask(token, amount).amount_out <= reserve(pool, other)
        except EXPECTED:
            continue


@given(POOLS, TOKENS, AMOUNTS, AMOUNTS)
def test_more_in_never_gives_less_out(pool, token, one, other):
    less, more = sorted((one, other))
    with suppress(AmountTooLarge, InsufficientLiquidity):
        assert paid(pool, token, less) <= paid(pool, token, more)


@given(fillable(ORDINARY), st.integers(1, 3))
def test_a_little_more_in_never_gives_less_out(trade, more):
    pool, token, amount = trade
    with suppress(InsufficientLiquidity):
        assert paid(pool, token, amount) <= paid(pool, token, amount + more)


@given(fillable(ORDINARY))
def test_a_round_trip_never_profits(trade):
    pool, token, amount = trade
    other = "Y" if token == "X" else "X"
    bought = paid(pool, token, amount)
    assume(bought)
    for back in (pool, after(pool, token, amount)):
        with suppress(InsufficientLiquidity):
            assert paid(back, other, bought) <= amount


@given(fillable(ORDINARY))
def test_exact_out_then_exact_in_is_consistent_and_the_cheapest(trade):
    pool, token, amount = trade
    bought = paid(pool, token, amount)
    assume(bought)
    cost = pool.exact_out(token, bought).amount_in
    assert cost <= amount
    assert pool.exact_in(token, cost).amount_out == bought
    if cost > 1:
        assert paid(pool, token, cost - 1) < bought


@given(fillable(dlmms(st.integers(2, 2**50), 20_000)))
def test_the_way_through_the_bins_adds_up(trade):
    pool, token, amount = trade
    assume(paid(pool, token, amount))
    swap = pool.swap_exact_in(amount, token == "X")
    assert sum(fill.in_incl_fee for fill in swap.per_bin) == amount
    assert sum(fill.out for fill in swap.per_bin) == swap.amount_out
    assert sum(fill.fee for fill in swap.per_bin) == swap.fee
    quoted = pool.exact_in(token, amount)
    assert (quoted.amount_out, quoted.fee) == (swap.amount_out, swap.fee)


@given(fillable(ORDINARY), ORDINARY)
def test_a_split_is_never_worse_and_its_legs_make_the_whole(trade, other):
    pool, token, amount = trade
    pools = [replace(pool, venue="one"), replace(other, venue="other")]
    answers = [VenueResponse(pool.venue, pool) for pool in pools]
    decision = choose(answers, Token(token, "", 0), Token("", "", 0), amount, 0)
    best = max(quote.amount_out for quote in decision.quotes)
    if decision.route is None:
        assert best == 0
        return
    assert sum(leg.amount_in for leg in decision.route.legs) == amount
    assert decision.route.amount_out >= best
    for leg in decision.route.legs:
        assert pools[leg.venue == "other"].exact_in(token, leg.amount_in).amount_out == (
            leg.amount_out
        )


@given(st.integers(0, 99), TIMES, TRADES, AMOUNTS, st.integers(0, 10_000))
def test_the_choice_is_the_best_in_both_directions_of_every_pair(seed, at, trade, amount, bps):
    token_in, token_out = trade
    market = SimulatedMarket(seed)
    pools = {venue: market.pool(venue, token_in, token_out, at) for venue in VENUES}
    decision = choose(
        [VenueResponse(*one) for one in pools.items()], LISTED[token_in], LISTED[token_out], amount
    )
    offers = {venue: paid_or_none(pool, token_in, amount) for venue, pool in pools.items()}
    assert {quote.venue: quote.amount_out or None for quote in decision.quotes} == offers
    best = max((out for out in offers.values() if out), default=0)
    if decision.route is None:
        assert not best
        return
    assert decision.route.amount_out >= best
    if len(decision.route.legs) == 1:
        assert offers[decision.route.legs[0].venue] == best


def paid_or_none(pool: Pool, token: str, amount: int) -> int | None:
    """Return what a pool pays, None if it can't fill."""
    try:
        return pool.exact_in(token, amount).amount_out
    except MarketError:
        return None


def roomy(pool: Pool, token: str, amount: int) -> bool:
    """Tell if a pool could take somewhat more than `amount` when it comes to it."""
    return not amount or pool.rate(token, amount + amount * ROOM_BPS // 10_000)[0] > 0


@given(st.integers(0, 99), TIMES, TRADES, st.floats(0.001, 1), st.floats(0.001, 0.999))
def test_no_other_division_pays_more(seed, at, trade, size, share):
    token_in, token_out = trade
    market = SimulatedMarket(seed)
    one, other = (market.pool(venue, token_in, token_out, at) for venue in VENUES)
    amount = int(reserve(one, token_in) * size)
    answers = [VenueResponse(pool.venue, pool) for pool in (one, other)]
    route = choose(answers, LISTED[token_in], LISTED[token_out], amount, 0).route
    assert route is not None
    part = int(amount * share)
    try:
        out = (
            one.exact_in(token_in, part).amount_out
            + other.exact_in(token_in, amount - part).amount_out
        )
    except InsufficientLiquidity:
        return
    if not (roomy(one, token_in, part) and roomy(other, token_in, amount - part)):
        return
    gets, by = one.rate(token_in, 0)
    assert out <= route.amount_out + 4 * (gets // by + 1)  # each leg's fee rounds up by a unit


@st.composite
def steady(draw: st.DrawFn) -> DlmmPool:
    """Draw a pool whose fee is the same in each bin, so that its rate only ever falls."""
    pool = draw(dlmms(st.integers(2, 2**50), 20_000))
    return replace(pool, fees=replace(pool.fees, variable_fee_control=0))


@given(fillable(steady()), st.one_of(steady(), constant_products))
def test_no_other_division_pays_more_whatever_rests_in_the_bins_and_wherever_the_fee_is(
    trade, other
):
    one, token, amount = trade
    answers = [VenueResponse("one", replace(one, venue="one")), VenueResponse("other", other)]
    route = choose(answers, Token(token, "", 0), Token("", "", 0), amount, 0).route
    if route is None:
        return
    gets, by = max((pool.rate(token, 0) for pool in (one, other)), key=lambda r: Fraction(*r))
    # Each of a dozen bins a pool rounds each of its three layers and its fee by itself.
    rounded = 2 * 12 * 4 * (gets // by + 2)
    for n in range(33):
        part = amount * n // 32
        if not (roomy(one, token, part) and roomy(other, token, amount - part)):
            continue
        with suppress(InsufficientLiquidity, AmountTooLarge):
            out = paid(one, token, part) if part else 0
            out += paid(other, token, amount - part) if part < amount else 0
            assert out <= route.amount_out + rounded


@given(
    st.lists(st.integers(1, MAX_BASE_UNITS), min_size=2, max_size=2),
    st.lists(st.integers(1, MAX_BASE_UNITS), min_size=2, max_size=2),
    st.integers(1, MAX_BASE_UNITS),
)
def test_every_number_of_a_reason_is_the_exact_one_rounded_once(amounts, outs, alone):
    legs = [Leg(*leg) for leg in zip(("a", "b"), ("p", "q"), amounts, outs, strict=True)]
    assume(sum(outs) > alone)
    said = explain([Quote("a", alone), Quote("b", error="VENUE_TIMEOUT")], legs, LISTED["USDC"])
    found = re.fullmatch(
        r"([\d.]+) % on a with ([\d.]+) % on b pays ([\d.]+) USDC, "
        r"(?:under 0.1|([\d.]+)) bps more than a \(([\d.]+)\) alone; "
        r"b has no quote \(VENUE_TIMEOUT\)",
        said,
    )
    assert found
    percents = [Fraction(found[1]), Fraction(found[2])]
    assert sum(percents) == 100
    for percent, amount in zip(percents, amounts, strict=True):
        assert percent * 100 == round(Fraction(amount * 10_000, sum(amounts)))
    assert Fraction(found[3]) * 10**6 == sum(outs)
    assert Fraction(found[5]) * 10**6 == alone
    gain = Fraction((sum(outs) - alone) * 10_000, alone)
    assert 0 <= gain - Fraction(found[4] or 0) < Fraction(1, 10)
    assert bool(found[4]) == (gain >= Fraction(1, 10))


@given(st.integers(1, 2**128), st.integers(0, 2**128))
def test_the_price_impact_is_rounded_once(expected, got):
    exact = Fraction(10_000 * (expected - got), expected)
    assert impact_bps(expected, got) == max(0, round(exact))
