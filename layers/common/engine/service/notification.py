"""Tell whoever watches an order what became of it: each of its states once, in order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial

from engine.domain.errors import (
    ConnectionGone,
    EngineError,
    OrderNotFound,
    PushFailed,
    SeqNotReached,
    StoreUnavailable,
    Undecodable,
)
from engine.domain.order import Order
from engine.observability import about, log
from engine.ports.background import Background
from engine.ports.clock import Clock
from engine.ports.metrics import UNMEASURED, Metric, Metrics
from engine.ports.orders import OrderRepository
from engine.ports.subscriptions import (
    ARRIVAL,
    Push,
    Subscription,
    Subscriptions,
    account_topic,
    order_topic,
)
from engine.service.epochs import Epochs
from engine.service.measuring import milliseconds

#: How old a subscription usually is when its connection can be pushed to.
ARRIVING = timedelta(milliseconds=25)
#: How long a connection that is still being made is left alone, in seconds.
PAUSE = 0.02
#: How many of its newest orders a watcher of an account is shown the open ones of.
NEWEST = 50
#: How many snapshots of accounts are remembered.
_MAX_SHOWN = 10_000

Render = Callable[[str, Order], bytes]


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """A new state of an order; `record` is the stream's name for it."""

    record: str
    order: Order


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A new subscription: what was until now is due."""

    record: str
    subscription: Subscription


Change = OrderChanged | Subscribed


@dataclass(frozen=True, slots=True)
class Message:
    """What one client is to be told of one change; of an order's state, which it is."""

    record: str
    body: bytes
    order_id: str | None = None
    seq: int = 0
    #: When that came about, of what is told as it happens.
    at: datetime | None = None
    #: What the log calls it.
    named: Mapping[str, object] | None = None


@dataclass(slots=True)
class Delivery:
    """What one client is to be told of a batch of changes.

    `due` are the changes that concern it, each with the subscription by which they do. By order,
    `known` is the `seq` that it will have when all is pushed, and `told` the one that was pushed.
    `replayed` are the topics of which it is told what had been.
    """

    connection_id: str
    due: list[tuple[Change, Subscription]] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    replayed: set[str] = field(default_factory=set)
    gone: bool = False

    @property
    def subscriptions(self) -> list[Subscription]:
        """The subscriptions that are concerned, each once."""
        return list(dict.fromkeys(subscription for _, subscription in self.due))

    @property
    def records(self) -> list[str]:
        return [change.record for change, _ in self.due]


