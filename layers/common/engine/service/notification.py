"""Tell the watchers of an order what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from engine.domain.errors import ConnectionGone, PushFailed
from engine.domain.order import Order
from engine.observability import log
from engine.ports import Background, OrderRepository, Push, Watcher, Watchers


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
                    ids = self.watchers.of(order.order_id)
                    watching[order.order_id] = [Watcher(order.order_id, id_) for id_ in ids]
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

    def _snapshot(self, change: WatcherCame, order: Order | None) -> bytes:
        if order is None:
            return self.render_unknown(change.watcher.order_id)
        return self.render("snapshot", order)

    def _deliver(self, watcher: Watcher, messages: Sequence[Message]) -> list[str]:
        """Push messages to one watcher, in order; return the records it has still to hear of."""
        for index, message in enumerate(messages):
            try:
                self.push(watcher.connection_id, message.body)
            except ConnectionGone:
                self.watchers.forget(watcher)
                return []
            except PushFailed:
                return [missed.record for missed in messages[index:]]
        return []
