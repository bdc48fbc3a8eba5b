"""The reference price: both venues weighed, and no single bad answer that moves it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.tokens import PAIRS, SOL, USDC, Token
from engine.market.reference import Reference, VenuePrice, reference_price, venue_price
from engine.market.simulation import VENUES, SimulatedMarket
from engine.market.walk import DOLLARS


def raydium(mid: str, depth: int = 1_000) -> VenuePrice:
    return VenuePrice("raydium", Decimal(mid), depth)


def meteora(mid: str, depth: int = 1_000) -> VenuePrice:
    return VenuePrice("meteora", Decimal(mid), depth)


def test_both_count_by_their_depth() -> None:
    found = reference_price([raydium("100", 3_000), meteora("100.4", 1_000)], Decimal(100))
    assert found == Reference(Decimal("100.1"), ("raydium", "meteora"))


def test_one_venue_alone_counts() -> None:
    assert reference_price([meteora("7")], None) == Reference(Decimal(7), ("meteora",))
    assert reference_price([], Decimal(7)) is None


def test_a_single_bad_answer_moves_nothing() -> None:
    for bad in ("1", "90", "110", "100000"):
        found = reference_price([raydium("100"), meteora(bad)], Decimal(100))
        assert found == Reference(Decimal(100), ("raydium",))


def test_a_jump_on_which_both_agree_is_a_jump() -> None:
    found = reference_price([raydium("200"), meteora("200")], Decimal(100))
    assert found == Reference(Decimal(200), ("raydium", "meteora"))


@given(st.decimals("1e-9", "1e9", places=12), st.decimals("1e-9", "1e9", places=12), st.integers(0))
def test_it_lies_between_what_the_venues_say(one: Decimal, other: Decimal, depth: int) -> None:
    found = reference_price([raydium(str(one), depth), meteora(str(other))], Decimal(1))
    assert found is not None
    low, high = sorted((one, other))
    ulp = Decimal("1e-9")
    assert low * (1 - ulp) <= found.price <= high * (1 + ulp)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].symbol}/{pair[1].symbol}")
@given(st.integers(10**8, 10**9 - 1), st.integers(-2, 2))
def test_a_price_that_was_set_is_the_reference_price_to_the_digit(
    pair: tuple[Token, Token], digits: int, exponent: int
) -> None:
    base, quote = pair
    start = Decimal(DOLLARS.get(base.symbol, 10**12)) / DOLLARS.get(quote.symbol, 10**12)
    price = Decimal(digits).scaleb(start.adjusted() + exponent - 8)
    market = SimulatedMarket(1, {f"{base.symbol}/{quote.symbol}": price})
    pools = [market.pool(venue, base.symbol, quote.symbol, 1_700_000_000) for venue in VENUES]
    venues = [venue_price(pool, base, quote) for pool in pools]
    found = reference_price([venue for venue in venues if venue], None)
    assert found == Reference(price, VENUES)


def test_no_venue_strays_far_from_the_reference_price() -> None:
    market = SimulatedMarket(3)
    for at in range(1_700_000_000, 1_700_040_000, 997):
        pools = [market.pool(venue, "SOL", "USDC", at) for venue in VENUES]
        venues = [venue_price(pool, SOL, USDC) for pool in pools]
        mids = [venue.mid for venue in venues if venue]
        found = reference_price([venue for venue in venues if venue], None)
        assert found is not None
        assert min(mids) <= found.price <= max(mids)
        assert max(mids) < min(mids) * Decimal("1.06")
