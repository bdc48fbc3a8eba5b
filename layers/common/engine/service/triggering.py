"""Wake the resting orders whose price or time has come: what one tick does."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from engine.domain.errors import Conflict, QueueUnavailable
from engine.domain.order import Order, Status
from engine.domain.triggers import Direction, Fired, Level, Tick
from engine.observability import about, log
from engine.ports.background import Background
from engine.ports.clock import Clock
from engine.ports.metrics import UNMEASURED, Metric, Metrics
from engine.ports.orders import OrderRepository
from engine.ports.prices import PriceBook, PriceRow
from engine.ports.queue import OrderQueue, WorkMessage
from engine.ports.resting import RestingIndex
from engine.service.epochs import Epochs
from engine.service.measuring import milliseconds
from engine.service.parting import Parting
from engine.service.pricing import Priced


@dataclass(frozen=True, slots=True)
class Swept:
    """What a tick did: orders looked at, woken, moved (a watermark, a stage), expired.

    It is not `complete` if the budget ended before the orders that are due.
    """

    seen: int = 0
    woken: int = 0
    moved: int = 0
    expired: int = 0
    complete: bool = True

    def __add__(self, other: "Swept") -> "Swept":
        return Swept(
            self.seen + other.seen,
            self.woken + other.woken,
            self.moved + other.moved,
            self.expired + other.expired,
            self.complete and other.complete,
        )


@dataclass(slots=True, eq=False, repr=False)
class Triggering:
    """The use case and what it needs; a tick looks at `budget` orders, shared over the pairs.

    The index is asked for what lies at or past the price, never for what lies between two prices,
    and only says whom to look at: the row decides. A pair's price row is written last, so that a
    tick which dies is made up for by the next; who was woken before it died rests no more. One that
    was held up wakes nobody by a price that is older than `stale_after` by then.
    """

    orders: OrderRepository
    index: RestingIndex
    book: PriceBook
    queue: OrderQueue
    background: Background
    clock: Clock
    epochs: Epochs
    deadline: timedelta
    stale_after: timedelta
    parting: Parting
    budget: int = 1_000
    metrics: Metrics = UNMEASURED

    def tick(self, prices: Sequence[Priced]) -> Swept:
        """Wake what is due at these prices and end what has expired. A stale price wakes nobody."""
        share = max(1, self.budget // (len(prices) + 1))
        now = self.clock.now()
        fresh = {each.pair: each.price for each in prices if not each.stale}
        swept = self._all(self.index.expired(now, limit=share), partial(self._due, fresh.get))
        for priced in prices:
            if priced.price is None or priced.at is None or priced.stale:
                log.warning("price stale: nothing is triggered", extra={"pair": priced.pair})
                continue
            swept += self._sweep(priced.pair, priced.price, priced.at, priced.source, share)
        self.metrics.record(Metric.TICKS)
        if ages := [milliseconds(priced.at, now) for priced in prices if priced.at]:
            self.metrics.record(Metric.PRICE_AGE, max(ages))
        return swept

    def _sweep(
        self, pair: str, price: Decimal, at: datetime, source: tuple[str, ...], share: int
    ) -> Swept:
        row = self.book.get(pair)
        tick = row.tick.seen(price, at) if row else Tick.of(price, at)
        swept = Swept()
        for level in (Level(Direction.ABOVE, tick.high), Level(Direction.BELOW, tick.low)):
            swept += self._reach(pair, level, tick, share)
        kept = Tick.of(tick.price, tick.at) if swept.complete else tick
        version = row.version if row else 0
        try:
            self.book.put(PriceRow(pair, kept, source), expected_version=version)
        except Conflict:  # its high and low count for whoever was faster, or in the next tick
            log.debug("somebody else wrote the price", extra={"pair": pair})
        return swept

    def _reach(self, pair: str, level: Level, tick: Tick, share: int) -> Swept:
        """Look at a share of the orders that are at or past a level; at more, if none of it is due.

        They may rest since the price was there only. Then they would be met by every tick, and who
        is due behind them by none.
        """
        while True:
            found = self.index.reached(pair, level, limit=share)
            met = self._all(found, partial(self._meet, tick))
            if len(found) < share:
                return met
            if met.woken or met.moved or met.expired or not met.complete:
                return replace(met, complete=False)
            share *= 2

    def _all(self, order_ids: Sequence[str], meet: Callable[[Order], Swept]) -> Swept:
        """Look at orders side by side, begun in turns of their accounts."""
        under_way = [
            self.background.submit(partial(self._one, order, meet))
            for order in in_turns(self.orders.get_many(order_ids))
        ]
        return sum((met.result() for met in under_way), Swept())

    def _one(self, order: Order, meet: Callable[[Order], Swept]) -> Swept:
        if order.status is not Status.RESTING:  # the index lags behind
            return Swept()
        try:
            return meet(order)
        except Conflict:  # a change, a cancel or another ticker was first: theirs counts
            return Swept(seen=1)

    def _meet(self, tick: Tick, order: Order) -> Swept:
        waiting = order.waiting
        if waiting is None or order.expires_at <= self.clock.now():
            return self._expire(order)
        lived = tick.since(waiting.since)
        after = waiting.trigger.on(lived) if lived else waiting.trigger
        if isinstance(after, Fired):
            return self._wake(order, after, tick)
        if after == waiting.trigger:
            return Swept(seen=1)
        self._save(order.move(after, at=tick.at), order)
        return Swept(seen=1, moved=1)

    def _wake(self, order: Order, fired: Fired, tick: Tick) -> Swept:
        self.metrics.record(Metric.TRIGGERS_DUE)
        if self._cancelled(order):
            return Swept(seen=1)
        now = self.clock.now()  # which may have gone on, were it only since the last call
        if order.expires_at <= now:
            return self._expire(order)
        if now - tick.at > self.stale_after:
            return Swept(seen=1, complete=False)
        woken = order.wake(fired, price=tick.price, at=now, deadline=now + self.deadline)
        self._save(woken, order)
        self.metrics.record(Metric.TRIGGER_LAG, milliseconds(tick.at, now))
        log.info("order triggered", extra=about(order, price=str(tick.price)))
        try:
            self.queue.enqueue(WorkMessage(woken.order_id, woken))
        except QueueUnavailable:  # it is among the open orders: the reconciler enqueues it
            log.warning("order not enqueued", extra=about(order))
        return Swept(seen=1, woken=1)

    def _cancelled(self, order: Order) -> bool:
        """Cancel an order if a cancel-all has ended it already; tell whether it has."""
        standing = self.epochs.read(order)
        if standing is not order:
            self._save(standing, order)
        return standing is not order

    def _save(self, order: Order, read: Order) -> None:
        self.orders.save(order, expected_seq=read.seq, expected_moves=read.moves)

    def _due(self, price: Callable[[str], Decimal | None], order: Order) -> Swept:
        """See to an order whose time has come: it is over, or that of a part."""
        if order.plan is None:
            return self._expire(order)
        if order.looked_at > self.clock.now():
            return Swept(seen=1)
        due = order.plan.due
        if not self.parting.look(order, price):
            return Swept(seen=1)
        self.metrics.record(Metric.TRIGGERS_DUE)
        self.metrics.record(Metric.TRIGGERS_FIRED)
        if due is not None:
            self.metrics.record(Metric.TRIGGER_LAG, milliseconds(due, self.clock.now()))
        return Swept(seen=1, woken=1)

    def _expire(self, order: Order) -> Swept:
        now = self.clock.now()
        if order.expires_at > now or self._cancelled(order):
            return Swept(seen=1)
        self._save(order.expire(at=now), order)
        return Swept(seen=1, expired=1)


def in_turns(orders: Iterable[Order]) -> list[Order]:
    """Return orders so that each account's first come before any account's second, and so on.

    Otherwise they stay as they were: one account's thousand do not stand before everybody's one.
    """
    taken: Counter[str] = Counter()
    turns = []
    for order in orders:
        turns.append((taken[order.account], order))
        taken[order.account] += 1
    return [order for _, order in sorted(turns, key=lambda each: each[0])]
