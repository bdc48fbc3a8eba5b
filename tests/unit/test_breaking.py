"""A venue that fails in a row is left alone for a while, then tried by one."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from engine.adapters.simulated.venues import SimulatedVenue
from engine.domain.breaker import MAX_FAILURES, OPEN_FOR, PROBE_FOR, Breaker, BreakerState
from engine.domain.errors import StoreUnavailable, VenueUnavailable
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC, XFAIL
from engine.market.pool import Pool
from engine.market.simulation import SimulatedMarket
from engine.ports.breakers import Board
from engine.ports.metrics import Metric
from engine.service.breaking import CALM, TROUBLED, Breaking
from engine.service.quoting import GRACE, Offer, Quoting
from tests.fakes import FakeChance, FakeClock, MemoryBreakers, MemoryMetrics, Parallel

SELL_SOL = Terms(SOL, USDC, 10**9, 50)
CLOSED, OPEN, PROBING = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.PROBING


@dataclass
class Raydium:
    """A venue that is well, refuses, or hangs; `asked` counts who asked it."""

    clock: FakeClock
    does: str = "answers"
    asked: int = 0
    name: str = "raydium"

    def pool(self, token_in: str, token_out: str) -> Pool:
        self.asked += 1
        self.clock.sleep(60 if self.does == "hangs" else 0.3)
        if self.does == "refuses":
            raise VenueUnavailable("no")
        market = SimulatedMarket(7)
        return market.pool("raydium", token_in, token_out, self.clock.now())


@dataclass
class Process:
    """One process of several that share a table."""

    clock: FakeClock = field(default_factory=FakeClock)
    table: MemoryBreakers = field(default_factory=MemoryBreakers)
    chance: FakeChance = field(default_factory=FakeChance)
    raydium: Raydium = field(init=False)

    def __post_init__(self) -> None:
        self.raydium = Raydium(self.clock)
        self.start()

    def start(self) -> None:
        self.metrics = MemoryMetrics()
        self.breaking = Breaking(self.table, self.clock, self.chance, self.metrics)
        meteora = SimulatedVenue(
            "meteora", SimulatedMarket(7), self.clock, FakeChance(), (0.2, 0.4)
        )
        self.quoting = Quoting(
            [self.raydium, meteora], self.clock, Parallel(self.clock), self.breaking
        )

    def beside(self) -> "Process":
        other = Process(self.clock, self.table, self.chance)
        other.raydium = self.raydium
        other.start()
        return other

    def offer(self, terms: Terms = SELL_SOL) -> Offer:
        return self.quoting.offer(terms)

    @property
    def state(self) -> BreakerState:
        return self.table.board.of("raydium").state(self.clock.now())

    def recorded(self, metric: Metric) -> list[str | None]:
        return [by for each, _, by in self.metrics.recorded if each is metric]


@pytest.mark.parametrize("trouble", ["refuses", "hangs"])
def test_five_failures_in_a_row_and_it_is_not_asked_for_half_a_minute(trouble: str) -> None:
    process = Process()
    process.raydium.does = trouble
    for n in range(MAX_FAILURES):
        assert process.state is CLOSED, n
        process.offer()
    assert (process.state, process.raydium.asked) == (OPEN, MAX_FAILURES)
    opened = process.clock.now()
    while process.clock.now() < opened + OPEN_FOR - timedelta(seconds=2):
        offer = process.offer()
        assert [(q.venue, q.error) for q in offer.quotes if q.error] == [
            ("raydium", "VENUE_SUSPENDED")
        ]
        assert offer.route
        assert {leg.venue for leg in offer.route.legs} == {"meteora"}
        process.clock.advance(1)
    assert process.raydium.asked == MAX_FAILURES
    assert process.recorded(Metric.BREAKERS_OPENED) == ["raydium"]
    assert process.recorded(Metric.VENUE_FAILURES) == ["raydium"] * MAX_FAILURES


def test_four_failures_and_an_answer_are_forgotten() -> None:
    process = Process()
    for does in ["refuses"] * 4 + ["answers"] + ["refuses"] * 4:
        process.raydium.does = does
        process.offer()
    assert process.state is CLOSED
    process.offer()
    assert process.state is OPEN


def test_then_one_tries_it_and_it_is_asked_again_or_left_alone_again() -> None:
    process = Process()
    process.raydium.does = "refuses"
    for _ in range(MAX_FAILURES):
        process.offer()
    other = process.beside()
    other.breaking.standing()
    process.clock.advance(OPEN_FOR.total_seconds())
    asked = process.raydium.asked
    probe = process.quoting.request_quotes(SELL_SOL)
    assert other.offer().route is not None, "the other venue serves"
    assert process.raydium.asked == asked + 1, "only one tried it"
    assert process.state is PROBING
    process.quoting.collect_quotes(probe, SELL_SOL)
    assert process.state is OPEN, "it failed again"

    process.clock.advance(OPEN_FOR.total_seconds())
    process.raydium.does = "answers"
    assert all(q.error is None for q in process.offer().quotes)
    assert process.state is CLOSED


def test_who_dies_while_it_tries_is_followed_by_another() -> None:
    process = Process()
    process.raydium.does = "refuses"
    for _ in range(MAX_FAILURES):
        process.offer()
    process.clock.advance(OPEN_FOR.total_seconds())
    assert process.breaking.admitted(["raydium"]) == {"raydium"}
    assert process.breaking.admitted(["raydium"]) == set()
    process.clock.advance(PROBE_FOR.total_seconds())
    assert process.beside().breaking.admitted(["raydium"]) == {"raydium"}


def test_failures_of_several_processes_count_together() -> None:
    first = Process()
    first.raydium.does = "refuses"
    second = first.beside()
    for process in (first, second, first, second, first):
        process.offer()
    assert first.state is OPEN
    opened = first.metrics.recorded + second.metrics.recorded
    second.clock.advance(TROUBLED.total_seconds())
    assert second.offer().quotes[0].error == "VENUE_SUSPENDED"
    assert [metric for metric, _, _ in opened].count(Metric.BREAKERS_OPENED) == 1


def test_the_table_is_read_at_most_once_a_second_and_seldom_written() -> None:
    process = Process()
    began = process.clock.now()
    for _ in range(20):
        process.offer()
    healthy = process.clock.now() - began
    assert process.table.reads <= 1 + healthy / CALM
    assert process.table.board == Board(), "what is well is not written"
    process.raydium.does = "refuses"
    reads, began = process.table.reads, process.clock.now()
    for _ in range(20):
        process.offer()
    assert process.table.reads - reads <= 1 + (process.clock.now() - began) / TROUBLED
    assert process.table.board.version == MAX_FAILURES


def test_a_token_that_fails_on_purpose_says_nothing_of_a_venue() -> None:
    process = Process()
    process.raydium.does = "refuses"
    for _ in range(2 * MAX_FAILURES):
        process.offer(Terms(XFAIL, USDC, 10**6, 50))
    assert process.table.board == Board()


def test_without_the_table_a_process_goes_by_what_it_knows(monkeypatch) -> None:
    process = Process()
    process.raydium.does = "refuses"

    def away(*_: object) -> Board:
        raise StoreUnavailable("away")

    monkeypatch.setattr(process.table, "read", away)
    monkeypatch.setattr(process.table, "write", away)
    for _ in range(MAX_FAILURES):
        assert process.offer().route is not None
    asked = process.raydium.asked
    process.breaking.board = Board({"raydium": process.breaking.board.of("raydium")})
    process.offer()
    assert process.raydium.asked == asked


def test_one_that_hangs_costs_an_order_a_grace_and_not_the_time_out() -> None:
    process = Process()
    process.raydium.does = "hangs"
    began = process.clock.now()
    offer = process.offer()
    assert offer.quotes[0].error == "VENUE_TIMEOUT"
    took = process.clock.now() - began
    assert took <= timedelta(seconds=0.4) + GRACE < process.quoting.timeout


def test_an_answer_that_is_late_but_good_is_no_failure_in_a_row() -> None:
    process = Process()
    process.raydium.does = "refuses"
    for _ in range(MAX_FAILURES - 1):
        process.offer()
    process.breaking.answered("raydium")
    assert process.table.board.of("raydium") == Breaker("raydium")
