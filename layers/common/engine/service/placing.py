"""Place an order: make it durable, then hand it to the workers, or let it rest."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.domain.errors import (
    Conflict,
    EngineError,
    FieldCode,
    FieldProblem,
    IdempotencyKeyReused,
    InvalidOrder,
    QueueUnavailable,
    StoreUnavailable,
)
from engine.domain.launches import awaited_token
from engine.domain.money import AmountOutOfRange, InexactAmount, from_base_units, to_base_units
from engine.domain.order import Order, Settlement, Status, Waiting, order_id_of
from engine.domain.terms import Exit, IfTriggered, OrderType, Terms
from engine.domain.tokens import (
    LAUNCH_QUOTE,
    SOL,
    TOKENS,
    USDC,
    Token,
    listed_pairs,
    pair_name,
    pair_of,
    side_of,
)
from engine.domain.triggers import Side
from engine.observability import about, log
from engine.ports.clock import Chance, Clock
from engine.ports.orders import OrderRepository
from engine.ports.queue import OrderQueue, WorkMessage
from engine.service.limits import Allowance, Limits
from engine.service.resting import TickerWatch
from engine.service.room import Room
from engine.service.waiting import (
    LONGEST_REST,
    Beginning,
    expiry_problems,
    part_problems,
    price_problems,
)

if TYPE_CHECKING:
    from engine.service.launching import Launching


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as its trader put it; `amount` is in tokens, `key` makes it idempotent.

    Which of the optional terms a kind has is in `KINDS`; who waits and says not until when does so
    for LONGEST_REST.
    """

    token_in: str
    token_out: str
    amount: Decimal
    slippage_bps: int = 50
    key: str | None = None
    kind: OrderType = OrderType.MARKET
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
    launch: str | None = None
    max_age_seconds: int | None = None
    min_liquidity_usd: Decimal | None = None


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
    room: Room
    ticker: TickerWatch
    beginning: Beginning
    test_tokens: bool = False
    #: The names of the pairs that have a pool; None: all do.
    pooled: frozenset[str] | None = None
    settlement: Settlement = Settlement.SIMULATED
    launching: "Callable[[], Launching] | None" = None
    #: The tokens that have launched here, beside those that always trade.
    launched: Callable[[], Iterable[Token]] = tuple

    def place(
        self, new_order: NewOrder, *, account: str, correlation_id: str | None = None
    ) -> Placed:
        """Accept an order.

        When this returns, the order is stored: if it can't be enqueued, or its ticker not started,
        the reconciler does it. What was accepted under a key is told again whatever is refused
        since: only what is new is judged. Raises what `_judged` raises, and IdempotencyKeyReused
        for another order under the same key.
        """
        order_id = self._order_id(account, new_order.key)
        try:
            order, allowance = self._judged(new_order, order_id, account)
        except EngineError:
            standing = self.orders.get(order_id) if new_order.key else None
            if standing is None:
                raise
            return Placed(_replayed(new_order, standing), True, None)
        order = replace(order, correlation_id=correlation_id)
        try:
            self.orders.add(order)
        except Conflict as conflict:
            return Placed(_replayed(new_order, conflict.current), True, allowance)
        try:
            if order.terms.launch is not None and self.launching is not None:
                self.launching().look(order)
            elif order.status is Status.RESTING:
                self.ticker.ensure(order.terms.pair)
            else:
                self.queue.enqueue(WorkMessage(order.order_id, order))
        except (QueueUnavailable, StoreUnavailable):
            log.warning("order stored but not handed on", extra=about(order))
        return Placed(order.as_of(1), False, allowance)

    def terms(self, new_order: NewOrder) -> Terms:
        """Return what an order of this new order would ask for.

        Raises InvalidOrder for what can't be an order now, naming each field that is wrong.
        """
        return self._terms(new_order, self.clock.now())

    def _terms(self, new_order: NewOrder, at: datetime) -> Terms:
        problems: list[FieldProblem] = []
        sell = self._token("/tokenIn", new_order.token_in, problems)
        if new_order.launch is not None:
            buy = self._awaited(new_order.launch, sell, problems)
        else:
            buy = self._token("/tokenOut", new_order.token_out, problems)
        if not problems and sell and buy and not self._trades(sell, buy, new_order):
            detail = f"{sell.symbol}/{buy.symbol} does not trade here"
            problem = FieldProblem("/tokenOut", FieldCode.UNSUPPORTED_PAIR, detail)
            if sell == buy:
                problem = FieldProblem(
                    "/tokenOut", FieldCode.SAME_TOKEN, "tokenOut must not be tokenIn"
                )
            problems.append(problem)
        try:
            # So that all that is wrong is named.
            terms = _terms(new_order, sell or SOL, buy or USDC, at)
            if not problems:
                problems += price_problems(terms) + part_problems(terms, at=at)
            problems += expiry_problems(terms, at=at)
        except InvalidOrder as invalid:
            problems += invalid.problems
        if problems:
            raise InvalidOrder(*problems)
        self.limits.check_size(terms.sell, new_order.amount)
        if terms.parts is not None:
            smallest = from_base_units(terms.amount // terms.parts, terms.sell.decimals)
            self.limits.check_size(terms.sell, Decimal(smallest))
        return terms

    def _judged(
        self, new_order: NewOrder, order_id: str, account: str
    ) -> tuple[Order, Allowance | None]:
        """Return the new order, and what its account has left, if nothing speaks against it.

        Every check of a new order stands here, and nowhere else. Raises InvalidOrder,
        TradingHalted, OrderRateExceeded, PriceUnavailable.
        """
        at = self.clock.now()
        terms = self._terms(new_order, at)
        self.limits.check_trading()
        allowance = self.limits.count_order(account)
        order = Order.place(
            order_id,
            account,
            terms,
            at=at,
            deadline=at + self.deadline,
            client_order_id=new_order.key,
            waiting=self._waiting(terms, order_id, account, at),
            settlement=self.settlement,
        )
        if new_order.key:
            # Two requests of one millisecond would write equal rows, and both be the first.
            order = replace(order, lease_by=self.chance.token_bytes().hex()[:12])
        return order, allowance

    def _waiting(self, terms: Terms, order_id: str, account: str, at: datetime) -> Waiting | None:
        """Return what a new order waits for, or what has set it off already; None: nothing.

        Raises WouldTriggerNow, PriceUnavailable, TooManyRestingOrders.
        """
        started = self.beginning.begin(terms, at=at)
        if started is None:
            return None
        roster = self.room.enter(account, order_id, at=at)
        waiting = Waiting(started.trigger, at, roster.epoch_of(terms.pair))
        if started.fired is None:
            return waiting
        return replace(waiting, fired=started.fired, fired_price=started.price, fired_seq=1)

    def pairs(self, launched: Iterable[Token] = ()) -> dict[str, tuple[Token, Token]]:
        """Return the pairs that trade here by their names, with those of tokens that launched."""
        listed = listed_pairs(test_tokens=self.test_tokens, launched=launched)
        return {name: p for name, p in listed.items() if self.pooled is None or name in self.pooled}

    def _trades(self, sell: Token, buy: Token, new_order: NewOrder) -> bool:
        pair = pair_of(sell, buy)
        if pair is None or self.pooled is None or new_order.launch is not None:
            return pair is not None
        return pair_name(*pair) in self.pooled

    def _awaited(
        self, launch: str, sell: Token | None, problems: list[FieldProblem]
    ) -> Token | None:
        """Return what stands for a token that has yet to launch, which none that trades does."""
        token = awaited_token(launch)
        pointer = "/mint" if token.mint else "/tokenOut"
        listed = {name for known in TOKENS.values() for name in (known.symbol, known.mint)}
        if launch in listed:
            detail = "trades already; place another type of order"
            problems.append(FieldProblem(pointer, FieldCode.UNSUPPORTED_PAIR, detail))
            return None
        if sell is not None and sell != LAUNCH_QUOTE:
            detail = f"what launches is bought with {LAUNCH_QUOTE.symbol}"
            problems.append(FieldProblem("/tokenIn", FieldCode.UNSUPPORTED_PAIR, detail))
        return token

    def _token(self, pointer: str, symbol: str, problems: list[FieldProblem]) -> Token | None:
        token = TOKENS.get(symbol)
        if token is None:
            token = next((each for each in self.launched() if each.symbol == symbol), None)
        if token is None or (token.fault and not self.test_tokens):
            tokens = (*TOKENS.values(), *self.launched())
            known = ", ".join(t.symbol for t in tokens if not t.fault or self.test_tokens)
            problems.append(
                FieldProblem(
                    pointer, FieldCode.UNKNOWN_TOKEN, f"is not traded here; known are {known}"
                )
            )
            return None
        return token

    def _order_id(self, account: str, key: str | None) -> str:
        if key is None:
            return str(uuid.UUID(bytes=self.chance.token_bytes(), version=4))
        return order_id_of(account, key)


def _terms(
    new_order: NewOrder, sell: Token, buy: Token, at: datetime, side: Side | None = None
) -> Terms:
    """Return what a new order asks for, its symbols meaning these tokens. Raises InvalidOrder."""
    try:
        amount = to_base_units(new_order.amount, sell.decimals)
    except AmountOutOfRange as error:
        raise InvalidOrder(
            FieldProblem("/amount", FieldCode.AMOUNT_OUT_OF_RANGE, str(error))
        ) from None
    except InexactAmount as error:
        raise InvalidOrder(
            FieldProblem("/amount", FieldCode.TOO_MANY_DECIMALS, str(error))
        ) from None
    waits = new_order.kind is not OrderType.MARKET
    return Terms(
        sell,
        buy,
        amount,
        new_order.slippage_bps,
        new_order.kind,
        side or side_of(sell, buy),
        limit_price=new_order.limit_price,
        stop_price=new_order.stop_price,
        trailing_bps=new_order.trailing_bps,
        activation_price=new_order.activation_price,
        take_profit=new_order.take_profit,
        stop_loss=new_order.stop_loss,
        expires_at=new_order.expires_at or (at + LONGEST_REST if waits else None),
        if_triggered=new_order.if_triggered,
        parts=new_order.parts,
        interval_seconds=new_order.interval_seconds,
        min_price=new_order.min_price,
        max_price=new_order.max_price,
        launch=new_order.launch,
        max_age_seconds=new_order.max_age_seconds,
        min_liquidity_usd=new_order.min_liquidity_usd,
    )


def _replayed(new_order: NewOrder, standing: Order | None) -> Order:
    """Return the order that stands under a new order's key, if it is what the new order asks for.

    Its symbols mean what they meant when that was accepted. Raises IdempotencyKeyReused.
    """
    if standing is None or not _is(new_order, standing):
        raise IdempotencyKeyReused("this key was used for another order")
    log.info("order replayed", extra=about(standing))
    return standing.as_of(1)


def _is(new_order: NewOrder, order: Order) -> bool:
    """Tell whether a new order, had it come when the order did, would have asked for the same."""
    asked = order.placed_terms.awaiting
    if new_order.launch != asked.launch or new_order.token_in != asked.sell.symbol:
        return False
    if asked.launch is None and (new_order.token_in, new_order.token_out) != (
        order.token_in,
        order.token_out,
    ):
        return False
    try:
        return _terms(new_order, asked.sell, asked.buy, order.created_at, asked.side) == asked
    except InvalidOrder:
        return False
