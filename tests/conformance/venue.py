"""What any venue must do: subclass `VenueConformance`, fill in the three fixtures, run pytest."""

import itertools
from collections.abc import Callable

import pytest

from engine.domain.errors import MarketError, UnsupportedPair, VenueError
from engine.domain.money import MAX_BASE_UNITS
from engine.domain.tokens import TOKENS
from engine.market.pool import Pool, Swap
from engine.market.router import VenueResponse, choose
from engine.ports.venue import Venue


class VenueConformance:
    """The contract of `engine.ports.venue.Venue` and of the pools it returns.

    Subclasses give the fixtures `venue`, `pair` (base and quote symbol that it trades) and
    `out_of_order` (a venue whose network does not answer).
    """

    @pytest.fixture
    def venue(self) -> Venue:
        raise NotImplementedError

    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        raise NotImplementedError

    @pytest.fixture
    def out_of_order(self) -> Venue:
        raise NotImplementedError

    @pytest.fixture(params=["selling the base", "buying the base"])
    def sold(self, request: pytest.FixtureRequest, pair: tuple[str, str]) -> str:
        return pair[0] if request.param == "selling the base" else pair[1]

    @pytest.fixture
    def pool(self, venue: Venue, pair: tuple[str, str]) -> Pool:
        return venue.pool(*pair)

    def test_it_has_a_plain_name(self, venue: Venue) -> None:
        assert venue.name.isascii()
        assert venue.name.isidentifier()
        assert venue.name == venue.name.lower()

    def test_a_pool_says_where_it_is(self, venue: Venue, pool: Pool) -> None:
        assert pool.venue == venue.name
        assert 32 <= len(pool.address) <= 44

    def test_one_pool_serves_both_directions(self, venue: Venue, pair: tuple[str, str]) -> None:
        assert venue.pool(*pair).address == venue.pool(*reversed(pair)).address

    def test_a_pair_that_is_not_traded_is_refused_by_name(self, venue: Venue) -> None:
        with pytest.raises(UnsupportedPair):
            venue.pool("BONK", "JUP")

    def test_a_network_that_does_not_answer_is_a_venue_error(
        self, out_of_order: Venue, pair: tuple[str, str]
    ) -> None:
        with pytest.raises(VenueError):
            out_of_order.pool(*pair)

    def test_a_swap_sells_what_was_asked_and_keeps_its_fee_within(
        self, pool: Pool, sold: str
    ) -> None:
        for amount in _amounts(pool, sold):
            swap = pool.exact_in(sold, amount)
            assert swap.amount_in == amount
            assert swap.amount_out > 0
            assert 0 <= swap.fee <= amount
            assert isinstance(swap.price_impact_bps, int)

    def test_a_pool_is_a_snapshot_that_asking_does_not_change(self, pool: Pool, sold: str) -> None:
        amount = _amounts(pool, sold)[1]
        first = pool.exact_in(sold, amount)
        pool.exact_in(sold, amount * 7)
        pool.exact_out(sold, first.amount_out)
        assert pool.exact_in(sold, amount) == first

    def test_more_in_never_gives_less_out(self, pool: Pool, sold: str) -> None:
        unit = _amounts(pool, sold)[1]
        outs = [pool.exact_in(sold, unit * n).amount_out for n in range(1, 60)]
        assert outs == sorted(outs)

    def test_a_round_trip_never_profits(self, pool: Pool, pair: tuple[str, str], sold: str) -> None:
        bought = pair[1] if sold == pair[0] else pair[0]
        for amount in _amounts(pool, sold):
            there = pool.exact_in(sold, amount)
            back = _tried(pool.exact_in, bought, there.amount_out)
            assert back is None or back.amount_out <= amount

    def test_what_is_bought_exactly_can_be_had_for_its_price(self, pool: Pool, sold: str) -> None:
        for amount in _amounts(pool, sold):
            wanted = pool.exact_in(sold, amount).amount_out
            cost = pool.exact_out(sold, wanted)
            assert cost.amount_in <= amount
            assert pool.exact_in(sold, cost.amount_in).amount_out >= wanted

    def test_the_rate_only_gets_worse(self, pool: Pool, sold: str) -> None:
        unit = _amounts(pool, sold)[1]
        rates = [pool.rate(sold, unit * n) for n in (0, 1, 10, 100)]
        for (out, of), (later_out, later_of) in itertools.pairwise(rates):
            assert later_out * of <= out * later_of

    @pytest.mark.parametrize("amount", [0, -1, MAX_BASE_UNITS + 1])
    def test_an_amount_that_is_none_is_refused_by_name(
        self, pool: Pool, sold: str, amount: int
    ) -> None:
        with pytest.raises(MarketError):
            pool.exact_in(sold, amount)
        with pytest.raises(MarketError):
            pool.exact_out(sold, amount)

    @pytest.mark.parametrize("amount", [1, 2, MAX_BASE_UNITS])
    def test_the_edges_give_a_fill_or_an_error_by_name(
        self, pool: Pool, sold: str, amount: int
    ) -> None:
        for ask in (pool.exact_in, pool.exact_out):
            swap = _tried(ask, sold, amount)
            assert swap is None or min(swap.amount_in, swap.amount_out) > 0

    def test_a_token_that_is_not_in_the_pool_is_refused_by_name(
        self, pool: Pool, pair: tuple[str, str]
    ) -> None:
        stranger = next(symbol for symbol in TOKENS if symbol not in pair)
        with pytest.raises(UnsupportedPair):
            pool.exact_in(stranger, 10**5)

    def test_the_router_can_use_it(
        self, pool: Pool, venue: Venue, pair: tuple[str, str], sold: str
    ) -> None:
        bought = pair[1] if sold == pair[0] else pair[0]
        amount = _amounts(pool, sold)[1]
        decision = choose(
            [VenueResponse(venue.name, pool=pool)], TOKENS[sold], TOKENS[bought], amount
        )
        assert decision.route is not None
        assert decision.route.amount_out == pool.exact_in(sold, amount).amount_out


def _amounts(pool: Pool, sold: str) -> list[int]:
    """Return a small, a middling and a larger amount: at least so many base units on each side."""
    out, of = pool.rate(sold, 0)
    return [max(units, -(-units * of // out)) for units in (10**3, 10**5, 10**7)]


def _tried(ask: Callable[[str, int], Swap], sold: str, amount: int) -> Swap | None:
    try:
        return ask(sold, amount)
    except MarketError:
        return None
