"""Orders and the simulated chain's ledger, as rows of the one table."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from engine.adapters.aws.resting import resting_keys, shard_of
from engine.adapters.aws.table import Item, Refused, Table, key
from engine.adapters.codec import (
    VERSION,
    check_version,
    decode_rest,
    decoding,
    encode_rest,
    to_ms,
    version_of,
)
from engine.domain.errors import Conflict, StoreUnavailable, Undecodable
from engine.domain.order import Order, Status
from engine.observability import about, log

#: Partitions of the index of open orders: one would take at most some 500 new orders a second.
OPEN_SHARDS = 4
#: Open orders that are looked at for those that can be read: the others keep nobody waiting.
MAX_OPEN_LOOKED_AT = 2_000
_REMEMBERED = 256  # entries of the ledger; a worker has ten transactions under way


def order_item(order: Order) -> Item:
    """Return the row of an order, which is in one kind of index at a time.

    While it rests it lies in those of what it waits for; then in that of open orders, until nothing
    is left to do.
    """
    item: Item = {
        **key(f"ORDER#{order.order_id}", "ORDER"),
        "v": {"N": str(version_of(order))},
        "seq": {"N": str(order.seq)},
        "account": {"S": order.account},
        "placed": {"S": place_in_time(order)},
        "doc": {"S": encode_rest(order)},
    }
    if order.waiting is not None:
        item["moves"] = {"N": str(order.moves)}
    if order.status is Status.RESTING and order.waiting is not None:
        item |= {name: {"S": text} for name, text in resting_keys(order, order.waiting).items()}
    elif not order.final or order.dead_letter_due:
        item["open"] = {"S": str(shard_of(order.order_id, OPEN_SHARDS))}
    return item


def item_order(item: Mapping[str, Any]) -> Order:
    """Return the order that a row holds. Raises Undecodable."""
    with decoding("an order's row"):
        check_version(int(item["v"]["N"]) if "v" in item else 1)
        order_id = item["pk"]["S"].removeprefix("ORDER#")
        created_ms = int(item["placed"]["S"].partition("#")[0])
        order = decode_rest(item["doc"]["S"], order_id, item["account"]["S"], created_ms)
        if order.seq != int(item["seq"]["N"]):
            raise ValueError(f"it has two seq: {order.seq} and {item['seq']['N']}")
        return order


def place_in_time(order: Order) -> str:
    """Return what sorts orders by their age: no two orders' are the same."""
    return f"{to_ms(order.created_at):014d}#{order.order_id}"


@dataclass(slots=True, eq=False, repr=False)
class DynamoOrders:
    """The orders of a table."""

    table: Table

    def add(self, order: Order) -> None:
        self._put(order, "attribute_not_exists(pk)")
        _tell("order placed", order)

    def get(self, order_id: str) -> Order | None:
        item = self.table.get(f"ORDER#{order_id}", "ORDER")
        return item_order(item) if item else None

    def save(self, order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        # A row that a newer version wrote is not this one's to change, whatever its seq.
        condition = "seq = :seq AND (attribute_not_exists(v) OR v <= :v)"
        values = {"seq": expected_seq, "v": VERSION}
        if expected_moves is not None:
            condition += " AND moves = :moves"
            values["moves"] = expected_moves
        self._put(order, condition, **values)
        if order.seq > expected_seq:
            _tell(f"order {order.status}", order)

    def get_many(self, order_ids: Sequence[str]) -> list[Order]:
        keys = [(f"ORDER#{order_id}", "ORDER") for order_id in order_ids]
        rows = self.table.get_many(keys)
        found = (_readable(rows[key]) for key in keys if key in rows)
        return [order for order in found if order is not None]

    def open_before(self, before: datetime, *, limit: int) -> Iterable[Order]:
        shards = [
            self.table.walk(
                "open-orders",
                "#open = :shard AND placed < :before",
                page=limit,
                shard=str(shard),
                before=f"{to_ms(before):014d}",
            )
            for shard in range(OPEN_SHARDS)
        ]
        oldest_first = merge(*shards, key=lambda item: str(item["placed"]["S"]))
        rows = (self.table.get(item["pk"]["S"], "ORDER") for item in oldest_first)
        found = (_readable(row) for row in islice(rows, MAX_OPEN_LOOKED_AT) if row)
        yield from islice((order for order in found if order is not None), limit)

    def of_account(
        self, account: str, *, before: str | None, limit: int
    ) -> list[tuple[str, Order | None]]:
        bounds = {"before": before} if before is not None else {}
        keys = self.table.index(
            "by-account",
            "account = :account" + (" AND placed < :before" if bounds else ""),
            limit=limit,
            newest_first=True,
            account=account,
            **bounds,
        )
        rows = self.table.get_many([(item["pk"]["S"], "ORDER") for item in keys])
        found = ((item["placed"]["S"], rows.get((item["pk"]["S"], "ORDER"))) for item in keys)
        return [(place, _readable(row) if row else None) for place, row in found]

    def _put(self, order: Order, condition: str, **values: int) -> None:
        try:
            self.table.put(order_item(order), condition, **values)
        except Refused as refused:
            current = item_order(refused.standing) if refused.standing else None
            if current != order:  # equal: our own write, sent again because its answer was lost
                raise Conflict(current) from refused


def _tell(what: str, order: Order) -> None:
    """Log a change of an order that is written, whoever made it."""
    last = order.tries[-1] if order.tries else None
    tried = last if last and last.changes[-1][0] == order.seq else None
    facts = about(
        order,
        seq=order.seq,
        status=order.status,
        attempt=order.attempts or None,
        outcome=tried and tried.outcome,
        reason=order.error.code if order.error else tried and tried.code,
    )
    log.info(what, extra=facts)


def _readable(row: Item) -> Order | None:
    """Return the order of one row among others; one that can't be read is left alone."""
    try:
        return item_order(row)
    except Undecodable as error:
        log.warning("row left alone", extra={"row": row["pk"]["S"], "why": str(error)})
        return None


@dataclass(slots=True, eq=False, repr=False)
class DynamoLedger:
    """The simulated chain's transactions: a signature is written once and never again.

    So an entry that was seen is not asked for again: the last ones are remembered.
    """

    table: Table
    _seen: OrderedDict[str, Mapping[str, str]] = field(default_factory=OrderedDict, init=False)

    def record(self, signature: str, entry: Mapping[str, str]) -> Mapping[str, str]:
        item = {**_tx(signature), **{name: {"S": text} for name, text in entry.items()}}
        try:
            self.table.put(item, "attribute_not_exists(pk)")
        except Refused as refused:
            if refused.standing is None:
                raise StoreUnavailable("an entry is refused, and none is there") from refused
            entry = _entry(refused.standing)
        return self._remembered(signature, entry)

    def read(self, signature: str) -> Mapping[str, str] | None:
        seen = self._seen.get(signature)
        if seen is not None:
            return seen
        item = self.table.get(f"TX#{signature}", "TX")
        return self._remembered(signature, _entry(item)) if item else None

    def _remembered(self, signature: str, entry: Mapping[str, str]) -> Mapping[str, str]:
        self._seen[signature] = entry
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return entry


def _tx(signature: str) -> Item:
    return key(f"TX#{signature}", "TX")


def _entry(item: Mapping[str, Any]) -> Mapping[str, str]:
    with decoding("a transaction's row"):
        return {name: value["S"] for name, value in item.items() if name not in {"pk", "sk"}}
