"""What grows with the number of stored orders."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from statistics import median
from typing import Any

from bench.client import timed
from bench.emulator import plain
from bench.figures import Figures, ms
from bench.latency import held, place_alone
from bench.stage import FIXED, Stage
from bench.stub import an_order
from engine.adapters.aws.orders import order_item
from local.system import System
from tests.e2e.client import Trader

SIZES = 1_000, 10_000, 100_000
KINDS = "submit", "get", "list", "reconcile"
TIMES = 60
#: Orders of the account that lists, and of each other one.
OF_ACCOUNT = 100
#: Orders that are open all the time, so that the reconciler has something to look at.
OPEN = 20
_GROWTH = {**FIXED, "Rollout": "AllAtOnce"}  # not the system of the other parts: this one is filled


def growth(stage: Stage) -> Figures:
    """Measure with 1,000, 10,000 and 100,000 orders stored."""
    figures: Figures = {}
    system = stage.system(_GROWTH)
    stop_stream(system)  # or 100,000 changes would be announced first
    orders = (an_order(f"held-{n}", age=timedelta(minutes=5)) for n in range(OPEN))
    fill(system, (order_item(held(order)) for order in orders))
    stored = 0
    for size in SIZES:
        stage.tell(f"{size} orders stored")
        fill(system, _settled(range(stored, size)))
        if not stored:
            _timed(system)  # so that every process has been asked everything
        stored = size
        figures |= {f"{name}_{size}_ms": ms(took) for name, took in _timed(system).items()}
    for name in KINDS:
        ratio = figures[f"{name}_{SIZES[-1]}_ms"] / figures[f"{name}_{SIZES[0]}_ms"]
        figures[f"{name}_ratio"] = round(ratio, 2)
    return figures


def _timed(system: System) -> dict[str, float]:
    """Return the median seconds of each kind of request."""
    with Trader(system) as trader:

        def asked(path: str) -> Callable[[], float]:
            return lambda: timed(lambda: trader.http.get(path).raise_for_status())

        calls: tuple[Callable[[], float], ...] = (
            lambda: place_alone(trader),
            asked(f"/api/orders/{_order_id(0)}"),
            asked("/api/orders?limit=20"),
            lambda: timed(lambda: system.invoke("reconcile", {})),
        )
        taken = ([call() for _ in range(TIMES // 2 + 5)][5:] for call in calls)
        return dict(zip(KINDS, map(median, taken), strict=True))


def _settled(numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Yield the rows of orders that are over, hours old; the first hundred are the caller's."""
    for n in numbers:
        account = "anyone" if n < OF_ACCOUNT else f"account-{n // OF_ACCOUNT}"
        order = an_order(_order_id(n), account, timedelta(hours=3, milliseconds=-n))
        yield order_item(order.cancel(at=order.created_at))


def _order_id(n: int) -> str:
    return f"{n:08d}-0000-4000-8000-000000000000"


def fill(system: System, items: Iterable[dict[str, Any]]) -> None:
    """Write rows, 25 a call, without boto3's cost for each."""
    write, rest = plain(system.cloud.port, "BatchWriteItem"), iter(items)
    while rows := list(islice(rest, 25)):
        puts = [{"PutRequest": {"Item": item}} for item in rows]
        write(RequestItems={system.stack.table: puts})


def stop_stream(system: System) -> None:
    """Let the table's changes no longer go to ws_notify."""
    client = system.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        if system.stack.functions["ws_notify"] in mapping["FunctionArn"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
