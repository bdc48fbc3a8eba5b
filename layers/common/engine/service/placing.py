"""Place a market order: make it durable, then hand it to the workers."""

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from engine.domain.errors import (
    Conflict,
    IdempotencyKeyReused,
    InvalidOrder,
    OrderRateExceeded,
    QueueUnavailable,
    TradingHalted,
)
from engine.domain.money import AmountOutOfRange, InexactAmount, to_base_units
from engine.domain.order import Order, Terms
from engine.domain.tokens import TOKENS, Token, pair_of
from engine.observability import log
from engine.ports import Chance, Clock, OrderQueue, OrderRepository, WorkMessage
from engine.service.limits import Allowance, Limits


@dataclass(frozen=True, slots=True)
class Wish:
    """A market order as its trader put it; `amount` is in tokens, `key` makes it idempotent."""

    token_in: str
    token_out: str
    amount: Decimal
    slippage_bps: int = 50
    key: str | None = None


class InvalidWish(InvalidOrder):
    """Several fields can't be accepted; `problems` has an InvalidOrder for each."""

    def __init__(self, problems: list[InvalidOrder]) -> None:
        first = problems[0]
        super().__init__(first.pointer, first.code, first.detail)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as it was accepted, whether that was before, and what its account has left."""

    order: Order
    replayed: bool
    allowance: Allowance | None


@dataclass(slots=True, eq=False, repr=False)
class Placing:
    """The use case and what it needs."""

    orders: OrderRepository
    queue: OrderQueue
    clock: Clock
    chance: Chance
    deadline: timedelta
    limits: Limits
    test_tokens: bool = False

    def place(self, wish: Wish, *, account: str) -> Placed:
        """Accept an order.

        When this returns, the order is stored: if it can't be enqueued, the reconciler does it.
        Raises InvalidWish for what can't be an order, TradingHalted, OrderRateExceeded, and
        IdempotencyKeyReused for another order under the same key. An order that was accepted
        before is neither: whoever asks again is told so, also during a halt.
        """
        order = self._order(wish, account)
        try:
            self.limits.check_trading()
            allowance = self.limits.count_order(account)
        except (TradingHalted, OrderRateExceeded):
            standing = self.orders.get(order.order_id) if wish.key else None
            if standing is None:
                raise
            return Placed(self._replayed(order, standing), True, None)
        try:
            self.orders.add(order)
        except Conflict as conflict:
            return Placed(self._replayed(order, conflict.current), True, allowance)
        try:
            self.queue.enqueue(WorkMessage(order.order_id, order))
        except QueueUnavailable:
            log.warning("order stored but not enqueued", extra={"order_id": order.order_id})
        else:
            log.info("order placed", extra={"order_id": order.order_id})
        return Placed(order.as_placed(), False, allowance)

    def terms(self, wish: Wish) -> Terms:
        """Return what an order of this wish would ask for. Raises InvalidWish."""
        problems: list[InvalidOrder] = []
        terms = self._terms(wish, problems)
        if terms is None:
            raise InvalidWish(problems)
        return terms

    def _order(self, wish: Wish, account: str) -> Order:
        terms = self.terms(wish)
        try:
            self.limits.check_size(terms.sell, wish.amount)
        except InvalidOrder as problem:
            raise InvalidWish([problem]) from None
        at = self.clock.now()
        order = Order.place(
            self._order_id(account, wish.key),
            account,
            terms,
            at=at,
            deadline=at + self.deadline,
            client_order_id=wish.key,
        )
        # Two requests with one key in one millisecond would write equal rows, and both be first.
        return replace(order, lease_by=self.chance.token_bytes().hex()[:12]) if wish.key else order

    def _terms(self, wish: Wish, problems: list[InvalidOrder]) -> Terms | None:
        token_in = self._token("/tokenIn", wish.token_in, problems)
        token_out = self._token("/tokenOut", wish.token_out, problems)
        if token_in and token_out:
            if token_in is token_out:
                problems.append(
                    InvalidOrder("/tokenOut", "SAME_TOKEN", "tokenOut must not be tokenIn")
                )
            elif pair_of(token_in, token_out) is None:
                detail = f"{token_in.symbol}/{token_out.symbol} does not trade here"
                problems.append(InvalidOrder("/tokenOut", "UNSUPPORTED_PAIR", detail))
        base_units = self._amount(wish.amount, token_in, problems)
        if problems or token_in is None or token_out is None:
            return None
        return Terms(token_in, token_out, base_units, wish.slippage_bps)

    def _token(self, pointer: str, symbol: str, problems: list[InvalidOrder]) -> Token | None:
        token = TOKENS.get(symbol)
        if token is None or (token.fault and not self.test_tokens):
            known = ", ".join(t.symbol for t in TOKENS.values() if not t.fault or self.test_tokens)
            problems.append(
                InvalidOrder(pointer, "UNKNOWN_TOKEN", f"is not traded here; known are {known}")
            )
            return None
        return token

    @staticmethod
    def _amount(amount: Decimal, token_in: Token | None, problems: list[InvalidOrder]) -> int:
        decimals = token_in.decimals if token_in else 9
        try:
            return to_base_units(amount, decimals)
        except AmountOutOfRange as error:
            problems.append(InvalidOrder("/amount", "AMOUNT_OUT_OF_RANGE", str(error)))
        except InexactAmount as error:
            problems.append(InvalidOrder("/amount", "TOO_MANY_DECIMALS", str(error)))
        return 0

    def _order_id(self, account: str, key: str | None) -> str:
        """Return the id that account and key always give, or a random one (RFC 9562, v8 or v4)."""
        if key is None:
            return str(uuid.UUID(bytes=self.chance.token_bytes(), version=4))
        digest = bytearray(hashlib.sha256(f"{account}\n{key}".encode()).digest()[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(digest)))

    @staticmethod
    def _replayed(order: Order, standing: object | None) -> Order:
        if not isinstance(standing, Order) or standing.terms != order.terms:
            raise IdempotencyKeyReused("this key was used for another order")
        log.info("order replayed", extra={"order_id": order.order_id})
        return standing.as_placed()
