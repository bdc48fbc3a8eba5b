"""Snipers and orders in parts on the embedded cloud: how soon they begin, and in which turn."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from bench.figures import Failed, Figures, spread
from bench.stage import FIXED, Stage
from engine.adapters.aws.keys import DynamoAccess
from local.ops.keys import create
from local.system import System
from tests.e2e.client import FINAL, Trader, landed, rows_of, until

#: Launches that one sniper waits for each; snipers of so many accounts that all wait for one.
LAUNCHES, SNIPERS, ACCOUNTS = 30, 1_000, 50
#: Of whom it is asked in whose turn they were.
FIRST = 100
PARENTS, PARTS = 5, 10
_PARAMETERS = {**FIXED, "Auth": "api-key", "OrdersPerMinute": "0"}
_QUOTES_SECONDS = float(FIXED["QuoteDelayMinMs"]) / 1000
_LIQUIDITY_USD = 10_000_000


def launches(stage: Stage) -> Figures:
    """Launch tokens that snipers wait for; let orders in parts begin their parts."""
    system = stage.system(_PARAMETERS)
    access = DynamoAccess(system.table)
    with ExitStack() as open_until_then:
        traders = [
            open_until_then.enter_context(Trader(system, create(access, name), name))
            for name in (f"sniper-{n}" for n in range(ACCOUNTS))
        ]
        stage.tell(f"{LAUNCHES} launches")
        soon = list(_submitted(traders[0]))
        stage.tell(f"{SNIPERS} snipers of {ACCOUNTS} accounts")
        many = _many(system, traders)
        stage.tell(f"{PARENTS} orders in {PARTS} parts")
        late = list(_late(traders[0]))
    return {**spread(soon), **many, **spread(late, "part_")}


def _launch(trader: Trader, symbol: str) -> float:
    """Launch a token; return when its signal was sent."""
    asked = {"symbol": symbol, "price": "0.01", "liquidityUsd": _LIQUIDITY_USD}
    answer = trader.http.post("/api/simulation/launches", json=asked)
    if answer.status_code != 200:
        raise Failed(answer.text)
    return _time(answer.json()["launchedAt"])


def _snipe(trader: Trader, symbol: str) -> str:
    return trader.place(type="sniper", tokenIn="USDC", tokenOut=symbol, amount="10")


def _submitted(trader: Trader) -> Iterator[float]:
    """Yield the seconds from each launch's signal to the sniper's send, less the quotes' delay."""
    for n in range(LAUNCHES):
        order_id = _snipe(trader, f"LONE{n}")
        at = _launch(trader, f"LONE{n}")
        order = trader.wait_for(order_id, "confirmed")
        (sent,) = (_time(s["at"]) for s in order["history"] if s["status"] == "submitted")
        yield sent - at - _QUOTES_SECONDS


def _many(system: System, traders: list[Trader]) -> Figures:
    """Let all accounts wait for one launch, one account after the other; see who is served."""
    each = SNIPERS // ACCOUNTS
    with ThreadPoolExecutor(8) as at_once:
        for trader in traders:
            list(at_once.map(lambda _, who=trader: _snipe(who, "AWAITED"), range(each)))
    at = _launch(traders[0], "AWAITED")
    orders: list[tuple[str, dict[str, Any]]] = []

    def resting() -> int:
        orders[:] = [(t.account, o) for t in traders for o in t.orders(type="sniper")]
        orders[:] = [each for each in orders if each[1]["tokenOut"] == "AWAITED"]
        return sum(order["status"] not in FINAL for _, order in orders)

    until(resting, lambda others: not others and len(orders) == SNIPERS, 300, every=2)
    ends = Counter(order["status"] for _, order in orders)
    served = sorted(
        (step["at"], account)
        for account, order in orders
        for step in order["history"]
        if step["status"] == "routing"
    )
    rows = rows_of(system.client("dynamodb"), system.stack.table)
    fills = Counter(order_id for _, order_id in landed(rows))
    mine = {order["orderId"] for _, order in orders}
    return {
        "snipers_s": round(max(_time(order["updatedAt"]) for _, order in orders) - at, 2),
        "snipers_confirmed": ends["confirmed"],
        "snipers_twice": sum(n - 1 for order_id, n in fills.items() if order_id in mine),
        "snipers_of_one": max(Counter(account for _, account in served[:FIRST]).values()),
    }


def _late(trader: Trader) -> Iterator[float]:
    """Yield how long after its slot's beginning each part's order was placed, but for the first."""
    placed = [trader.place(type="twap", parts=PARTS, intervalSeconds=1) for _ in range(PARENTS)]
    for order_id in placed:
        parent = trader.wait_for(order_id, "confirmed")
        began = _time(parent["createdAt"])
        for n, child in enumerate(parent["children"][1:], 1):
            part = trader.order(child["orderId"])
            yield _time(part["createdAt"]) - began - n


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
