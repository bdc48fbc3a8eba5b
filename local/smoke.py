"""Place an order on any deployed stack and watch it to the end.

ENGINE_URL=https://… ENGINE_WS_URL=wss://…/live ENGINE_KEY=… python -m local smoke

ENGINE_WS_URL is the WebSocket API's address with its stage, or `wss://HOST/live` where both APIs
have one address. ENGINE_KEY may be missing where the stack was deployed with Auth=none.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from local.errors import Refused

FINAL = {"confirmed", "failed", "cancelled", "expired"}
_WISH = {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"}
_PATIENCE_SECONDS = 120.0


class Broken(Refused):
    """The order did not come to its end, or the engine is not there."""


def print_status(order: Mapping[str, Any]) -> None:
    """Print a status and how long after the order was placed it was reached."""
    attempt = f"  (attempt {order['attempts']})" if order["attempts"] > 1 else ""
    placed, reached = (datetime.fromisoformat(order[at]) for at in ("createdAt", "updatedAt"))
    elapsed = (reached - placed).total_seconds() * 1000
    print(f"  {elapsed:6.0f} ms  {order['status']}{attempt}", flush=True)


async def trade(
    http_url: str,
    watch_url: str,
    new_order: Mapping[str, Any],
    key: str | None = None,
    heard: Callable[[Mapping[str, Any]], None] = print_status,
) -> dict[str, Any]:
    """Place an order, pass on each status that the stream tells, and return it as it ended.

    If it is refused, return the problem document. Raises Broken if its end is not heard of.
    """
    import aiohttp

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        address = f"{http_url.rstrip('/')}/api/orders/execute"
        async with session.post(address, json=dict(new_order)) as answer:
            order: dict[str, Any] = await answer.json(content_type=None)
        if answer.status != 202:
            return order if isinstance(order, dict) else {"detail": str(order)}
        query, seq = {"orderId": order["orderId"]}, 0
        async with session.ws_connect(watch_url, params=query) as stream:
            async for frame in stream:
                message = frame.json()
                if message["type"] not in {"snapshot", "status"} or message["seq"] <= seq:
                    continue
                order, seq = message["order"], message["seq"]
                heard(order)
                if order["status"] in FINAL:
                    return order
    raise Broken(f"the stream ended while the order was {order['status']}")


def summary(order: Mapping[str, Any]) -> str:
    """Return what came of an order: the quotes, the route and why, price and transaction."""
    bought = order["tokenOut"]
    lines = []
    for quote in order["quotes"]:
        offer = quote.get("error") or (
            f"{quote['amountOut']} {bought}, price {quote['price']}, "
            f"fee {quote['fee']} {order['tokenIn']}, impact {quote['priceImpactBps']} bps"
        )
        lines.append(("quote", f"{quote['venue']}: {offer}"))
    if order["route"]:
        venues = " + ".join(leg["venue"] for leg in order["route"]["legs"])
        lines.append(("venue", venues))
        lines.append(("why", order["route"]["reason"]))
    if order["amountOut"] is not None:
        least = f", at least {order['minAmountOut']}" if order["minAmountOut"] else ""
        lines.append(("got", f"{order['amountOut']} {bought}{least}"))
        lines.append(("price", f"{order['executedPrice']} {bought} per {order['tokenIn']}"))
    if order["txHash"]:
        lines.append(("txHash", order["txHash"]))
    if order["error"]:
        lines.append(("error", f"{order['error']['code']}: {order['error']['detail']}"))
    return "\n".join(f"  {name:<7} {text}" for name, text in lines)


def refusal(problem: Mapping[str, Any]) -> str:
    """Return what a problem document says, in one line."""
    fields = [f"{error['pointer']} {error['detail']}" for error in problem.get("errors", ())]
    return f"{problem.get('code')}: {'; '.join(fields) or problem.get('detail')}"


def smoke(http_url: str, watch_url: str, key: str | None) -> dict[str, Any]:
    """Trade once; return the confirmed order. Raises Broken."""
    import aiohttp

    trading = trade(http_url, watch_url, _WISH, key)
    try:
        order = asyncio.run(asyncio.wait_for(trading, _PATIENCE_SECONDS))
    except TimeoutError:
        raise Broken("the order did not end") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Broken(f"the engine can't be reached: {error}") from error
    if "orderId" not in order:
        raise Broken(f"the order was refused: {refusal(order)}")
    if order["status"] != "confirmed":
        raise Broken(f"the order was not confirmed:\n{summary(order)}")
    return order
