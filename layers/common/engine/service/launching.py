"""Wake the snipers of a launch, oldest first and in turns of their accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from engine.domain.errors import Conflict, QueueUnavailable
from engine.domain.launches import Launch
from engine.domain.order import Order, Status
from engine.observability import about, log
from engine.ports.background import Background
from engine.ports.clock import Clock
from engine.ports.launches import LaunchBook, LaunchCalls, LaunchFeed
from engine.ports.metrics import UNMEASURED, Metric, Metrics
from engine.ports.orders import OrderRepository
from engine.ports.queue import OrderQueue, WorkMessage
from engine.ports.resting import RestingIndex
from engine.service.epochs import Epochs
from engine.service.measuring import milliseconds
from engine.service.triggering import Swept, in_turns

#: When a launch is looked at once more: an order that came to rest in the moment before it may not
#: have shown in the index.
AGAIN_SECONDS = 2
#: How far back a repair looks: a launch that is older wakes nobody that its first sweeps have not.
LOOK_BACK = timedelta(minutes=10)


@dataclass(slots=True, eq=False, repr=False)
class Launching:
    """The use case and what it needs.

    That a token has launched is written before anybody is woken, and an order rests before its
    placing looks for the launch: so one of the two finds the other. Each waking is a conditional
    write, and all the rest may be done twice. One call wakes `budget` orders and takes `run` at
    most; what is left is sent for again.
    """

    orders: OrderRepository
    index: RestingIndex
    book: LaunchBook
    calls: LaunchCalls
    feed: LaunchFeed
    queue: OrderQueue
    background: Background
    clock: Clock
    epochs: Epochs
    deadline: timedelta
    budget: int = 5_000
    run: timedelta = timedelta(seconds=30)
    metrics: Metrics = UNMEASURED

    def announce(self, launch: Launch) -> None:
        """Write down that a token has launched, and send for its snipers.

        Raises QueueUnavailable, StoreUnavailable; then it may all be done again.
        """
        stands = self.book.add(launch, now=self.clock.now())
        log.info("token launched", extra={"mint": stands.mint, "source": stands.source})
        self.calls.launched(stands.mint)
        self.calls.launched(stands.mint, delay=AGAIN_SECONDS)

    def wake(self, mint: str) -> Swept:
        """Wake the snipers of a token that has launched."""
        launch = self.book.find(mint)
        if launch is None:
            log.warning("no such launch", extra={"mint": mint})
            return Swept()
        return self._sweep(launch)

    def look(self, order: Order) -> None:
        """Wake an order that has just come to rest, if its token has launched by now."""
        awaited = order.terms.launch
        launch = self.book.find(awaited) if awaited else None
        if launch is not None:
            self._one(launch, order)

    def repair(self) -> Swept:
        """Look again at what launched lately, also at what no signal told of."""
        now = self.clock.now()
        since = now - LOOK_BACK
        for missed in self.feed.launches_since(since):
            if missed.at <= now:
                self.book.add(missed, now=now)
        return sum(map(self._sweep, self.book.since(since)), Swept())

    def _sweep(self, launch: Launch) -> Swept:
        began = self.clock.now()
        found = self.index.awaiting((launch.mint, launch.symbol), limit=self.budget)
        waiting = in_turns(_oldest_first(self.orders.get_many(found)))
        swept = Swept()
        for n in range(0, len(waiting), 100):
            if self.clock.now() - began > self.run:
                swept += Swept(complete=False)
                break
            under_way = [
                self.background.submit(partial(self._one, launch, order))
                for order in waiting[n : n + 100]
            ]
            swept = sum((woken.result() for woken in under_way), swept)
        if not swept.complete or (len(found) == self.budget and swept.woken):
            self.calls.launched(launch.mint)
        return swept

    def _one(self, launch: Launch, order: Order) -> Swept:
        try:
            return self._wake(launch, order)
        except Conflict:  # a change, a cancel or another sweep was first: theirs counts
            return Swept(seen=1)

    def _wake(self, launch: Launch, order: Order) -> Swept:
        awaited = order.terms.launch
        if order.status is not Status.RESTING or not awaited or not launch.answers(awaited):
            return Swept()
        self.metrics.record(Metric.TRIGGERS_DUE)
        now = self.clock.now()
        standing = self.epochs.read(order)
        if standing is not order:
            self._save(standing, order)
            return Swept(seen=1)
        if order.expires_at <= now:
            self._save(order.expire(at=now), order)
            return Swept(seen=1, expired=1)
        woken = order.wake_at_launch(launch, at=now, deadline=now + self.deadline)
        self._save(woken, order)
        self.metrics.record(Metric.TRIGGER_LAG, milliseconds(min(launch.at, now), now))
        log.info("order triggered", extra=about(order, mint=launch.mint))
        try:
            self.queue.enqueue(WorkMessage(woken.order_id, woken))
        except QueueUnavailable:  # it is among the open orders: the reconciler enqueues it
            log.warning("order not enqueued", extra=about(order))
        return Swept(seen=1, woken=1)

    def _save(self, order: Order, read: Order) -> None:
        self.orders.save(order, expected_seq=read.seq, expected_moves=read.moves)


def _oldest_first(orders: Sequence[Order]) -> list[Order]:
    def age(order: Order) -> tuple[datetime, str]:
        return order.created_at, order.order_id

    return sorted(orders, key=age)
