"""Meteora's DLMM pools: liquidity in bins, each with one price, and a fee that follows the market.

A swap goes from bin to bin as in version 0.12 of the program; the formulas are those published in
MeteoraAg/dlmm-sdk (`commons/src`, and `ts-client/src/dlmm/helpers/bin.ts` for limit orders).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import isqrt
from typing import Any, NamedTuple

from engine.domain.errors import (
    AmountTooLarge,
    AmountTooSmall,
    InsufficientLiquidity,
    PoolDisabled,
    UnsupportedPair,
    UnsupportedPool,
)
from engine.domain.money import MAX_BASE_UNITS
from engine.market.bins import (
    FEE_PRECISION,
    ONE,
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
    """What a swap did in one bin, in base units; `out` is net of a fee that is taken from it."""

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
    after: Volatility
    per_bin: tuple[BinFill, ...]

    @property
    def vol_acc(self) -> int:
        return self.after.accumulator

    @property
    def vol_ref(self) -> int:
        return self.after.reference


class _Bin(NamedTuple):
    """A bin that a swap meets; `max_in` and `max_out` are without the fee.

    `layers` is what its makers hold and what its limit orders do, where there are any: they are
    filled one after the other, and each is rounded by itself.
    """

    bin_id: int
    price: int
    vol: int
    rate: int
    max_in: int
    max_out: int
    layers: tuple[int, ...]

    def out_for(self, net_in: int, swap_for_y: bool) -> int:
        """Return what `net_in` buys here, before a fee on it."""
        if net_in >= self.max_in:
            return self.max_out
        bought = 0
        for layer in self.layers:
            full = in_at(self.price, layer, swap_for_y)
            if net_in < full:
                break
            net_in -= full
            bought += layer
        return bought + out_at(self.price, net_in, swap_for_y)

    def in_for(self, out: int, swap_for_y: bool) -> int:
        """Return the least that buys `out` here, before a fee on it."""
        paid = 0
        for layer in self.layers:
            if out <= layer:
                break
            out -= layer
            paid += in_at(self.price, layer, swap_for_y)
        return paid + in_at(self.price, out, swap_for_y)


class _Way:
    """The bins that a swap meets, in order, with running totals: priced once, asked often.

    What a bin takes and gives when it is emptied does not depend on the swap, so a swap is a
    look-up of its last bin. Bins are priced only as far as a question needs. `given` is net of
    fees, `taken` includes them, whichever of the two they come from.
    """

    def __init__(self, pool: "DlmmPool", swap_for_y: bool, now: int) -> None:
        self.swap_for_y = swap_for_y
        self.fee_on_output = swap_for_y and pool.fee_on_y
        self.fees = pool.fees
        self.now = now
        self.start = pool.active_id
        self.volatility = pool.volatility.at(now, pool.active_id, pool.fees)
        self.held = pool.bins
        active = pool.active_id
        self.ahead = sorted(
            (id_ for id_ in self.held if (id_ <= active if swap_for_y else id_ >= active)),
            reverse=not swap_for_y,  # the next one last: they are popped
        )
        self.bins: list[_Bin] = []
        self.taken: list[int] = [0]
        self.given: list[int] = [0]
        self.fee: list[int] = [0]

    def _price_next(self) -> bool:
        while self.ahead:
            bin_id = self.ahead.pop()
            held = self.held[bin_id]
            max_out = held[1 if self.swap_for_y else 0]
            layers = _layers(held, self.swap_for_y) if len(held) > 2 else ()
            if layers:
                max_out = sum(layers)
            if not max_out:
                continue
            fees = self.fees
            price = bin_price(bin_id, fees.bin_step)
            vol = self.volatility.in_bin(bin_id, fees)
            rate = fees.rate(vol)
            max_in = sum(in_at(price, layer, self.swap_for_y) for layer in layers or (max_out,))
            if max_in > MAX_BASE_UNITS:
                self.ahead.append(bin_id)
                raise AmountTooLarge(f"what empties bin {bin_id} does not fit in 64 bits")
            self.bins.append(_Bin(bin_id, price, vol, rate, max_in, max_out, layers))
            if self.fee_on_output:
                fee = fee_in(max_out, rate)
                max_out -= fee
            else:
                fee = fee_upon(max_in, rate)
                max_in += fee
            self.taken.append(self.taken[-1] + max_in)
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
        if last and rest == 1 and not self.fee_on_output:
            # One unit above what empties a bin may be all fee: then it stays in that bin.
            before = self.bins[last - 1]
            gross = amount_in - self.taken[last - 1]
            fee = fee_in(gross, before.rate)
            if gross - fee == before.max_in:
                return last - 1, gross, before.max_out, fee
        if last == len(self.bins):
            raise InsufficientLiquidity(f"all bins together take {self.taken[-1]} base units")
        at = self.bins[last]
        if self.fee_on_output:
            out = at.out_for(rest, self.swap_for_y)
            fee = fee_in(out, at.rate)
            return last, rest, out - fee, fee
        fee = fee_in(rest, at.rate)
        return last, rest, at.out_for(rest - fee, self.swap_for_y), fee

    def buy(self, amount_out: int) -> tuple[int, int, int, int]:
        """Return the last bin's index, and what it takes, pays and charges, to buy `amount_out`."""
        while self.given[-1] < amount_out and self._price_next():
            pass
        if self.given[-1] < amount_out:
            raise InsufficientLiquidity(f"all bins together hold {self.given[-1]} base units")
        last = bisect_left(self.given, amount_out) - 1
        at = self.bins[last]
        rest = amount_out - self.given[last]
        if self.fee_on_output:
            net = at.in_for(rest + fee_upon(rest, at.rate), self.swap_for_y)
            return last, net, rest, fee_in(at.out_for(net, self.swap_for_y), at.rate)
        net = at.in_for(rest, self.swap_for_y)
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

    def leaves(self, last: int) -> Volatility:
        """Return what the pool remembers of a swap that ended in its `last` bin."""
        end = self.bins[last]
        after = replace(self.volatility, accumulator=end.vol)
        return after if end.bin_id == self.start else replace(after, last_update=self.now)


