"""What waits for a price: what a tick costs, however many rest, and how soon an order wakes."""

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from bench.capacity import Bill, write_units
from bench.client import timed
from bench.cost import CALL_MS, USED, Price
from bench.figures import Failed, Figures, ms
from bench.growth import fill, stop_stream
from bench.latency import SIMULATED
from bench.resting import START, RestingTable, level, resting
from bench.stage import FIXED, Stage
from bench.stub import an_order
from bench.template import memory_gb
from engine.adapters.aws.orders import DynamoOrders, order_item
from engine.adapters.aws.prices import DynamoPriceBook
from engine.adapters.aws.resting import DynamoRestingIndex
from engine.adapters.aws.rosters import DynamoRosters
from engine.adapters.aws.table import Table
from engine.adapters.codec import from_ms
from engine.adapters.system import SystemClock
from engine.domain.tokens import SOL, USDC
from engine.domain.triggers import Direction, Level
from engine.service.epochs import Epochs
from engine.service.parting import Parting
from engine.service.pricing import Priced
from engine.service.triggering import Triggering
from local.system import System
from tests.e2e.client import Trader, landed, until
from tests.fakes import Inline, MemoryQueue

SIZES = 1_000, 100_000, 1_000_000
#: Orders that cross in one tick, and how often: always fewer than rest at first.
CROSS, ROUNDS = 100, 4
QUIET = 20
TICK_MS = 500
#: Single wakes, and orders crossed by one tick.
WAKES, BURST = 60, 500
#: Market orders, without and with so many orders that rest.
ORDERS, BESIDE = 30, 10_000
_MARKET = {**FIXED, "RestingOrdersPerAccount": "1000"}
PAIR = "SOL/USDC"
#: What must not grow with the number of orders that rest.
_GROWING = "quiet_read_units", "quiet_ms", "cross_read_units", "cross_write_units", "cross_ms"


def triggers(stage: Stage) -> Figures:
    """Count a tick's units and time with ever more orders; then wake some on the embedded cloud."""
    figures: Figures = {}
    ticking = []
    for size in SIZES:
        stage.tell(f"{size} orders rest")
        ticking.append(Ticking(size))
    for _ in range(ROUNDS):  # in turn: what else the machine does is the same for all
        for each in ticking:
            each.round()
    for each in ticking:
        figures |= {f"{name}_{each.client.size}": value for name, value in each.figures().items()}
    figures |= _dollars(figures)
    for name in _GROWING:
        fewest, all_of_them = (figures[f"{name}_{size}"] for size in (SIZES[0], SIZES[-1]))
        figures[f"{name}_ratio"] = round(all_of_them / fewest, 2)
    system = stage.system(_MARKET)
    with Trader(system) as trader:
        stage.tell(f"{WAKES} orders wake one by one")
        figures |= _wakes(trader)
        stage.tell(f"{BURST} orders wake at once")
        figures |= _burst(trader)
        stage.tell(f"market orders, and beside {BESIDE} that rest")
        figures |= _beside(trader)
    return figures


# What a tick costs


