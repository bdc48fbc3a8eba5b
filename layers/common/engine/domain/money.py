"""Amounts: `Decimal` at the edges, integers in base units inside, never a float."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

BPS = 10_000
#: SPL token amounts are unsigned 64-bit integers.
MAX_BASE_UNITS = 2**64 - 1
_PRICE = Context(prec=12, rounding=ROUND_HALF_EVEN)
_NUMBER = re.compile(
    r"(?P<digits>-?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE](?P<sign>[+-]?)(?P<exponent>[0-9]+))?"
)


class InexactAmount(ValueError):
    """An amount has more decimals than its token."""


class AmountOutOfRange(ValueError):
    """An amount is not finite, not above zero, or more than 2**64-1 base units."""


def decimal_of(text: str) -> Decimal:
    """Return the number that `text` writes, as JSON does or in plain digits, digit for digit.

    An exponent beyond Decimal's own (10**18) is held at 10**9 on its side: whoever judges such a
    number refuses it for the same reason. Raises ValueError if `text` writes no number.
    """
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise ValueError("is not a number")
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(f"{number['digits']}e{number['sign']}{10**9}")


def to_base_units(amount: Decimal, decimals: int) -> int:
    """Return `amount` tokens as base units (tokens x 10**decimals), exactly.

    Raises AmountOutOfRange unless 0 < result < 2**64, InexactAmount if digits would be lost. Goes
    by the digits as they stand, so that no context rounds, and no exponent costs time or memory.
    """
    if not amount.is_finite() or amount <= 0:
        raise AmountOutOfRange("must be a number above zero")
    if amount.adjusted() + decimals > 19:  # 2**64 has 20 digits: refuse before computing
        raise AmountOutOfRange("is too large")
    _, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)  # it is finite
    shift = exponent + decimals
    kept = len(digits) + min(shift, 0)
    if kept < 1 or any(digits[kept:]):
        raise InexactAmount(f"has more than {decimals} decimals")
    base_units = int("".join(map(str, digits[:kept]))) * int(10 ** max(shift, 0))
    if base_units > MAX_BASE_UNITS:
        raise AmountOutOfRange("is too large")
    return base_units


def from_base_units(base_units: int, decimals: int) -> str:
    """Return base units as a plain decimal string without trailing zeros: 1500000, 6 -> "1.5"."""
    return _plain(Decimal((0, tuple(map(int, str(base_units))), -decimals)))


def price(amount_in: int, in_decimals: int, amount_out: int, out_decimals: int) -> str:
    """Return tokens out for one token in, as a decimal string.

    It is the exact quotient, rounded once: to 12 significant digits, to the nearest, half to even.
    """
    quotient = _PRICE.divide(Decimal(amount_out), Decimal(amount_in))
    return _plain(quotient.scaleb(in_decimals - out_decimals, _PRICE))


def shares(parts: Sequence[int]) -> list[str]:
    """Return what each of `parts` is of them all, as decimal strings that sum to exactly 1.

    To 12 decimals, to the nearest, half to even; of more than two, a share may be the other
    neighbour of its exact quotient.
    """
    whole, so_far, told, said = sum(parts), 0, 0, []
    for part in parts:
        so_far += part
        upto = nearest(so_far * 10**12, whole)
        said.append(from_base_units(upto - told, 12))
        told = upto
    return said


def nearest(over: int, under: int) -> int:
    """Return `over / under` to the nearest whole number, half to even."""
    whole, rest = divmod(over, under)
    return whole + (2 * rest + (whole & 1) > under)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def less_slippage(amount_out: int, slippage_bps: int) -> int:
    """Return the least output that `slippage_bps` (0..10000) tolerates, rounded up.

    Jupiter's rule, `ceil(out * (10000 - bps) / 10000)`; Raydium's SDK rounds half up and Orca
    rounds down. Up never gives the trader less than the tolerance allows.
    """
    return -(-amount_out * (BPS - slippage_bps) // BPS)
