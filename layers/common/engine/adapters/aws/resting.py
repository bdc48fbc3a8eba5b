"""Which orders rest where: three sparse indexes of the one table, and who reads them.

`waits-above` and `waits-below` have a pair's orders by the price that they wait for, `waits-until`
all of them by their end. Their keys are attributes of the order's own row, so that one conditional
write moves an order out of all three. They are read eventually.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zlib import crc32

from botocore.exceptions import BotoCoreError, ClientError

from engine.adapters.aws.table import Item, Refused, Table
from engine.adapters.codec import decoding, from_ms, text, to_ms
from engine.domain.errors import QueueUnavailable
from engine.domain.order import Order, Waiting
from engine.domain.prices import index_key
from engine.domain.triggers import AtLaunch, Direction, Level
from engine.ports.resting import Ticker

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: Partitions of a pair's resting orders: one would take at most some 1,000 changes a second. A tick
#: that finds nothing reads each once, at half a unit.
SHARDS = 2
_INDEX = {Direction.ABOVE: "waits-above", Direction.BELOW: "waits-below"}
#: Behind the key of every price.
_NO_PRICE = "~"
_TICKER = ("TICKER", "TICKER")


def shard_of(order_id: str, shards: int) -> int:
    """Return in which of so many partitions of an index an order lies."""
    return crc32(order_id.encode()) % shards


def resting_keys(order: Order, waiting: Waiting) -> dict[str, str]:
    """Return the attributes that put a resting order into the indexes."""
    shard = shard_of(order.order_id, SHARDS)
    keys = {"lastsIn": str(shard), "lasts": f"{to_ms(order.looked_at):014d}"}
    if isinstance(waiting.trigger, AtLaunch):
        keys["aboveIn"] = f"LAUNCH#{waiting.trigger.launch}#{shard}"
        keys["above"] = f"{to_ms(order.created_at):014d}"
    elif not waiting.trigger.levels:  # it rests, above all prices: so its pair is ticked
        keys |= {"aboveIn": f"{order.terms.pair}#{shard}", "above": _NO_PRICE}
    for level in waiting.trigger.levels:
        keys[f"{level.direction.value}In"] = f"{order.terms.pair}#{shard}"
        keys[level.direction.value] = index_key(level.price)
    return keys


@dataclass(slots=True, eq=False, repr=False)
class DynamoRestingIndex:
    """The three indexes of a table."""

    table: Table

    def reached(self, pair: str, level: Level, *, limit: int) -> list[str]:
        name, bound = level.direction.value, index_key(level.price)
        comparison = "<=" if level.direction is Direction.ABOVE else ">="
        found = [
            (item[name]["S"], _order_id(item))
            for shard in range(SHARDS)
            for item in self.table.index(
                _INDEX[level.direction],
                f"{name}In = :pair AND {name} {comparison} :bound",
                limit=limit,
                newest_first=level.direction is Direction.ABOVE,
                pair=f"{pair}#{shard}",
                bound=bound,
            )
        ]
        found.sort(reverse=level.direction is Direction.ABOVE)
        return [order_id for _, order_id in found[:limit]]

    def awaiting(self, launches: Sequence[str], *, limit: int) -> list[str]:
        found = [
            (item["above"]["S"], _order_id(item))
            for launch in dict.fromkeys(launches)
            for shard in range(SHARDS)
            for item in self.table.index(
                "waits-above", "aboveIn = :launch", limit=limit, launch=f"LAUNCH#{launch}#{shard}"
            )
        ]
        return [order_id for _, order_id in sorted(found)[:limit]]

    def expired(self, at: datetime, *, limit: int) -> list[str]:
        found = [
            (item["lasts"]["S"], _order_id(item))
            for shard in range(SHARDS)
            for item in self.table.index(
                "waits-until",
                "lastsIn = :shard AND lasts <= :at",
                limit=limit,
                shard=str(shard),
                at=f"{to_ms(at):014d}",
            )
        ]
        return [order_id for _, order_id in sorted(found)[:limit]]

    def rests(self, pair: str | None = None) -> bool:
        if pair is None:
            shards = map(str, range(SHARDS))
            return any(
                self.table.index("waits-until", "lastsIn = :shard", limit=1, shard=shard)
                for shard in shards
            )
        return any(
            self.table.index(index, f"{way.value}In = :pair", limit=1, pair=f"{pair}#{shard}")
            for way, index in _INDEX.items()
            for shard in range(SHARDS)
        )

    def population(self, pair: str, *, limit: int) -> int:
        found = {
            _order_id(item)
            for way, index in _INDEX.items()
            for shard in range(SHARDS)
            for item in self.table.index(
                index, f"{way.value}In = :pair", limit=limit, pair=f"{pair}#{shard}"
            )
        }
        return min(len(found), limit)


@dataclass(slots=True, eq=False, repr=False)
class DynamoTickers:
    """The ticker's row, and the queue whose messages start it."""

    table: Table
    client: "SQSClient"
    queue_url: str

    def read(self) -> Ticker:
        return _ticker(self.table.get(*_TICKER) or {})

    def take(self, holder: str, *, until: datetime, now: datetime) -> Ticker | None:
        try:
            row = self.table.update(
                *_TICKER,
                "SET holder = :holder, ends = :until",
                "attribute_not_exists(ends) OR ends <= :now OR holder = :holder",
                holder=holder,
                until=to_ms(until),
                now=to_ms(now),
            )
        except Refused:
            return None
        return _ticker(row)

    def release(self, holder: str) -> None:
        with suppress(Refused):
            self.table.update(
                *_TICKER, "REMOVE ends, holder", "holder = :holder", holder=holder, returning=False
            )

    def add(self, pairs: Iterable[str]) -> None:
        self.table.update(*_TICKER, "ADD pairs :pairs", pairs=set(pairs), returning=False)

    def drop(self, pair: str) -> None:
        self.table.update(*_TICKER, "DELETE pairs :pairs", pairs={pair}, returning=False)

    def start(self, pairs: Iterable[str]) -> None:
        try:
            self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=json.dumps({"pairs": sorted(pairs)})
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable("the ticker was not called") from error


def read_start(body: str) -> frozenset[str]:
    """Return the pairs that a message of `DynamoTickers.start` names. Raises Undecodable."""
    with decoding("a message to the ticker"):
        told = json.loads(body)
        return frozenset(
            text(pair) for pair in told.get("pairs", () if "launches" in told else None)
        )


def _ticker(row: Item) -> Ticker:
    with decoding("the ticker's row"):
        return Ticker(
            row["holder"]["S"] if "holder" in row else None,
            from_ms(int(row["ends"]["N"]) if "ends" in row else 0),
            frozenset(row["pairs"]["SS"] if "pairs" in row else ()),
        )


def _order_id(item: Item) -> str:
    pk: str = item["pk"]["S"]
    return pk.removeprefix("ORDER#")
