"""Amounts: `Decimal` at the edges, integers in base units inside, never a float."""

from decimal import Context, Decimal, localcontext

BPS = 10_000
#: SPL token amounts are unsigned 64-bit integers.
MAX_BASE_UNITS = 2**64 - 1
_EXACT = Context(prec=1_000)


class InexactAmount(ValueError):
    """An amount has more decimals than its token."""


class AmountOutOfRange(ValueError):
    """An amount is not finite, not above zero, or more than 2**64-1 base units."""


def to_base_units(amount: Decimal, decimals: int) -> int:
    """Return `amount` tokens as base units (tokens x 10**decimals), exactly.

    Raises AmountOutOfRange unless 0 < result < 2**64, InexactAmount if digits would be lost.
    """
    if not amount.is_finite() or amount <= 0:
        raise AmountOutOfRange("must be a number above zero")
    if amount.adjusted() + decimals > 19:  # 2**64 has 20 digits: refuse before computing
        raise AmountOutOfRange("is too large")
    if len(amount.as_tuple().digits) > _EXACT.prec or _decimals(amount) > decimals:
        raise InexactAmount(f"has more than {decimals} decimals")
    base_units = int(amount.scaleb(decimals, _EXACT))
    if base_units > MAX_BASE_UNITS:
        raise AmountOutOfRange("is too large")
    return base_units


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize(_EXACT).as_tuple().exponent
    assert isinstance(exponent, int)  # the caller has seen that it is finite
    return -exponent


def from_base_units(base_units: int, decimals: int) -> str:
    """Return base units as a plain decimal string without trailing zeros: 1500000, 6 -> "1.5"."""
    text = format(Decimal(base_units).scaleb(-decimals, _EXACT), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(amount_in: int, in_decimals: int, amount_out: int, out_decimals: int) -> str:
    """Return tokens out for one token in, to 12 significant digits, as a decimal string."""
    with localcontext(prec=12):
        rate = Decimal(amount_out).scaleb(-out_decimals) / Decimal(amount_in).scaleb(-in_decimals)
        text = format(rate, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def less_slippage(amount_out: int, slippage_bps: int) -> int:
    """Return the least output that `slippage_bps` (0..10000) tolerates, rounded up.

    Jupiter's rule, `ceil(out * (10000 - bps) / 10000)`; Raydium's SDK rounds half up and Orca
    rounds down. Up never gives the trader less than the tolerance allows.
    """
    return -(-amount_out * (BPS - slippage_bps) // BPS)
