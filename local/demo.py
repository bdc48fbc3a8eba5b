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
from local.smoke import Broken, refusal, summary, trade
from local.system import running

_PATIENCE_SECONDS = 120.0


def demonstrate(wish: dict[str, Any]) -> str | None:
    """Start everything, trade once, end everything; return why it was not confirmed, if so."""
    print("Starting the embedded cloud ...", flush=True)
    began = time.perf_counter()
    with running() as system:
        print(f"Up at {system.url} after {time.perf_counter() - began:.1f} s.\n")
        print(f"Market order: {wish['amount']} {wish['tokenIn']} for {wish['tokenOut']}\n")
        try:
            trading = trade(system.url, f"{system.ws_url}/live", wish)
            order = asyncio.run(asyncio.wait_for(trading, _PATIENCE_SECONDS))
        except TimeoutError:
            raise CloudFailed("the order did not end", system.cloud.log) from None
        except Broken as error:
            raise CloudFailed(str(error), system.cloud.log) from error
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
