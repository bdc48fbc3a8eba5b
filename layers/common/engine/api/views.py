"""What clients see: camelCase, amounts as decimal strings, times in UTC to the millisecond."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from engine.api import models
from engine.domain.breaker import Breaker
from engine.domain.money import from_base_units, price, shares
from engine.domain.order import (
    Instruction,
    Order,
    Quote,
    Route,
    Settlement,
    Status,
    Transaction,
    Try,
    Waiting,
    part_order_id,
)
from engine.domain.parts import Part, Plan
from engine.domain.prices import price_text
from engine.domain.terms import Exit, Terms
from engine.domain.tokens import Token
from engine.domain.triggers import AtLaunch, ByTime, EitherOf, Level, Side, Trailing, Trigger

if TYPE_CHECKING:
    from engine.service.pricing import Priced
    from engine.service.quoting import Offer


def order_view(order: Order) -> models.Order:
    """Return the whole order as clients read it."""
    terms = order.terms
    got, plan = order.amount_out, order.plan
    if plan is not None:
        got = plan.amount_out if plan.filled else None
    confirmed = got is not None and (plan is None or order.status is Status.CONFIRMED)
    return models.Order(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        network=order.settlement.network,
        settlement=order.settlement,
        type=terms.kind,
        pair=terms.pair,
        side=terms.side,
        token_in=terms.sell.symbol,
        token_out=terms.buy.symbol,
        amount=from_base_units(terms.amount, terms.sell.decimals),
        slippage_bps=terms.slippage_bps,
        limit_price=_price(terms.limit_price),
        stop_price=_price(terms.stop_price),
        trailing_bps=terms.trailing_bps,
        activation_price=_price(terms.activation_price),
        take_profit=_exit_view(terms.take_profit),
        stop_loss=_exit_view(terms.stop_loss),
        parts=terms.parts,
        interval_seconds=terms.interval_seconds,
        min_price=_price(terms.min_price),
        max_price=_price(terms.max_price),
        parent_id=order.parent.order_id if order.parent else None,
        mint=terms.buy.mint or None if terms.launch else None,
        max_age_seconds=terms.max_age_seconds,
        min_liquidity_usd=_price(terms.min_liquidity_usd),
        if_triggered=terms.if_triggered if order.waiting else None,
        expires_at=timestamp(terms.expires_at) if terms.expires_at else None,
        summary=terms.summary,
        trigger=_trigger_view(order, order.waiting) if order.waiting else None,
        status=order.status,
        seq=order.seq,
        attempts=order.attempts,
        created_at=timestamp(order.created_at),
        updated_at=timestamp(order.updated_at),
        quotes=[quote_view(quote, terms, order.minimum) for quote in order.quotes],
        route=_route_view(order.route, terms, order.transaction) if order.route else None,
        min_amount_out=_of(terms.buy, order.min_amount_out),
        amount_out=_of(terms.buy, got),
        executed_price=price(terms.amount, terms.sell.decimals, got or 0, terms.buy.decimals)
        if confirmed
        else None,
        filled_amount=_of(terms.sell, plan.filled if plan else None),
        average_price=_average(terms, plan) if plan else None,
        stopping=plan.stop.status if plan and plan.stop and not order.final else None,
        children=[_child(order, place, part) for place, part in enumerate(plan.begun)]
        if plan
        else None,
        tx_hash=order.tx_hash,
        error=models.Failure(code=order.error.code, detail=order.error.detail)
        if order.error
        else None,
        history=[
            models.Step(seq=seq, status=step.status, at=timestamp(step.at))
            for seq, step in enumerate(order.history, 1)
        ],
        tries=[_try_view(tried, order) for tried in order.tries],
    )


def _average(terms: Terms, plan: Plan) -> str | None:
    """Return quote tokens for one base token over what is filled."""
    sold, got = plan.filled, plan.amount_out
    if not sold or not got:
        return None
    if terms.side is Side.SELL:
        return price(sold, terms.sell.decimals, got, terms.buy.decimals)
    return price(got, terms.buy.decimals, sold, terms.sell.decimals)


def _child(order: Order, place: int, part: Part) -> models.Child:
    return models.Child(
        part=part.number,
        order_id=part_order_id(order.account, order.order_id, place),
        amount=from_base_units(part.amount, order.terms.sell.decimals),
        status=part.status or Status.PENDING,
    )


def _try_view(tried: Try, order: Order) -> models.Try:
    step, buy = order.history[tried.seq - 1], order.terms.buy
    quoted, bound = tried.quoted, tried.bound
    signed = order.transaction.signature if order.transaction else None
    if quoted is None and order.route and tried.signature and tried.signature == signed:
        quoted, bound = order.route.amount_out, order.min_amount_out
    return models.Try(
        at=timestamp(step.at),
        attempt=step.attempt,
        tx_hash=tried.signature,
        outcome=tried.outcome,
        code=tried.code,
        price=_price(tried.price),
        quoted_out=_of(buy, quoted),
        bound=_of(buy, bound),
    )


def _trigger_view(order: Order, waiting: Waiting) -> models.Trigger:
    """Return what an order waits for; while it is due, what it was due by."""
    trigger, fired = waiting.trigger, waiting.fired
    levels = _levels(trigger)
    level = levels[0] if len(levels) == 1 else None
    if fired and fired.level is not None and order.status is not Status.RESTING:
        level = _level(None, fired.level)
    return models.Trigger(
        source=_source(trigger),
        launch=trigger.launch if isinstance(trigger, AtLaunch) else None,
        launched_at=timestamp(waiting.launched_at) if waiting.launched_at else None,
        direction=level.direction if level else None,
        price=level.price if level else None,
        levels=levels,
        due_at=timestamp(order.plan.due) if order.plan and order.plan.due else None,
        watermark=price_text(trigger.watermark) if isinstance(trigger, Trailing) else None,
        triggered_at=timestamp(order.history[waiting.fired_seq - 1].at) if fired else None,
        triggered_price=_price(waiting.fired_price),
    )


def _source(trigger: Trigger) -> Literal["reference", "time", "launch"]:
    match trigger:
        case AtLaunch():
            return "launch"
        case ByTime():
            return "time"
    return "reference"


def _levels(trigger: Trigger) -> list[models.Level]:
    """Return at which prices an order comes due; the next watermark is none of them."""
    if isinstance(trigger, ByTime):
        return []
    if isinstance(trigger, EitherOf):
        return [
            _level("takeProfit", trigger.take_profit),
            _level("stopLoss", trigger.stop_loss),
        ]
    if isinstance(trigger, AtLaunch):
        return []
    return [_level(None, trigger.stop if isinstance(trigger, Trailing) else trigger.levels[0])]


def _level(leg: Literal["takeProfit", "stopLoss"] | None, level: Level) -> models.Level:
    return models.Level(leg=leg, direction=level.direction, price=price_text(level.price))


def _exit_view(end: Exit | None) -> models.Exit | None:
    return models.Exit(price=price_text(end.price), slippage_bps=end.slippage_bps) if end else None


def _price(price: Decimal | None) -> str | None:
    return None if price is None else price_text(price)


def offer_view(offer: "Offer", terms: Terms, settlement: Settlement) -> models.Offer:
    """Return what every venue offers and what would be chosen, as clients read it."""
    route = offer.route
    minimum = terms.minimum(terms.amount, route.amount_out) if route else None
    return models.Offer(
        network=settlement.network,
        settlement=settlement,
        token_in=terms.sell.symbol,
        token_out=terms.buy.symbol,
        amount=from_base_units(terms.amount, terms.sell.decimals),
        slippage_bps=terms.slippage_bps,
        at=timestamp(offer.at),
        quotes=[quote_view(quote, terms, terms.minimum) for quote in offer.quotes],
        route=_route_view(route, terms) if route else None,
        amount_out=_of(terms.buy, route.amount_out if route else None),
        min_amount_out=_of(terms.buy, minimum),
        breakers=[breaker_view(each, offer.at) for each in offer.breakers],
    )


def breaker_view(breaker: Breaker, at: datetime) -> models.Breaker:
    """Return a venue's breaker as it stands `at` a time."""
    until = timestamp(breaker.until) if breaker.until else None
    return models.Breaker(venue=breaker.venue, state=breaker.state(at).value, until=until)


