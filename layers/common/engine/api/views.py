"""What clients see: camelCase, amounts as decimal strings, times in UTC to the millisecond."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine.domain.money import from_base_units, price, shares
from engine.domain.order import (
    Instruction,
    Leg,
    Order,
    Quote,
    Route,
    Step,
    Transaction,
    Try,
)
from engine.domain.terms import Terms
from engine.domain.tokens import Token

if TYPE_CHECKING:
    from engine.service.quoting import Offer


def order_view(order: Order) -> dict[str, Any]:
    """Return the whole order as clients read it."""
    terms = order.terms
    minimum = order.min_amount_out
    got = order.amount_out
    return {
        "orderId": order.order_id,
        "clientOrderId": order.client_order_id,
        "type": terms.kind.value,
        "tokenIn": terms.sell.symbol,
        "tokenOut": terms.buy.symbol,
        "amount": from_base_units(terms.amount, terms.sell.decimals),
        "slippageBps": terms.slippage_bps,
        "status": order.status.value,
        "seq": order.seq,
        "attempts": order.attempts,
        "createdAt": timestamp(order.created_at),
        "updatedAt": timestamp(order.updated_at),
        "quotes": [quote_view(quote, terms) for quote in order.quotes],
        "route": order.route and _route_view(order.route, terms, order.transaction),
        "minAmountOut": None if minimum is None else from_base_units(minimum, terms.buy.decimals),
        "amountOut": None if got is None else from_base_units(got, terms.buy.decimals),
        "executedPrice": None
        if got is None
        else price(terms.amount, terms.sell.decimals, got, terms.buy.decimals),
        "txHash": order.tx_hash,
        "error": order.error and {"code": order.error.code, "detail": order.error.detail},
        "history": [
            {"seq": seq, "status": step.status.value, "at": timestamp(step.at)}
            for seq, step in enumerate(order.history, 1)
        ],
        "tries": [_try_view(tried, order.history[tried.seq - 1]) for tried in order.tries],
    }


def _try_view(tried: Try, step: Step) -> dict[str, Any]:
    return {
        "at": timestamp(step.at),
        "attempt": step.attempt,
        "txHash": tried.signature,
        "outcome": tried.outcome.value,
        "code": tried.code,
    }


def offer_view(offer: "Offer", terms: Terms) -> dict[str, Any]:
    """Return what every venue offers and what would be chosen, as clients read it."""
    route = offer.route
    minimum = terms.minimum(terms.amount, route.amount_out) if route else None
    return {
        "tokenIn": terms.sell.symbol,
        "tokenOut": terms.buy.symbol,
        "amount": from_base_units(terms.amount, terms.sell.decimals),
        "slippageBps": terms.slippage_bps,
        "at": timestamp(offer.at),
        "quotes": [quote_view(quote, terms) for quote in offer.quotes],
        "route": route and _route_view(route, terms),
        "amountOut": route and from_base_units(route.amount_out, terms.buy.decimals),
        "minAmountOut": None if minimum is None else from_base_units(minimum, terms.buy.decimals),
    }


def token_view(token: Token) -> dict[str, Any]:
    """Return a token as clients read it."""
    return {"symbol": token.symbol, "mint": token.mint, "decimals": token.decimals}


def quote_view(quote: Quote, terms: Terms) -> dict[str, Any]:
    """Return one venue's answer as clients read it."""
    if quote.error:
        return {"venue": quote.venue, "error": quote.error}
    minimum = terms.minimum(terms.amount, quote.amount_out)
    sell, buy = terms.sell.decimals, terms.buy.decimals
    charged = terms.buy if quote.fee_on_output else terms.sell
    return {
        "venue": quote.venue,
        "amountOut": from_base_units(quote.amount_out, buy),
        "minAmountOut": from_base_units(minimum, buy),
        "fee": from_base_units(quote.fee, charged.decimals),
        "feeToken": charged.symbol,
        "priceImpactBps": quote.price_impact_bps,
        "price": price(terms.amount, sell, quote.amount_out, buy),
    }


def message(kind: str, order: Order) -> bytes:
    """Return the stream's message of an order; `kind` is `snapshot` or `status`."""
    return _text(
        {
            "type": kind,
            "orderId": order.order_id,
            "seq": order.seq,
            "status": order.status.value,
            "at": timestamp(order.updated_at),
            "order": order_view(order),
        }
    )


def error_message(code: str, detail: str, **more: str) -> bytes:
    """Return the stream's message of something that can't be done."""
    return _text({"type": "error", "code": code, "detail": detail, **more})


def unknown_order_message(order_id: str) -> bytes:
    return error_message("ORDER_NOT_FOUND", "There is no such order (yet).", orderId=order_id)


def revoked_message() -> bytes:
    return error_message("KEY_REVOKED", "The key is revoked; this connection is closed.")


def pong_message() -> bytes:
    return _text({"type": "pong"})


def timestamp(at: datetime) -> str:
    """Return RFC 3339 in UTC, to the millisecond: 2026-11-22T08:24:00.123Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _route_view(
    route: Route, terms: Terms, transaction: Transaction | None = None
) -> dict[str, Any]:
    view: dict[str, Any] = {
        "legs": [
            _leg_view(leg, share, terms)
            for leg, share in zip(
                route.legs, shares([leg.amount_in for leg in route.legs]), strict=True
            )
        ],
        "reason": route.reason,
    }
    if transaction:
        view["instructions"] = [_instruction_view(step, terms) for step in transaction.instructions]
    return view


def _instruction_view(step: Instruction, terms: Terms) -> dict[str, Any]:
    view: dict[str, Any] = {"program": step.program}
    if step.pool:
        view["pool"] = step.pool
    if step.amount_in:
        view["amountIn"] = from_base_units(step.amount_in, terms.sell.decimals)
    if step.pool:  # a swap, whose minimum may be nothing at all
        view["minAmountOut"] = from_base_units(step.min_amount_out, terms.buy.decimals)
    return view


def _leg_view(leg: Leg, share: str, terms: Terms) -> dict[str, str]:
    return {
        "venue": leg.venue,
        "pool": leg.pool,
        "amountIn": from_base_units(leg.amount_in, terms.sell.decimals),
        "amountOut": from_base_units(leg.amount_out, terms.buy.decimals),
        "share": share,
    }


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
