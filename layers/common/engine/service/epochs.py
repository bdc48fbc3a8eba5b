"""Orders that a cancel-all has ended, although their rows do not say so yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.domain.order import Order, Status
from engine.ports.rosters import Rosters


@dataclass(slots=True, eq=False, repr=False)
class Epochs:
    """Reads orders as they stand in their account's epoch.

    A cancel-all is one write, which begins an epoch; an order knows in which it was placed. What
    rested before is cancelled from then on, wherever it is read; its row says so once it is met.
    An order that is woken in that moment all the same is seen by its worker, who looks again.
    """

    rosters: Rosters

    def current(self, account: str, pair: str) -> int:
        """Return when an account's orders of a pair were last cancelled at once; 0: never."""
        return self.rosters.read(account).epoch_of(pair)

    def overtook(self, order: Order) -> bool:
        """Tell whether a cancel-all came since an order was placed that waits, or waited.

        Of a part's order, since its parent was.
        """
        if order.waiting is None and order.parent is None:
            return False
        return order.epoch < self.current(order.account, order.terms.pair)

    def read(self, order: Order) -> Order:
        """Return an order as it stands."""
        return self.read_all([order])[0]

    def read_all(self, orders: Iterable[Order]) -> list[Order]:
        """Return orders of one account as they stand; read a roster only if one rests."""
        found = list(orders)
        resting = next((order for order in found if order.status is Status.RESTING), None)
        if resting is None:
            return found
        roster = self.rosters.read(resting.account)
        return [order.under(roster.epoch_of(order.terms.pair)) for order in found]
