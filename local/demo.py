"""Place one market order on an embedded cloud and watch it to the end."""

import asyncio
import time

from local.errors import CloudFailed, Refused
from local.smoke import Broken, refusal, summary, trade
from local.system import running

_PATIENCE_SECONDS = 120.0


def demonstrate(token_in: str, token_out: str, amount: str) -> None:
    """Start everything, trade once, end everything. Raises Refused if it was not confirmed."""
    print("Starting the embedded cloud ...", flush=True)
    began = time.perf_counter()
    with running() as system:
        print(f"Up at {system.url} after {time.perf_counter() - began:.1f} s.\n")
        print(f"Market order: {amount} {token_in} for {token_out}\n")
        try:
            body = {"type": "market", "tokenIn": token_in, "tokenOut": token_out, "amount": amount}
            trading = trade(system.url, f"{system.ws_url}/live", body)
            order = asyncio.run(asyncio.wait_for(trading, _PATIENCE_SECONDS))
        except TimeoutError:
            raise CloudFailed("the order did not end", system.cloud.log) from None
        except Broken as error:
            raise CloudFailed(str(error), system.cloud.log) from error
    if "orderId" not in order:
        raise Refused(f"The order was not confirmed: refused: {refusal(order)}.")
    print(f"\n{summary(order)}\n")
    if order["status"] != "confirmed":
        raise Refused(f"The order was not confirmed: {order['status']}, see its error above.")
