"""Meteora's DLMM pools: liquidity in bins, each with one price, and a fee that follows the market.

A swap goes from bin to bin as in MeteoraAg/dlmm-sdk `commons/src/quote.rs`. Only pools that take
their fee on the input (`collect_fee_mode` 0) are modelled, and no limit orders.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.domain.errors import (
    AmountTooLarge,
    AmountTooSmall,
    InsufficientLiquidity,
    UnsupportedPair,
)
from engine.domain.money import MAX_BASE_UNITS
from engine.market.bins import (
    FEE_PRECISION,
    FeeSchedule,
    Volatility,
    bin_price,
    fee_in,
    fee_upon,
    in_at,
    out_at,
)
from engine.market.pool import Swap, checked, impact_bps

VENUE = "meteora"


class BinFill(NamedTuple):
    """What a swap did in one bin; `in_incl_fee` and `fee` are base units of the token sold."""

    bin: int
    price_q64: int
    vol: int
    fee_rate: int
    in_incl_fee: int
    out: int
    fee: int


@dataclass(frozen=True, slots=True)
class DlmmSwap:
    """A swap with the state that it leaves behind and its way through the bins."""

    amount_in: int
    amount_out: int
    fee: int
    active_after: int
    vol_acc: int
    vol_ref: int
    per_bin: tuple[BinFill, ...]


class _Bin(NamedTuple):
    """A bin that a swap meets; `max_in` is without the fee."""

    bin_id: int
    price: int
    vol: int
    rate: int
    max_in: int
    max_out: int


class _Way:
    """The bins that a swap meets, in order, with running totals: priced once, asked often.

    What a bin takes and gives when it is emptied does not depend on the swap, so a swap is a
    look-up of its last bin. Bins are priced only as far as a question needs.
    """

    def __init__(self, pool: "DlmmPool", swap_for_y: bool, now: int) -> None:
        self.swap_for_y = swap_for_y
        self.fees = pool.fees
        self.volatility = pool.volatility.at(now, pool.active_id, pool.fees)
        side = 1 if swap_for_y else 0
        active, bins = pool.active_id, pool.bins
        self.ahead = sorted(
            (id_ for id_ in bins if (id_ <= active if swap_for_y else id_ >= active)),
            reverse=not swap_for_y,  # the next one last: they are popped
        )
        self.amounts = {id_: bins[id_][side] for id_ in self.ahead}
        self.bins: list[_Bin] = []
        self.taken: list[int] = [0]
        self.given: list[int] = [0]
        self.fee: list[int] = [0]

    def _price_next(self) -> bool:
        while self.ahead:
            bin_id = self.ahead.pop()
            max_out = self.amounts[bin_id]
            if not max_out:
                continue
            fees = self.fees
            price = bin_price(bin_id, fees.bin_step)
            vol = self.volatility.in_bin(bin_id, fees)
            rate = fees.rate(vol)
            max_in = in_at(price, max_out, self.swap_for_y)
            if max_in > MAX_BASE_UNITS:
                self.ahead.append(bin_id)
                raise AmountTooLarge(f"what empties bin {bin_id} does not fit in 64 bits")
            fee = fee_upon(max_in, rate)
            self.bins.append(_Bin(bin_id, price, vol, rate, max_in, max_out))
            self.taken.append(self.taken[-1] + max_in + fee)
            self.given.append(self.given[-1] + max_out)
            self.fee.append(self.fee[-1] + fee)
            return True
        return False

    def sell(self, amount_in: int) -> tuple[int, int, int, int]:
        """Return the last bin's index, and what it takes, pays and charges, to sell `amount_in`."""
        while self.taken[-1] < amount_in and self._price_next():
            pass
        last = bisect_left(self.taken, amount_in) - 1
        rest = amount_in - self.taken[last]
        if last and rest == 1:
            # One unit above what empties a bin may be all fee: then it stays in that bin.
            before = self.bins[last - 1]
            gross = amount_in - self.taken[last - 1]
            fee = fee_in(gross, before.rate)
            if gross - fee == before.max_in:
                return last - 1, gross, before.max_out, fee
        if last == len(self.bins):
            raise InsufficientLiquidity(f"all bins together take {self.taken[-1]} base units")
        at = self.bins[last]
        fee = fee_in(rest, at.rate)
        net = rest - fee
        out = at.max_out if net >= at.max_in else out_at(at.price, net, self.swap_for_y)
        return last, rest, out, fee

    def buy(self, amount_out: int) -> tuple[int, int, int, int]:
        """Return the last bin's index, and what it takes, pays and charges, to buy `amount_out`."""
        while self.given[-1] < amount_out and self._price_next():
            pass
        if self.given[-1] < amount_out:
            raise InsufficientLiquidity(f"all bins together hold {self.given[-1]} base units")
        last = bisect_left(self.given, amount_out) - 1
        at = self.bins[last]
        rest = amount_out - self.given[last]
        net = in_at(at.price, rest, self.swap_for_y)
        fee = fee_upon(net, at.rate)
        return last, net + fee, rest, fee

    def rate_after(self, amount_in: int) -> tuple[int, int]:
        """Return what one unit more buys, as a fraction."""
        while self.taken[-1] <= amount_in and self._price_next():
            pass
        last = bisect_right(self.taken, amount_in) - 1
        if last == len(self.bins):
            return 0, 1
        at = self.bins[last]
        kept = FEE_PRECISION - at.rate
        if self.swap_for_y:
            return kept * at.price, FEE_PRECISION << 64
        return kept << 64, FEE_PRECISION * at.price


