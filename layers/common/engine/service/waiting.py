"""What is looked at as an order begins to wait: when it is placed, and when it is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.domain.errors import FieldCode, FieldProblem, WouldTriggerNow
from engine.domain.prices import price_text
from engine.domain.terms import IfTriggered, OrderType, Terms
from engine.domain.triggers import (
    STOP_LOSS,
    TAKE_PROFIT,
    AtLaunch,
    AtPrice,
    ByTime,
    Fired,
    ThenLimit,
    Tick,
    Trigger,
)

if TYPE_CHECKING:
    from engine.ports.launches import LaunchBook
    from engine.service.pricing import Pricing

#: How long an order waits at most, from when its end is said, and if none is.
LONGEST_REST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Begun:
    """What an order waits for, or what has set it off at once, and at which reference price."""

    trigger: Trigger
    price: Decimal | None = None
    fired: Fired | None = None


@dataclass(slots=True, eq=False, repr=False)
class Beginning:
    """Holds new terms against the reference price as it is."""

    # Made when they are first asked for: one brings the market.
    pricing: "Callable[[], Pricing]"
    book: "Callable[[], LaunchBook]"

    def begin(self, terms: Terms, trigger: Trigger | None = None, *, at: datetime) -> Begun | None:
        """Return how an order of these terms begins to wait; None: it does not.

        It waits for what its terms make of the price, or goes on with `trigger`. Without a price
        that is fresh it rests. Raises PriceUnavailable if it can't begin without one,
        WouldTriggerNow if it is due and not wanted then.
        """
        if terms.kind is OrderType.MARKET:
            return None
        if terms.kind is OrderType.TWAP:
            return Begun(ByTime())
        if terms.launch is not None:  # whoever places it looks for the launch once it rests
            reject = terms.if_triggered is IfTriggered.REJECT
            if reject and trigger is None and self.book().find(terms.launch):
                pointer = "/mint" if terms.buy.mint else "/tokenOut"
                raise WouldTriggerNow(pointer, "it has launched already")
            return Begun(trigger or AtLaunch(terms.launch))
        priced = self.pricing().price(terms.base, terms.quote)
        price = None if priced.stale else priced.price
        trigger = trigger or terms.trigger(price)
        if trigger is None or price is None:
            return Begun(trigger) if trigger else None
        after = trigger.on(Tick.of(price, at))
        stop_reached = isinstance(trigger, ThenLimit) and isinstance(after, AtPrice)
        due = isinstance(after, Fired) or stop_reached
        if due and terms.if_triggered is IfTriggered.REJECT:
            raise WouldTriggerNow(_reached(terms, after), f"the price is {price_text(price)} now")
        if isinstance(after, Fired):
            return Begun(trigger, price, after)
        return Begun(after)


def expiry_problems(terms: Terms, *, at: datetime) -> list[FieldProblem]:
    """Return what speaks against an end that is set at `at`."""
    if terms.expires_at is None or at < terms.expires_at <= at + LONGEST_REST:
        return []
    detail = f"must be in the future, and at most {LONGEST_REST.days} days from now"
    return [FieldProblem("/expiresAt", FieldCode.EXPIRY_OUT_OF_RANGE, detail)]


def part_problems(terms: Terms, *, at: datetime) -> list[FieldProblem]:
    """Return what speaks against parts: each is something, and the last begins before the end."""
    if terms.parts is None or terms.expires_at is None:
        return []
    problems = []
    if terms.amount < terms.parts:
        detail = f"{terms.amount} base units are not to be had in {terms.parts} parts"
        problems.append(FieldProblem("/parts", FieldCode.PARTS_TOO_SMALL, detail))
    last = at + (terms.parts - 1) * terms.every
    if last >= terms.expires_at:
        detail = "the last part would begin when the order has ended, or later"
        problems.append(FieldProblem("/intervalSeconds", FieldCode.SCHEDULE_TOO_LONG, detail))
    return problems


def price_problems(terms: Terms) -> list[FieldProblem]:
    """Return what speaks against prices beside one another: an `oco` gains, or stops a loss."""
    low, high = terms.min_price, terms.max_price
    if low is not None and high is not None and low >= high:
        detail = "must be above minPrice"
        return [FieldProblem("/maxPrice", FieldCode.PRICES_CROSSED, detail)]
    if terms.take_profit is None or terms.stop_loss is None:
        return []
    profit, loss = terms.take_profit.price, terms.stop_loss.price
    if profit != loss and terms.profit_at(loss).holds(profit):
        return []
    way = terms.side.profit.opposite.value
    detail = f"must be {way} takeProfit's price: the order is a {terms.side}"
    return [FieldProblem("/stopLoss/price", FieldCode.PRICES_CROSSED, detail)]


def _reached(terms: Terms, after: Trigger | Fired) -> str:
    """Return the pointer of the price that an order is due by."""
    if isinstance(after, Fired) and after.leg in (TAKE_PROFIT, STOP_LOSS):
        return f"/{after.leg}/price"
    if terms.stop_price is not None:
        return "/stopPrice"
    if terms.limit_price is not None:
        return "/limitPrice"
    return "/trailingBps"