class Ticking:
    """Ticks of one pair of which so many orders rest, and what they took."""

    def __init__(self, size: int) -> None:
        self.client = RestingTable(size)
        table = Table(self.client, "orders")  # type: ignore[arg-type]
        self.clock, self.index = SystemClock(), DynamoRestingIndex(table)
        orders, epochs, deadline = (
            DynamoOrders(table),
            Epochs(DynamoRosters(table)),
            timedelta(seconds=120),
        )
        self.triggering = Triggering(
            orders,
            self.index,
            DynamoPriceBook(table),
            MemoryQueue(),
            Inline(),
            self.clock,
            epochs,
            deadline,
            timedelta(seconds=10),
            Parting(orders, MemoryQueue(), self.clock, epochs, deadline),
        )
        self.reached = -1
        self.quiet: list[tuple[float, Bill]] = []
        self.crossed: list[tuple[float, Bill]] = []
        self._tick(START)

    def round(self) -> None:
        """Let the price stand still for some ticks, then cross a hundred orders. Raises Failed."""
        price = START if self.reached < 0 else level(self.reached)
        for _ in range(QUIET):
            took, bill, _ = self._tick(price)
            self.quiet.append((took, bill))
        self.reached += 2 * CROSS - (self.reached < 0)  # the even numbers wait above
        took, bill, woken = self._tick(level(self.reached))
        if woken != CROSS:
            raise Failed(f"{woken} woken of {CROSS}")
        self.crossed.append((took, bill))

    def _tick(self, price: Decimal) -> tuple[float, Bill, int]:
        self.client.taken()
        self.client.spent, began = 0.0, time.process_time()
        priced = Priced(SOL, USDC, price, self.clock.now(), ("raydium",), (), stale=False)
        swept = self.triggering.tick([priced])
        took = time.process_time() - began - self.client.spent
        return took, self.client.taken(), swept.woken

    def figures(self) -> Figures:
        self.index.reached(PAIR, Level(Direction.BELOW, START), limit=1_000)
        direction = self.client.taken().reads
        found: Figures = {"direction_units": direction}
        for name, ticks in (("quiet", self.quiet), ("cross", self.crossed)):
            _, bill = ticks[-1]
            found[f"{name}_read_units"] = bill.reads
            found[f"{name}_write_units"] = bill.writes.total()
            # The quickest: what others take of the processor's caches is not the tick's.
            found[f"{name}_ms"] = round(min(took for took, _ in ticks) * 1000, 3)
        return found


def _dollars(ticked: Figures) -> Figures:
    """Return what a million resting orders cost above market orders, and a day of ticks.

    It is in two indexes more and in one less as it is placed, and its account's roster is written;
    a tick reads and writes it once more; one change more is told. Its trader reads the price, and
    whether anybody ticks.
    """
    size = SIZES[-1]
    placed, market = (
        sum(write_units(None, order_item(order)).values())
        for order in (resting(0), an_order("market"))
    )
    quiet_writes = ticked[f"quiet_write_units_{size}"]
    wake_writes = (ticked[f"cross_write_units_{size}"] - quiet_writes) / CROSS
    wake_reads = (ticked[f"cross_read_units_{size}"] - ticked[f"quiet_read_units_{size}"]) / CROSS
    writes, reads = placed - market + 1 + wake_writes, 2 + wake_reads
    told = (CALL_MS["dynamodb"] + CALL_MS["apigatewaymanagementapi"]) / 1000
    change = Price.MESSAGE.dollars + Price.INVOCATION.dollars
    change += told * memory_gb("ws_notify") * Price.GB_SECONDS.dollars
    by_the_hour = 1e6 / 3600 / USED
    ticks = 86_400_000 / TICK_MS / 1e6
    return {
        "more_write_units": writes,
        "more_read_units": reads,
        "more_usd": _cents(writes * Price.WRITE.dollars + reads * Price.READ.dollars + change),
        "more_provisioned_usd": _cents(
            (writes * Price.WRITE_HOUR.dollars + reads * Price.READ_HOUR.dollars) * by_the_hour
            + change
        ),
        # The ticker's row and each pair's are written; a pair's is read once more with the market.
        "ticker_day_usd": _cents(
            ticks * (quiet_writes + 1) * Price.WRITE.dollars
            + ticks * (ticked[f"quiet_read_units_{size}"] + 1) * Price.READ.dollars
            + 86_400 / 1e6 * memory_gb("trigger") * Price.GB_SECONDS.dollars
        ),
    }


def _cents(dollars: float) -> float:
    return round(dollars, 2)


# How soon an order wakes


