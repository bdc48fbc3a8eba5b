"""A table in which up to a million orders rest, behind DynamoDB's client: reads of its indexes are
sorted and by bisection, rows are made when they are asked for, and units are counted.
"""

import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, wraps
from itertools import islice
from typing import Any

from bench.capacity import Bill, Item, index_entry, read_units, write_units
from engine.adapters.aws.orders import order_item
from engine.adapters.aws.resting import resting_keys
from engine.domain.order import Order, Waiting
from engine.domain.terms import OrderType, Terms
from engine.domain.tokens import SOL, USDC

Answer = dict[str, Any]
Numbers = MutableSequence[int]
START, STEP = Decimal(150), Decimal("0.00005")
#: When all of them were placed; they end one after another, a month later.
PLACED = datetime(2026, 11, 26, tzinfo=UTC)
#: What an index sorts by, and the attribute that its partition is named by.
_KEYS = {
    "waits-above": ("aboveIn", "above"),
    "waits-below": ("belowIn", "below"),
    "waits-until": ("lastsIn", "lasts"),
}


def level(n: int) -> Decimal:
    """Return what order `n` waits for: even ones above the start, odd ones below, ever further."""
    return START + STEP * (n + 1) * (1 if n % 2 == 0 else -1)


def resting(n: int) -> Order:
    """Return a resting order of 1 SOL for USDC."""
    kind = OrderType.TAKE_PROFIT if n % 2 == 0 else OrderType.STOP
    ends = PLACED + timedelta(days=30, milliseconds=n)
    terms = Terms(SOL, USDC, 10**9, 50, kind, stop_price=level(n), expires_at=ends)
    trigger = terms.trigger(START)
    if trigger is None:
        raise ValueError(f"a {kind} waits for nothing")
    waiting = Waiting(trigger, PLACED)
    order_id = f"{n:08d}-0000-4000-8000-000000000000"
    account = f"account-{n // 100}"
    return Order.place(order_id, account, terms, at=PLACED, deadline=PLACED, waiting=waiting)


@cache
def _entries(size: int) -> dict[tuple[str, str], Numbers]:
    """Return what lies in each partition of each index: the numbers of orders, sorted by its key.

    They are placed in such a way that their numbers sort as their keys do, or the other way round.
    """
    found: dict[tuple[str, str], Numbers] = {}
    partitions = [(name, shard) for name, (shard, _) in _KEYS.items()]
    for n in range(size):
        row = _keys(n)
        for name, shard in partitions:
            if shard in row:
                found.setdefault((name, row[shard]), array("l")).append(n)
    for (name, _), numbers in found.items():
        if name == "waits-below":
            numbers.reverse()
    return found


def _row(n: int) -> Item:
    return order_item(resting(n))


def _keys(n: int) -> dict[str, str]:
    order = resting(n)
    return resting_keys(order, order.waiting) if order.waiting else {}


def _counted(call: Callable[..., Answer]) -> Callable[..., Answer]:
    @wraps(call)
    def timed(self: "RestingTable", **asked: Any) -> Answer:
        began = time.process_time()
        try:
            return call(self, **asked)
        finally:
            self.spent += time.process_time() - began

    return timed


@dataclass
class RestingTable:
    """DynamoDB's client for such a table, for one writer: conditions always hold.

    `spent` is the processor time that it took itself, which on AWS is DynamoDB's.
    """

    size: int
    bill: Bill = field(default_factory=Bill)
    spent: float = 0.0
    _rows: dict[str, Item] = field(default_factory=dict)
    #: What rests no more: to take it out would move megabytes through the processor's caches.
    _gone: set[int] = field(default_factory=set)

    @_counted
    def query(self, **asked: Any) -> Answer:
        name, values = asked["IndexName"], asked["ExpressionAttributeValues"]
        (partition,) = (v["S"] for k, v in values.items() if k in {":pair", ":shard"})
        bound = next((v["S"] for k, v in values.items() if k in {":bound", ":at"}), None)
        numbers = _entries(self.size).get((name, partition), array("l"))
        first, last = 0, len(numbers)
        if bound is not None and "<=" in asked["KeyConditionExpression"]:
            last = bisect_right(numbers, bound, key=_sorts(name))
        elif bound is not None:
            first = bisect_left(numbers, bound, key=_sorts(name))
        order = range(first, last) if asked["ScanIndexForward"] else range(last - 1, first - 1, -1)
        there = (numbers[n] for n in order if numbers[n] not in self._gone)
        found = islice(there, asked["Limit"])
        items = [dict(index_entry(_row(n), name)) for n in found]
        self._read(items, consistent=False)
        return {"Items": items}

    @_counted
    def get_item(self, **asked: Any) -> Answer:
        item = self._standing(asked["Key"]["pk"]["S"])
        self._read([item] if item else [], consistent=True)
        return {"Item": item} if item else {}

    @_counted
    def batch_get_item(self, **asked: Any) -> Answer:
        ((name, wanted),) = asked["RequestItems"].items()
        rows = [self._standing(key["pk"]["S"]) for key in wanted["Keys"]]
        for row in rows:
            self._read([row] if row else [], consistent=True)
        return {"Responses": {name: [row for row in rows if row]}}

    @_counted
    def put_item(self, **asked: Any) -> Answer:
        pk, new = asked["Item"]["pk"]["S"], asked["Item"]
        old = self._standing(pk)
        self.bill.writes.update(write_units(old, new))
        self._rows[pk] = new
        if pk.startswith("ORDER#") and "lastsIn" not in new:
            self._gone.add(_number(pk))
        return {}

    def _standing(self, pk: str) -> Item | None:
        if pk in self._rows:
            return self._rows[pk]
        return _row(_number(pk)) if pk.startswith("ORDER#") else None

    def _read(self, items: Sequence[Item], *, consistent: bool) -> None:
        self.bill.reads += read_units(items, consistent=consistent)

    def taken(self) -> Bill:
        """Return what was counted, and begin anew."""
        bill, self.bill = self.bill, Bill()
        return bill


def _number(pk: str) -> int:
    return int(pk.removeprefix("ORDER#").partition("-")[0])


def _sorts(name: str) -> Callable[[int], str]:
    _, attribute = _KEYS[name]
    return lambda n: _keys(n)[attribute]
