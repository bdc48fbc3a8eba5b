"""What every pool can answer, whatever its formula."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from engine.domain.errors import AmountTooLarge, AmountTooSmall
from engine.domain.money import BPS, MAX_BASE_UNITS, nearest


@dataclass(frozen=True, slots=True)
class Swap:
    """What a trade through one pool would do.

    `amount_in` is base units of the token sold, `amount_out` of the token bought, both with the fee
    taken into account; `fee` is in the token sold, or in the one bought if `fee_on_output`.
    `price_impact_bps` is how far the trade's price, net of fees, falls short of the price before.
    """

    amount_in: int
    amount_out: int
    fee: int
    price_impact_bps: int
    fee_on_output: bool = False


class Pool(Protocol):
    """A pool as it stood when it was read; asking changes nothing.

    The calls raise a MarketError by name (InsufficientLiquidity, AmountTooSmall, AmountTooLarge,
    UnsupportedPair), never an exception of arithmetic.
    """

    @property
    def venue(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def token_x(self) -> str: ...
    @property
    def token_y(self) -> str: ...

    def exact_in(self, token_in: str, amount_in: int) -> Swap:
        """Return the swap that sells exactly `amount_in` of `token_in` (a symbol)."""
        ...

    def exact_out(self, token_in: str, amount_out: int) -> Swap:
        """Return the cheapest swap that buys at least `amount_out`, selling `token_in`."""
        ...

    def rate(self, token_in: str, amount_in: int) -> tuple[int, int]:
        """Return what one unit more than `amount_in` (0 and up) buys: a numerator, a denominator.

        It is net of the fee and before rounding, so that splits can be found by it; it never
        rises with `amount_in`, and is (0, 1) where the pool can take no more. Raises only
        UnsupportedPair.
        """
        ...

    def mid(self) -> Fraction | None:
        """Return the price between buying and selling: base units of Y for one of X.

        None if the pool holds nothing that tells it.
        """
        ...

    def depth(self, within_bps: int) -> int:
        """Return what may be bought and sold within `within_bps` of the mid, in base units of Y.

        It is the mean of both ways, without fees.
        """
        ...


def checked(amount: int) -> int:
    """Return `amount` if a swap can have it: one base unit at least, and no more than 64 bits.

    Raises AmountTooSmall, AmountTooLarge.
    """
    if amount < 1:
        raise AmountTooSmall("the amount is less than one base unit")
    if amount > MAX_BASE_UNITS:
        raise AmountTooLarge("the amount does not fit in 64 bits")
    return amount


def impact_bps(expected: int, got: int) -> int:
    """Return how far `got` falls short of what the price before promised, to the nearest bp."""
    return max(0, nearest(BPS * (expected - got), expected))
