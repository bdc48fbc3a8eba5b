"""When a resting order comes due: plain values that know their prices and what a tick does to them.

A trigger asks "at or past", never "between": a gap skips nothing, and a tick that was missed is
made up for by the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.domain.money import BPS
from engine.domain.prices import rounded


class Direction(StrEnum):
    """The side of a level on which the price has to be, the level itself included."""

    ABOVE = "above"
    BELOW = "below"

    @property
    def opposite(self) -> "Direction":
        return Direction.BELOW if self is Direction.ABOVE else Direction.ABOVE


class Side(StrEnum):
    """Whether the base token of a pair is sold or bought."""

    SELL = "sell"
    BUY = "buy"

    @property
    def profit(self) -> Direction:
        """Where the price is better for whoever trades on this side."""
        return Direction.ABOVE if self is Side.SELL else Direction.BELOW


#: A price, and when it was seen.
Seen = tuple[Decimal, datetime]
#: There are more only if the price falls, or rises, tick after tick, and no sweep comes to its end.
MOST_SEEN = 12


@dataclass(frozen=True, slots=True)
class Tick:
    """The reference price of a pair, with what an order may have met since the last sweep.

    `highs` are the prices that none since has equalled or outdone, oldest first: the first is the
    highest of all, and the first after an order was placed is the highest that it has met. So are
    `lows`.
    """

    price: Decimal
    at: datetime
    highs: tuple[Seen, ...]
    lows: tuple[Seen, ...]

    @classmethod
    def of(cls, price: Decimal, at: datetime) -> "Tick":
        """Return a tick that knows of nothing but the price as it is."""
        return cls(price, at, ((price, at),), ((price, at),))

    @property
    def high(self) -> Decimal:
        return self.highs[0][0]

    @property
    def low(self) -> Decimal:
        return self.lows[0][0]

    def seen(self, price: Decimal, at: datetime) -> "Tick":
        """Return this tick with one more price.

        One that is older than the newest is only a high or a low: whoever read it was overtaken.
        """
        newest = (price, at) if at >= self.at else (self.price, self.at)
        highs = _unsurpassed((*self.highs, (price, at)), Direction.ABOVE)
        lows = _unsurpassed((*self.lows, (price, at)), Direction.BELOW)
        return Tick(*newest, highs, lows)

    def since(self, at: datetime) -> "Tick | None":
        """Return what of this tick an order has lived through that rests since `at`.

        What the price did until then is none of the order's business; None: neither is the rest.
        """
        if self.at < at:
            return None
        now = ((self.price, self.at),)
        highs, lows = (
            tuple(seen for seen in some if seen[1] > at) or now for some in (self.highs, self.lows)
        )
        return Tick(self.price, self.at, highs, lows)


def _unsurpassed(seen: Sequence[Seen], way: Direction) -> tuple[Seen, ...]:
    """Return the prices that none later equals or outdoes, oldest first, MOST_SEEN at the most."""
    sign = 1 if way is Direction.ABOVE else -1
    kept: list[Seen] = []
    for price, at in sorted(seen, key=lambda each: (each[1], sign * each[0]), reverse=True):
        if not kept or sign * price > sign * kept[-1][0]:
            kept.append((price, at))
    kept.reverse()
    return (*kept[: MOST_SEEN - 1], *kept[-1:]) if len(kept) > MOST_SEEN else tuple(kept)


@dataclass(frozen=True, slots=True)
class Level:
    """A price and the side of it that matters."""

    direction: Direction
    price: Decimal

    def reached(self, tick: Tick) -> bool:
        """Tell whether the price was at or past this level at any time since the last sweep."""
        return self.holds(tick.high if self.direction is Direction.ABOVE else tick.low)

    def holds(self, price: Decimal) -> bool:
        return price >= self.price if self.direction is Direction.ABOVE else price <= self.price


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger came due by `level`; `leg` says which of several it was.

    What waits for no price comes due by none.
    """

    level: Level | None
    leg: str | None = None


