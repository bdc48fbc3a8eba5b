"""The simulated venues and the simulated chain keep the contract that real ones must keep."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.adapters.simulated.chain import SimulatedChain
from engine.adapters.simulated.venues import SimulatedVenue
from engine.domain.errors import VenueUnavailable
from engine.domain.order import Instruction, Order
from engine.market.pool import Pool
from engine.market.router import VenueResponse, choose, instructions
from engine.market.simulation import SimulatedMarket
from engine.ports.chain import Chain
from engine.ports.venue import Venue
from tests.conformance.chain import ChainConformance
from tests.conformance.venue import VenueConformance
from tests.fakes import FakeChance, FakeClock, MemoryLedger, an_order


class OutOfOrder(SimulatedVenue):
    """The simulated venue asked for the token that it never has."""

    def pool(self, token_in: str, token_out: str) -> Pool:
        return super().pool("XFAIL", "USDC")


class SimulatedVenues(VenueConformance):
    name = ""

    @pytest.fixture
    def venue(self) -> Venue:
        return SimulatedVenue(self.name, SimulatedMarket(7), FakeClock(), FakeChance(), (0.2, 0.4))

    @pytest.fixture
    def out_of_order(self) -> Venue:
        return OutOfOrder(self.name, SimulatedMarket(7), FakeClock(), FakeChance(), (0.2, 0.4))

    @pytest.fixture(params=[("SOL", "USDC"), ("BONK", "USDC"), ("RAY", "SOL"), ("SOL", "USDT")])
    def pair(self, request: pytest.FixtureRequest) -> tuple[str, str]:
        pair: tuple[str, str] = request.param
        return pair


class TestRaydium(SimulatedVenues):
    name = "raydium"


class TestMeteora(SimulatedVenues):
    name = "meteora"


def test_the_venue_that_never_answers_says_so() -> None:
    venue = SimulatedVenue("raydium", SimulatedMarket(7), FakeClock(), FakeChance(), (0, 0))
    with pytest.raises(VenueUnavailable):
        venue.pool("XFAIL", "USDC")


class TestSimulatedChain(ChainConformance):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def chain(self, clock: FakeClock) -> Chain:
        return SimulatedChain(SimulatedMarket(7), MemoryLedger(), clock, (0.4, 0.8), 7)

    @pytest.fixture
    def order(self) -> Order:
        return an_order()

    @pytest.fixture
    def steps(self, order: Order, clock: FakeClock) -> tuple[Instruction, ...]:
        market = SimulatedMarket(7)
        pools = [
            VenueResponse(
                name, pool=market.pool(name, order.token_in, order.token_out, clock.now())
            )
            for name in ("raydium", "meteora")
        ]
        route = choose(pools, order.terms.sell, order.terms.buy, order.terms.amount).route
        assert route is not None
        return instructions(order.token_in, order.token_out, route.legs, order.terms.minimum)

    @pytest.fixture
    def greedy(self, steps: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
        return tuple(
            replace(step, min_amount_out=step.min_amount_out * 2) if step.pool else step
            for step in steps
        )

    @pytest.fixture
    def advance(self, clock: FakeClock) -> Callable[[timedelta], None]:
        return lambda time: clock.advance(time.total_seconds())
