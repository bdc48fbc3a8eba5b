"""Workers that are killed in the middle of an order: it still ends, and once."""

from local.system import System
from tests.e2e.client import FINAL, Trader, until


def seen(trader: Trader, status: str) -> list[str]:
    """Place orders until one is seen in a status that passes; return them all, that one last."""
    placed: list[str] = []
    for _ in range(20):
        placed.append(trader.place())
        order = until(
            lambda: trader.order(placed[-1]), lambda o: o["status"] in {status} | FINAL, every=0
        )
        if order["status"] == status:
            return placed
    raise AssertionError(f"none of {len(placed)} orders was seen {status}")


def test_orders_whose_workers_are_killed_still_end_and_once(trader: Trader, system: System) -> None:
    """Nobody helps: the queue delivers again, or the schedule repairs, whichever is first."""
    placed: list[str] = []
    for status in ("routing", "submitted"):
        placed += seen(trader, status)
        for pid in system.workers("worker"):
            system.cloud.kill_worker(pid)
    for order_id in placed:
        order = trader.wait_for(order_id)
        assert order["status"] == "confirmed"
        assert trader.landed(order_id) == [order["txHash"]]
        assert [step["seq"] for step in order["history"]] == list(range(1, order["seq"] + 1))
