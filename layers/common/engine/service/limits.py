"""What is taken, and how much: the trading state, order rates, the size of an order."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

from engine.domain.errors import (
    FieldCode,
    FieldProblem,
    InvalidOrder,
    OrderRateExceeded,
    TradingHalted,
)
from engine.domain.tokens import Token
from engine.ports.access import Access, TradingState
from engine.ports.clock import Clock
from engine.ports.prices import Prices

WINDOW = timedelta(minutes=1)
#: How long the trading state is believed, and so how long a halt may take to be felt.
BELIEVED = timedelta(seconds=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The digits of 64 bits times those of a price, several times over: a bound is met or not, exactly.
_EXACT = Context(prec=100)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an account has left: `remaining` of `limit` orders, for `seconds` more."""

    limit: int
    remaining: int
    seconds: int


@dataclass(slots=True, eq=False, repr=False)
class Limits:
    """The use case and what it needs. `orders_per_minute` 0: as many as an account likes."""

    access: Access
    clock: Clock
    prices: Prices
    orders_per_minute: int = 0
    min_dollars: Decimal = Decimal(0)
    max_dollars: Decimal = Decimal(0)
    _state: tuple[datetime, TradingState] | None = field(default=None)

    def check_trading(self) -> None:
        """Raise TradingHalted if the operator has stopped the taking of orders."""
        now = self.clock.now()
        if self._state is None or now >= self._state[0]:
            self._state = (now + BELIEVED, self.access.trading().state)
        if self._state[1] is TradingState.HALTED:
            raise TradingHalted("no new orders are taken now; running ones are finished")

    def check_size(self, token: Token, amount: Decimal) -> None:
        """Raise InvalidOrder if `amount` tokens are worth too little or too much; 0: no bound."""
        if not self.min_dollars and not self.max_dollars:
            return
        worth = _EXACT.multiply(amount, self.prices.dollars(token, self.clock.now()))
        if worth < self.min_dollars:
            detail = f"an order is worth at least {self.min_dollars} USD"
            raise InvalidOrder(FieldProblem("/amount", FieldCode.NOTIONAL_TOO_SMALL, detail))
        if self.max_dollars and worth > self.max_dollars:
            detail = f"an order is worth at most {self.max_dollars} USD"
            raise InvalidOrder(FieldProblem("/amount", FieldCode.NOTIONAL_TOO_LARGE, detail))

    def count_order(self, account: str) -> Allowance | None:
        """Count an order and return what is left, None if nobody counts.

        Raises OrderRateExceeded with the seconds until the next window (whole minutes).
        """
        if not self.orders_per_minute:
            return None
        now = self.clock.now()
        window = (now - _EPOCH) // WINDOW
        until = _EPOCH + (window + 1) * WINDOW
        seconds = math.ceil((until - now).total_seconds())
        count = self.access.count_order(
            account, window, maximum=self.orders_per_minute, until=until
        )
        if count is None:
            raise OrderRateExceeded(self.orders_per_minute, seconds)
        return Allowance(self.orders_per_minute, self.orders_per_minute - count, seconds)