@dataclass(frozen=True, slots=True)
class DlmmPool:
    """A DLMM pool of two tokens (symbols) as it stands at `now` (unix seconds).

    `bins` holds (amount of X, amount of Y) by bin id, in base units.
    """

    address: str
    token_x: str
    token_y: str
    active_id: int
    bins: Mapping[int, tuple[int, int]]
    fees: FeeSchedule
    volatility: Volatility
    now: int
    venue: str = VENUE
    _ways: dict[tuple[bool, int], _Way] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def from_account(
        cls, account: Mapping[str, Any], *, token_x: str, token_y: str, now: int
    ) -> "DlmmPool":
        """Return the pool that an `LbPair` account and its bin arrays, as JSON, describe.

        Raises ValueError if the pool takes its fee on the output.
        """
        if account.get("collect_fee_mode", 0):
            raise ValueError("only pools that take their fee on the input are modelled")
        return cls(
            address=account["lb_pair"],
            token_x=token_x,
            token_y=token_y,
            active_id=account["active_id"],
            bins={
                int(bin_id): (int(held["amount_x"]), int(held["amount_y"]))
                for bin_id, held in account["bins"].items()
            },
            fees=FeeSchedule(
                bin_step=account["bin_step"],
                base_factor=account["base_factor"],
                base_fee_power_factor=account.get("base_fee_power_factor", 0),
                filter_period=account["filter_period"],
                decay_period=account["decay_period"],
                reduction_factor=account["reduction_factor"],
                variable_fee_control=account["variable_fee_control"],
                max_volatility_accumulator=account["max_volatility_accumulator"],
            ),
            volatility=Volatility(
                accumulator=account["volatility_accumulator"],
                reference=account["volatility_reference"],
                index_reference=account["index_reference"],
                last_update=account["last_update_timestamp"],
            ),
            now=now,
        )

    def exact_in(self, token_in: str, amount_in: int) -> Swap:
        """Return the swap that sells exactly `amount_in` of `token_in`.

        Raises UnsupportedPair, AmountTooSmall, AmountTooLarge, InsufficientLiquidity.
        """
        way = self._way(self._sells_x(token_in), self.now)
        last, _, out, fee = way.sell(checked(amount_in))
        return self._swap(way, amount_in, way.given[last] + out, way.fee[last] + fee)

    def exact_out(self, token_in: str, amount_out: int) -> Swap:
        """Return the cheapest swap that buys `amount_out`, selling `token_in`.

        Raises UnsupportedPair, AmountTooSmall, AmountTooLarge, InsufficientLiquidity.
        """
        way = self._way(self._sells_x(token_in), self.now)
        last, taken, _, fee = way.buy(checked(amount_out))
        return self._swap(way, way.taken[last] + taken, amount_out, way.fee[last] + fee)

    def rate(self, token_in: str, amount_in: int) -> tuple[int, int]:
        """Return the rate of the bin that `amount_in` comes to, net of its fee."""
        if amount_in >= MAX_BASE_UNITS:
            return 0, 1
        try:
            return self._way(self._sells_x(token_in), self.now).rate_after(amount_in)
        except AmountTooLarge:
            return 0, 1

    def swap_exact_in(self, amount_in: int, swap_for_y: bool, now: int | None = None) -> DlmmSwap:
        """Return what selling `amount_in` does, bin by bin, at `now` (the pool's own if None).

        Raises AmountTooSmall, AmountTooLarge, InsufficientLiquidity.
        """
        way = self._way(swap_for_y, self.now if now is None else now)
        return _traced(way, *way.sell(checked(amount_in)))

    def swap_exact_out(self, amount_out: int, swap_for_y: bool, now: int | None = None) -> DlmmSwap:
        """Return what buying `amount_out` does, bin by bin, at `now` (the pool's own if None).

        Raises AmountTooSmall, AmountTooLarge, InsufficientLiquidity.
        """
        way = self._way(swap_for_y, self.now if now is None else now)
        return _traced(way, *way.buy(checked(amount_out)))

    def _sells_x(self, token_in: str) -> bool:
        if token_in not in (self.token_x, self.token_y):
            raise UnsupportedPair(f"{token_in} is not traded in {self.address}")
        return token_in == self.token_x

    def _way(self, swap_for_y: bool, now: int) -> _Way:
        way = self._ways.get((swap_for_y, now))
        if way is None:
            way = self._ways[swap_for_y, now] = _Way(self, swap_for_y, now)
        return way

    def _swap(self, way: _Way, amount_in: int, amount_out: int, fee: int) -> Swap:
        _check_totals(amount_in, amount_out)
        price = bin_price(self.active_id, self.fees.bin_step)
        if way.swap_for_y:
            impact = impact_bps((amount_in - fee) * price, amount_out << 64)
        else:
            impact = impact_bps((amount_in - fee) << 64, amount_out * price)
        return Swap(amount_in, amount_out, fee, impact)


def _traced(way: _Way, last: int, taken: int, out: int, fee: int) -> DlmmSwap:
    amount_in, amount_out = way.taken[last] + taken, way.given[last] + out
    _check_totals(amount_in, amount_out)
    fills = [
        BinFill(
            bin_.bin_id,
            bin_.price,
            bin_.vol,
            bin_.rate,
            way.taken[i + 1] - way.taken[i],
            bin_.max_out,
            way.fee[i + 1] - way.fee[i],
        )
        for i, bin_ in enumerate(way.bins[:last])
    ]
    end = way.bins[last]
    fills.append(BinFill(end.bin_id, end.price, end.vol, end.rate, taken, out, fee))
    return DlmmSwap(
        amount_in=amount_in,
        amount_out=amount_out,
        fee=way.fee[last] + fee,
        active_after=end.bin_id,
        vol_acc=end.vol,
        vol_ref=way.volatility.reference,
        per_bin=tuple(fills),
    )


def _check_totals(amount_in: int, amount_out: int) -> None:
    if amount_out < 1:
        raise AmountTooSmall("the trade would give less than one base unit")
    if amount_in > MAX_BASE_UNITS:
        raise AmountTooLarge("what must come in does not fit in 64 bits")
