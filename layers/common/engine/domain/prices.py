"""Prices of a pair: quote tokens for one base token, whichever of the two is sold.

A price has at most 12 significant digits and lies from 10**-18 to 10**18: two prices are equal if
their texts in the index are, and sorted as these are.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

DIGITS = 12
MIN_PRICE, MAX_PRICE = Decimal("1e-18"), Decimal("1e18")
_LOWEST = MIN_PRICE.adjusted() - 4  # a trailing stop lies at a tenth of its watermark at least
_ROUNDED = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)


class PriceOutOfRange(ValueError):
    """A price is not a number from 10**-18 to 10**18."""


class PriceTooPrecise(ValueError):
    """A price has more than 12 significant digits."""


def checked_price(price: Decimal) -> Decimal:
    """Return `price` without trailing zeros. Raises PriceOutOfRange, PriceTooPrecise."""
    if not price.is_finite() or not MIN_PRICE <= price <= MAX_PRICE:
        raise PriceOutOfRange("must be from 1e-18 to 1e18")
    digits = "".join(map(str, price.as_tuple().digits)).strip("0")
    if len(digits) > DIGITS:
        raise PriceTooPrecise(f"has more than {DIGITS} significant digits")
    return price.normalize(_ROUNDED)


def rounded(price: Decimal) -> Decimal:
    """Return the price of 12 digits that is nearest, half to even."""
    return price.normalize(_ROUNDED)


def rounded_ratio(price: Fraction) -> Decimal:
    """Return the price of 12 digits that is nearest to a fraction, half to even."""
    return _ROUNDED.divide(Decimal(price.numerator), Decimal(price.denominator)).normalize(_ROUNDED)


def index_key(price: Decimal) -> str:
    """Return the text that sorts as the price does: exponent, then digits, of one width."""
    mantissa = int(price.scaleb(DIGITS - 1 - price.adjusted(), _ROUNDED))
    return f"{price.adjusted() - _LOWEST:02d}{mantissa:0{DIGITS}d}"


def price_text(price: Decimal) -> str:
    """Return a price as a plain decimal string without trailing zeros."""
    text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
