"""A market that is a pure function of a seed, a pair and a time: the same in every process.

Prices walk smoothly (`walk.py`), and each venue strays from the common price as pools do between
arbitrages. Nothing is stored, nothing is random, and no float decides anything.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from functools import lru_cache
from hashlib import sha256

from engine.domain.errors import UnsupportedPair
from engine.domain.launches import Opened
from engine.domain.money import BPS
from engine.domain.tokens import PAIRS, TOKENS, Token, launched, pair_name, pair_of
from engine.market import meteora, raydium
from engine.market.bins import ONE, FeeSchedule, Volatility, bin_price
from engine.market.meteora import DlmmPool
from engine.market.pool import Pool
from engine.market.raydium import ConstantProductPool
from engine.market.walk import DOLLARS, SCALE, dollars, lattice, milliseconds, noise

VENUES = (raydium.VENUE, meteora.VENUE)

#: How a venue strays from the common price, as `walk.noise` has it: two are 5 % apart at most.
_STRAY = ((1_200_000, 200), (240_000, 50))
#: A pool's volatility remembers a trade at the start of every such span, in seconds.
_TRADES_EVERY = 45
_BINS = 70
_FALL = 80
#: How far from where its walk began a price may be moved, either way: the pools still hold enough
#: of both tokens to tell it to the last digit of a reference price.
_FURTHEST = 1_000


@dataclass(frozen=True, slots=True)
class _Listing:
    """The two pools of a pair: how deep, in dollars, and what they charge.

    `side` is what Raydium's pool holds of each token, `per_bin` what Meteora's active bin does.
    """

    side: int
    fee_bps: int
    per_bin: int
    bin_step: int
    base_factor: int
    calm: int = 1
    #: What 10**12 of the base cost when it launched, in dollars; None: as the walk began.
    each: int | None = None


_ORDINARY = _Listing(2_000_000, 25, 6_000, 10, 10_000)
_LISTINGS = {
    ("SOL", "USDC"): _Listing(5_000_000, 25, 12_000, 10, 10_000),
    ("USDT", "USDC"): _Listing(60_000_000, 4, 150_000, 1, 20_000, calm=10),
    ("RAY", "USDC"): _Listing(2_500_000, 25, 6_000, 20, 10_000),
    ("JUP", "USDC"): _Listing(2_000_000, 25, 5_000, 20, 10_000),
    ("BONK", "USDC"): _Listing(2_000_000, 25, 6_000, 25, 8_000),
    ("SOL", "USDT"): _Listing(3_000_000, 25, 7_000, 10, 10_000),
    ("RAY", "SOL"): _Listing(3_000_000, 25, 8_000, 20, 10_000),
}

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@lru_cache(maxsize=64)
def _address(venue: str, base: str, quote: str) -> str:
    """Return the address of a simulated pool: 32 bytes in base 58, as a real one looks."""
    return base58(sha256(f"pool:{venue}:{base}:{quote}".encode()).digest())


def base58(data: bytes) -> str:
    """Return bytes as Solana writes addresses and signatures; they must not begin with a zero."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return text


