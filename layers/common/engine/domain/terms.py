"""What an order asks for, and what each kind makes of it: when it trades, and for how much.

`KINDS` is the one table of the kinds: a new one is a new row. All prices are in quote tokens for
one base token, on either side.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from engine.domain.errors import PriceUnavailable
from engine.domain.launches import awaited_token
from engine.domain.money import BPS, from_base_units, less_slippage
from engine.domain.prices import price_text, rounded_ratio
from engine.domain.tokens import Token, pair_name
from engine.domain.triggers import (
    STOP_LOSS,
    TAKE_PROFIT,
    AtLaunch,
    AtPrice,
    ByTime,
    EitherOf,
    Level,
    Side,
    ThenLimit,
    ThenTrailing,
    Trailing,
    Trigger,
)

T = TypeVar("T")


class OrderType(StrEnum):
    """How an order says when and at what price it trades."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stopLimit"
    TAKE_PROFIT = "takeProfit"
    TRAILING_STOP = "trailingStop"
    OCO = "oco"
    TWAP = "twap"
    SNIPER = "sniper"


class IfTriggered(StrEnum):
    """What becomes of an order that is due as it is placed."""

    EXECUTE = "execute"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Exit:
    """One leg of an `oco`: its level and its tolerance."""

    price: Decimal
    slippage_bps: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for: sell `amount` base units of one token for another.

    Two orders ask for the same if their terms are equal. The tokens are kept as they were listed
    when the order was placed; `side` says which of them is the pair's base. Which of the optional
    terms a kind has is in `KINDS`.
    """

    sell: Token
    buy: Token
    amount: int
    slippage_bps: int
    kind: OrderType = OrderType.MARKET
    side: Side = Side.SELL
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trailing_bps: int | None = None
    activation_price: Decimal | None = None
    take_profit: Exit | None = None
    stop_loss: Exit | None = None
    expires_at: datetime | None = None
    if_triggered: IfTriggered = IfTriggered.EXECUTE
    parts: int | None = None
    interval_seconds: int | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    #: The mint or the symbol whose launch is awaited; until then `buy` only stands for its token.
    launch: str | None = None
    max_age_seconds: int | None = None
    min_liquidity_usd: Decimal | None = None

    @property
    def every(self) -> timedelta:
        """How long a slot is, of an order in parts."""
        return timedelta(seconds=_given(self.interval_seconds))

    @property
    def banded(self) -> bool:
        """Whether it trades within a band of prices only."""
        return self.min_price is not None or self.max_price is not None

    def in_band(self, price: Decimal) -> bool:
        """Tell whether a part may be begun at a reference price."""
        low, high = self.min_price, self.max_price
        return (low is None or low <= price) and (high is None or price <= high)

    @property
    def base(self) -> Token:
        return self.sell if self.side is Side.SELL else self.buy

    @property
    def quote(self) -> Token:
        return self.buy if self.side is Side.SELL else self.sell

    @property
    def pair(self) -> str:
        """The pair as it is listed, BASE/QUOTE."""
        return pair_name(self.base, self.quote)

    def trigger(self, price: Decimal | None) -> Trigger | None:
        """Return what the order waits for, `price` being the reference price; None: nothing.

        Raises PriceUnavailable if it is not known and has to be.
        """
        make = KINDS[self.kind].trigger
        return make(self, price) if make else None

    def trigger_changed(self, live: Trigger, names: Set[str]) -> Trigger:
        """Return what an order waits for after `names` of its terms became these.

        A watermark is kept, and so is the stage of a stop-limit, unless the change is of what led
        there: then it begins anew.
        """
        if not names & _OF_TRIGGERS:
            return live
        if isinstance(live, Trailing) and "activation_price" not in names:
            return replace(live, bps=_given(self.trailing_bps))
        if isinstance(live, AtPrice) and "stop_price" not in names and self.limit_price is not None:
            return AtPrice(self.profit_at(self.limit_price))
        again = self.trigger(None)
        return live if again is None else again

    def trigger_before(self, later: Trigger) -> Trigger:
        """Return what an order of these terms waited for before it waited for `later`.

        A trailing stop's watermark of then is not kept: it is that of `later`.
        """
        if self.trailing_bps is None:
            return self.trigger(None) or later
        return replace(later, bps=self.trailing_bps) if isinstance(later, Trailing) else later

    def minimum(self, amount_in: int, quoted: int, leg: str | None = None) -> int:
        """Return the least output that is accepted for `amount_in`, base units, rounded up.

        `quoted` is what was offered for it; `leg` is the one of an `oco` that came due. A limit is
        the bound of its kinds, whatever was quoted; of the others the tolerance is.
        """
        if self.limit_price is not None:
            rate = self._rate(self.limit_price)
            return -(-amount_in * rate.numerator // rate.denominator)
        ends = {TAKE_PROFIT: self.take_profit, STOP_LOSS: self.stop_loss}
        end = ends[leg] if leg else None
        return less_slippage(quoted, end.slippage_bps if end else self.slippage_bps)

    def missed(self, price: Decimal | None, quoted: int | None) -> Trigger:
        """Return what an order waits for whose limit was missed at the reference price `price`.

        With `quoted` base units offered for its amount, the price at which such an offer meets the
        limit: one basis point past the limit at least, and a hundred at most. So an order that the
        pools' fees or depth keep from filling is not tried at every tick.
        """
        limit = _given(self.limit_price)
        short = Fraction(self.minimum(self.amount, 0), quoted) if quoted else Fraction(2)
        wanted = Fraction(price or limit) * (short if self.side is Side.SELL else 1 / short)
        way = 1 if self.side is Side.SELL else -1
        bounds = [Fraction(limit) * (BPS + way * bps) / BPS for bps in (1, 100)]
        further = min(max(wanted, min(bounds)), max(bounds))
        return AtPrice(self.profit_at(rounded_ratio(further)))

    @property
    def awaiting(self) -> "Terms":
        """These terms as they were before what they wait for had launched."""
        return self if self.launch is None else replace(self, buy=awaited_token(self.launch))

    @property
    def summary(self) -> str:
        """Say in one sentence what will happen."""
        amount = f"{from_base_units(self.amount, self.sell.decimals)} {self.sell.symbol}"
        trade = f"Sell {amount} for {self.buy.symbol}"
        if self.launch is not None:
            trade = f"Buy {self.launch} with {amount}"
        elif self.side is Side.BUY:
            trade = f"Buy {self.buy.symbol} with {amount}"
        said = trade + KINDS[self.kind].summary(self)
        if self.expires_at is not None:
            said += f"; until {self.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        return said + "."

    def _rate(self, price: Decimal) -> Fraction:
        """Return base units of the token bought for one of the token sold, at `price`."""
        rate = Fraction(price) * Fraction(10) ** (self.quote.decimals - self.base.decimals)
        return rate if self.side is Side.SELL else 1 / rate

    def profit_at(self, price: Decimal) -> Level:
        return Level(self.side.profit, price)

    def loss_at(self, price: Decimal) -> Level:
        return Level(self.side.profit.opposite, price)


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table: which terms a kind needs and may have, and what it makes of them."""

    needs: frozenset[str]
    summary: Callable[[Terms], str]
    trigger: Callable[[Terms, Decimal | None], Trigger] | None = None
    may: frozenset[str] = frozenset()
    slippage_bps: int = 50