@dataclass(slots=True, eq=False, repr=False)
class Notification:
    """The use case and what it needs; the renderers turn an order, or an error, into a message."""

    orders: OrderRepository
    subscriptions: Subscriptions
    push: Push
    background: Background
    clock: Clock
    render: Render
    render_error: Callable[[EngineError, str], bytes]
    is_good_key: Callable[[str], bool]
    epochs: Epochs
    metrics: Metrics = UNMEASURED
    #: By connection and order: the `seq` of a snapshot that an account's watcher was shown.
    _shown: dict[tuple[str, str], int] = field(default_factory=dict, init=False)

    def publish(self, changes: Sequence[Change]) -> set[str]:
        """Push `changes`, oldest first, and return the records that did not reach everybody.

        Clients are served side by side, each in the order of the changes. A new subscription is
        first told what was, and from then on what is newer: how far it has come stands in its row,
        so that it takes up there whatever fails. A client who left is forgotten; one who is still
        connecting is left to a later run; any other failure is the caller's to retry. Nobody is
        told of another account's order.
        """
        watching = self._watching(changes)
        over = {w for some in watching.values() for w in some if self._over(w)}
        deliveries: dict[str, Delivery] = {}
        for change in sorted(changes, key=_replays_first):
            for subscription in _concerned(change, watching):
                if subscription not in over:
                    to = Delivery(subscription.connection_id)
                    deliveries.setdefault(subscription.connection_id, to).due.append(
                        (change, subscription)
                    )
        missed = self._deliver_all(list(deliveries.values()))
        self._forget(over, [d for d in deliveries.values() if d.gone], watching)
        facts = {
            "orders": [_named(c.order) for c in changes if isinstance(c, OrderChanged)],
            "changes": len(changes),
            "subscriptions": len(deliveries),
            "missed": len(missed),
        }
        if missed:
            log.warning("changes did not reach everybody", extra=facts)
        elif deliveries:  # each has its own line
            log.debug("changes published", extra=facts)
        elif facts["orders"]:
            log.info("nobody watches", extra={"orders": facts["orders"]})
        return missed

    def _watching(self, changes: Sequence[Change]) -> Mapping[tuple[str, str], list[Subscription]]:
        """Return by topic and account who watches what changed, also those whose time is over."""
        rows = dict.fromkeys(row for change in changes for row in _rows(change))
        return self.subscriptions.of(rows) if rows else {}

    def _over(self, subscription: Subscription) -> bool:
        """Tell whether a watcher is told no more: its time is over, or its key is revoked."""
        if subscription.until is not None and subscription.until <= self.clock.now():
            return True
        return subscription.key_id is not None and not self.is_good_key(subscription.key_id)

    def _deliver_all(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Serve clients side by side; return the records that somebody has still to be told of."""
        render = cache(self.render)
        if len(deliveries) == 1:  # most often: no thread needs to wake for it
            return self._deliver(deliveries[0], render)
        under_way = [
            self.background.submit(partial(self._deliver, delivery, render))
            for delivery in deliveries
        ]
        missed = {record for delivery in under_way for record in delivery.result()}
        if missed:
            keeping = [self.background.submit(partial(self._keep_standing, d)) for d in deliveries]
            for place in keeping:
                place.result()
        return missed

    def _deliver(self, delivery: Delivery, render: Render) -> set[str]:
        """Push to one client, in order; return the records it has still to be told of."""
        try:
            self._let_arrive(delivery)
            messages = list(self._messages(delivery, render))
            unsent = self._push_all(delivery, messages)
            if pushed := [m.named for m in messages[: len(messages) - len(unsent)] if m.named]:
                what = "client is gone" if delivery.gone else "pushed"
                log.info(what, extra={"connection": delivery.connection_id, "orders": pushed})
            if delivery.gone and self._may_arrive(delivery):
                delivery.gone = False
                self._defer(delivery)
            elif not delivery.gone:
                self._keep_place(delivery, whole=not unsent)
        except StoreUnavailable:
            delivery.gone = False  # that is not known: it may be connecting still
            log.warning("the table did not answer", extra={"connection": delivery.connection_id})
            return set(delivery.records)
        return {message.record for message in unsent}

    def _messages(self, delivery: Delivery, render: Render) -> Iterator[Message]:
        for change, subscription in delivery.due:
            if isinstance(change, OrderChanged):
                yield from self._changed(change, subscription, delivery, render)
            elif _is_account(subscription):
                yield from self._account(change, subscription, delivery, render)
            else:
                yield from self._order(change, subscription, delivery, render)

    def _order(
        self, change: Change, subscription: Subscription, delivery: Delivery, render: Render
    ) -> Iterator[Message]:
        """Yield what a new watcher of an order lacks, or why there is nothing to tell."""
        order_id = subscription.topic.removeprefix(order_topic(""))
        delivery.replayed.add(subscription.topic)
        try:
            stored = self.orders.get(order_id)
        except Undecodable as error:
            log.warning("order left alone", extra={"topic": subscription.topic, "why": str(error)})
            return
        order = self.epochs.read(stored) if stored is not None else None
        if order is None or order.account != subscription.account:
            unknown = OrderNotFound("There is no such order (yet).")
            yield Message(change.record, self.render_error(unknown, order_id))
        elif order.seq < subscription.after_seq:
            ahead = SeqNotReached(f"The order is at seq {order.seq}, not {subscription.after_seq}.")
            yield Message(change.record, self.render_error(ahead, order_id))
        else:
            yield from _replay(change.record, order, subscription.after_seq, delivery, render)

    def _account(
        self, change: Subscribed, subscription: Subscription, delivery: Delivery, render: Render
    ) -> Iterator[Message]:
        """Yield a snapshot of each order of an account that is open, or has ended meanwhile."""
        delivery.replayed.add(subscription.topic)
        newest = self.orders.of_account(subscription.account, before=None, limit=NEWEST)
        stored = (order for _, order in reversed(newest) if order is not None)
        for order in self.epochs.read_all(stored):
            ended = order.final and (
                subscription.since is None or order.updated_at < subscription.since
            )
            if not ended and order.seq > delivery.known.get(order.order_id, 0):
                self._show(subscription, order)
                yield _message("snapshot", change.record, order, delivery, render)

    def _changed(
        self, change: OrderChanged, subscription: Subscription, delivery: Delivery, render: Render
    ) -> Iterator[Message]:
        """Yield a change; to a watcher of an order that is not caught up, all that was with it.

        A watcher of an account that is not caught up may lack its snapshot: so this is one.
        """
        order, mine = change.order, _is_account(subscription)
        shown = self._shown.get((subscription.connection_id, order.order_id), 0)
        known = max(
            delivery.known.get(order.order_id, 0), shown if mine else subscription.after_seq
        )
        replayed = (
            order.order_id in delivery.known if mine else subscription.topic in delivery.replayed
        )
        if order.seq <= known:
            delivery.known[order.order_id] = known
        elif subscription.caught_up or replayed:
            message = _message("status", change.record, order, delivery, render)
            yield replace(message, at=order.updated_at)
        elif mine:
            yield _message("snapshot", change.record, order, delivery, render)
        else:
            yield from self._order(change, subscription, delivery, render)

    def _show(self, subscription: Subscription, order: Order) -> None:
        """Remember a snapshot: the stream may still bring what it has overtaken.

        An account's watcher has no place for that in its row; in another process it is a repeat.
        """
        while len(self._shown) >= _MAX_SHOWN:
            self._shown.pop(next(iter(self._shown)), None)
        self._shown[subscription.connection_id, order.order_id] = order.seq

    def _push_all(self, delivery: Delivery, messages: Sequence[Message]) -> Sequence[Message]:
        """Push until it fails; return what is left. Nothing is left for a client who is gone."""
        for n, message in enumerate(messages):
            try:
                self.push(delivery.connection_id, message.body)
            except ConnectionGone:
                delivery.gone = True
                return ()
            except PushFailed:
                return messages[n:]
            if message.order_id is not None:
                delivery.told[message.order_id] = message.seq
            if message.at is not None:
                lag = milliseconds(message.at, self.clock.now())
                self.metrics.record(Metric.PUSH_LAG, lag)
        return ()

    def _keep_place(self, delivery: Delivery, *, whole: bool) -> None:
        """Note with each new subscription how far it was told, and that it is caught up."""
        for subscription in delivery.subscriptions:
            if subscription.caught_up:
                continue
            caught_up = whole and subscription.topic in delivery.replayed
            place = replace(
                subscription, after_seq=_place(subscription, delivery), caught_up=caught_up
            )
            if caught_up or place.after_seq > subscription.after_seq:
                self.subscriptions.change(subscription, place)

    def _keep_standing(self, delivery: Delivery) -> None:
        """Note how far a client was told of what comes again for another: once is enough."""
        for subscription in delivery.subscriptions:
            place = _place(subscription, delivery)
            if subscription.caught_up and place > subscription.after_seq:
                with suppress(StoreUnavailable):
                    self.subscriptions.change(subscription, replace(subscription, after_seq=place))

    def _let_arrive(self, delivery: Delivery) -> None:
        """Wait for a connection that is only just being made: it costs less than a push in vain."""
        started = [w.since for w in delivery.subscriptions if w.since and not w.caught_up]
        if started:
            young = max(started) + ARRIVING - self.clock.now()
            if young > timedelta(0):
                self.clock.sleep(min(young, ARRIVING).total_seconds())  # clocks differ

    def _may_arrive(self, delivery: Delivery) -> bool:
        """Tell whether who is called gone may still be connecting, and has not left already.

        API Gateway calls a connection gone as long as its `$connect` has not returned.
        """
        new = [w.since for w in delivery.subscriptions if w.since and not w.caught_up]
        if delivery.told or not new or self.clock.now() > max(new) + ARRIVAL:
            return False
        return self.subscriptions.caller_of(delivery.connection_id) is not None

    def _defer(self, delivery: Delivery) -> None:
        """Let new subscriptions come up in the stream once more, and nobody wait for them here."""
        subscribed = [w for change, w in delivery.due if isinstance(change, Subscribed)]
        if subscribed:
            self.clock.sleep(PAUSE)
        for subscription in subscribed:
            self.subscriptions.change(
                subscription, replace(subscription, deferred=subscription.deferred + 1)
            )

    def _forget(
        self,
        over: Iterable[Subscription],
        gone: Sequence[Delivery],
        watching: Mapping[tuple[str, str], list[Subscription]],
    ) -> None:
        """Forget who was found gone or over; it keeps no message from anybody if that fails."""
        left = {delivery.connection_id for delivery in gone}
        if left:
            self.metrics.record(Metric.WATCHERS_GONE, len(left))
        of_left = (w for some in watching.values() for w in some if w.connection_id in left)
        stale = list(dict.fromkeys([*over, *of_left]))
        if not stale:
            return
        try:
            self.subscriptions.forget_gone(left, stale)
        except StoreUnavailable:
            log.warning("who left is not forgotten yet", extra={"connections": len(left)})


def _replay(
    record: str, order: Order, after_seq: int, delivery: Delivery, render: Render
) -> Iterator[Message]:
    """Yield each state of an order above `after_seq`, the newest as a snapshot."""
    for seq in range(after_seq + 1, order.seq):
        yield _message("status", record, order.as_of(seq), delivery, render)
    if order.seq > after_seq:
        yield _message("snapshot", record, order, delivery, render)


def _message(kind: str, record: str, order: Order, delivery: Delivery, render: Render) -> Message:
    delivery.known[order.order_id] = order.seq
    return Message(record, render(kind, order), order.order_id, order.seq, named=_named(order))


def _named(order: Order) -> dict[str, object]:
    """Return what a line of the log says of one order among others."""
    return about(order, seq=order.seq, status=order.status)


def _place(subscription: Subscription, delivery: Delivery) -> int:
    """Return up to which `seq` the watcher of an order has all of it; 0 of an account."""
    if _is_account(subscription):
        return 0
    return max(
        subscription.after_seq,
        delivery.told.get(subscription.topic.removeprefix(order_topic("")), 0),
    )


def _is_account(subscription: Subscription) -> bool:
    return subscription.topic == account_topic(subscription.account)


def _replays_first(change: Change) -> int:
    """Sort what was before what is, and of the former an order's before an account's."""
    if isinstance(change, OrderChanged):
        return 2
    return int(_is_account(change.subscription))


def _rows(change: Change) -> tuple[tuple[str, str], ...]:
    """Return the topics that a change concerns, each with the account that may be told."""
    if isinstance(change, Subscribed):
        return ((change.subscription.topic, change.subscription.account),)
    order = change.order
    topics = order_topic(order.order_id), account_topic(order.account)
    return tuple((topic, order.account) for topic in topics)


def _concerned(
    change: Change, watching: Mapping[tuple[str, str], list[Subscription]]
) -> Iterator[Subscription]:
    """Yield whom a change concerns; a subscription itself, if it still stands and is new."""
    standing = (subscription for row in _rows(change) for subscription in watching[row])
    if isinstance(change, OrderChanged):
        return standing
    started = change.subscription
    return (w for w in standing if w == started and w.since == started.since and not w.caught_up)
