"""Cancels against workers, streams that are cut, lists that grow, and a halt."""

import itertools
import json
import random
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from engine.adapters.aws.orders import order_item
from engine.adapters.aws.table import Table
from engine.domain.order import Order
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC
from engine.service.limits import BELIEVED
from local.system import System
from local.up import told
from tests.e2e.client import FINAL, PATIENCE, Trader, landed, until
from tests.e2e.conftest import Accounts

ROOT = Path(__file__).parents[2]


# Cancel against the worker


@dataclass(frozen=True)
class Race:
    trader: Trader
    order_id: str
    status: int


def race(trader: Trader, seed: int) -> Race:
    """Cancel an order some moments after it was placed: up to that in which it is picked up."""
    order_id = trader.place()
    time.sleep(random.Random(seed).uniform(0, 0.06))
    return Race(trader, order_id, trader.cancel(order_id).status_code)


def test_a_cancel_wins_or_loses_and_never_both(account: Accounts) -> None:
    traders = [account("racer") for _ in range(8)]
    early, late = traders[0].a_pending_order(), traders[1].place()  # on any machine
    traders[1].wait_for(late)
    races = [
        Race(t, o, t.cancel(o).status_code) for t, o in zip(traders[:2], (early, late), strict=True)
    ]
    with ThreadPoolExecutor(4) as at_once:
        asked = itertools.islice(itertools.cycle(traders), 200)
        races += at_once.map(race, asked, itertools.count())
        ended = list(at_once.map(lambda r: r.trader.wait_for(r.order_id), races))
    traded = {order_id for _, order_id in landed(traders[0].rows())}
    for each, order in zip(races, ended, strict=True):
        assert each.status in {200, 409}
        if each.status == 200:
            assert order["status"] == "cancelled"
            assert each.order_id not in traded
            assert [step["status"] for step in order["history"]] == ["pending", "cancelled"]
        else:
            assert order["status"] == "confirmed"
            assert each.order_id in traded
    won = sum(each.status == 200 for each in races)
    print(f"{len(races)} races: {won} cancelled, {len(races) - won} too late")
    assert 0 < won < len(races)


# A stream that is cut


@dataclass
class Follower:
    """A program that follows its orders over connections that break."""

    trader: Trader
    last: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    seen: dict[str, list[int]] = field(default_factory=dict)
    repeated: int = 0

    def place(self) -> None:
        order_id = self.trader.place()
        self.last[order_id], self.seen[order_id] = 1, [1]

    @property
    def unfinished(self) -> list[str]:
        return [order_id for order_id in self.last if order_id not in self.ended]

    def follow(self, seconds: float) -> None:
        """Connect, resume what is unfinished, listen for a while, and vanish without a word."""
        live, headers = f"{self.trader.system.ws_url}/live", self.trader.headers
        with connect(live, additional_headers=headers, close_timeout=0) as stream:
            for order_id in self.unfinished:
                new_order = {
                    "action": "subscribe",
                    "orderId": order_id,
                    "afterSeq": self.last[order_id],
                }
                stream.send(json.dumps(new_order))
            self._listen(stream, time.monotonic() + seconds)
            stream.socket.shutdown(socket.SHUT_RDWR)  # no closing handshake: the line is cut

    def _listen(self, stream: ClientConnection, until_then: float) -> None:
        while self.unfinished and (left := until_then - time.monotonic()) > 0:
            try:
                message = json.loads(stream.recv(timeout=left))
            except TimeoutError:
                return
            order_id, seq = message["orderId"], message["seq"]
            if seq <= self.last[order_id]:
                self.repeated += 1
                continue
            self.last[order_id] = seq
            self.seen[order_id].append(seq)
            if message["status"] in FINAL:
                self.ended.add(order_id)


def test_twenty_cuts_leave_no_gap_and_no_duplicate(account: Accounts) -> None:
    follower = Follower(account("follower"))
    chance = random.Random(20)
    for _ in range(20):
        while len(follower.unfinished) < 3 and len(follower.last) < 25:
            follower.place()
        follower.follow(chance.uniform(0.03, 0.5))
    follower.follow(PATIENCE)
    assert not follower.unfinished
    for order_id, seen in follower.seen.items():
        order = follower.trader.order(order_id)
        assert seen == list(range(1, order["seq"] + 1))
    print(f"{len(follower.seen)} orders, 20 cuts, {follower.repeated} repeats dropped by seq")


