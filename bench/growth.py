"""What grows with the number of stored orders, and with the number of watchers."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from bench.client import Audience, Trader
from bench.figures import Figures
from bench.latency import an_order, pushed
from bench.stage import FIXED, Stage
from bench.store import fill
from engine.adapters.codec import from_ms, to_ms
from engine.adapters.dynamodb import order_item
from engine.domain.order import Order, Status, Step
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC
from local.system import System

SIZES = 1_000, 10_000, 100_000
WATCHERS = 1, 10, 50, 100, 200
TIMES, CHANGES = 60, 6
#: Orders of the account that lists, and of each other one.
OF_ACCOUNT = 100
#: Orders that are open all the time, so that the reconciler has something to look at.
OPEN = 20
_GROWTH = {**FIXED, "Rollout": "AllAtOnce"}  # not the system of the other parts: this one is filled


def growth(stage: Stage) -> Figures:
    """Measure with 1,000, 10,000 and 100,000 orders stored, then with 1 to 200 watchers of one."""
    figures: Figures = {}
    system = stage.system(_GROWTH)
    _stream(system, on=False)  # or 100,000 changes would be announced first
    now = from_ms(to_ms(datetime.now(UTC)))
    held = (order_item(_held(n, now)) for n in range(OPEN))
    fill(system, held)
    stored = 0
    for n, size in enumerate(SIZES):

        def tell(written: int, done: int = stored, of: int = size) -> None:
            if written % 1_000 == 0:
                stage.tell((done + written) / SIZES[-1] * 0.7, f"{done + written} of {of} stored")

        fill(system, _items(stored, size, now), tell)
        if not stored:
            _timed(system)  # so that every process has been asked everything
        stored = size
        stage.tell(0.05 + 0.1 * n + 0.6 * (n == len(SIZES) - 1), f"{size} orders stored")
        for name, seconds in _timed(system).items():
            figures[f"{name}_{size}_ms"] = round(seconds * 1000, 1)
    for name in ("submit", "get", "list", "reconcile"):
        ratio = figures[f"{name}_{SIZES[-1]}_ms"] / figures[f"{name}_{SIZES[0]}_ms"]
        figures[f"{name}_ratio"] = round(ratio, 2)
    return figures


def watchers(stage: Stage) -> Figures:
    """Change an order that 1 to 200 clients watch; say when half and all of them have heard."""
    figures: Figures = {}
    system = stage.system(FIXED)
    with Audience(system) as audience:
        for n, count in enumerate(WATCHERS):
            stage.tell(n / len(WATCHERS), f"{count} watching")
            receipts, lasts = pushed(system, audience, count, CHANGES)
            figures[f"half_{count}_ms"] = round(median(receipts) * 1000, 1)
            figures[f"all_{count}_ms"] = round(median(lasts) * 1000, 1)
    each = (figures["all_200_ms"] - figures["all_1_ms"]) / 199
    figures["each_more_ms"] = round(each, 2)
    return figures


def _timed(system: System) -> dict[str, float]:
    """Return the median seconds of each kind of request."""
    trader = Trader(system)
    known = f"/api/orders/{_order_id(0)}"
    kinds: dict[str, tuple[int, Callable[[], Any]]] = {
        "get": (TIMES, lambda: trader.ask("GET", known)),
        "list": (TIMES, lambda: trader.ask("GET", "/api/orders?limit=20")),
        "reconcile": (TIMES // 2, lambda: system.invoke("reconcile", {})),
        "submit": (TIMES // 2, lambda: _spaced(trader)),
    }
    return {name: median(_times(call, times)) for name, (times, call) in kinds.items()}


def _times(call: Callable[[], Any], times: int) -> Iterator[float]:
    for n in range(times + 5):
        began = time.perf_counter()
        own = call()
        took = own if isinstance(own, float) else time.perf_counter() - began
        if n >= 5:
            yield took


def _spaced(trader: Trader) -> float:
    """Place an order and let it be worked on alone; return the seconds to the 202."""
    took = trader.place()[1]
    time.sleep(0.15)
    return took


def _items(first: int, last: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the rows of settled orders, some hours old; the first hundred are the caller's."""
    for n in range(first, last):
        placed = now - timedelta(hours=3) + timedelta(milliseconds=n)
        account = "anyone" if n < OF_ACCOUNT else f"account-{n // OF_ACCOUNT}"
        yield order_item(_settled(n, account, placed))


def _order_id(n: int) -> str:
    return f"{n:08d}-0000-4000-8000-000000000000"


def _settled(n: int, account: str, at: datetime) -> Order:
    order = Order.place(
        _order_id(n),
        account,
        Terms(SOL, USDC, 10**9, 50),
        at=at,
        deadline=at + timedelta(minutes=2),
    )
    steps = tuple(Step(status, at, 1) for status in list(Status)[:5])
    return replace(order, amount_out=163_050_000, history=steps)


def _held(n: int, now: datetime) -> Order:
    """Return an open order, old enough for the reconciler to look at, which somebody works on."""
    order = an_order(f"held-{n}")
    placed = replace(order.history[0], at=now - timedelta(minutes=5))
    return replace(order, history=(placed, *order.history[1:]))


def _stream(system: System, *, on: bool) -> None:
    """Let the table's changes go to ws_notify, or not."""
    client = system.client("lambda")
    name = system.stack.functions["ws_notify"]
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    for mapping in mappings:
        if name in mapping["FunctionArn"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
