"""The most memory that a process of each function has had, after everything it does."""

from bench.client import Audience, Trader, burst
from bench.figures import Figures
from bench.processor import peak_mb
from bench.stage import FIXED, Stage
from bench.throughput import drained

ORDERS, CLIENTS, WATCHED = 200, 10, 10


def memory(stage: Stage) -> Figures:
    """Place, read, list, watch, settle and repair; then look at every function's processes."""
    system = stage.system(FIXED)
    stage.tell(0.1, f"{ORDERS} orders")
    trader = Trader(system)
    with Audience(system) as audience:
        for _ in range(WATCHED):
            audience.watch(trader.place()[0])
        burst(system, ORDERS, CLIENTS)
        drained(system)
        trader.ask("GET", "/api/orders?limit=100")
        trader.ask("GET", "/openapi.json")
        system.invoke("reconcile", {})
    stage.tell(0.9)
    figures: Figures = {}
    for name in system.stack.functions:
        figures[f"{name}_mb"] = round(max(peak_mb(pid) for pid in system.workers(name)), 1)
    figures["largest_mb"] = max(figures.values())
    return figures
