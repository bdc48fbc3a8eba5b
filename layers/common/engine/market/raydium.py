"""Raydium's constant-product pools (CPMM and AMM v4): `x * y` never falls.

The formulas are those of raydium-cp-swap `curve/constant_product.rs` and of AMM v4 since its fix of
2025-08-26: the fee is taken from what comes in and rounded up, what goes out is rounded down, and
what must come in is rounded up. No rounding is in the trader's favour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from engine.domain.errors import (
    AmountTooLarge,
    AmountTooSmall,
    InsufficientLiquidity,
    PoolDisabled,
    UnsupportedPair,
    UnsupportedPool,
)
from engine.domain.money import BPS, MAX_BASE_UNITS
from engine.market.pool import Swap, checked, impact_bps

VENUE = "raydium"


#: Fee rates are in millionths, as CPMM's `AmmConfig` has them.
MILLION = 1_000_000
#: The bit of a CPMM's `status` that turns swaps off, and values of an AMM v4's `status`.
_SWAP_OFF = 4
_WITH_ORDER_BOOK, _SWAP_ONLY, _WAITING = 1, 6, 7
_SPL_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


def fee_in(gross: int, fee_ppm: int) -> int:
    """Return the fee inside an amount of `gross`, rounded up."""
    return -(-gross * fee_ppm // MILLION)


def with_fee(net: int, fee_ppm: int) -> int:
    """Return the least amount that leaves `net` after its fee."""
    return -(-net * MILLION // (MILLION - fee_ppm))


@dataclass(frozen=True, slots=True)
class ConstantProductPool:
    """A constant-product pool of two tokens (symbols); reserves in base units.

    Its fee is `fee_bps`, or `fee_ppm` millionths where a basis point is too coarse.
    """

    address: str
    token_x: str
    token_y: str
    reserve_x: int
    reserve_y: int
    fee_bps: int = 25
    venue: str = VENUE
    fee_ppm: int | None = None
    _ppm: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ppm = self.fee_bps * (MILLION // BPS) if self.fee_ppm is None else self.fee_ppm
        object.__setattr__(self, "_ppm", ppm)
        if not 0 <= self._ppm < MILLION:
            raise ValueError("the fee is from 0 to less than all of it")

    @classmethod
    def from_cpmm(
        cls, account: Mapping[str, Any], *, token_x: str, token_y: str, now: int
    ) -> "ConstantProductPool":
        """Return the pool that a CPMM's `PoolState`, its `AmmConfig` and its vaults describe.

        Beside the fields as the program names them, `vault_0_amount` and `vault_1_amount` are what
        lies in the vaults; what is owed from them is no reserve. Raises PoolDisabled if swaps are
        off or not open at `now`, UnsupportedPool if it pays its creator or has a Token-2022 mint.
        """
        if int(account["status"]) & _SWAP_OFF:
            raise PoolDisabled("is switched off")
        if now < int(account.get("open_time", 0)):
            raise PoolDisabled("is not open yet")
        if account.get("enable_creator_fee", False):
            raise UnsupportedPool("pays its creator a fee of its own")
        programs = account.get("token_0_program"), account.get("token_1_program")
        if any(program not in (None, _SPL_PROGRAM) for program in programs):
            raise UnsupportedPool("has a mint that is not of the SPL Token program")
        x, y = (
            int(account[f"vault_{n}_amount"])
            - sum(
                int(account.get(f"{owed}_fees_token_{n}", 0))
                for owed in ("protocol", "fund", "creator")
            )
            for n in (0, 1)
        )
        rate = int(account["trade_fee_rate"])
        return cls(account["pool"], token_x, token_y, x, y, fee_ppm=rate)

    @classmethod
    def from_amm_v4(
        cls, account: Mapping[str, Any], *, token_x: str, token_y: str, now: int
    ) -> "ConstantProductPool":
        """Return the pool that an AMM v4's `AmmInfo` and its vaults describe; X is the coin.

        `vault_coin_amount` and `vault_pc_amount` are what lies in the vaults. Raises PoolDisabled
        unless it swaps, UnsupportedPool if its fee is not whole millionths or it keeps some of its
        reserves in an order book.
        """
        status = int(account["status"])
        if status == _WITH_ORDER_BOOK:
            raise UnsupportedPool("keeps some of its reserves in an order book")
        if status not in (_SWAP_ONLY, _WAITING) or now < int(account.get("pool_open_time", 0)):
            raise PoolDisabled("is switched off, or not open yet")
        numerator = int(account["swap_fee_numerator"])
        denominator = int(account["swap_fee_denominator"])
        rate, rest = divmod(numerator * MILLION, denominator)
        if rest:
            raise UnsupportedPool(f"charges {numerator}/{denominator}, not whole millionths")
        x, y = (
            int(account[f"vault_{side}_amount"]) - int(account.get(f"need_take_pnl_{side}", 0))
            for side in ("coin", "pc")
        )
        return cls(account["pool"], token_x, token_y, x, y, fee_ppm=rate)

    def exact_in(self, token_in: str, amount_in: int) -> Swap:
        """Return the swap that sells exactly `amount_in` of `token_in`.

        Raises UnsupportedPair, AmountTooSmall, AmountTooLarge, InsufficientLiquidity.
        """
        x, y = self._filled(token_in)
        net = checked(amount_in) - fee_in(amount_in, self._ppm)
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
        cost, of = x * amount_out, y - amount_out
        if 2 * cost < of:
            raise AmountTooSmall("the programs sell nothing for less than half a base unit")
        net = -(-cost // of)
        gross = with_fee(net, self._ppm)
        if gross > MAX_BASE_UNITS:
            raise AmountTooLarge("what must come in does not fit in 64 bits")
        return Swap(gross, amount_out, gross - net, impact_bps(net * y, amount_out * x))

    def rate(self, token_in: str, amount_in: int) -> tuple[int, int]:
        """Return the marginal rate after `amount_in`: (1 - fee) * x * y / (x + dx)**2."""
        x, y = self._reserves(token_in)
        if x < 1 or y < 1 or amount_in >= MAX_BASE_UNITS:
            return 0, 1
        after = x + amount_in - fee_in(amount_in, self._ppm)
        return (MILLION - self._ppm) * x * y, MILLION * after * after

    def mid(self) -> Fraction | None:
        """Return y / x, None if the pool is empty."""
        if self.reserve_x < 1 or self.reserve_y < 1:
            return None
        return Fraction(self.reserve_y, self.reserve_x)

    def depth(self, within_bps: int) -> int:
        """Return y * (sqrt(1 + w) - 1), to first order: the price moves twice as far as y."""
        return self.reserve_y * within_bps // (2 * BPS)

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
