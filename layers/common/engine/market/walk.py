"""How the simulated market's prices walk: smooth value noise over hashed lattices, in integers."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b

from engine.domain.money import BPS
from engine.domain.tokens import Token

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCALE = 10**9
#: Noise is a sum of (period in ms, height in bps): the walk of a token's price in dollars.
_WALK = ((86_400_000, 600), (7_200_000, 150), (600_000, 40), (30_000, 6))

#: Dollars for 10**12 tokens.
DOLLARS = {
    "SOL": 163_000_000_000_000,
    "USDC": 1_000_000_000_000,
    "USDT": 1_000_000_000_000,
    "RAY": 2_100_000_000_000,
    "JUP": 520_000_000_000,
    "BONK": 20_500_000,
}


@lru_cache(maxsize=65_536)
def lattice(seed: int, name: str, index: int) -> int:
    """Return a number from -10**9 to 10**9 that depends on its three arguments alone."""
    digest = blake2b(f"{seed}:{name}:{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (2 * SCALE + 1) - SCALE


def noise(seed: int, name: str, at_ms: int, octaves: tuple[tuple[int, int], ...]) -> int:
    """Return smooth noise at a time, in 10**-9; no higher than the octaves' heights together."""
    total = 0
    for period, height in octaves:
        index, within = divmod(at_ms, period)
        octave = f"{name}/{period}"
        left = lattice(seed, octave, index)
        right = lattice(seed, octave, index + 1)
        eased = within * within * (3 * period - 2 * within)
        total += (left + (right - left) * eased // period**3) * height // BPS
    return total


def milliseconds(at: datetime | float) -> int:
    """Return milliseconds since 1970; `at` is an aware datetime or unix seconds."""
    if isinstance(at, datetime):
        return (at - _EPOCH) // timedelta(milliseconds=1)
    return round(at * 1_000)


def dollars(seed: int, token: Token, at_ms: int) -> int:
    """Return what 10**12 tokens cost, in 10**-9 dollars."""
    price = DOLLARS.get(token.symbol, DOLLARS["USDC"])
    if token.symbol == "USDC":
        return price * SCALE
    walk = noise(seed, token.symbol, at_ms, _WALK)
    calm = 20 if price == DOLLARS["USDC"] else 1
    return price * (SCALE + walk // calm)