def price_view(priced: "Priced", settlement: Settlement) -> models.Price:
    """Return a reference price as clients read it."""
    return models.Price(
        network=settlement.network,
        settlement=settlement,
        pair=priced.pair,
        price=None if priced.price is None else price_text(priced.price),
        at=timestamp(priced.at) if priced.at else None,
        source=list(priced.source),
        stale=priced.stale,
        venues=[
            models.VenuePrice(
                venue=told.venue,
                price=price_text(told.mid),
                depth=from_base_units(told.depth, priced.quote.decimals),
            )
            for told in priced.venues
        ],
    )


def token_view(token: Token) -> models.Token:
    """Return a token as clients read it."""
    return models.Token(symbol=token.symbol, mint=token.mint, decimals=token.decimals)


def quote_view(
    quote: Quote, terms: Terms, minimum_of: Callable[[int, int], int]
) -> models.Quote | models.NoQuote:
    """Return one venue's answer as clients read it."""
    if quote.error:
        return models.NoQuote(venue=quote.venue, error=quote.error)
    minimum = minimum_of(terms.amount, quote.amount_out)
    sell, buy = terms.sell.decimals, terms.buy.decimals
    charged = terms.buy if quote.fee_on_output else terms.sell
    return models.Quote(
        venue=quote.venue,
        amount_out=from_base_units(quote.amount_out, buy),
        min_amount_out=from_base_units(minimum, buy),
        fee=from_base_units(quote.fee, charged.decimals),
        fee_token=charged.symbol,
        price_impact_bps=quote.price_impact_bps,
        price=price(terms.amount, sell, quote.amount_out, buy),
    )


