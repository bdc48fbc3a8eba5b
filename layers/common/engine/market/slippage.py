"""How other venues round a tolerance, beside our own rule, `domain.money.less_slippage`.

They do not agree: for the same quote and tolerance their minimums differ by a base unit. The engine
goes by Jupiter's rule, up; these are here so that the difference is on record and tested.
"""

from engine.domain.errors import AmountTooLarge
from engine.domain.money import BPS, MAX_BASE_UNITS


def orca_min_out(amount_out: int, slippage_bps: int) -> int:
    """Return the least output by Orca's rule, rounded down (whirlpools `math/token.rs`)."""
    return amount_out * (BPS - _tolerable(slippage_bps)) // BPS


def orca_max_in(amount_in: int, slippage_bps: int) -> int:
    """Return the most input of an exact-out swap by Orca's rule, rounded up.

    Raises AmountTooLarge above 2**64-1.
    """
    most = -(-amount_in * (BPS + _tolerable(slippage_bps)) // BPS)
    if most > MAX_BASE_UNITS:
        raise AmountTooLarge("the most that may come in does not fit in 64 bits")
    return most


def raydium_min_out(amount_out: int, slippage_bps: int) -> int:
    """Return the least output by Raydium's SDK, rounded half up (`liquidity.ts`)."""
    return (amount_out * (BPS - _tolerable(slippage_bps)) + BPS // 2) // BPS


def _tolerable(slippage_bps: int) -> int:
    if not 0 <= slippage_bps <= BPS:
        raise ValueError("a slippage tolerance is from 0 to 10000 bps")
    return slippage_bps
