"""Write down what a cancel-all has ended."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.domain.errors import Conflict
from engine.observability import log
from engine.ports.clock import Clock
from engine.ports.orders import OrderRepository
from engine.ports.rosters import Rosters
from engine.service.room import PLACING

if TYPE_CHECKING:
    from engine.domain.order import Order


@dataclass(slots=True, eq=False, repr=False)
class Sweeping:
    """The use case and what it needs; a run writes `maximum` orders, and those of an account more.

    They read as cancelled already, and none of them trades: this tells their watchers.
    """

    orders: OrderRepository
    rosters: Rosters
    clock: Clock
    maximum: int = 500

    def sweep(self) -> int:
        """Cancel what rests under an old epoch, account by account; return how many."""
        swept = 0
        for account in self.rosters.unswept(limit=self.maximum):
            if swept >= self.maximum:
                break
            swept += self._sweep(account)
        return swept

    def _sweep(self, account: str) -> int:
        roster, now = self.rosters.read(account), self.clock.now()
        ids = sorted({entry.order_id for entry in roster.entries})
        found = {order.order_id: order for order in self.orders.get_many(ids)}
        swept = sum(
            self._cancel(order, roster.epoch_of(order.terms.pair)) for order in found.values()
        )
        under_way = (entry for entry in roster.entries if entry.order_id not in found)
        if not any(now - entry.at < PLACING for entry in under_way):
            self.rosters.swept(account, roster)
        log.info("cancelled for good", extra={"account": account, "orders": swept})
        return swept

    def _cancel(self, order: "Order", epoch: int) -> bool:
        ended = order.under(epoch)
        if ended is order:
            return False
        try:
            self.orders.save(ended, expected_seq=order.seq, expected_moves=order.moves)
        except Conflict:  # met elsewhere; or moved, and seen again in the next run
            return False
        return True
