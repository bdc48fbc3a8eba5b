"""The arithmetic of one DLMM bin: its price, what it pays, its fee, and volatility's memory.

The formulas are those of the on-chain program as published in MeteoraAg/dlmm-sdk `commons/src`
(`math/u64x64_math.rs`, `extensions/bin.rs`, `extensions/lb_pair.rs`). Prices are Y per X in Q64.64;
rates are in 10**-9.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from engine.domain.errors import AmountTooLarge
from engine.domain.money import BPS

ONE = 1 << 64
FEE_PRECISION = 10**9
MAX_FEE_RATE = 10**8
MAX_BIN_ID = 443_636


@lru_cache(maxsize=16_384)
def bin_price(bin_id: int, bin_step: int) -> int:
    """Return the price of a bin, (1 + bin_step/10000)**bin_id in Q64.64, as the program rounds it.

    Raises AmountTooLarge for a bin that the program's integers can't price.
    """
    if abs(bin_id) > MAX_BIN_ID:
        raise AmountTooLarge(f"bin {bin_id} is beyond the last one")
    if bin_id == 0:
        return ONE
    # The base is above one: the program raises its inverse, so that products fit in 128 bits.
    square = (ONE * ONE - 1) // (ONE + bin_step * ONE // BPS)
    power, exponent = ONE, abs(bin_id)
    while exponent:
        if exponent & 1:
            power = power * square >> 64
        square = square * square >> 64
        exponent >>= 1
    if power == 0:
        raise AmountTooLarge(f"bin {bin_id} has no price in 128 bits")
    return (ONE * ONE - 1) // power if bin_id > 0 else power


def out_at(price: int, net_in: int, swap_for_y: bool) -> int:
    """Return what `net_in` buys at a bin's price, rounded down."""
    return net_in * price >> 64 if swap_for_y else (net_in << 64) // price


def in_at(price: int, out: int, swap_for_y: bool) -> int:
    """Return the least that buys `out` at a bin's price."""
    return -((-out << 64) // price) if swap_for_y else -(-out * price >> 64)


def fee_in(gross: int, rate: int) -> int:
    """Return the fee inside an amount of `gross`, rounded up."""
    return -(-gross * rate // FEE_PRECISION)


def fee_upon(net: int, rate: int) -> int:
    """Return the fee to be added to `net`, rounded up."""
    return -(-net * rate // (FEE_PRECISION - rate))


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """How a pool charges, by its program's static parameters; periods in seconds."""

    bin_step: int
    base_factor: int
    base_fee_power_factor: int = 0
    filter_period: int = 30
    decay_period: int = 600
    reduction_factor: int = 5_000
    variable_fee_control: int = 40_000
    max_volatility_accumulator: int = 350_000

    def rate(self, accumulator: int) -> int:
        """Return the fee rate, in 10**-9, when volatility has accumulated to `accumulator`."""
        base = self.base_factor * self.bin_step * 10 * int(10**self.base_fee_power_factor)
        square = (accumulator * self.bin_step) ** 2
        return min(base - (-self.variable_fee_control * square // 10**11), MAX_FEE_RATE)


@dataclass(frozen=True, slots=True)
class Volatility:
    """What a pool remembers of its last swaps; 10000 is one bin."""

    accumulator: int = 0
    reference: int = 0
    index_reference: int = 0
    last_update: int = 0

    def at(self, now: float, active_id: int, fees: FeeSchedule) -> "Volatility":
        """Return the references with which a swap at `now` (unix seconds) begins."""
        elapsed = now - self.last_update
        if elapsed < fees.filter_period:
            return self
        reference = 0
        if elapsed < fees.decay_period:
            reference = self.accumulator * fees.reduction_factor // BPS
        return replace(self, reference=reference, index_reference=active_id)

    def in_bin(self, bin_id: int, fees: FeeSchedule) -> int:
        """Return the accumulator in a bin that a swap has come to."""
        moved = self.reference + abs(self.index_reference - bin_id) * BPS
        return min(moved, fees.max_volatility_accumulator)
