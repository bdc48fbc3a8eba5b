"""How many orders of an account may rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.errors import TooManyRestingOrders
from engine.domain.order import Order
from engine.ports.orders import OrderRepository
from engine.ports.rosters import Entry, Roster, Rosters

#: How many entries a roster has before it is looked through for the first time.
FIRST = 24
#: How long an order may be under way from its entry to its row.
PLACING = timedelta(minutes=1)


@dataclass(slots=True, eq=False, repr=False)
class Room:
    """Counts an account's orders that wait, at most `maximum`, without a write when one ends.

    Each is entered before it is stored. When there is no room for one more, those are dropped that
    have ended, or were never stored: so never more than `maximum` rest, those under way counted.
    """

    orders: OrderRepository
    rosters: Rosters
    maximum: int

    def enter(self, account: str, order_id: str, *, at: datetime) -> Roster:
        """Make room for an order that is about to be placed. Raises TooManyRestingOrders."""
        entry = Entry(order_id, at)
        while True:
            entered, roster = self.rosters.enter(account, entry, room=min(FIRST, self.maximum))
            if entered:
                return roster
            self._clear(account, roster, at)

    def _clear(self, account: str, roster: Roster, at: datetime) -> None:
        """Drop what has ended, and let as many in as leave it to `maximum` at the most.

        Half of the entries at least are new when it is done again: that is two reads an order.
        """
        ids = sorted({entry.order_id for entry in roster.entries})
        found = {order.order_id: order for order in self.orders.get_many(ids)}
        kept: dict[str, Entry] = {}
        for entry in sorted(roster.entries, key=lambda entry: entry.at):
            order = found.get(entry.order_id)
            lives = at - entry.at < PLACING if order is None else not order.final
            if lives:
                kept.setdefault(entry.order_id, entry)
        count = sum(not _ended(found.get(order_id), roster) for order_id in kept)
        if count >= self.maximum:
            raise TooManyRestingOrders(self.maximum)
        self.rosters.clear(
            account,
            roster.entries - set(kept.values()),
            room=len(kept) + min(self.maximum - count, max(FIRST, len(kept))),
            version=roster.version,
        )


def _ended(order: Order | None, roster: Roster) -> bool:
    return order is not None and order.under(roster.epoch_of(order.terms.pair)).final