@dataclass(frozen=True, slots=True)
class AtPrice:
    """Comes due at a level: limit, stop, take-profit."""

    level: Level

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels at which a tick has to look at this trigger, at most one a direction."""
        return (self.level,)

    def on(self, tick: Tick) -> "Trigger | Fired":
        """Return what a tick makes of this trigger: Fired, or the trigger that goes on."""
        return Fired(self.level) if self.level.reached(tick) else self


@dataclass(frozen=True, slots=True)
class ThenLimit:
    """Becomes a resting limit at a level: stop-limit."""

    stop: Level
    limit: Level

    @property
    def levels(self) -> tuple[Level, ...]:
        return (self.stop,)

    def on(self, tick: Tick) -> "Trigger | Fired":
        if not self.stop.reached(tick):
            return self
        return Fired(self.limit) if self.limit.holds(tick.price) else AtPrice(self.limit)


TAKE_PROFIT, STOP_LOSS = "takeProfit", "stopLoss"


@dataclass(frozen=True, slots=True)
class EitherOf:
    """Comes due at the first of two levels; at the stop's if one tick reached both."""

    take_profit: Level
    stop_loss: Level

    @property
    def levels(self) -> tuple[Level, ...]:
        return (self.take_profit, self.stop_loss)

    def on(self, tick: Tick) -> "Trigger | Fired":
        if self.stop_loss.reached(tick):
            return Fired(self.stop_loss, STOP_LOSS)
        if self.take_profit.reached(tick):
            return Fired(self.take_profit, TAKE_PROFIT)
        return self


@dataclass(frozen=True, slots=True)
class Trailing:
    """Comes due `bps` behind the best price since it began, the watermark: trailing stop.

    `follows` is where the price has to go to move the watermark. That is moved only when it moves
    the stop by a fiftieth of its distance: a rising market does not write every order each tick.
    """

    follows: Direction
    bps: int
    watermark: Decimal

    @property
    def stop(self) -> Level:
        """The level at which it comes due, its price rounded to 12 digits."""
        factor = BPS - self.bps if self.follows is Direction.ABOVE else BPS + self.bps
        return Level(self.follows.opposite, rounded(self.watermark * factor / BPS))

    @property
    def levels(self) -> tuple[Level, ...]:
        band = self.watermark * max(1, self.bps // 50) / BPS
        further = band if self.follows is Direction.ABOVE else -band
        return (Level(self.follows, rounded(self.watermark + further)), self.stop)

    def on(self, tick: Tick) -> "Trigger | Fired":
        """Return what a tick makes of it.

        High and low may have come in either order: the stop as it was is held against both, the
        stop as it becomes against the price as it is.
        """
        next_watermark, stop = self.levels
        if stop.reached(tick):
            return Fired(stop)
        if not next_watermark.reached(tick):
            return self
        moved = replace(self, watermark=_best(self.follows, tick))
        return Fired(moved.stop) if moved.stop.holds(tick.price) else moved


@dataclass(frozen=True, slots=True)
class ThenTrailing:
    """Becomes a trailing stop at a level: its activation."""

    activation: Level
    bps: int

    @property
    def levels(self) -> tuple[Level, ...]:
        return (self.activation,)

    def on(self, tick: Tick) -> "Trigger | Fired":
        if not self.activation.reached(tick):
            return self
        follows = self.activation.direction
        started = Trailing(follows, self.bps, _best(follows, tick))
        return Fired(started.stop) if started.stop.holds(tick.price) else started


@dataclass(frozen=True, slots=True)
class ByTime:
    """Waits for no price: its order's plan says when it is due, see `engine.domain.parts`."""

    @property
    def levels(self) -> tuple[Level, ...]:
        return ()

    def on(self, _: Tick) -> "Trigger | Fired":
        return self


@dataclass(frozen=True, slots=True)
class AtLaunch:
    """Comes due when a token launches, which `launch` names by mint or symbol: sniper."""

    launch: str

    @property
    def levels(self) -> tuple[Level, ...]:
        return ()

    def on(self, _: Tick) -> "Trigger | Fired":
        return self


Trigger = AtPrice | ThenLimit | EitherOf | Trailing | ThenTrailing | ByTime | AtLaunch


def _best(follows: Direction, tick: Tick) -> Decimal:
    return tick.high if follows is Direction.ABOVE else tick.low
