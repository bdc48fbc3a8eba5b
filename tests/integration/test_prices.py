"""Reference prices and moved prices as rows: one suite for the table and for the fake."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest

from bench.counting import Counter
from engine.adapters.aws.prices import DynamoPriceBook
from engine.adapters.aws.table import Table
from engine.adapters.simulated.prices import MovedPrices, SimulatedPrices
from engine.adapters.simulated.venues import MovedMarket, SimulatedPools, SimulatedVenue
from engine.bootstrap import Aws
from engine.domain.errors import Conflict, Undecodable
from engine.domain.tokens import PAIRS, SOL, USDC
from engine.domain.triggers import Tick
from engine.market.simulation import SimulatedMarket
from engine.ports.prices import PriceBook, PriceRow
from engine.settings import Settings
from tests.fakes import START, FakeChance, FakeClock, MemoryPriceBook
from tests.integration.conftest import TABLE

PAIR = "SOL/USDC"
both = pytest.mark.parametrize("kind", ["memory", "dynamodb"])


@pytest.fixture
def book(kind: str, request: pytest.FixtureRequest) -> PriceBook:
    if kind == "memory":
        return MemoryPriceBook()
    return DynamoPriceBook(Table(request.getfixturevalue("dynamodb"), TABLE))


def a_row(price: str, pair: str = PAIR) -> PriceRow:
    tick = Tick.of(Decimal("1e-18"), START).seen(Decimal("1234567.89012"), at(1))
    return PriceRow(pair, tick.seen(Decimal(price), at(2)), ("raydium", "meteora"))


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


@both
def test_a_price_is_kept_with_all_it_did(book: PriceBook) -> None:
    assert book.get(PAIR) is None
    book.put(a_row("163.25"), expected_version=0)
    assert book.get(PAIR) == replace(a_row("163.25"), version=1)
    book.put(a_row("164"), expected_version=1)
    assert book.get(PAIR) == replace(a_row("164"), version=2)


@both
def test_of_two_that_read_the_same_row_one_writes(book: PriceBook) -> None:
    book.put(a_row("1"), expected_version=0)
    for stale in (0, 2):
        with pytest.raises(Conflict):
            book.put(a_row("2"), expected_version=stale)
    assert book.get(PAIR) == replace(a_row("1"), version=1)


@both
def test_a_write_that_was_made_but_not_answered_may_be_sent_again(book: PriceBook) -> None:
    book.put(a_row("1"), expected_version=0)
    book.put(a_row("1"), expected_version=0)
    assert book.get(PAIR) == replace(a_row("1"), version=1)


@both
def test_many_are_read_at_once_and_those_not_there_are_left_out(book: PriceBook) -> None:
    book.put(a_row("1"), expected_version=0)
    book.put(a_row("2", "RAY/SOL"), expected_version=0)
    assert book.get_many([PAIR, "JUP/USDC", "RAY/SOL"]) == {
        PAIR: replace(a_row("1"), version=1),
        "RAY/SOL": replace(a_row("2", "RAY/SOL"), version=1),
    }


def test_a_row_that_can_not_be_read_says_so(dynamodb: Any) -> None:
    book = DynamoPriceBook(Table(dynamodb, TABLE))
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": f"PRICE#{PAIR}"}, "sk": {"S": "PRICE"}})
    with pytest.raises(Undecodable):
        book.get(PAIR)


# Moved prices


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def table(dynamodb: Any) -> Table:
    return Table(dynamodb, TABLE)


@pytest.fixture
def one(table: Table, clock: FakeClock) -> MovedPrices:
    """Moved prices as one process has them."""
    return MovedPrices(table, clock)


@pytest.fixture
def another(table: Table, clock: FakeClock) -> MovedPrices:
    return MovedPrices(table, clock)


def wait_until(clock: FakeClock, at: datetime) -> None:
    clock.advance((at - clock.now()).total_seconds())


def test_all_processes_go_over_to_a_price_at_one_time(
    one: MovedPrices, another: MovedPrices, clock: FakeClock
) -> None:
    assert one.at(clock.now()) == another.at(clock.now()) == {}
    before: dict[str, Decimal] = {}
    for price in map(Decimal, ("150", "190.5", "0.163")):
        since = one.move(PAIR, price)
        while clock.now() < since:
            assert one.at(clock.now()) == another.at(clock.now()) == before
            clock.advance(0.01)
        before = {PAIR: price}
        assert one.at(clock.now()) == another.at(clock.now()) == before


def test_whoever_has_just_read_goes_over_in_time_whenever_that_was(
    one: MovedPrices, another: MovedPrices, clock: FakeClock
) -> None:
    wait_until(clock, one.move(PAIR, Decimal(100)))
    for n in range(20):
        price = Decimal(150 + n)
        clock.advance(0.013 * n)
        another.at(clock.now())
        wait_until(clock, one.move(PAIR, price))
        assert another.at(clock.now()) == {PAIR: price}


def test_the_first_move_of_another_pair_does_not_overtake_one_that_is_not_known_yet(
    one: MovedPrices, another: MovedPrices, clock: FakeClock
) -> None:
    another.at(clock.now())
    one.move(PAIR, Decimal(150))
    since = one.move("RAY/SOL", Decimal("0.01"))
    wait_until(clock, since)
    assert another.at(clock.now()) == {PAIR: Decimal(150), "RAY/SOL": Decimal("0.01")}


def test_a_transaction_that_lands_later_is_priced_as_of_then(
    one: MovedPrices, clock: FakeClock
) -> None:
    wait_until(clock, one.move(PAIR, Decimal(100)))
    since = one.move(PAIR, Decimal(150))
    assert one.at(since - timedelta(milliseconds=1)) == {PAIR: Decimal(100)}
    assert one.at(since) == {PAIR: Decimal(150)}


def test_moves_of_two_people_at_once_are_both_made(
    one: MovedPrices, another: MovedPrices, clock: FakeClock
) -> None:
    together = Barrier(2)

    def move(moved: MovedPrices, pair: str) -> None:
        together.wait()
        moved.move(pair, Decimal(1))

    sides = [Thread(target=move, args=side) for side in ((one, PAIR), (another, "RAY/SOL"))]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    clock.advance(5)
    assert one.at(clock.now()) == {PAIR: Decimal(1), "RAY/SOL": Decimal(1)}


def test_quotes_pools_and_dollars_go_by_a_moved_price(one: MovedPrices, clock: FakeClock) -> None:
    wait_until(clock, one.move(PAIR, Decimal(500)))
    market = MovedMarket(7, one)
    still = SimulatedMarket(7, {PAIR: Decimal(500)})
    for name in ("raydium", "meteora"):
        venue = SimulatedVenue(name, market, clock, FakeChance(), (0.0, 0.0))
        assert venue.pool("SOL", "USDC") == still.pool(name, "SOL", "USDC", clock.now())
    pools = SimulatedPools(market, clock).pools(PAIRS)
    assert pools[PAIR] == [
        still.pool(n, "SOL", "USDC", clock.now()) for n in ("raydium", "meteora")
    ]
    prices = SimulatedPrices(7, one)
    assert prices.dollars(SOL, clock.now()) == 500
    assert prices.dollars(USDC, clock.now()) == 1


# What it costs


def test_many_questions_cost_one_read_in_two_seconds_if_nothing_was_ever_moved(
    one: MovedPrices, clock: FakeClock, dynamodb: Any
) -> None:
    counter = Counter()
    counter.attach(dynamodb)
    for _ in range(199):
        one.at(clock.now())
        clock.advance(0.01)
    bill = counter.taken()
    assert (bill.calls, bill.reads) == ({"dynamodb.GetItem": 1}, 1)


def test_venues_that_are_asked_side_by_side_read_once(
    one: MovedPrices, clock: FakeClock, dynamodb: Any
) -> None:
    counter = Counter()
    counter.attach(dynamodb)
    asked = [Thread(target=one.at, args=(clock.now(),)) for _ in range(8)]
    for each in asked:
        each.start()
    for each in asked:
        each.join()
    assert counter.taken().calls == {"dynamodb.GetItem": 1}


@pytest.mark.parametrize(("faults", "calls"), [("off", {}), ("on", {"dynamodb.GetItem": 1})])
def test_nothing_is_read_where_nothing_can_be_moved(
    monkeypatch: pytest.MonkeyPatch, dynamodb: Any, faults: str, calls: dict[str, int]
) -> None:
    """Quotes, a price, dollars: one process's share of an order."""
    use = Aws(
        Settings.of(
            {
                "TABLE_NAME": TABLE,
                "SIMULATED_FAULTS": faults,
                "QUOTE_DELAY_MIN_MS": "0",
                "QUOTE_DELAY_MAX_MS": "0",
            }
        )
    )
    counter = Counter()
    counter.attach(dynamodb)
    monkeypatch.setattr(use, "_table", Table(dynamodb, TABLE), raising=False)
    for venue in use.venues:
        venue.pool("SOL", "USDC")
    use.market.pools(PAIRS)
    use.prices.dollars(SOL, use.clock.now())
    assert counter.taken().calls == calls
