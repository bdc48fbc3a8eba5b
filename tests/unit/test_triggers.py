"""When a resting order comes due: at its price or past it, over gaps, and not a hair before."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.prices import PriceOutOfRange, PriceTooPrecise, checked_price, index_key
from engine.domain.triggers import (
    MOST_SEEN,
    STOP_LOSS,
    TAKE_PROFIT,
    AtPrice,
    Direction,
    EitherOf,
    Fired,
    Level,
    ThenLimit,
    ThenTrailing,
    Tick,
    Trailing,
    Trigger,
)

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
ABOVE, BELOW = Direction.ABOVE, Direction.BELOW
prices = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(1, 10**12 - 1),
    st.integers(-18, 6),
)


def tick(price: str, high: str | None = None, low: str | None = None) -> Tick:
    highs, lows = (((Decimal(seen or price), NOON),) for seen in (high, low))
    return Tick(Decimal(price), NOON, highs, lows)


def level(direction: Direction, price: str) -> Level:
    return Level(direction, Decimal(price))


@given(prices, prices)
def test_keys_of_the_index_sort_as_prices_do(one: Decimal, other: Decimal) -> None:
    assert (index_key(one) < index_key(other)) == (one < other)
    assert (index_key(one) == index_key(other)) == (one == other)


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "Infinity", "1e19", "1e-19", "9e999999"])
def test_a_price_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(PriceOutOfRange):
        checked_price(Decimal(text))


@pytest.mark.parametrize("text", ["1.000000000001", "1234567890123", "0.1234567890123"])
def test_a_price_of_more_than_twelve_digits_is_refused(text: str) -> None:
    with pytest.raises(PriceTooPrecise):
        checked_price(Decimal(text))


@pytest.mark.parametrize(
    ("direction", "price", "due"),
    [
        (ABOVE, "100", True),
        (ABOVE, "99.9999999999", False),
        (ABOVE, "100000", True),
        (BELOW, "100", True),
        (BELOW, "100.000000001", False),
        (BELOW, "0.001", True),
    ],
)
def test_a_level_is_reached_at_it_or_past_it(direction: Direction, price: str, due: bool) -> None:
    waiting = AtPrice(level(direction, "100"))
    assert waiting.on(tick(price)) == (Fired(waiting.level) if due else waiting)


def test_a_price_that_came_and_went_between_two_sweeps_counts() -> None:
    waiting = AtPrice(level(ABOVE, "110"))
    assert waiting.on(tick("100", high="111", low="99")) == Fired(waiting.level)


def test_what_the_price_did_before_an_order_rested_does_not_concern_it() -> None:
    second = timedelta(seconds=1)
    seen = Tick.of(Decimal(120), NOON).seen(Decimal(80), NOON + second)
    now = seen.seen(Decimal(100), NOON + 2 * second)
    assert (now.high, now.low) == (Decimal(120), Decimal(80))
    assert now.since(NOON - second) == now
    later = now.since(NOON)
    assert later is not None
    assert (later.high, later.low) == (Decimal(100), Decimal(80))
    assert now.since(NOON + 3 * second) is None


def test_of_equal_highs_and_lows_the_latest_counts() -> None:
    second = timedelta(seconds=1)
    seen = Tick.of(Decimal(80), NOON).seen(Decimal(80), NOON + second)
    assert seen.lows == seen.highs == ((Decimal(80), NOON + second),)
    assert seen.seen(Decimal(80), NOON) == seen


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=MOST_SEEN),
    st.integers(-1, 10),
)
def test_whenever_an_order_came_its_high_and_low_are_of_what_it_has_lived_through(
    prices: list[tuple[int, int]], came: int
) -> None:
    def after(seconds: int) -> datetime:
        return NOON + timedelta(seconds=seconds)

    (first, at), *others = prices
    seen = Tick.of(Decimal(first), after(at))
    for price, moment in others:
        seen = seen.seen(Decimal(price), after(moment))
    lived = seen.since(after(came))
    if seen.at < after(came):
        assert lived is None
        return
    met = [Decimal(price) for price, moment in prices if moment > came] or [seen.price]
    assert lived is not None
    assert (lived.high, lived.low) == (max(met), min(met))


def test_a_price_that_was_overtaken_is_not_the_newest() -> None:
    seen = Tick.of(Decimal(100), NOON + timedelta(seconds=1)).seen(Decimal(90), NOON)
    assert (seen.price, seen.high, seen.low) == (Decimal(100), Decimal(100), Decimal(90))


def test_a_stop_limit_rests_as_a_limit_from_its_stop_on() -> None:
    waiting = ThenLimit(level(BELOW, "90"), level(ABOVE, "89"))
    assert waiting.on(tick("91")) is waiting
    assert waiting.on(tick("88")) == AtPrice(level(ABOVE, "89"))
    assert waiting.on(tick("89.5")) == Fired(level(ABOVE, "89"))


def test_of_two_levels_the_stop_loss_comes_first_if_one_tick_reached_both() -> None:
    waiting = EitherOf(level(ABOVE, "110"), level(BELOW, "90"))
    assert waiting.on(tick("100")) is waiting
    assert waiting.on(tick("110")) == Fired(level(ABOVE, "110"), TAKE_PROFIT)
    assert waiting.on(tick("100", high="120", low="80")) == Fired(level(BELOW, "90"), STOP_LOSS)


def test_a_trailing_stop_follows_the_price_and_not_back() -> None:
    waiting: Trigger | Fired = Trailing(ABOVE, 1_000, Decimal(100))
    for price in ("110", "105", "120", "109"):
        assert isinstance(waiting, Trailing)
        waiting = waiting.on(tick(price))
    assert isinstance(waiting, Trailing)
    assert waiting.stop == level(BELOW, "108")
    assert waiting.on(tick("108")) == Fired(level(BELOW, "108"))


def test_a_trailing_stop_begins_at_its_activation() -> None:
    waiting = ThenTrailing(level(ABOVE, "110"), 1_000)
    assert waiting.on(tick("50")) is waiting
    assert waiting.on(tick("112")) == Trailing(ABOVE, 1_000, Decimal(112))
    assert waiting.on(tick("90", high="112")) == Fired(level(BELOW, "100.8"))


def test_a_trailing_buy_is_the_mirror() -> None:
    waiting = Trailing(BELOW, 1_000, watermark=Decimal(100))
    moved = waiting.on(tick("80"))
    assert moved == Trailing(BELOW, 1_000, Decimal(80))
    assert moved.on(tick("88")) == Fired(level(ABOVE, "88"))


@dataclass
class FullScan:
    """A trailing stop that writes its watermark on every tick."""

    best: Decimal
    bps: int

    def due(self, price: Decimal) -> bool:
        self.best = max(self.best, price)
        return price * 10_000 <= self.best * (10_000 - self.bps)


@given(
    st.integers(10, 9_000),
    st.lists(st.integers(1, 2_000_000), min_size=1, max_size=60),
)
def test_a_lazy_watermark_is_never_further_than_its_band_from_the_true_one(
    bps: int, walk: list[int]
) -> None:
    exact, waiting = FullScan(Decimal(1_000), bps), Trailing(ABOVE, bps, Decimal(1_000))
    band = Decimal(10_000 + max(1, bps // 50)) / 10_000
    for step in walk:
        price = Decimal(step) / 1_000
        due, after = exact.due(price), waiting.on(tick(str(price)))
        if isinstance(after, Fired):
            assert due
            return
        assert isinstance(after, Trailing)
        assert after.watermark <= exact.best < after.watermark * band * Decimal("1.0000000001")
        waiting = after


@given(
    st.sampled_from([AtPrice(level(ABOVE, "100")), EitherOf(level(ABOVE, "9"), level(BELOW, "8"))]),
    prices,
)
def test_what_the_index_does_not_find_would_not_have_come_due(
    waiting: AtPrice | EitherOf, price: Decimal
) -> None:
    now = tick(str(price))
    found = any(each.reached(now) for each in waiting.levels)
    assert found == isinstance(waiting.on(now), Fired)


@given(st.sampled_from([ABOVE, BELOW]), st.integers(10, 9_000), prices, prices)
def test_what_the_index_does_not_find_leaves_a_trailing_stop_as_it_is(
    follows: Direction, bps: int, watermark: Decimal, price: Decimal
) -> None:
    waiting, now = Trailing(follows, bps, watermark), tick(str(price))
    if not any(each.reached(now) for each in waiting.levels):
        assert waiting.on(now) == waiting
