"""Workers that are killed in the middle of an order: it still ends, and once."""

from local.system import System
from tests.e2e.client import Trader, until


def test_orders_whose_workers_are_killed_still_end_and_once(trader: Trader, system: System) -> None:
    """Nobody helps: the queue delivers again, or the schedule repairs, whichever is first."""
    killed_while = {}
    for status in ("routing", "submitted"):
        order_id = trader.place()
        until(lambda: trader.order(order_id), lambda o: o["status"] == status, 10, every=0.02)  # noqa: B023
        for pid in system.workers("worker"):
            system.cloud.kill_worker(pid)
        killed_while[order_id] = status
    for order_id in killed_while:
        order = trader.wait_for(order_id, timeout=110)
        assert order["status"] == "confirmed"
        assert trader.landed(order_id) == [order["txHash"]]
        assert [step["seq"] for step in order["history"]] == list(range(1, order["seq"] + 1))
