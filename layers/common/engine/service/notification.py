"""Tell the watchers of an order what became of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from engine.domain.errors import ConnectionGone, PushFailed, StoreUnavailable, Undecodable
from engine.domain.order import Order
from engine.observability import log
from engine.ports import (
    Background,
    Clock,
    OrderRepository,
    Push,
    Watcher,
    Watchers,
    account_topic,
    order_topic,
)

#: How old a subscription usually is when its connection can be pushed to, and at most.
ARRIVING, ARRIVAL = timedelta(milliseconds=25), timedelta(seconds=1)
#: How long a change waits for the welcome of a watcher who resumes; then it is pushed as it is.
WELCOME = timedelta(seconds=10)
#: How many of its newest orders a watcher of an account is shown the open ones of.
NEWEST = 50


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """A new state of an order; `record` is the stream's name for it."""

    record: str
    order: Order


@dataclass(frozen=True, slots=True)
class WatcherCame:
    """A new subscription: its snapshot is due. `beside` are the others of its topic if many."""

    record: str
    watcher: Watcher
    beside: tuple[Watcher, ...] = ()


Change = OrderChanged | WatcherCame


@dataclass(frozen=True, slots=True)
class Message:
    """What one client is to hear of one change."""

    record: str
    body: bytes


@dataclass(slots=True)
class Post:
    """What one client is to hear of a batch of changes, in order."""

    watcher: Watcher
    messages: list[Message] = field(default_factory=list)
    #: By order: the highest `seq` that the client has, or is about to hear.
    seen: dict[str, int] = field(default_factory=dict)
    gone: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Notification:
    """The use case and what it needs; the renderers turn an order into a message."""

    orders: OrderRepository
    watchers: Watchers
    push: Push
    background: Background
    clock: Clock
    render: Callable[[str, Order], bytes]
    render_unknown: Callable[[str], bytes]
    is_good_key: Callable[[str], bool]

    def announce(self, changes: Sequence[Change]) -> set[str]:
        """Push `changes`, oldest first, and return the records that did not reach everybody.

        A client who left is forgotten; any other failure is the caller's to retry. Clients are
        served side by side, each in the order of the changes. A newcomer gets the snapshot first
        and of these changes only what is newer. Nobody hears of another account's order.
        """
        posts: dict[str, Post] = {}
        over: list[Watcher] = []
        for change in changes:
            if isinstance(change, WatcherCame):
                if self._over(change.watcher):
                    over.append(change.watcher)
                    continue
                post = posts.setdefault(change.watcher.connection_id, Post(change.watcher))
                try:
                    post.messages += self._welcome(change, post)
                except Undecodable as error:
                    log.warning(
                        "order left alone",
                        extra={"topic": change.watcher.topic, "why": str(error)},
                    )
                over += [watcher for watcher in change.beside if self._over(watcher)]
        told = [change for change in changes if isinstance(change, OrderChanged)]
        watching = self._watching(change.order for change in told)
        for change in told:
            self._tell_all(change, posts, watching, over)
        missed = self._deliver_all(list(posts.values()))
        self._tidy(posts, watching, over)
        facts = {"changes": len(changes), "watchers": len(posts), "missed": len(missed)}
        if missed:
            log.warning("changes did not reach everybody", extra=facts)
        else:
            log.debug("changes announced", extra=facts)
        return missed

    def _welcome(self, came: WatcherCame, post: Post) -> Iterable[Message]:
        """Return what a newcomer is to hear first: what it has missed, and how things stand."""
        watcher = came.watcher
        if watcher.topic == account_topic(watcher.account):
            newest = self.orders.of_account(watcher.account, before=None, limit=NEWEST)
            for _, order in reversed(newest):
                if order is not None and not order.final:
                    post.seen[order.order_id] = order.seq
                    yield Message(came.record, self.render("snapshot", order))
            return
        order_id = watcher.topic.removeprefix(order_topic(""))
        # Noted before the order is read: whatever changes after this is pushed by itself.
        if watcher.after_seq and not self.watchers.welcome(watcher):
            return
        found = self.orders.get(order_id)
        if found is None or found.account != watcher.account:
            yield Message(came.record, self.render_unknown(order_id))
            return
        post.seen[order_id] = max(found.seq, watcher.after_seq)
        if watcher.after_seq:
            for seq in range(watcher.after_seq + 1, found.seq):
                yield Message(came.record, self.render("status", found.as_of(seq)))
        if found.seq > watcher.after_seq:
            yield Message(came.record, self.render("snapshot", found))

    def _tell_all(
        self,
        changed: OrderChanged,
        posts: dict[str, Post],
        watching: Mapping[str, list[Watcher]],
        over: list[Watcher],
    ) -> None:
        order = changed.order
        message: Message | None = None
        for topic in _topics(order):
            for watcher in watching[topic]:
                if self._over(watcher):
                    over.append(watcher)
                    continue
                if order.seq <= watcher.after_seq or self._awaits_welcome(watcher):
                    continue
                post = posts.setdefault(watcher.connection_id, Post(watcher))
                if order.seq <= post.seen.get(order.order_id, 0):
                    continue
                post.seen[order.order_id] = order.seq
                message = message or Message(changed.record, self.render("status", order))
                post.messages.append(message)

    def _awaits_welcome(self, watcher: Watcher) -> bool:
        """Tell whether a watcher will be sent this change with all that it has missed before it.

        Its row is seen before its record comes up in the stream: pushed now, this change would
        overtake those, and its client would take them for old.
        """
        if not watcher.after_seq or watcher.welcomed or watcher.since is None:
            return False
        return self.clock.now() < watcher.since + WELCOME

    def _over(self, watcher: Watcher) -> bool:
        """Tell whether a watcher is to hear no more: its time is over, or its key is revoked."""
        if watcher.until is not None and watcher.until <= self.clock.now():
            return True
        return watcher.key_id is not None and not self.is_good_key(watcher.key_id)

    def _watching(self, orders: Iterable[Order]) -> Mapping[str, list[Watcher]]:
        """Return by topic who watches orders, also those whose time is over."""
        topics = {topic: order.account for order in orders for topic in _topics(order)}
        return self.watchers.of(topics) if topics else {}

    def _deliver_all(self, posts: Sequence[Post]) -> set[str]:
        """Serve clients side by side; return the records that somebody has still to hear of."""
        if len(posts) == 1:  # most often: no thread needs to wake for it
            return set(self._deliver(posts[0]))
        under_way = [self.background.submit(partial(self._deliver, post)) for post in posts]
        return {record for delivery in under_way for record in delivery.result()}

    def _deliver(self, post: Post) -> list[str]:
        """Push messages to one client, in order; return the records it has still to hear of."""
        for index, message in enumerate(post.messages):
            try:
                self._push(post.watcher, message.body)
            except ConnectionGone:
                post.gone = True
                return []
            except PushFailed:
                return [missed.record for missed in post.messages[index:]]
        return []

    def _tidy(
        self,
        posts: Mapping[str, Post],
        watching: Mapping[str, list[Watcher]],
        over: Iterable[Watcher],
    ) -> None:
        """Forget who was found gone or over; it keeps no message from anybody if that fails."""
        gone = {connection_id for connection_id, post in posts.items() if post.gone}
        stale = [*over, *(post.watcher for post in posts.values() if post.gone)]
        if gone:
            every = (watcher for some in watching.values() for watcher in some)
            stale += [watcher for watcher in every if watcher.connection_id in gone]
        if not stale:
            return
        try:
            self.watchers.forget_gone(gone, stale)
        except StoreUnavailable:
            log.warning("who left is not forgotten yet", extra={"connections": len(gone)})

    def _push(self, watcher: Watcher, body: bytes) -> None:
        """Push to a client, who may not be quite there yet.

        API Gateway calls a connection gone as long as its `$connect` has not returned, and the
        stream may be faster than that.
        """
        self._let_arrive(watcher)
        while True:
            try:
                return self.push(watcher.connection_id, body)
            except ConnectionGone:
                if not self._may_arrive(watcher):
                    raise
                self.clock.sleep(0.02)

    def _let_arrive(self, watcher: Watcher) -> None:
        """Wait for a connection that is only just being made: it costs less than a push in vain."""
        if watcher.since is not None:
            young = watcher.since + ARRIVING - self.clock.now()
            if young > timedelta(0):
                self.clock.sleep(min(young, ARRIVING).total_seconds())  # clocks differ

    def _may_arrive(self, watcher: Watcher) -> bool:
        """Tell whether who is called gone may still be coming, and has not left already."""
        if watcher.since is None or self.clock.now() > watcher.since + ARRIVAL:
            return False
        try:
            return self.watchers.caller_of(watcher.connection_id) is not None
        except StoreUnavailable:
            return True  # not known, and ARRIVAL ends the waiting


def _topics(order: Order) -> tuple[str, str]:
    return order_topic(order.order_id), account_topic(order.account)