def _tolerance(bps: int) -> str:
    return f"at most {price_text(Decimal(bps) / 100)} % below its quote"


def _when(terms: Terms, level: Level) -> str:
    return f"{terms.pair} is at {price_text(level.price)} or {level.direction.value}"


def _at_limit(terms: Terms) -> str:
    worst = "no less" if terms.side is Side.SELL else "no more"
    price = price_text(_given(terms.limit_price))
    return f"at {worst} than {price} {terms.quote.symbol} for one {terms.base.symbol}"


def _market(terms: Terms) -> str:
    return f" now, {_tolerance(terms.slippage_bps)}"


def _limit(terms: Terms) -> str:
    return f" when {_when(terms, terms.profit_at(_given(terms.limit_price)))}, {_at_limit(terms)}"


def _stop(terms: Terms) -> str:
    level = terms.loss_at(_given(terms.stop_price))
    return f" when {_when(terms, level)}, {_tolerance(terms.slippage_bps)}"


def _stop_limit(terms: Terms) -> str:
    return f" when {_when(terms, terms.loss_at(_given(terms.stop_price)))}, {_at_limit(terms)}"


def _take_profit(terms: Terms) -> str:
    level = terms.profit_at(_given(terms.stop_price))
    return f" when {_when(terms, level)}, {_tolerance(terms.slippage_bps)}"