def _wakes(trader: Trader) -> Figures:
    """Move the price a little further each time: one order wakes each time."""
    trader.move(PAIR, START)
    placed = [_place(trader, START + n + 1) for n in range(WAKES)]
    _ticking(trader, placed)
    took = []
    for n, order_id in enumerate(placed):
        time.sleep(random.uniform(0.1, 0.6))  # noqa: S311 - not in step with the ticks
        trader.move(PAIR, START + n + 1)
        took.append(_woken(trader, order_id) - _since(trader.system))
    took.sort()
    p50, p99 = median(took), took[-1 - len(took) // 100]
    return {
        "wake_p50_ms": ms(p50),
        "wake_p99_ms": ms(p99),
        "wake_n": len(took),
        "wake_p50_ticks": round(p50 * 1000 / TICK_MS, 2),
        "wake_p99_ticks": round(p99 * 1000 / TICK_MS, 2),
    }


def _burst(trader: Trader) -> Figures:
    """Let one move cross many orders; return the seconds until the last was confirmed."""
    trader.move(PAIR, START)
    with ThreadPoolExecutor(8) as at_once:
        placed = list(at_once.map(lambda _: _place(trader, START + 10), range(BURST)))
    _ticking(trader, placed[-1:])
    trader.move(PAIR, START + 11)
    since = _since(trader.system)
    ended: list[dict[str, Any]] = []
    mine = set(placed)

    def unconfirmed() -> list[str]:
        ended[:] = [o for o in trader.orders(type="takeProfit") if o["orderId"] in mine]
        return [f"{o['status']} {o['error']}" for o in ended if o["status"] != "confirmed"]

    until(unconfirmed, lambda others: not others and len(ended) == BURST, every=1)
    fills = [of for _, of in landed(trader.rows()) if of in mine]
    last = max(_time(order["updatedAt"]) for order in ended)
    pending = [_time(order["history"][1]["at"]) - since for order in ended]
    return {
        "burst_s": round(last - since, 2),
        "burst_woken_s": round(max(pending), 2),
        "burst_twice": len(fills) - len(mine),
    }


def _beside(trader: Trader) -> Figures:
    """Return what a market order takes, less what is simulated, alone and beside resting ones.

    Ticks run both times: one order rests at least.
    """
    _place(trader, START * 2)
    stop_stream(trader.system)  # or 10,000 changes would be told first
    alone, query = median(_settled(trader)), _query(trader)
    fill(trader.system, (order_item(resting(n + 10**6)) for n in range(BESIDE)))
    beside, beside_query = median(_settled(trader)), _query(trader)
    return {
        "query_ms": ms(query),
        "beside_query_ms": ms(beside_query),
        "alone_ms": ms(alone),
        "beside_ms": ms(beside),
        "beside_ratio": round(beside / alone, 2),
    }


def _query(trader: Trader) -> float:
    """Return the seconds of one quiet look at one direction of the pair."""
    index = DynamoRestingIndex(Table(trader.system.client("dynamodb"), trader.system.stack.table))
    reached = Level(Direction.ABOVE, START / 2)
    return median(timed(lambda: index.reached(PAIR, reached, limit=1)) for _ in range(10))


def _settled(trader: Trader) -> Iterator[float]:
    for _ in range(ORDERS):
        order = trader.wait_for(trader.place())
        yield _time(order["updatedAt"]) - _time(order["createdAt"]) - SIMULATED


def _place(trader: Trader, price: Decimal) -> str:
    return trader.place(type="takeProfit", stopPrice=str(price))


def _ticking(trader: Trader, placed: list[str]) -> None:
    """Wait until the ticker has found that these rest: a move to nowhere is seen by it."""
    table = trader.system.client("dynamodb"), trader.system.stack.table
    book = DynamoPriceBook(Table(*table))

    def version() -> int:
        row = book.get(PAIR)
        return row.version if row else 0

    before = version()
    until(version, lambda now: now > before + 2)
    if trader.order(placed[0])["status"] != "resting":
        raise Failed(f"{placed[0]} does not rest")


def _woken(trader: Trader, order_id: str) -> float:
    order = until(
        lambda: trader.order(order_id), lambda order: len(order["history"]) > 1, every=0.05
    )
    return _time(order["history"][1]["at"])


def _since(system: System) -> float:
    """Return from when on every process goes by the last move."""
    table = Table(system.client("dynamodb"), system.stack.table)
    row = table.get("SIM#PRICES", "SIM") or {}
    return from_ms(json.loads(row["moves"]["S"])[PAIR][1]).timestamp()


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