def _active_id(price: tuple[int, int], bin_step: int) -> int:
    """Return the last bin whose price is not above `price`; the logarithm is only a first guess."""
    target = price[0] * ONE // price[1]
    bin_id = math.floor(math.log(target / ONE) / math.log1p(bin_step / BPS))
    while bin_price(bin_id, bin_step) > target:
        bin_id -= 1
    while bin_price(bin_id + 1, bin_step) <= target:
        bin_id += 1
    return bin_id


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    """Both venues' pools for every pair of `domain.tokens.PAIRS`, at any time.

    `moved` has the prices, by pair, that somebody has set: both venues stand at them, always.
    """

    seed: int
    moved: Mapping[str, Decimal] = field(default_factory=dict)
    #: The tokens that were launched, by symbol; asked for only if one of them may be meant.
    launched: Callable[[], Mapping[str, Opened]] = dict

    def pool(self, venue: str, token_in: str, token_out: str, at: datetime | float) -> Pool:
        """Return the venue's pool for two tokens, whichever is sold, as it stands at `at`.

        `at` is an aware datetime or unix seconds. Raises UnsupportedPair.
        """
        base, quote = self._pair(token_in, token_out)
        listing = _LISTINGS.get((base.symbol, quote.symbol), _ORDINARY)
        if launched(base):
            listing = _opened(self.launched()[base.symbol])
        if venue == raydium.VENUE:
            return self._constant_product(base, quote, listing, milliseconds(at))
        if venue == meteora.VENUE:
            return self._dlmm(base, quote, listing, milliseconds(at))
        raise UnsupportedPair(f"there is no venue {venue}")

    def _pair(self, one: str, other: str) -> tuple[Token, Token]:
        first, second = self._token(one), self._token(other)
        pair = pair_of(first, second) if first and second else None
        if pair is None:
            raise UnsupportedPair(f"{one}/{other} is not among the {len(PAIRS)} pairs")
        return pair

    def _token(self, symbol: str) -> Token | None:
        if symbol in TOKENS:
            return TOKENS[symbol]
        opened = self.launched().get(symbol)
        return opened.launch.token if opened else None

    def _price(
        self, venue: str, base: Token, quote: Token, listing: _Listing, at_ms: int
    ) -> tuple[int, int]:
        """Return a venue's price as a fraction: base units of `quote` for one of `base`."""
        moved = self.moved.get(pair_name(base, quote))
        if moved is None and launched(base):  # it stands where it was launched
            moved = self.launched()[base.symbol].price
        if moved is not None:
            price, per = moved.as_integer_ratio()
            return price * 10**quote.decimals, per * 10**base.decimals
        name = f"{venue}:{base.symbol}/{quote.symbol}"
        stray = noise(self.seed, name, at_ms, _STRAY) // listing.calm
        paid = dollars(self.seed, base, at_ms) * (SCALE + stray) * 10**quote.decimals
        return paid, dollars(self.seed, quote, at_ms) * SCALE * 10**base.decimals

    def _constant_product(
        self, base: Token, quote: Token, listing: _Listing, at_ms: int
    ) -> ConstantProductPool:
        price, per = self._price(raydium.VENUE, base, quote, listing, at_ms)
        product = _worth(base, listing.side, listing.each) * _worth(quote, listing.side)
        return ConstantProductPool(
            address=_address(raydium.VENUE, base.symbol, quote.symbol),
            token_x=base.symbol,
            token_y=quote.symbol,
            reserve_x=math.isqrt(product * per // price),
            reserve_y=math.isqrt(product * price // per),
            fee_bps=listing.fee_bps,
        )

    def _dlmm(self, base: Token, quote: Token, listing: _Listing, at_ms: int) -> DlmmPool:
        step = listing.bin_step
        price = self._price(meteora.VENUE, base, quote, listing, at_ms)
        active = _active_id(price, step)
        full_y = _worth(quote, listing.per_bin)
        full_x = full_y * price[1] // price[0]
        bins = {active: _in_active(active, step, price, full_x, full_y)}
        for away in range(1, _BINS):
            bins[active + away] = (full_x * (_FALL - away) // _FALL, 0)
            bins[active - away] = (0, full_y * (_FALL - away) // _FALL)
        now = at_ms // 1_000
        return DlmmPool(
            address=_address(meteora.VENUE, base.symbol, quote.symbol),
            token_x=base.symbol,
            token_y=quote.symbol,
            active_id=active,
            bins=bins,
            fees=FeeSchedule(bin_step=step, base_factor=listing.base_factor),
            volatility=self._volatility(base, quote, listing, now - now % _TRADES_EVERY),
            now=now,
        )

    def _volatility(self, base: Token, quote: Token, listing: _Listing, then: int) -> Volatility:
        """Return what the pool remembers of a trade at `then` that crossed up to three bins."""
        name = f"trade:{base.symbol}/{quote.symbol}"
        reference = (lattice(self.seed, name, then) + SCALE) % 40_001
        crossed = (lattice(self.seed, name, -then) + SCALE) % 4
        price = self._price(meteora.VENUE, base, quote, listing, then * 1_000)
        return Volatility(
            accumulator=reference + crossed * BPS,
            reference=reference,
            index_reference=_active_id(price, listing.bin_step),
            last_update=then,
        )


def movable(base: Token, quote: Token, launched: Opened | None = None) -> tuple[Decimal, Decimal]:
    """Return the least and the greatest price that a pair may be moved to."""
    start = Context(prec=3).divide(Decimal(_each(base)), Decimal(_each(quote)))
    if launched is not None:
        start = launched.price
    return start / _FURTHEST, start * _FURTHEST


def _opened(opened: Opened) -> _Listing:
    """Return pools that hold what a launch said, half of it each."""
    half = opened.liquidity_usd / 2
    # Meteora's bins on both sides of the active one hold this many times what that does.
    bins = 1 + 2 * sum(_FALL - away for away in range(1, _BINS)) / _FALL
    each = max(1, int(opened.price * 10**12))
    return _Listing(math.ceil(half / 2) + 1, 25, math.ceil(half / bins) + 1, 20, 10_000, each=each)


def _worth(token: Token, dollars: int, each: int | None = None) -> int:
    """Return how much of a token so many dollars bought when the walk began, in base units."""
    per_token: int = 10**token.decimals
    return dollars * 10**12 * per_token // (each or _each(token))


def _each(token: Token) -> int:
    """Return what 10**12 tokens cost when the walk began, in dollars."""
    return DOLLARS.get(token.symbol, DOLLARS["USDC"])


def _in_active(
    active: int, step: int, price: tuple[int, int], full_x: int, full_y: int
) -> tuple[int, int]:
    """Return what the active bin holds: the more Y, the nearer the price is to its upper end."""
    floor, ceiling = bin_price(active, step), bin_price(active + 1, step)
    width, risen = ceiling - floor, price[0] * ONE // price[1] - floor
    return full_x * (width - risen) // width, full_y * risen // width
