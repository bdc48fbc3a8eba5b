"""Orders, watchers and the simulated chain's ledger, as rows of the one table."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from zlib import crc32

from botocore.exceptions import BotoCoreError, ClientError

from engine.adapters.codec import decode, encode, from_ms, to_ms
from engine.domain.errors import Conflict, StoreUnavailable
from engine.domain.order import Order
from engine.ports import Watcher

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

#: Partitions of the index of open orders: one would take at most some 500 new orders a second.
OPEN_SHARDS = 4


@contextmanager
def _translated() -> Iterator[None]:
    """Raise StoreUnavailable for what the table should not have answered."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StoreUnavailable("the table did not answer as it should") from error


def _put_if(
    client: "DynamoDBClient", table: str, item: Item, condition: str, values: Item
) -> Item | None:
    """Put `item` if `condition` holds. Otherwise return the row that stands ({}: there is none)."""
    try:
        client.put_item(
            TableName=table,
            Item=item,
            ConditionExpression=condition,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **({"ExpressionAttributeValues": values} if values else {}),  # type: ignore[arg-type]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        standing: Item = error.response.get("Item", {})  # type: ignore[assignment]
        return standing
    return None


def order_item(order: Order) -> Item:
    """Return the row of an order. It is in the open-orders index until nothing is left to do."""
    item: Item = {
        "pk": {"S": f"ORDER#{order.order_id}"},
        "sk": {"S": "ORDER"},
        "seq": {"N": str(order.seq)},
        "account": {"S": order.account},
        "placed": {"S": _placed(order)},
        "doc": {"S": encode(order)},
    }
    if not order.final or order.dead_letter_due:
        item["open"] = {"S": str(crc32(order.order_id.encode()) % OPEN_SHARDS)}
        item["openSince"] = item["placed"]
    return item


def item_order(item: Mapping[str, Any]) -> Order:
    """Return the order that a row holds."""
    return decode(item["doc"]["S"])


def _placed(order: Order) -> str:
    return f"{to_ms(order.created_at):014d}#{order.order_id}"


@dataclass(frozen=True, slots=True)
class DynamoOrders:
    """The orders of the table `table`."""

    client: "DynamoDBClient"
    table: str

    def add(self, order: Order) -> None:
        self._put(order, "attribute_not_exists(pk)", {})

    def get(self, order_id: str) -> Order | None:
        key = {"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "ORDER"}}
        with _translated():
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return item_order(answer["Item"]) if "Item" in answer else None

    def save(self, order: Order, *, expected_seq: int) -> None:
        self._put(order, "seq = :seq", {":seq": {"N": str(expected_seq)}})

    def open_before(self, before: datetime, *, limit: int) -> Iterable[Order]:
        keys: list[tuple[str, str]] = []
        for shard in range(OPEN_SHARDS):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                IndexName="open-orders",
                KeyConditionExpression="#open = :shard AND openSince < :before",
                ExpressionAttributeNames={"#open": "open"},
                ExpressionAttributeValues={
                    ":shard": {"S": str(shard)},
                    ":before": {"S": f"{to_ms(before):014d}"},
                },
                PaginationConfig={"MaxItems": limit},
            )
            with _translated():
                found = [item for page in pages for item in page["Items"]]
            keys += ((item["openSince"]["S"], item["pk"]["S"]) for item in found)
        for _, pk in islice(sorted(keys), limit):
            order = self.get(pk.removeprefix("ORDER#"))
            if order is not None:
                yield order

    def _put(self, order: Order, condition: str, values: Item) -> None:
        with _translated():
            standing = _put_if(self.client, self.table, order_item(order), condition, values)
        if standing is None:
            return
        current = item_order(standing) if standing else None
        if current != order:  # equal: our own write, sent again because its answer was lost
            raise Conflict(current)


@dataclass(frozen=True, slots=True)
class DynamoWatchers:
    """Who watches what, stored both ways: by order to push, by connection to clean up."""

    client: "DynamoDBClient"
    table: str

    def watch(self, watcher: Watcher) -> None:
        times: Item = {}
        if watcher.since and watcher.until:
            times = {
                "since": {"N": str(to_ms(watcher.since))},  # never the same: the stream shows it
                "until": {"N": str(to_ms(watcher.until))},
                "expiresAt": {"N": str(to_ms(watcher.until) // 1000)},
            }
        for pk, sk in reversed(_rows(watcher)):
            item = {"pk": {"S": pk}, "sk": {"S": sk}, **times}
            with _translated():
                self.client.put_item(TableName=self.table, Item=item)

    def of(self, order_id: str) -> list[Watcher]:
        return [item_watcher(item) for item in self._beginning(f"ORDER#{order_id}", "CONN#")]

    def forget(self, watcher: Watcher) -> None:
        for pk, sk in _rows(watcher):
            self._delete(pk, sk)

    def forget_connection(self, connection_id: str) -> None:
        for item in self._beginning(f"CONN#{connection_id}", "ORDER#"):
            self.forget(Watcher(item["sk"]["S"].removeprefix("ORDER#"), connection_id))

    def _beginning(self, pk: str, prefix: str) -> list[Item]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )
        with _translated():
            return [item for page in pages for item in page["Items"]]

    def _delete(self, pk: str, sk: str) -> None:
        with _translated():
            self.client.delete_item(TableName=self.table, Key={"pk": {"S": pk}, "sk": {"S": sk}})


def item_watcher(item: Mapping[str, Any]) -> Watcher:
    """Return the watcher that a row below an order holds."""
    times = [from_ms(int(item[name]["N"])) if name in item else None for name in ("since", "until")]
    order_id = item["pk"]["S"].removeprefix("ORDER#")
    return Watcher(order_id, item["sk"]["S"].removeprefix("CONN#"), *times)


def _rows(watcher: Watcher) -> tuple[tuple[str, str], tuple[str, str]]:
    order, connection = f"ORDER#{watcher.order_id}", f"CONN#{watcher.connection_id}"
    return (order, connection), (connection, order)


@dataclass(frozen=True, slots=True)
class DynamoLedger:
    """The simulated chain's transactions: a signature is written once and never again."""

    client: "DynamoDBClient"
    table: str

    def record(self, signature: str, entry: Mapping[str, str]) -> Mapping[str, str]:
        item = {**_tx(signature), **{name: {"S": text} for name, text in entry.items()}}
        with _translated():
            standing = _put_if(self.client, self.table, item, "attribute_not_exists(pk)", {})
        return entry if standing is None else _entry(standing)

    def read(self, signature: str) -> Mapping[str, str] | None:
        with _translated():
            answer = self.client.get_item(
                TableName=self.table, Key=_tx(signature), ConsistentRead=True
            )
        return _entry(answer["Item"]) if "Item" in answer else None


def _tx(signature: str) -> Item:
    return {"pk": {"S": f"TX#{signature}"}, "sk": {"S": "TX"}}


def _entry(item: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: value["S"] for name, value in item.items() if name not in {"pk", "sk"}}
