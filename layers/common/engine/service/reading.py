"""Read orders."""

from dataclasses import dataclass

from engine.domain.errors import OrderNotFound
from engine.domain.order import Order
from engine.ports import OrderRepository


@dataclass(frozen=True, slots=True)
class Reading:
    """The use case and what it needs."""

    orders: OrderRepository

    def order(self, order_id: str, *, account: str) -> Order:
        """Return an account's order. Raises OrderNotFound, also for other accounts' orders."""
        order = self.orders.get(order_id)
        if order is None or order.account != account:
            raise OrderNotFound(f"there is no order {order_id}")
        return order
