"""Tell the watchers of an order what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from engine.domain.errors import ConnectionGone, PushFailed
from engine.domain.order import Order
from engine.observability import log
from engine.ports import Background, Clock, OrderRepository, Push, Watcher, Watchers

#: How long a subscription may be older than its connection's first message.
ARRIVAL = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """A new state of an order; `record` is the stream's name for it."""

    record: str
    order: Order


@dataclass(frozen=True, slots=True)
class WatcherCame:
    """A new subscription: its snapshot is due."""

    record: str
    watcher: Watcher


Change = OrderChanged | WatcherCame


@dataclass(frozen=True, slots=True)
class Message:
    """What one watcher is to hear of one change."""

    record: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Notification:
    """The use case and what it needs; the renderers turn an order into a message."""

    orders: OrderRepository
    watchers: Watchers
    push: Push
    background: Background
    clock: Clock
    render: Callable[[str, Order], bytes]
    render_unknown: Callable[[str], bytes]

    def announce(self, changes: Sequence[Change]) -> set[str]:
        """Push `changes`, oldest first, and return the records that did not reach everybody.

        A watcher who left is forgotten; any other failure is the caller's to retry. Watchers are
        served side by side, each in the order of the changes. A newcomer gets the snapshot first
        and of these changes only what is newer.
        """
        letters: dict[Watcher, list[Message]] = {}
        seen: dict[Watcher, int] = {}
        for change in changes:
            if isinstance(change, WatcherCame):
                order = self.orders.get(change.watcher.order_id)
                seen[change.watcher] = order.seq if order else 0
                letters[change.watcher] = [Message(change.record, self._snapshot(change, order))]
        watching: dict[str, list[Watcher]] = {}
        for change in changes:
            if isinstance(change, OrderChanged):
                order = change.order
                if order.order_id not in watching:
                    watching[order.order_id] = self._watchers_of(order.order_id)
                if not watching[order.order_id]:
                    continue
                message = Message(change.record, self.render("status", order))
                for watcher in watching[order.order_id]:
                    if order.seq > seen.get(watcher, 0):
                        letters.setdefault(watcher, []).append(message)
        under_way = [
            self.background.submit(partial(self._deliver, watcher, messages))
            for watcher, messages in letters.items()
        ]
        missed: set[str] = set()
        for delivery in under_way:
            missed.update(delivery.result())
        log.info(
            "changes announced",
            extra={"changes": len(changes), "watchers": len(letters), "missed": len(missed)},
        )
        return missed

    def _watchers_of(self, order_id: str) -> list[Watcher]:
        now = self.clock.now()
        return [w for w in self.watchers.of(order_id) if w.until is None or now < w.until]

    def _snapshot(self, change: WatcherCame, order: Order | None) -> bytes:
        if order is None:
            return self.render_unknown(change.watcher.order_id)
        return self.render("snapshot", order)

    def _deliver(self, watcher: Watcher, messages: Sequence[Message]) -> list[str]:
        """Push messages to one watcher, in order; return the records it has still to hear of."""
        for index, message in enumerate(messages):
            try:
                self._push(watcher, message.body)
            except ConnectionGone:
                self.watchers.forget(watcher)
                return []
            except PushFailed:
                return [missed.record for missed in messages[index:]]
        return []

    def _push(self, watcher: Watcher, body: bytes) -> None:
        """Push to a watcher, who may not be quite there yet.

        API Gateway calls a connection gone as long as its `$connect` has not returned, and the
        stream may be faster than that.
        """
        while True:
            try:
                return self.push(watcher.connection_id, body)
            except ConnectionGone:
                if watcher.since is None or self.clock.now() > watcher.since + ARRIVAL:
                    raise
                self.clock.sleep(0.02)