def _trailing_stop(terms: Terms) -> str:
    distance = f"{price_text(Decimal(_given(terms.trailing_bps)) / 100)} %"
    best = "below its highest" if terms.side is Side.SELL else "above its lowest"
    since = "from now on"
    if terms.activation_price is not None:
        since = f"once {_when(terms, terms.profit_at(terms.activation_price))}"
    return f" when {terms.pair} is {distance} {best} {since}, {_tolerance(terms.slippage_bps)}"


def _oco(terms: Terms) -> str:
    profit, loss = _given(terms.take_profit), _given(terms.stop_loss)
    return (
        f" when {_when(terms, terms.profit_at(profit.price))}, {_tolerance(profit.slippage_bps)},"
        f" or when {_when(terms, terms.loss_at(loss.price))}, {_tolerance(loss.slippage_bps)},"
        " whichever comes first"
    )


def _twap(terms: Terms) -> str:
    every = f"one every {_given(terms.interval_seconds)} seconds"
    said = f" in {_given(terms.parts)} parts, {every}, each {_tolerance(terms.slippage_bps)}"
    bounds = [
        f"{price_text(price)} or {way}"
        for price, way in ((terms.min_price, "above"), (terms.max_price, "below"))
        if price is not None
    ]
    return f"{said}, while {terms.pair} is at {' and at '.join(bounds)}" if bounds else said


def _sniper(terms: Terms) -> str:
    said = f" when it launches, within {terms.max_age_seconds} s of that"
    if terms.min_liquidity_usd:
        said += f", if its pools hold {price_text(terms.min_liquidity_usd)} USD"
    return f"{said}, {_tolerance(terms.slippage_bps)}"


def _trailing(terms: Terms, price: Decimal | None) -> Trigger:
    bps = _given(terms.trailing_bps)
    if terms.activation_price is not None:
        return ThenTrailing(terms.profit_at(terms.activation_price), bps)
    if price is None:
        raise PriceUnavailable(f"there is no price of {terms.pair} for a trailing stop to follow")
    return Trailing(terms.side.profit, bps, price)


def _given(value: T | None) -> T:
    if value is None:
        raise ValueError("a term that this kind needs is missing")
    return value


#: The terms on which a trigger depends.
_OF_TRIGGERS = frozenset(
    {
        "limit_price",
        "stop_price",
        "trailing_bps",
        "activation_price",
        "take_profit",
        "stop_loss",
    }
)

KINDS: dict[OrderType, Kind] = {
    OrderType.MARKET: Kind(frozenset(), _market),
    OrderType.LIMIT: Kind(
        frozenset({"limit_price"}),
        _limit,
        lambda terms, _: AtPrice(terms.profit_at(_given(terms.limit_price))),
    ),
    OrderType.STOP: Kind(
        frozenset({"stop_price"}),
        _stop,
        lambda terms, _: AtPrice(terms.loss_at(_given(terms.stop_price))),
        slippage_bps=300,
    ),
    OrderType.STOP_LIMIT: Kind(
        frozenset({"stop_price", "limit_price"}),
        _stop_limit,
        lambda terms, _: ThenLimit(
            terms.loss_at(_given(terms.stop_price)), terms.profit_at(_given(terms.limit_price))
        ),
    ),
    OrderType.TAKE_PROFIT: Kind(
        frozenset({"stop_price"}),
        _take_profit,
        lambda terms, _: AtPrice(terms.profit_at(_given(terms.stop_price))),
    ),
    OrderType.TRAILING_STOP: Kind(
        frozenset({"trailing_bps"}), _trailing_stop, _trailing, may=frozenset({"activation_price"})
    ),
    OrderType.OCO: Kind(
        frozenset({"take_profit", "stop_loss"}),
        _oco,
        lambda terms, _: EitherOf(
            terms.profit_at(_given(terms.take_profit).price),
            terms.loss_at(_given(terms.stop_loss).price),
        ),
    ),
    OrderType.TWAP: Kind(
        frozenset({"parts", "interval_seconds"}),
        _twap,
        lambda _terms, _price: ByTime(),
        may=frozenset({"min_price", "max_price"}),
    ),
    OrderType.SNIPER: Kind(
        frozenset({"launch"}),
        _sniper,
        lambda terms, _: AtLaunch(_given(terms.launch)),
        may=frozenset({"max_age_seconds", "min_liquidity_usd"}),
        slippage_bps=300,
    ),
}
