"""The DynamoDB stream's side: what changed, in the order in which it changed."""

from dataclasses import dataclass
from typing import Any

from engine.adapters.accounts import item_watcher
from engine.adapters.dynamodb import item_order
from engine.service.notification import Change, Notification, OrderChanged, WatcherCame


@dataclass(slots=True, eq=False, repr=False)
class Stream:
    """Announces batches of stream records."""

    notification: Notification

    def announce_batch(self, event: dict[str, Any]) -> dict[str, Any]:
        """Announce what an event says; report the first record from which to deliver again."""
        records = event["Records"]
        changes = [change for record in records if (change := _change(record)) is not None]
        missed = self.notification.announce(changes)
        first = next((r for r in map(_name, records) if r in missed), None)
        return {"batchItemFailures": [{"itemIdentifier": first}] if first else []}


def _name(record: dict[str, Any]) -> str:
    name: str = record["dynamodb"]["SequenceNumber"]
    return name


def _change(record: dict[str, Any]) -> Change | None:
    new = record["dynamodb"].get("NewImage")
    if record["eventName"] == "REMOVE" or not new:
        return None
    sk = new["sk"]["S"]
    if sk == "ORDER":
        old = record["dynamodb"].get("OldImage")
        if old and old["seq"] == new["seq"]:
            return None
        return OrderChanged(_name(record), item_order(new))
    if sk.startswith("CONN#") and "welcomed" not in new:
        return WatcherCame(_name(record), item_watcher(new))
    return None
