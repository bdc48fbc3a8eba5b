"""How many orders a second the whole system settles, and how much memory that takes."""

from bench.client import burst, drained
from bench.figures import Failed, Figures
from bench.processor import peak_mb, shares
from bench.stage import FIXED, NONE, Stage
from engine.adapters.aws.orders import item_order
from engine.domain.order import Order, Status
from local.system import System
from tests.e2e.client import Trader

ORDERS = 500
CLIENTS = 20
#: Enough for every function to have done everything.
SOME = 200
WORKERS = 10
#: Defaults: the slower of two quotes of 200..400 ms, then 400..800 ms to land.
MEAN_SIMULATED = 0.2 + 0.2 * 2 / 3 + 0.6


def throughput(stage: Stage) -> Figures:
    """A burst of 500 orders at default delays, with ten orders a worker and with one."""
    figures: Figures = {"orders": ORDERS, "mean_simulated_ms": round(MEAN_SIMULATED * 1000, 1)}
    ideal = WORKERS / MEAN_SIMULATED
    figures["ideal_of_ten_workers_per_s"] = round(ideal, 2)
    for name, each in (("ten", 10), ("one", 1)):
        stage.tell(f"{ORDERS} orders, {each} a worker")
        measured = settled(stage, {"OrdersPerWorker": str(each)})
        rate = measured["per_s"]
        figures |= {f"{name}_{key}": value for key, value in measured.items()}
        figures[f"{name}_share_of_its_ideal"] = round(rate / (each * ideal), 3)
        figures[f"{name}_share_of_ten_workers"] = round(rate / ideal, 2)
    return figures


def zero(stage: Stage) -> Figures:
    """A burst of 500 orders with nothing simulated to wait for: what the embedded cloud can do."""
    stage.tell(f"{ORDERS} orders")
    measured = settled(stage, NONE)
    return {"orders": ORDERS, **measured, "order_ms": round(1000 / measured["per_s"], 2)}


def settled(stage: Stage, parameters: dict[str, str]) -> Figures:
    """Place a burst and wait for its end; return the rate to the last `confirmed`, and the cost.

    Raises Failed.
    """
    system = stage.system(parameters)
    burst(system, 2 * CLIENTS, CLIENTS)  # starts the processes that a burst needs
    drained(system)
    known = {order.order_id for order in _orders(system)}
    before = shares(system, stage.door)
    began, took = burst(system, ORDERS, CLIENTS)
    drained(system)
    used = shares(system, stage.door).since(before, ORDERS)
    mine = [order for order in _orders(system) if order.order_id not in known]
    confirmed = [order for order in mine if order.status is Status.CONFIRMED]
    if len(mine) != len(took) or not confirmed:
        raise Failed(f"{len(mine)} of {len(took)} orders stored, {len(confirmed)} confirmed")
    whole = max(order.updated_at.timestamp() for order in confirmed) - began
    return {"per_s": round(len(confirmed) / whole, 2), **used}


def _orders(system: System) -> list[Order]:
    """Return every order of the table."""
    with Trader(system) as trader:
        return [item_order(row) for row in trader.rows() if row["sk"]["S"] == "ORDER"]


def memory(stage: Stage) -> Figures:
    """Place, read, list, watch, settle and repair; then look at every function's processes."""
    system = stage.system(FIXED)
    stage.tell(f"{SOME} orders")
    with Trader(system) as trader:
        for _ in range(10):
            trader.watch(trader.place())
        burst(system, SOME, 10)
        drained(system)
        for path in ("/api/orders?limit=100", "/openapi.json"):
            trader.http.get(path).raise_for_status()
        system.invoke("reconcile", {})
    figures: Figures = {
        f"{name}_mb": round(max(peak_mb(pid) for pid in system.workers(name)), 1)
        for name in system.stack.functions
        if system.workers(name)
    }
    return {**figures, "largest_mb": max(figures.values())}
