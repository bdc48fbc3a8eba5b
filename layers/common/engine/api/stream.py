"""The DynamoDB stream's side: what changed, in the order in which it changed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.adapters.aws.keys import revoked_key
from engine.adapters.aws.orders import item_order
from engine.adapters.aws.subscriptions import ROWS, new_subscriptions
from engine.adapters.codec import decoding
from engine.domain.errors import StoreUnavailable, Undecodable
from engine.observability import log
from engine.ports.access import Caller
from engine.ports.metrics import UNMEASURED, Metrics
from engine.ports.operations import Latencies
from engine.service.measuring import measure, times
from engine.service.notification import Change, Notification, OrderChanged, Subscribed
from engine.service.revocation import Revocation

T = TypeVar("T")


@dataclass(slots=True, eq=False, repr=False)
class Stream:
    """Publishes batches of stream records."""

    notification: Notification
    revocation: Revocation
    metrics: Metrics = UNMEASURED
    latencies: Latencies | None = None

    def publish_batch(self, event: dict[str, Any]) -> dict[str, Any]:
        """Publish what an event says; report the first record from which to deliver again."""
        records = event["Records"]
        close = self.revocation.close_connections
        unclosed = {_name(r) for r in records if (key := _read(r, _revoked)) and not close(key)}
        changes = [change for record in records for change in _read(record, _all_changes) or []]
        missed = self.notification.publish(changes) | unclosed
        first = next((r for r in map(_name, records) if r in missed), None)
        self._measure(changes, [_name(record) for record in records], first)
        return {"batchItemFailures": [{"itemIdentifier": first}] if first else []}

    def _measure(self, changes: Sequence[Change], names: Sequence[str], first: str | None) -> None:
        """Count what changed, up to the record from which all comes again."""
        done = names if first is None else names[: names.index(first)]
        counted = frozenset(done)
        told = [c.order for c in changes if isinstance(c, OrderChanged) and c.record in counted]
        for order in told:
            measure(order, self.metrics)
        self.metrics.emit()
        timed = [(order.order_id, took) for order in told if (took := times(order))]
        if timed and self.latencies:
            ended = max(order.updated_at for order in told)
            try:
                self.latencies.add(timed, at=ended)
            except StoreUnavailable as error:  # nobody waits for it
                log.warning("times not kept", extra={"why": str(error)})


def _revoked(record: dict[str, Any]) -> Caller | None:
    """Return whose key a record says was revoked, None if it says nothing of the kind."""
    new, old = (record["dynamodb"].get(name) for name in ("NewImage", "OldImage"))
    return revoked_key(old, new) if new and new["sk"]["S"] == "KEY" else None


def _name(record: dict[str, Any]) -> str:
    name: str = record["dynamodb"]["SequenceNumber"]
    return name


def _read(record: dict[str, Any], read: Callable[[dict[str, Any]], T]) -> T | None:
    """Return what a record says; one that can't be decoded is set aside."""
    try:
        with decoding("a record"):
            return read(record)
    except Undecodable as error:
        log.warning("record set aside", extra={"record": _name(record), "why": str(error)})
        return None


def _all_changes(record: dict[str, Any]) -> list[Change]:
    return [*_changes(record)]


def _changes(record: dict[str, Any]) -> Iterator[Change]:
    """Yield what a record tells of; one write may take an order more than one step further."""
    new, old = (record["dynamodb"].get(name) for name in ("NewImage", "OldImage"))
    if record["eventName"] == "REMOVE" or not new:
        return
    sk = new["sk"]["S"]
    if sk == "ORDER":
        known = max(0, int(old["seq"]["N"])) if old else 0
        steps = range(known + 1, int(new["seq"]["N"]) + 1)
        if steps:
            order = item_order(new)
            for seq in steps:
                yield OrderChanged(_name(record), order.as_of(seq))
    elif sk.startswith(ROWS):
        for subscription in new_subscriptions(old, new):
            yield Subscribed(_name(record), subscription)