_KINDS: dict[str, type[models.Snapshot | models.StatusChange]] = {
    "snapshot": models.Snapshot,
    "status": models.StatusChange,
}


def message(kind: str, order: Order) -> bytes:
    """Return the stream's message of an order; `kind` is `snapshot` or `status`."""
    told = _KINDS[kind](
        order_id=order.order_id,
        seq=order.seq,
        status=order.status,
        at=timestamp(order.updated_at),
        order=order_view(order),
    )
    return told.model_dump_json().encode()


def timestamp(at: datetime) -> str:
    """Return RFC 3339 in UTC, to the millisecond: 2026-11-22T08:24:00.123Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of(token: Token, base_units: int | None) -> str | None:
    return None if base_units is None else from_base_units(base_units, token.decimals)


def _route_view(route: Route, terms: Terms, transaction: Transaction | None = None) -> models.Route:
    parts = shares([leg.amount_in for leg in route.legs])
    return models.Route(
        legs=[
            models.Leg(
                venue=leg.venue,
                pool=leg.pool,
                amount_in=from_base_units(leg.amount_in, terms.sell.decimals),
                amount_out=from_base_units(leg.amount_out, terms.buy.decimals),
                share=share,
            )
            for leg, share in zip(route.legs, parts, strict=True)
        ],
        reason=route.reason,
        instructions=[_instruction_view(step, terms) for step in transaction.instructions]
        if transaction
        else None,
    )


def _instruction_view(step: Instruction, terms: Terms) -> models.Instruction:
    return models.Instruction(
        program=step.program,
        pool=step.pool,
        amount_in=_of(terms.sell, step.amount_in or None),
        # a swap's minimum may be nothing at all
        min_amount_out=_of(terms.buy, step.min_amount_out if step.pool else None),
    )
