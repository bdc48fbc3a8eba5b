"""What a trader waits for: the 202, the confirmation above what is simulated, the push."""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.client import Audience, Trader, Watch, burst
from bench.figures import Figures, percentile, spread
from bench.processor import shares
from bench.stage import FIXED, Stage
from bench.store import put
from engine.adapters.codec import from_ms, to_ms
from engine.adapters.dynamodb import order_item
from engine.domain.order import Order, Status, Step
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC
from local.system import System

ORDERS = 60
SUBMITS = 200
CLIENTS = 20
PUSHES = 100
WATCHERS = 100
#: How long a trader thinks between two orders, in seconds. The embedded cloud's poller, woken for
#: nothing by the end of the order before, takes no notice of anything for 50 ms.
THINKS = (0.1, 0.2)
#: What FIXED adds up to: the quotes of both venues at once, then the chain.
SIMULATED = 0.3 + 0.6


def overhead(stage: Stage) -> Figures:
    """POST to `confirmed` at the watcher, one order at a time, less the simulated delays."""
    system = stage.system(FIXED)
    door = stage.front_door(FIXED)
    trader = Trader(system)
    submits, overheads, messages = [], [], 0
    with Audience(system) as audience:
        for _ in range(5):  # so that every process has done everything once
            _watched(trader, audience)
        system.invoke("reconcile", {})  # its schedule may come meanwhile, but no start of a process
        time.sleep(0.5)
        before = shares(system, door)
        for n in range(ORDERS):
            time.sleep(random.uniform(*THINKS))  # noqa: S311 - not in step with the emulator's clock
            submit, whole, heard = _watched(trader, audience)
            submits.append(submit)
            overheads.append(whole - SIMULATED)
            messages += heard
            stage.tell((n + 1) / ORDERS, f"{n + 1} of {ORDERS} orders")
        audience.leave()
        time.sleep(0.5)
        used = shares(system, door).since(before, ORDERS)
    submit_figures = {f"submit_{name}": value for name, value in spread(submits).items()}
    return {
        **spread(overheads),
        "simulated_ms": round(SIMULATED * 1000),
        "messages": round(messages / ORDERS, 2),
        **submit_figures,
        **used,
    }


def _watched(trader: Trader, audience: Audience) -> tuple[float, float, int]:
    """Place an order and watch it to the end.

    Return the seconds to the 202 and in all, and how many messages the watcher heard.
    """
    began = time.perf_counter()
    order_id, submit = trader.place()
    watch = audience.watch(order_id)
    whole = watch.until("confirmed") - began
    return submit, whole, watch.count


def submit(stage: Stage) -> Figures:
    """POST to 202 through the front door, while the workers settle what was placed before."""
    system = stage.system(FIXED)
    trader = Trader(system)
    burst(system, 2 * CLIENTS, CLIENTS)  # processes for twenty at once
    _drained(system)
    one = []
    for n in range(SUBMITS):
        one.append(trader.place()[1])
        if n % 20 == 19:
            stage.tell(0.5 * n / SUBMITS, f"{n + 1} of {SUBMITS}, one client")
    _drained(system)
    stage.tell(0.6, f"{2 * SUBMITS} of {CLIENTS} clients")
    began = time.perf_counter()
    many = burst(system, 2 * SUBMITS, CLIENTS)[1]
    rate = len(many) / (time.perf_counter() - began)
    _drained(system)
    figures: Figures = {f"one_{name}": value for name, value in spread(one).items()}
    figures |= {f"many_{name}": value for name, value in spread(many).items()}
    return {**figures, "clients": CLIENTS, "accepted_per_s": round(rate, 1)}


def push(stage: Stage) -> Figures:
    """Table write, from its beginning, to the watcher's receipt."""
    system = stage.system(FIXED)
    audience_of = (1, PUSHES), (WATCHERS, 10)
    figures: Figures = {}
    with Audience(system) as audience:
        for watchers, changes in audience_of:
            stage.tell(0.1 if watchers == 1 else 0.5, f"{watchers} watching")
            receipts, lasts = pushed(system, audience, watchers, changes)
            prefix = "" if watchers == 1 else "many_"
            figures |= {f"{prefix}{name}": value for name, value in spread(receipts).items()}
            if watchers > 1:
                figures["watchers"] = watchers
                figures["last_p50_ms"] = round(percentile(lasts, 50) * 1000, 1)
    return figures


def pushed(
    system: System, audience: Audience, watchers: int, changes: int
) -> tuple[list[float], list[float]]:
    """Change a watched order; return the seconds to each receipt and to each change's last."""
    client = system.client("dynamodb")
    order = an_order(f"push-{watchers}-{time.time_ns()}")
    put(client, system.stack.table, order_item(order))
    watching = audience.watch_all(order.order_id, watchers)
    _heard_by_all(watching, order.seq)
    receipts, lasts = [], []
    for _ in range(changes + 2):
        time.sleep(random.uniform(0.02, 0.08))  # noqa: S311 - not in step with the emulator's clock
        order = replace(order, history=(*order.history, Step(Status.SUBMITTED, _now(), 1)))
        began = time.perf_counter()
        put(client, system.stack.table, order_item(order))
        took = [at - began for at in _heard_by_all(watching, order.seq)]
        receipts.append(took)
        lasts.append(max(took))
    audience.leave()
    return [one for each in receipts[2:] for one in each], lasts[2:]


def _heard_by_all(watching: list[Watch], seq: int) -> list[float]:
    return [watch.until_seq(seq) for watch in watching]


def an_order(order_id: str, **changes: Any) -> Order:
    """Return a submitted order that nobody works on: somebody holds it for an hour."""
    now = _now()
    order = Order.place(
        order_id, "anyone", Terms(SOL, USDC, 10**9, 50), at=now, deadline=now + timedelta(hours=1)
    )
    order = replace(
        order,
        history=tuple(Step(status, now, 1) for status in list(Status)[:4]),
        lease_until=now + timedelta(hours=1),
        lease_by="bench",
    )
    return replace(order, **changes)


def _now() -> datetime:
    return from_ms(to_ms(datetime.now(UTC)))


def _drained(system: System, timeout: float = 120.0) -> None:
    """Wait until the workers have nothing left to do."""
    from bench.throughput import drained

    drained(system, timeout)