# A list that grows


def old_orders(account: str, count: int) -> Iterator[Order]:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    for n in range(count):
        at = begin + timedelta(milliseconds=n // 3)  # three in each millisecond
        order = Order.place(
            f"{account}-{n:04d}", account, Terms(SOL, USDC, 10**9, 50), at=at, deadline=at
        )
        yield order.cancel(at=at)


def test_a_thousand_orders_are_listed_once_each_while_others_arrive(
    account: Accounts, table: Table
) -> None:
    trader = account("lister")
    rows = [{"PutRequest": {"Item": order_item(o)}} for o in old_orders(trader.account, 1_000)]
    for at in range(0, len(rows), 25):
        table.client.batch_write_item(RequestItems={table.name: rows[at : at + 25]})  # type: ignore[dict-item]
    stop = threading.Event()
    arrived: list[str] = []

    def arrive() -> None:
        while not stop.is_set() and len(arrived) < 25:
            arrived.append(trader.place())

    with ThreadPoolExecutor(1) as beside:
        arriving = beside.submit(arrive)
        until(lambda: arrived, bool)
        pages = list(listed(trader, limit=37))
        stop.set()
        arriving.result()
    ids = [order["orderId"] for page in pages for order in page]
    old = [order_id for order_id in ids if order_id not in arrived]
    assert len(ids) == len(set(ids))
    assert old == sorted(old, reverse=True)
    assert len(old) == 1_000
    assert not [o for page in pages[1:] for o in page if o["orderId"] in arrived]
    assert [page for page in listed(trader, limit=100, status="confirmed") if len(page) > 100] == []
    assert sum(len(page) for page in listed(trader, limit=100, status="cancelled")) == 1_000


def listed(trader: Trader, **query: object) -> Iterator[list[dict[str, Any]]]:
    cursor = None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        page = trader.http.get("/api/orders", params=asked).json()  # type: ignore[arg-type]
        yield page["orders"]
        cursor = page["nextCursor"]
        if cursor is None:
            return


# What an operator does


def make(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "--no-print-directory", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_key_makes_one_and_make_revoke_ends_it(keyed: System) -> None:
    with told(keyed):
        made = make("key", "ACCOUNT=dora", f"PORT={keyed.port}")
        key = made.stdout.strip()
        assert key.startswith("oek_")
        with closing(Trader(keyed, key).http) as http:
            assert http.get("/api/orders").json()["orders"] == []
            assert make("revoke", f"KEY={key}", f"PORT={keyed.port}").returncode == 0
            until(lambda: http.get("/api/tokens").status_code, lambda status: status == 401)
        again = make("revoke", "KEY=oek_0000000000000000_x", f"PORT={keyed.port}")
        assert again.returncode != 0
        assert "there is no key" in again.stderr
        assert make("key", "ACCOUNT=a b", f"PORT={keyed.port}").returncode != 0
    assert "run make up" in make("key", "ACCOUNT=dora", f"PORT={keyed.port}").stderr


def test_make_halt_is_felt_in_seconds_lets_running_orders_end_and_make_resume_undoes_it(
    keyed: System, account: Accounts
) -> None:
    trader = account("halted")
    with told(keyed):
        running = trader.place()
        assert make("halt", f"PORT={keyed.port}").returncode == 0
        try:
            halted = until(trader.post, lambda answer: answer.status_code == 503)
            assert halted.json()["code"] == "TRADING_HALTED"
            assert int(halted.headers["retry-after"]) > 0
            assert trader.wait_for(running)["status"] == "confirmed"
            assert trader.http.get("/api/orders").status_code == 200
        finally:
            assert make("resume", f"PORT={keyed.port}").returncode == 0
            time.sleep(BELIEVED.total_seconds())  # then no process believes the halt any more
        assert trader.post().status_code == 202
