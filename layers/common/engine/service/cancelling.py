"""Cancel an order that no worker has begun."""

from dataclasses import dataclass

from engine.domain.errors import Conflict, OrderNotCancellable, OrderNotFound
from engine.domain.order import Order, Status
from engine.observability import log
from engine.ports.clock import Clock
from engine.ports.orders import OrderRepository


@dataclass(slots=True, eq=False, repr=False)
class Cancelling:
    """The use case and what it needs."""

    orders: OrderRepository
    clock: Clock

    def cancel(self, order_id: str, *, account: str) -> Order:
        """Cancel an account's order and return it; harmless if it is cancelled already.

        The write is conditional, as the worker's claim is: one of them wins. Raises OrderNotFound,
        OrderNotCancellable once a worker has begun.
        """
        order = self.orders.get(order_id)
        while True:
            if order is None or order.account != account:
                raise OrderNotFound(f"there is no order {order_id}")
            if order.status is Status.CANCELLED:
                return order
            if order.status is not Status.PENDING:
                raise OrderNotCancellable(f"the order is {order.status} already")
            cancelled = order.cancel(at=self.clock.now())
            try:
                self.orders.save(cancelled, expected_seq=order.seq)
            except Conflict as conflict:
                order = conflict.current
            else:
                log.info("order cancelled", extra={"order_id": order_id})
                return cancelled
