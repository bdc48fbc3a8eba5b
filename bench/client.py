"""Programs of traders that note the time: the end-to-end tests' own client, and many at once."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.figures import Failed
from local.system import System
from tests.e2e.client import FINAL, Trader, lying, until


def timed(call: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def burst(system: System, orders: int, clients: int) -> tuple[float, list[float]]:
    """Place orders as fast as so many clients can; return when they began, and the seconds of each.

    The first is a time of day: the table's orders have such.
    """

    def place(trader: Trader, count: int) -> list[float]:
        return [timed(trader.place) for _ in range(count)]

    shares = [orders // clients + (n < orders % clients) for n in range(clients)]
    with ExitStack() as open_until_then, ThreadPoolExecutor(clients) as at_once:
        traders = [open_until_then.enter_context(Trader(system)) for _ in range(clients)]
        began = time.time()
        return began, [took for share in at_once.map(place, traders, shares) for took in share]


def watched(trader: Trader) -> tuple[float, float, int]:
    """Place an order and watch it to the end.

    Return the seconds to the 202 and in all, and how many messages came. Raises Failed.
    """
    began = time.perf_counter()
    order_id = trader.place()
    accepted = time.perf_counter() - began
    watch = trader.watch(order_id)
    while (status := watch.hear().get("status")) not in FINAL:
        pass
    whole = time.perf_counter() - began
    watch.socket.close()
    if status != "confirmed":
        raise Failed(f"an order is {status}, not confirmed")
    return accepted, whole, len(watch.all)


async def receipts(
    system: System, order_id: str, clients: int, changes: Iterator[Callable[[], int]]
) -> list[list[float]]:
    """Let so many clients watch an order; return for each change the seconds to every receipt.

    A change writes the order and returns its `seq`; the first one only sees that all are there.
    """
    took = []
    async with AsyncExitStack() as open_until_then:
        sockets = [
            await open_until_then.enter_async_context(
                connect(f"{system.ws_url}/api/orders/status/{order_id}")
            )
            for _ in range(clients)
        ]
        for change in changes:
            began = time.perf_counter()
            seq = await asyncio.to_thread(change)
            at = await asyncio.gather(*(_received(socket, seq) for socket in sockets))
            took.append([each - began for each in at])
    return took[1:]


async def _received(socket: ClientConnection, seq: int) -> float:
    """Return when a client was told of a `seq`."""
    async with asyncio.timeout(60):
        while json.loads(await socket.recv()).get("seq") != seq:
            pass
    return time.perf_counter()


def drained(system: System) -> None:
    """Wait until the workers have nothing left to do."""
    sqs, url = system.client("sqs"), system.stack.order_queue
    until(lambda: lying(sqs, url), lambda messages: not messages, 300, every=0.5)
