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


class NotConfirmed(Exception):
    """The order was refused, failed, or was not heard of again."""


async def trade(system: System, wish: dict[str, Any]) -> dict[str, Any]:
    """Place an order, print each status as it arrives, and return the order as it ended.

    Raises NotConfirmed if it is refused, or if the stream ends before it does.
    """
    import aiohttp

    async with aiohttp.ClientSession(base_url=system.url) as session:
        posted = time.perf_counter()
        async with session.post("/api/orders/execute", json=wish) as answer:
            order: dict[str, Any] = await answer.json(content_type=None)
        if answer.status != 202:
            raise NotConfirmed(f"refused: {order['code']}: {_why_refused(order)}")
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
    raise NotConfirmed(f"the stream ended while the order was {order['status']}")


def _why_refused(problem: dict[str, Any]) -> str:
    fields = [f"{e['pointer']}: {e['detail']}" for e in problem.get("errors", ())]
    return "; ".join(fields) or str(problem.get("detail"))


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


def demonstrate(wish: dict[str, Any]) -> None:
    """Start everything, trade once, end everything. Raises NotConfirmed."""
    print("Starting the embedded cloud ...", flush=True)
    began = time.perf_counter()
    with running() as system:
        print(f"Up at {system.url} after {time.perf_counter() - began:.1f} s.\n")
        print(f"Market order: {wish['amount']} {wish['tokenIn']} for {wish['tokenOut']}\n")
        try:
            order = asyncio.run(asyncio.wait_for(trade(system, wish), _PATIENCE_SECONDS))
        except TimeoutError:
            raise NotConfirmed(f"no end of it within {_PATIENCE_SECONDS:.0f} s") from None
    print(f"\n{summary(order)}\n")
    if order["status"] != "confirmed":
        raise NotConfirmed(f"{order['status']} after attempt {order['attempts']}")


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
        demonstrate(wish)
    except NotConfirmed as error:
        print(f"The order was not confirmed: {error}", file=sys.stderr)
        return 1
    except CloudFailed as error:
        print(f"{error}\nSee {os.path.relpath(error.log)}", file=sys.stderr)
        return 1
    except Stopped:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