def _layers(held: tuple[int, ...], swap_for_y: bool) -> tuple[int, ...]:
    """Return what a bin with limit orders gives, in turn; () if none of them serve the swap."""
    x, y, open_order, processed_remaining, ask_side = held
    if bool(ask_side) == swap_for_y or not (open_order or processed_remaining):
        return ()
    return y if swap_for_y else x, processed_remaining, open_order


@dataclass(frozen=True, slots=True)
class DlmmPool:
    """A DLMM pool of two tokens (symbols) as it stands at `now` (unix seconds).

    `bins` holds by bin id (amount of X, amount of Y), in base units, or where limit orders rest
    (X, Y, open order, remainder of processed orders, whether they ask); orders that ask sell X,
    the others sell Y. The fee is taken from what comes in, or always from Y if `fee_on_y`.
    """

    address: str
    token_x: str
    token_y: str
    active_id: int
    bins: Mapping[int, tuple[int, ...]]
    fees: FeeSchedule
    volatility: Volatility
    now: int
    venue: str = VENUE
    fee_on_y: bool = False
    _ways: dict[tuple[bool, int], _Way] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def from_account(
        cls,
        account: Mapping[str, Any],
        *,
        token_x: str,
        token_y: str,
        now: int,
        slot: int | None = None,
    ) -> "DlmmPool":
        """Return the pool that an `LbPair` account and its bin arrays, as JSON, describe.

        What an account of before version 0.12 does not have may be left out. Raises PoolDisabled
        if it is off, or not yet active at `now` (or `slot`); UnsupportedPool if it is of a kind
        that is not modelled.
        """
        _check_open(account, now, slot)
        fee_mode, function = account.get("collect_fee_mode", 0), account.get("function_type", 0)
        if fee_mode not in (0, 1):
            raise UnsupportedPool(f"takes its fee in a way that is not known ({fee_mode})")
        if function not in (0, 1, 2):
            raise UnsupportedPool(f"is of a function that is not known ({function})")
        active_id = int(account["active_id"])
        bins = {int(bin_id): _held(bin_) for bin_id, bin_ in account["bins"].items()}
        orders = function == 2 or (function == 0 and not account.get("has_rewards", False))
        if not orders or any(_misplaced(held, id_ - active_id) for id_, held in bins.items()):
            bins = {bin_id: held[:2] for bin_id, held in bins.items()}
        return cls(
            address=account["lb_pair"],
            token_x=token_x,
            token_y=token_y,
            active_id=active_id,
            bins=bins,
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
            fee_on_y=fee_mode == 1,
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

    def mid(self) -> Fraction | None:
        """Return the price at which the active bin holds what it holds, None if nothing tells it.

        The more of a bin's worth is Y, the nearer the price is to the next bin: with the prices F
        of the bin and C of the next one, `(p - F) / (C - F) = y / (y + x * p)`. Where the active
        bin is empty, it is the middle between the nearest ones that hold X and Y.
        """
        x, y = self.bins.get(self.active_id, (0, 0))[:2]
        step = self.fees.bin_step
        if x or y:
            floor, ceiling = (bin_price(self.active_id + n, step) for n in (0, 1))
            if not x:
                return Fraction(ceiling, ONE)
            short = floor * x - y * ONE
            root = isqrt(short * short + 4 * x * y * ceiling * ONE)
            return Fraction(short + root, 2 * x * ONE)
        asks = [id_ for id_, held in self.bins.items() if held[0] and id_ > self.active_id]
        bids = [id_ for id_, held in self.bins.items() if held[1] and id_ < self.active_id]
        if not asks or not bids:
            return None
        return Fraction(bin_price(min(asks), step) + bin_price(max(bids), step), 2 * ONE)

    def depth(self, within_bps: int) -> int:
        """Return half of what the bins hold within `within_bps` of the active one, worth in Y."""
        reach = max(1, within_bps // self.fees.bin_step)
        worth = 0
        for id_ in range(self.active_id - reach, self.active_id + reach + 1):
            x, y = self.bins.get(id_, (0, 0))[:2]
            worth += y + (x * bin_price(id_, self.fees.bin_step) // ONE if x else 0)
        return worth // 2

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
        price = way.bins[0].price  # the first bin that gives; the active one may be empty
        net_in, gross_out = (
            (amount_in, amount_out + fee) if way.fee_on_output else (amount_in - fee, amount_out)
        )
        if way.swap_for_y:
            impact = impact_bps(net_in * price, gross_out << 64)
        else:
            impact = impact_bps(net_in << 64, gross_out * price)
        return Swap(amount_in, amount_out, fee, impact, way.fee_on_output)


def _held(bin_: Mapping[str, Any]) -> tuple[int, ...]:
    held = int(bin_["amount_x"]), int(bin_["amount_y"])
    orders = (
        int(bin_.get("open_order_amount", 0)),
        int(bin_.get("processed_order_remaining_amount", 0)),
    )
    return (*held, *orders, int(bin_.get("limit_order_ask_side", 0))) if any(orders) else held


def _misplaced(held: tuple[int, ...], above: int) -> bool:
    """Tell if a bin has bids above the active one, or asks below it: no pool can have them.

    An array of before limit orders (version 1) keeps something else where they are now.
    """
    return len(held) > 2 and (above < 0 if held[4] else above > 0)


def _check_open(account: Mapping[str, Any], now: int, slot: int | None) -> None:
    if account.get("status", 0):
        raise PoolDisabled("is switched off")
    for flag in ("token_mint_x_program_flag", "token_mint_y_program_flag"):
        if account.get(flag, 0):
            raise UnsupportedPool("has a mint of Token-2022")
    active_from = int(account.get("activation_point", 0))
    point = now if account.get("activation_type", 0) else slot
    if active_from and (point is None or point < active_from):
        raise PoolDisabled("is not active yet")


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
            way.given[i + 1] - way.given[i],
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
        after=way.leaves(last),
        per_bin=tuple(fills),
    )


def _check_totals(amount_in: int, amount_out: int) -> None:
    if amount_out < 1:
        raise AmountTooSmall("the trade would give less than one base unit")
    if amount_in > MAX_BASE_UNITS:
        raise AmountTooLarge("what must come in does not fit in 64 bits")
