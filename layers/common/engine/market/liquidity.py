"""What a pool holds."""

from fractions import Fraction

from engine.market.meteora import DlmmPool
from engine.market.pool import Pool
from engine.market.raydium import ConstantProductPool


def liquidity(pool: Pool, quote: str) -> int:
    """Return what a pool holds of both tokens at its mid, base units of `quote`; 0: nothing.

    Of a kind of pool that is not known it is what trades within half of the mid, both ways.
    """
    mid = pool.mid()
    if not mid:
        return 0
    match pool:
        case ConstantProductPool():
            x, y = pool.reserve_x, pool.reserve_y
        case DlmmPool():
            x, y = (sum(held[side] for held in pool.bins.values()) for side in (0, 1))
        case _:
            x, y = 0, 2 * pool.depth(5_000)
    in_y = x * mid + y
    return int(in_y if pool.token_y == quote else Fraction(in_y) / mid)
