"""How fast the engine is without the cloud, and what one order's arithmetic takes."""

import time
from decimal import Decimal

from bench.figures import Figures, percentile
from bench.inmemory import Engine, silenced
from bench.routing import cases
from bench.stage import Stage
from engine.domain.order import Status
from engine.ports import Watcher, order_topic
from engine.service.notification import OrderChanged
from engine.service.placing import Wish

ORDERS = 2_000
WISH = Wish("SOL", "USDC", Decimal(1))


def engine(stage: Stage) -> Figures:
    """Place and settle orders over in-memory adapters in one thread; then with a watcher each."""
    with silenced():
        _settled(Engine(), 100)
        stage.tell(0.2, f"{ORDERS} orders")
        cpu = time.process_time()
        alone = _rate(Engine())
        cpu = time.process_time() - cpu
        stage.tell(0.5, f"{ORDERS} watched orders")
        watched = _rate(Engine(), watched=True)
    return {
        "orders": ORDERS,
        "per_s": round(alone),
        "order_cpu_ms": round(1000 * cpu / ORDERS, 3),
        "watched_per_s": round(watched),
    }


def _rate(engine: Engine, *, watched: bool = False) -> float:
    began = time.perf_counter()
    _settled(engine, ORDERS, watched=watched)
    return ORDERS / (time.perf_counter() - began)


def _settled(engine: Engine, orders: int, *, watched: bool = False) -> None:
    """Carry so many orders from wish to `confirmed`, and each change to its one watcher."""
    for _ in range(orders):
        placed = engine.placing.place(WISH, account="anyone")
        engine.execution.settle(engine.queue.messages.popleft())
        if watched:
            _announced(engine, placed.order.order_id)
        engine.orders.changed.clear()
    settled = [o for o in engine.orders.rows.values() if o.status is Status.CONFIRMED]
    if len(settled) != orders:
        raise RuntimeError(f"only {len(settled)} of {orders} orders were confirmed")


def _announced(engine: Engine, order_id: str) -> None:
    watcher = Watcher(order_topic(order_id), "somebody", "anyone")
    engine.watchers.rows = {watcher: watcher}
    for order in engine.orders.changed:
        engine.notification.announce([OrderChanged(str(order.seq), order)])


def arithmetic(stage: Stage) -> Figures:
    """Both quotes, the search for a split and the minimum out: CPU of one order."""
    stage.tell(0.1, "1,000 seeded orders")
    took = [case.cpu_us / 1000 for case in cases()]
    return {
        "p50_ms": round(percentile(took, 50), 3),
        "p99_ms": round(percentile(took, 99), 3),
        "n": len(took),
    }
