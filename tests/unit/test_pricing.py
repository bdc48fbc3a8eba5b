"""The reference price as a use case, and the simulated market as anybody may move it."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.adapters.simulated.venues import SimulatedPools
from engine.domain.errors import Conflict, InvalidOrder
from engine.domain.tokens import PAIRS, SOL, USDC, XFAIL, Token, pair_name
from engine.domain.triggers import Tick
from engine.market.simulation import SimulatedMarket, movable
from engine.ports.prices import PriceRow
from engine.service.moving import Moving
from engine.service.pricing import Priced, Pricing
from tests.fakes import START, FakeClock, MemoryPriceBook, MemorySimulation, Venues

PAIR = "SOL/USDC"


def pricing(clock: FakeClock, last: str | None, **venues: str) -> Pricing:
    """Return the use case where a last price is kept and venues stand at prices."""
    book = MemoryPriceBook()
    if last:
        book.put(PriceRow(PAIR, Tick.of(Decimal(last), START), ("raydium",)), expected_version=0)
    market = Venues({name: Decimal(price) for name, price in venues.items()})
    return Pricing(market, book, clock, timedelta(seconds=10))


def of_sol(pricing: Pricing) -> Priced:
    return pricing.price(SOL, USDC)


def test_a_price_says_when_it_was_and_what_it_is_made_of() -> None:
    clock = FakeClock()
    clock.advance(60)
    priced = of_sol(pricing(clock, "90", raydium="150", meteora="150"))
    assert (priced.pair, priced.price, priced.at) == (PAIR, Decimal(150), clock.now())
    assert priced.source == ("raydium", "meteora")
    assert [(v.venue, v.mid) for v in priced.venues] == [
        ("raydium", Decimal(150)),
        ("meteora", Decimal(150)),
    ]
    assert not priced.stale


@pytest.mark.parametrize(("last", "right"), [("151", "raydium"), ("180", "meteora")])
def test_the_last_price_decides_between_venues_that_disagree(last: str, right: str) -> None:
    stand = {"raydium": "150", "meteora": "175"}
    priced = of_sol(pricing(FakeClock(), last, **stand))
    assert (priced.price, priced.source) == (Decimal(stand[right]), (right,))
    assert len(priced.venues) == 2


def test_one_venue_alone_counts_while_the_other_is_away() -> None:
    priced = of_sol(pricing(FakeClock(), "90", meteora="150"))
    assert (priced.price, priced.source, priced.stale) == (Decimal(150), ("meteora",), False)


def test_without_venues_the_last_price_counts_until_it_is_too_old() -> None:
    clock = FakeClock()
    alone = pricing(clock, "90")
    clock.advance(10)
    priced = of_sol(alone)
    assert (priced.price, priced.at, priced.stale) == (Decimal(90), START, False)
    assert (priced.source, priced.venues) == (("raydium",), ())
    clock.advance(0.001)
    assert of_sol(alone).stale


def test_without_venues_and_without_a_last_price_there_is_none() -> None:
    priced = of_sol(pricing(FakeClock(), None))
    assert (priced.price, priced.at, priced.source, priced.stale) == (None, None, (), True)


def test_the_prices_of_all_pairs_are_those_of_each() -> None:
    clock = FakeClock()
    market = SimulatedPools(SimulatedMarket(7), clock)
    all_of_them = Pricing(market, MemoryPriceBook(), clock, timedelta(seconds=10))
    assert all_of_them.prices(PAIRS) == [all_of_them.price(*pair) for pair in PAIRS]


# Moving


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    book: MemoryPriceBook = field(default_factory=MemoryPriceBook)

    def __post_init__(self) -> None:
        self.simulation = MemorySimulation(self.clock)
        market = SimulatedMarket(7, self.simulation.prices)
        pools = SimulatedPools(market, self.clock)
        pricing = Pricing(pools, self.book, self.clock, timedelta(seconds=10))
        self.moving = Moving(self.simulation, pricing, self.book, self.clock)

    def move(self, price: str, pair: tuple[Token, Token] = (SOL, USDC)) -> Priced:
        return self.moving.move(*pair, Decimal(price))

    @property
    def tick(self) -> Tick:
        row = self.book.get(PAIR)
        assert row is not None
        return row.tick


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair_name(*pair))
def test_a_moved_price_is_the_reference_price_as_far_as_it_may_be_moved(
    pair: tuple[Token, Token],
) -> None:
    for price in movable(*pair):
        priced = World().move(str(price), pair)
        assert (priced.price, priced.source) == (price, ("raydium", "meteora"))


def test_what_no_venue_quotes_has_a_price_all_the_same() -> None:
    assert World().move("2", (XFAIL, USDC)).price == 2


@pytest.mark.parametrize("price", ["0.162", "163001", "1e-18", "1e18"])
def test_the_pools_do_not_stand_everywhere(price: str) -> None:
    world = World()
    with pytest.raises(InvalidOrder) as refused:
        world.move(price)
    (problem,) = refused.value.problems
    assert (problem.pointer, problem.code) == ("/price", "PRICE_OUT_OF_RANGE")
    assert problem.detail == "must be from 0.163 to 163000"
    assert (world.simulation.prices, world.book.rows) == ({}, {})


def test_a_spike_between_two_ticks_is_kept_for_the_next() -> None:
    world = World()
    for price in ("150", "190", "120", "151"):
        world.move(price)
        world.clock.advance(0.01)
    tick = world.tick
    assert [tick.price, tick.high, tick.low] == list(map(Decimal, (151, 190, 120)))
    assert world.tick.highs[0][1] < world.tick.lows[0][1] < world.tick.at


def test_digits_beyond_those_of_a_reference_price_are_rounded_alike_in_answer_and_row() -> None:
    world = World()
    priced = world.move("163.123456789")
    assert priced.price == world.tick.price == Decimal("163.1234568")


def test_a_tick_that_writes_meanwhile_loses_nothing_and_takes_nothing() -> None:
    world = World()
    world.move("150")

    class Overtaken(MemoryPriceBook):
        """A ticker ends its sweep between a read and its write, once."""

        def put(self, row: PriceRow, *, expected_version: int) -> None:
            if row.tick.high == 190 and expected_version == 1:
                swept = PriceRow(PAIR, Tick.of(Decimal(149), START), ("raydium",))
                super().put(swept, expected_version=1)
            super().put(row, expected_version=expected_version)

    world.moving.book = world.book = Overtaken(world.book.rows)
    world.move("190")
    assert [world.tick.low, world.tick.high] == [Decimal(149), Decimal(190)]
    with pytest.raises(Conflict):
        world.book.put(PriceRow(PAIR, world.tick, ("raydium",)), expected_version=1)
