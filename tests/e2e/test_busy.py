"""The stream where it is hardest: on one busy core, and beside a client who is a nuisance."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from statistics import median
from threading import Event
from urllib.parse import urlsplit

import pytest

from engine.adapters.aws.keys import DynamoAccess
from local.ops.keys import create
from local.system import running
from tests.e2e.client import Trader

QUICK = {
    "QuoteDelayMinMs": "0",
    "QuoteDelayMaxMs": "20",
    "ConfirmDelayMinMs": "50",
    "ConfirmDelayMaxMs": "150",
}
STATUSES = ["pending", "routing", "building", "submitted", "confirmed"]
TIMES = 100
NUISANCES = 4


@contextmanager
def one_busy_core() -> Iterator[None]:
    """Keep this thread, and whatever it starts, on one core, with a busy loop beside it."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()
        os.sched_setaffinity(0, cores)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no choice of cores here")
def test_all_five_statuses_come_every_time_on_one_busy_core() -> None:
    with one_busy_core(), running(QUICK) as system, Trader(system) as trader:
        started = system.workers("ws_connect")
        for _ in range(TIMES):
            watch = trader.watch(trader.place())
            watch.to_the_end()
            watch.socket.close()
            assert [message["status"] for message in watch.all] == STATUSES
            assert [message["type"] for message in watch.all].count("snapshot") == 1
        # The first watcher met a process that was there: nobody waited for one to start.
        assert system.workers("ws_connect") == started


@pytest.fixture(scope="module")
def keyed_accounts() -> Iterator[Callable[[str], Trader]]:
    unlimited = {"Auth": "api-key", "ConnectsPerMinute": "0", "OrdersPerMinute": "0"}
    with running(QUICK | unlimited) as system:
        access = DynamoAccess(system.table)
        yield lambda name: Trader(system, create(access, name), name)


def _nuisance(trader: Trader, query: str, until: Event) -> int:
    """Trade, and open and drop connections, half of them while they are being made; count them."""
    url = urlsplit(trader.system.ws_url)
    asks = (
        f"GET /live{query} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX-Api-Key: {trader.key}\r\n\r\n"
    ).encode()
    for n in count():
        if until.wait(0.03):
            return n
        if n % 10 == 0:
            trader.place()
        with socket.create_connection((url.hostname, url.port)) as client:
            client.sendall(asks)
            if n % 2:
                client.recv(1)
    raise AssertionError


def _lags(trader: Trader, orders: int) -> list[float]:
    """Return how many seconds after it was made each status was heard of."""
    everything = trader.listen("/live?orders=mine")
    lags = []
    for _ in range(orders):
        order_id = trader.place()
        while True:
            message = everything.hear()
            made = datetime.fromisoformat(message["at"])
            lags.append((datetime.now(UTC) - made).total_seconds())
            if message["orderId"] == order_id and message["status"] == STATUSES[-1]:
                break
    return lags


def test_who_opens_and_drops_watches_keeps_nobody_waiting(
    keyed_accounts: Callable[[str], Trader],
) -> None:
    """Compared with one who opens and drops as many connections that watch nothing."""
    typical = {}
    with keyed_accounts("ann") as ann, keyed_accounts("nuisance") as nuisance:
        _lags(ann, 3)
        for query in ("", "?orders=mine"):
            stop = Event()
            with ThreadPoolExecutor(NUISANCES) as beside:
                storm = [beside.submit(_nuisance, nuisance, query, stop) for _ in range(NUISANCES)]
                began = time.monotonic()
                lags = _lags(ann, 15)
                stop.set()
                rate = sum(each.result() for each in storm) / (time.monotonic() - began)
            typical[query] = median(lags)
            print(f"{rate:.0f} connects a second {query}: {typical[query]:.3f} s, {max(lags):.3f}")
    assert typical["?orders=mine"] < 5 * typical[""] + 0.05
