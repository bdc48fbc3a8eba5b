"""How the system stands, and what lies in its dead-letter queue."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.breaker import Breaker
from engine.domain.errors import OrderNotFound
from engine.domain.order import Order, Settlement, Status
from engine.ports.access import Access, Caller, Trading
from engine.ports.breakers import Breakers
from engine.ports.clock import Clock
from engine.ports.logs import Logs
from engine.ports.metrics import Metric
from engine.ports.operations import Depth, Latencies, LyingLetter, Moved, Queues
from engine.ports.orders import OrderRepository
from engine.ports.prices import PriceBook
from engine.ports.resting import Tickers
from engine.service.acting import Acting
from engine.service.measuring import PARTS, first_times
from engine.service.story import Event, read_story

VENUES = ("raydium", "meteora")
#: The orders that percentiles are of.
LAST_ORDERS = 1_000
_TIMES = (Metric.TIME_TO_END, *(metric for metric, _, _ in PARTS))
_RANKS = (50, 95, 99)
#: Of how many of the open orders, the oldest, it is asked since when they are due.
_OLDEST_LOOKED_AT = 20
#: How long one call moves letters, and waits for those that somebody looks at.
_BUDGET, _PATIENCE = timedelta(seconds=8), 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How the system stands at one time; `latency` has percentiles (50, 95, 99) in ms."""

    at: datetime
    settlement: Settlement
    trading: Trading
    queue: Depth
    oldest: timedelta | None
    dead_letters: int
    ticks: Mapping[str, datetime | None]
    breakers: Sequence[Breaker]
    orders_timed: int
    latency: Mapping[Metric, tuple[int, int, int] | None]


@dataclass(slots=True, eq=False, repr=False)
class Operating:
    """The use case and what it needs."""

    acting: Acting
    access: Access
    orders: OrderRepository
    queues: Queues
    tickers: Tickers
    book: PriceBook
    breakers: Breakers
    latencies: Latencies
    logs: Callable[[], Logs]
    clock: Clock
    settlement: Settlement

    def standing(self) -> Standing:
        """Return how the system stands now."""
        now = self.clock.now()
        pairs = sorted(self.tickers.read().pairs)
        rows = self.book.get_many(pairs)
        board = self.breakers.read()
        timed = self.latencies.last(LAST_ORDERS)
        return Standing(
            at=now,
            settlement=self.settlement,
            trading=self.access.trading(),
            queue=self.queues.depth(),
            oldest=self._oldest(now),
            dead_letters=self.queues.dead_letters(),
            ticks={pair: rows[pair].tick.at if pair in rows else None for pair in pairs},
            breakers=[board.of(venue) for venue in VENUES],
            orders_timed=len(timed),
            latency={m: percentiles([each[m] for each in timed if m in each]) for m in _TIMES},
        )

    def dead_letters(self, *, limit: int) -> tuple[list[tuple[LyingLetter, Order | None]], int]:
        """Return up to `limit` letters with their orders, and how many there are, about."""
        count = self.queues.dead_letters()
        letters = self.queues.look(limit=limit)
        ids = {letter.order_id for letter in letters if letter.order_id}
        orders = {order.order_id: order for order in self.orders.get_many(sorted(ids))}
        return [(each, orders.get(each.order_id or "")) for each in letters], count

    def redrive(self, reason: str | None, *, by: Caller) -> Moved:
        """Move letters back to the order queue, for some seconds."""
        ends = self.clock.now() + _BUDGET

        def move() -> Moved:
            return self.queues.move(lambda: self.clock.now() < ends, patience=_PATIENCE)

        return self.acting.noted("redrive", reason, move, by=by)

    def story(self, order_id: str) -> list[Event]:
        """Return what the logs tell of any account's order. Raises OrderNotFound."""
        order = self.orders.get(order_id)
        if order is None:
            raise OrderNotFound(f"there is no order {order_id}")
        return read_story(order_id, self.logs(), since=order.created_at, until=order.updated_at)

    def _oldest(self, now: datetime) -> timedelta | None:
        """Return for how long the oldest open order has been due; None: there is none."""
        found = self.orders.open_before(now, limit=_OLDEST_LOOKED_AT)
        due = [first_times(o.history).get(Status.PENDING) for o in found if not o.final]
        return max((now - each for each in due if each), default=None)


def percentiles(values: Sequence[int]) -> tuple[int, int, int] | None:
    """Return the 50th, 95th and 99th percentile by nearest rank, None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    p50, p95, p99 = (ordered[math.ceil(rank * len(ordered) / 100) - 1] for rank in _RANKS)
    return p50, p95, p99
