"""Amounts: exact, bounded, and rounded for nobody's gain but the trader's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.money import (
    MAX_BASE_UNITS,
    AmountOutOfRange,
    InexactAmount,
    from_base_units,
    price,
    to_base_units,
)


@pytest.mark.parametrize(
    ("text", "decimals", "base_units"),
    [("1", 9, 10**9), ("1.0", 9, 10**9), ("1e0", 9, 10**9), ("0.000001", 6, 1), ("1.10", 1, 11)],
)
def test_amounts_are_read_exactly(text: str, decimals: int, base_units: int) -> None:
    assert to_base_units(Decimal(text), decimals) == base_units


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "NaN", "Infinity", "1e400", "1e999999999", "18446744073710", "-0"],
)
def test_amounts_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(AmountOutOfRange):
        to_base_units(Decimal(text), 6)


@pytest.mark.parametrize("text", ["0.0000001", "1e-400", "1e-999999", "0." + "9" * 2000])
def test_digits_are_never_lost(text: str) -> None:
    with pytest.raises(InexactAmount):
        to_base_units(Decimal(text), 6)


@given(st.integers(1, MAX_BASE_UNITS), st.integers(0, 12))
def test_an_amount_survives_the_way_out_and_in(base_units: int, decimals: int) -> None:
    assert to_base_units(Decimal(from_base_units(base_units, decimals)), decimals) == base_units


def test_amounts_go_out_plain() -> None:
    assert from_base_units(1_500_000, 6) == "1.5"
    assert from_base_units(100_000_000, 6) == "100"
    assert from_base_units(1, 9) == "0.000000001"
    assert from_base_units(0, 6) == "0"
    assert from_base_units(100, 0) == "100"


def test_price_is_tokens_out_for_one_in() -> None:
    assert price(10**9, 9, 163_090_000, 6) == "163.09"
    assert price(3, 0, 1, 0) == "0.333333333333"
