"""Place one market order on an embedded cloud and watch it to the end.

python -m local.demo --token-in SOL --token-out USDC --amount 1
"""

import argparse
import asyncio
import os
import sys
import time
from typing import Any

from local.cloud import CloudFailed
from local.signals import Stopped, stop_on_signals
from local.system import System, running

_PATIENCE_SECONDS = 120.0


async def trade(system: System, wish: dict[str, Any]) -> dict[str, Any]:
    """Place an order, print each status as it arrives, and return the order as it ended.

    If it is refused, return the problem document. Raises CloudFailed if its end is not heard of.
    """
    import aiohttp

    async with aiohttp.ClientSession(base_url=system.url) as session:
        posted = time.perf_counter()
        async with session.post("/api/orders/execute", json=wish) as answer:
            order: dict[str, Any] = await answer.json(content_type=None)
        if answer.status != 202:
            return order
        _print_status(order, posted)
        address = f"{system.ws_url}/api/orders/status/{order['orderId']}"
        async with session.ws_connect(address) as stream:
            async for frame in stream:
                message = frame.json()
                if message["type"] not in {"snapshot", "status"} or message["seq"] <= order["seq"]:
                    continue
                order = message["order"]
                _print_status(order, posted)
                if order["status"] in {"confirmed", "failed", "cancelled"}:
                    return order
    raise CloudFailed(f"the stream ended while the order was {order['status']}", system.cloud.log)


def _print_status(order: dict[str, Any], posted: float) -> None:
    attempt = f"  (attempt {order['attempts']})" if order["attempts"] > 1 else ""
    elapsed = (time.perf_counter() - posted) * 1000
    print(f"  {elapsed:6.0f} ms  {order['status']}{attempt}", flush=True)


def summary(order: dict[str, Any]) -> str:
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
        lines.append(("got", f"{order['amountOut']} {bought}, at least {order['minAmountOut']}"))
        lines.append(("price", f"{order['executedPrice']} {bought} per {order['tokenIn']}"))
    if order["txHash"]:
        lines.append(("txHash", order["txHash"]))
    if order["error"]:
        lines.append(("error", f"{order['error']['code']}: {order['error']['detail']}"))
    return "\n".join(f"  {name:<7} {text}" for name, text in lines)


def refusal(problem: dict[str, Any]) -> str:
    """Return what a problem document says, in one line."""
    fields = [f"{error['pointer']} {error['detail']}" for error in problem.get("errors", ())]
    return f"{problem.get('code')}: {'; '.join(fields) or problem.get('detail')}"


def demonstrate(wish: dict[str, Any]) -> str | None:
    """Start everything, trade once, end everything; return why it was not confirmed, if so."""
    print("Starting the embedded cloud ...", flush=True)
    began = time.perf_counter()
    with running() as system:
        print(f"Up at {system.url} after {time.perf_counter() - began:.1f} s.\n")
        print(f"Market order: {wish['amount']} {wish['tokenIn']} for {wish['tokenOut']}\n")
        try:
            order = asyncio.run(asyncio.wait_for(trade(system, wish), _PATIENCE_SECONDS))
        except TimeoutError:
            raise CloudFailed("the order did not end", system.cloud.log) from None
    if "orderId" not in order:
        return f"refused: {refusal(order)}"
    print(f"\n{summary(order)}\n")
    return None if order["status"] == "confirmed" else f"{order['status']}, see its error above"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--token-in", default="SOL")
    parser.add_argument("--token-out", default="USDC")
    parser.add_argument("--amount", default="1")
    asked = parser.parse_args()
    wish = {
        "type": "market",
        "tokenIn": asked.token_in,
        "tokenOut": asked.token_out,
        "amount": asked.amount,
    }
    stop_on_signals()
    try:
        why_not = demonstrate(wish)
    except CloudFailed as error:
        print(f"{error}\nSee {os.path.relpath(error.log)}", file=sys.stderr)
        return 1
    except Stopped:
        return 130
    if why_not:
        print(f"The order was not confirmed: {why_not}.", file=sys.stderr)
    return 1 if why_not else 0


if __name__ == "__main__":
    sys.exit(main())
