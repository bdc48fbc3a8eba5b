"""Cancel an order that no worker has begun, or all that rest."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.errors import Conflict, OrderNotCancellable, OrderNotFound
from engine.domain.order import Order, Status
from engine.observability import log
from engine.ports.clock import Clock
from engine.ports.orders import OrderRepository
from engine.ports.rosters import Rosters
from engine.service.epochs import Epochs
from engine.service.parting import Parting


@dataclass(slots=True, eq=False, repr=False)
class Cancelling:
    """The use case and what it needs."""

    orders: OrderRepository
    rosters: Rosters
    epochs: Epochs
    parting: Parting
    clock: Clock

    def cancel(self, order_id: str, *, account: str) -> Order:
        """Cancel an account's order and return it; harmless if it is cancelled already.

        The write is conditional, as the worker's claim and the trigger's are: one of them wins.
        An order in parts begins no more of them; what is under way goes on, and then it ends.
        Raises OrderNotFound, OrderNotCancellable once a worker has begun.
        """
        order = self.orders.get(order_id)
        while True:
            if order is None or order.account != account:
                raise OrderNotFound(f"there is no order {order_id}")
            if order.status is Status.CANCELLED or _stops(order):
                return order
            cancelled = self.epochs.read(order)
            if cancelled is order:
                if order.status not in (Status.PENDING, Status.RESTING):
                    raise OrderNotCancellable(f"the order is {order.status} already")
                cancelled = _ended(order, self.clock.now())
            moves = order.moves if order.waiting else None
            try:
                self.orders.save(cancelled, expected_seq=order.seq, expected_moves=moves)
            except Conflict as conflict:
                order = conflict.current
            else:
                self.parting.note(cancelled)
                return self.parting.stop(cancelled)

    def cancel_all(self, pair: str | None, *, account: str) -> datetime:
        """Cancel all of an account's orders that rest, or those of a pair; return when that was.

        It is one write, however many rest: see `Epochs`.
        """
        at = self.clock.now()
        self.rosters.cancel_all(account, pair, at=at)
        log.info("all resting orders cancelled", extra={"account": account, "pair": pair})
        return at


def _stops(order: Order) -> bool:
    stop = order.plan.stop if order.plan and not order.final else None
    return stop is not None and stop.status is Status.CANCELLED


def _ended(order: Order, at: datetime) -> Order:
    """Return an order cancelled; if some of its parts are under way, it is to be so after them."""
    if order.plan is None:
        return order.cancel(at=at)
    if order.plan.stop is not None:
        raise OrderNotCancellable(f"the order ends as {order.plan.stop.status} already")
    return order.stop(Status.CANCELLED, at=at)
