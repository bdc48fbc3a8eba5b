"""Amounts: exact, bounded, and rounded for nobody's gain but the trader's."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.domain.money import (
    MAX_BASE_UNITS,
    AmountOutOfRange,
    InexactAmount,
    decimal_of,
    from_base_units,
    nearest,
    price,
    shares,
    to_base_units,
)


@pytest.mark.parametrize(
    ("text", "decimals", "base_units"),
    [
        ("1", 9, 10**9),
        ("1.0", 9, 10**9),
        ("1e0", 9, 10**9),
        ("0.000001", 6, 1),
        ("1.10", 1, 11),
        ("1." + "0" * 5000, 6, 10**6),
        ("0.1" + "0" * 5000 + "e1", 6, 10**6),
    ],
)
def test_amounts_are_read_exactly(text: str, decimals: int, base_units: int) -> None:
    assert to_base_units(Decimal(text), decimals) == base_units


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "NaN",
        "Infinity",
        "1e400",
        "1e999999999",
        "18446744073710",
        "-0",
        "-1e-9999999",
        "1e999999999999999999",
        "0e9999999",
        "0e-9999999",
        "9" * 5000,
    ],
)
def test_amounts_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(AmountOutOfRange):
        to_base_units(Decimal(text), 6)


@pytest.mark.parametrize("text", ["0.0000001", "1e-400", "1e-9999999", "0." + "9" * 2000])
def test_digits_are_never_lost(text: str) -> None:
    with pytest.raises(InexactAmount):
        to_base_units(Decimal(text), 6)


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 12))
@example(Decimal("1e-1000000000"), 9)
@example(Decimal("1e-999999999999999999"), 9)
def test_no_context_has_a_say_in_what_an_amount_is(amount: Decimal, decimals: int) -> None:
    judged = _judgement(amount, decimals)
    with localcontext(Context(prec=1, Emin=0, Emax=0, traps=[])):
        assert _judgement(amount, decimals) == judged
    if isinstance(judged, int):
        assert Fraction(judged, 10**decimals) == Fraction(amount)


def _judgement(amount: Decimal, decimals: int) -> object:
    try:
        return to_base_units(amount, decimals)
    except (AmountOutOfRange, InexactAmount) as error:
        return type(error)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1e-9999999", InexactAmount),
        ("1e-999999999999999999999", InexactAmount),
        ("1.5E-" + "9" * 9_000, InexactAmount),
        ("1e999999999999999999999", AmountOutOfRange),
        ("1e+999999999999999999999", AmountOutOfRange),
        ("0e999999999999999999999", AmountOutOfRange),
        ("0e-999999999999999999999", AmountOutOfRange),
        ("-1e-999999999999999999999", AmountOutOfRange),
    ],
)
def test_every_number_that_can_be_written_is_judged(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        to_base_units(decimal_of(text), 9)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_digit_for_digit(number: Decimal) -> None:
    assert decimal_of(str(number)).as_tuple() == number.as_tuple()


@pytest.mark.parametrize("text", ["", "-", ".", "e5", "1_0", "NaN", "Infinity", " 1", "１", "0x1"])
def test_what_is_no_number_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        decimal_of(text)


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


@pytest.mark.parametrize(
    ("sold", "bought", "executed"),
    [
        ((18163_092438668, 9), (1868523_626666, 6), "102.874751806"),
        ((2296441_179412, 6), (2292617_876618, 6), "0.998335118344"),
        ((13068_105753727, 9), (1973640_015540, 6), "151.027245473"),
        ((1, 0), (1_000_000_000_005, 1), "100000000000"),
        ((1, 0), (1_000_000_000_015, 1), "100000000002"),
        ((MAX_BASE_UNITS, 9), (1, 9), "0.0000000000000000000542101086243"),
        ((1, 9), (MAX_BASE_UNITS, 5), "184467440737000000000000"),
    ],
)
def test_a_price_is_the_exact_quotient_rounded_once(
    sold: tuple[int, int], bought: tuple[int, int], executed: str
) -> None:
    assert price(*sold, *bought) == executed


@given(*[st.integers(1, MAX_BASE_UNITS), st.integers(0, 12)] * 2)
def test_no_price_is_off_in_its_last_digit(sold: int, ins: int, bought: int, outs: int) -> None:
    exact = Fraction(bought * 10**ins, sold * 10**outs)
    said = Decimal(price(sold, ins, bought, outs))
    unit = Fraction(10) ** (said.adjusted() - 11)
    assert abs(Fraction(said) - exact) * 2 <= unit
    assert Fraction(said) / unit == round(exact / unit)


@given(st.lists(st.integers(1, MAX_BASE_UNITS), min_size=1, max_size=4))
@example([1, 2])
@example([1, 2 * 10**12 - 1])
@example([3, 2 * 10**12 - 3])
def test_shares_sum_to_one(parts: list[int]) -> None:
    said = [Fraction(Decimal(share)) for share in shares(parts)]
    assert sum(said) == 1
    for share, part in zip(said, parts, strict=True):
        assert abs(share - Fraction(part, sum(parts))) < Fraction(1, 10**12)
        if len(parts) == 2:
            assert share * 10**12 == round(Fraction(part * 10**12, sum(parts)))


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_nearest_is_what_a_fraction_rounds_to(over: int, under: int) -> None:
    assert nearest(over, under) == round(Fraction(over, under))
