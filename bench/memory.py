"""The most memory that a process of each function has had, after everything it does."""

from bench.client import burst, drained
from bench.figures import Figures
from bench.processor import peak_mb
from bench.stage import FIXED, Stage
from tests.e2e.client import Trader

ORDERS, CLIENTS, WATCHED = 200, 10, 10


def memory(stage: Stage) -> Figures:
    """Place, read, list, watch, settle and repair; then look at every function's processes."""
    system = stage.system(FIXED)
    stage.tell(f"{ORDERS} orders")
    with Trader(system) as trader:
        for _ in range(WATCHED):
            trader.watch(trader.place())
        burst(system, ORDERS, CLIENTS)
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
