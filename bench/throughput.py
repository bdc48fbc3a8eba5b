"""How many orders a second the whole system settles."""

import time

from bench.client import Failed, burst
from bench.figures import Figures
from bench.processor import shares
from bench.stage import NONE, Stage
from bench.store import orders
from engine.domain.order import Status
from local.system import System

ORDERS = 500
CLIENTS = 20
WORKERS = 10
#: Defaults: the slower of two quotes of 200..400 ms, then 400..800 ms to land.
MEAN_SIMULATED = 0.2 + 0.2 * 2 / 3 + 0.6
_PATIENCE = 240.0


def throughput(stage: Stage) -> Figures:
    """A burst of 500 orders at default delays, with ten orders a worker and with one."""
    figures: Figures = {"orders": ORDERS, "mean_simulated_ms": round(MEAN_SIMULATED * 1000, 1)}
    ideal = WORKERS / MEAN_SIMULATED
    figures["ideal_of_ten_workers_per_s"] = round(ideal, 2)
    for n, (name, each) in enumerate((("ten", 10), ("one", 1))):
        system = stage.system({"OrdersPerWorker": str(each)})
        door = stage.front_door({"OrdersPerWorker": str(each)})
        stage.tell(0.1 + 0.3 * n, f"{ORDERS} orders, {each} a worker")
        measured = settled(system, door)
        rate = measured["per_s"]
        figures |= {f"{name}_{key}": value for key, value in measured.items()}
        figures[f"{name}_share_of_its_ideal"] = round(rate / (each * ideal), 3)
        figures[f"{name}_share_of_ten_workers"] = round(rate / ideal, 2)
    return figures


def zero(stage: Stage) -> Figures:
    """A burst of 500 orders with nothing simulated to wait for: what the embedded cloud can do."""
    system = stage.system(NONE)
    stage.tell(0.2, f"{ORDERS} orders")
    return {"orders": ORDERS, **settled(system, stage.front_door(NONE))}


def settled(system: System, door: int) -> Figures:
    """Place a burst and wait for its end; return the rate to the last `confirmed`, and the cost."""
    burst(system, 2 * CLIENTS, CLIENTS)  # starts the processes that a burst needs
    drained(system)
    placed_before = {order.order_id for order in orders(system)}
    before = shares(system, door)
    began = time.time()
    placed = burst(system, ORDERS, CLIENTS)[0]
    accepted = time.time() - began
    drained(system, _PATIENCE)
    used = shares(system, door).since(before, ORDERS)
    mine = [o for o in orders(system) if o.order_id not in placed_before]
    confirmed = [o for o in mine if o.status is Status.CONFIRMED]
    if len(mine) != len(placed) or not confirmed:
        raise Failed(f"{len(mine)} of {len(placed)} orders stored, {len(confirmed)} confirmed")
    whole = max(o.updated_at.timestamp() for o in confirmed) - began
    return {
        "per_s": round(len(confirmed) / whole, 2),
        "accepted_per_s": round(len(placed) / accepted, 1),
        "confirmed": len(confirmed),
        "processes": len(system.workers("worker")),
        **used,
    }


def drained(system: System, timeout: float = 120.0) -> None:
    """Wait until the order queue holds nothing, seen or unseen. Raises Failed."""
    sqs = system.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = sqs.get_queue_attributes(QueueUrl=system.stack.order_queue, AttributeNames=names)[
            "Attributes"
        ]
        if not any(int(found[name]) for name in names):
            return
        time.sleep(0.5)
    raise Failed(f"the queue still holds {found} after {timeout:.0f} s")
