"""Raydium's constant-product pools (CPMM and AMM v4): `x * y` never falls.

The formulas are those of raydium-cp-swap `curve/constant_product.rs` and of AMM v4: the fee is
taken from what comes in and rounded up, what goes out is rounded down, and what must come in is
rounded up. No rounding is in the trader's favour.
"""

from dataclasses import dataclass

from engine.domain.errors import (
    AmountTooLarge,
    AmountTooSmall,
    InsufficientLiquidity,
    UnsupportedPair,
)
from engine.domain.money import BPS, MAX_BASE_UNITS
from engine.market.pool import Swap, checked, impact_bps

VENUE = "raydium"


def fee_in(gross: int, fee_bps: int) -> int:
    """Return the fee inside an amount of `gross`, rounded up."""
    return -(-gross * fee_bps // BPS)


def with_fee(net: int, fee_bps: int) -> int:
    """Return the least amount that leaves `net` after its fee."""
    return -(-net * BPS // (BPS - fee_bps))


def out_for(dx: int, x: int, y: int, fee_bps: int = 0) -> int:
    """Return what `dx` buys from reserves `x` (of what is sold) and `y`: dx * y / (x + dx)."""
    net = dx - fee_in(dx, fee_bps)
    return net * y // (x + net)


def in_for(dy: int, x: int, y: int, fee_bps: int = 0) -> int:
    """Return the least that buys `dy`, which must be under `y`."""
    return with_fee(-(-x * dy // (y - dy)), fee_bps)


def uniswap_out_for(dx: int, x: int, y: int, fee_bps: int) -> int:
    """Return what Uniswap v2 pays: its fee stays in the fraction and is never rounded by itself.

    The same as `out_for`, but for amounts of so few units that a fee rounded up shows.
    """
    net = dx * (BPS - fee_bps)
    return net * y // (x * BPS + net)


def uniswap_in_for(dy: int, x: int, y: int, fee_bps: int) -> int:
    """Return what Uniswap v2's `getAmountIn` asks for `dy`, which must be under `y`."""
    return x * dy * BPS // ((y - dy) * (BPS - fee_bps)) + 1


@dataclass(frozen=True, slots=True)
class ConstantProductPool:
    """A constant-product pool of two tokens (symbols); reserves in base units."""

    address: str
    token_x: str
    token_y: str
    reserve_x: int
    reserve_y: int
    fee_bps: int = 25
    venue: str = VENUE

    def __post_init__(self) -> None:
        if not 0 <= self.fee_bps < BPS:
            raise ValueError("the fee is from 0 to 9999 bps")

    def exact_in(self, token_in: str, amount_in: int) -> Swap:
        """Return the swap that sells exactly `amount_in` of `token_in`.

        Raises UnsupportedPair, AmountTooSmall, AmountTooLarge, InsufficientLiquidity.
        """
        x, y = self._filled(token_in)
        net = checked(amount_in) - fee_in(amount_in, self.fee_bps)
        out = net * y // (x + net)
        if out < 1:
            raise AmountTooSmall("the trade would give less than one base unit")
        return Swap(amount_in, out, amount_in - net, impact_bps(net * y, out * x))

    def exact_out(self, token_in: str, amount_out: int) -> Swap:
        """Return the cheapest swap that buys `amount_out`, selling `token_in`.

        Raises UnsupportedPair, AmountTooSmall, AmountTooLarge, InsufficientLiquidity.
        """
        x, y = self._filled(token_in)
        if checked(amount_out) >= y:
            raise InsufficientLiquidity(f"the pool holds {y} base units and never gives the last")
        net = in_for(amount_out, x, y)
        gross = with_fee(net, self.fee_bps)
        if gross > MAX_BASE_UNITS:
            raise AmountTooLarge("what must come in does not fit in 64 bits")
        return Swap(gross, amount_out, gross - net, impact_bps(net * y, amount_out * x))

    def rate(self, token_in: str, amount_in: int) -> tuple[int, int]:
        """Return the marginal rate after `amount_in`: (1 - fee) * x * y / (x + dx)**2."""
        x, y = self._reserves(token_in)
        if x < 1 or y < 1 or amount_in >= MAX_BASE_UNITS:
            return 0, 1
        after = x + amount_in - fee_in(amount_in, self.fee_bps)
        return (BPS - self.fee_bps) * x * y, BPS * after * after

    def _reserves(self, token_in: str) -> tuple[int, int]:
        if token_in == self.token_x:
            return self.reserve_x, self.reserve_y
        if token_in == self.token_y:
            return self.reserve_y, self.reserve_x
        raise UnsupportedPair(f"{token_in} is not traded in {self.address}")

    def _filled(self, token_in: str) -> tuple[int, int]:
        x, y = self._reserves(token_in)
        if x < 1 or y < 1:
            raise InsufficientLiquidity("the pool is empty")
        return x, y
