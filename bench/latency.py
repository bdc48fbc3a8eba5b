"""What a trader waits for: the 202, the confirmation above what is simulated, the push."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain
from statistics import median

from bench.client import burst, drained, receipts, timed, watched
from bench.figures import Figures, ms, spread
from bench.processor import shares
from bench.stage import FIXED, Stage
from bench.stub import an_order
from engine.adapters.aws.orders import order_item
from engine.domain.order import Order
from local.system import System
from tests.e2e.client import Trader

ORDERS, SUBMITS, CLIENTS = 60, 200, 20
#: Clients of one order, and how often it changes.
PUSHES, MANY = (1, 100), (100, 10)
WATCHERS, CHANGES = (1, 10, 50, 100, 200), 6
#: How long a trader thinks between two orders, in seconds. The embedded cloud's poller, woken for
#: nothing by the end of the order before, takes no notice of anything for 50 ms.
THINKS = (0.1, 0.2)
#: What FIXED adds up to: the quotes of both venues at once, then the chain.
SIMULATED = 0.3 + 0.6


def overhead(stage: Stage) -> Figures:
    """POST to `confirmed` at the watcher, one order at a time, less the simulated delays."""
    system = stage.system(FIXED)
    submits, overheads, messages = [], [], 0
    with Trader(system) as trader:
        for _ in range(5):  # so that every process has done everything once
            watched(trader)
        system.invoke("reconcile", {})  # its schedule may come meanwhile, but no start of a process
        time.sleep(0.5)
        before = shares(system, stage.door)
        for _ in range(ORDERS):
            time.sleep(random.uniform(*THINKS))  # noqa: S311 - not in step with the emulator's clock
            accepted, whole, heard = watched(trader)
            submits.append(accepted)
            overheads.append(whole - SIMULATED)
            messages += heard
        time.sleep(0.5)
        used = shares(system, stage.door).since(before, ORDERS)
    cpu = sum(used[f"{name}_cpu_ms"] for name in ("emulator", "functions", "front_door"))
    return {
        **spread(overheads),
        "simulated_ms": round(SIMULATED * 1000),
        "messages": round(messages / ORDERS, 2),
        **spread(submits, "submit_"),
        **used,
        "emulator_share": round(used["emulator_cpu_ms"] / cpu, 2),
    }


def submit(stage: Stage) -> Figures:
    """POST to 202 through the front door, while the workers settle what was placed before."""
    system = stage.system(FIXED)
    burst(system, 2 * CLIENTS, CLIENTS)  # processes for twenty at once
    drained(system)
    stage.tell(f"{SUBMITS} of one client")
    _, one = burst(system, SUBMITS, 1)
    drained(system)
    stage.tell(f"{2 * SUBMITS} of {CLIENTS} clients")
    _, many = burst(system, 2 * SUBMITS, CLIENTS)
    drained(system)
    return spread(one, "one_") | spread(many, "many_")


def push(stage: Stage) -> Figures:
    """Table write, from its beginning, to the watcher's receipt."""
    stage.tell("1 watching")
    one = pushed(stage.system(FIXED), *PUSHES)
    stage.tell(f"{MANY[0]} watching")
    many = pushed(stage.system(FIXED), *MANY)
    return spread(list(chain(*one))) | spread(list(chain(*many)), "many_")


def watchers(stage: Stage) -> Figures:
    """Change an order that 1 to 200 clients watch; say when half and all of them have heard."""
    figures: Figures = {}
    for count in WATCHERS:
        stage.tell(f"{count} watching")
        took = pushed(stage.system(FIXED), count, CHANGES)
        figures[f"half_{count}_ms"] = ms(median(chain(*took)))
        figures[f"all_{count}_ms"] = ms(median(map(max, took)))
    return figures


def pushed(system: System, clients: int, changes: int) -> list[list[float]]:
    """Change a watched order; return for each change the seconds to every client's receipt."""
    client = system.client("dynamodb")
    order = held(an_order(f"push-{clients}-{time.time_ns()}"))

    def put() -> int:
        client.put_item(TableName=system.stack.table, Item=order_item(order))
        return order.seq

    def puts() -> Iterator[Callable[[], int]]:
        nonlocal order
        yield lambda: order.seq  # told to whoever comes
        for _ in range(changes + 2):
            time.sleep(random.uniform(0.02, 0.08))  # noqa: S311 - not in step with the emulator
            order = held(order)
            yield put

    put()
    return asyncio.run(receipts(system, order.order_id, clients, puts()))[2:]


def held(order: Order) -> Order:
    """Return an order that somebody has claimed, once more, for hours: nobody else touches it."""
    at = order.updated_at
    return order.claim(at=at, until=at + timedelta(hours=2), by="bench")


def place_alone(trader: Trader) -> float:
    """Place an order and let it be worked on alone; return the seconds to the 202."""
    took = timed(trader.place)
    time.sleep(0.15)
    return took
