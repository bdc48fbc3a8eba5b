"""Read orders: one, or an account's list, page by page."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property

from engine.domain.errors import InvalidCursor, OrderNotFound
from engine.domain.order import Order, Status, order_id_of
from engine.domain.terms import OrderType
from engine.ports.access import Access
from engine.ports.orders import OrderRepository
from engine.service.epochs import Epochs

#: How many orders a filtered page looks at before it says that there may be more.
MAX_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a list is of; None: any."""

    status: Status | None = None
    kind: OrderType | None = None
    pair: str | None = None

    @property
    def everything(self) -> bool:
        return self == Wanted()

    def covers(self, order: Order) -> bool:
        return (
            self.status in (None, order.status)
            and self.kind in (None, order.terms.kind)
            and self.pair in (None, order.terms.pair)
        )


@dataclass(eq=False, repr=False)
class Reading:
    """The use case and what it needs."""

    orders: OrderRepository
    access: Access
    epochs: Epochs

    def order(self, order_id: str, *, account: str) -> Order:
        """Return an account's order. Raises OrderNotFound, also for other accounts' orders."""
        order = self.orders.get(order_id)
        if order is None or order.account != account:
            raise OrderNotFound(f"there is no order {order_id}")
        return self.epochs.read(order)

    def by_client_id(self, client_order_id: str, *, account: str) -> Order:
        """Return the order that an account placed under this key. Raises OrderNotFound."""
        return self.order(order_id_of(account, client_order_id), account=account)

    def page(
        self, account: str, wanted: Wanted, *, limit: int, cursor: str | None
    ) -> tuple[list[Order], str | None]:
        """Return up to `limit` of an account's orders, newest first, and the next page's cursor.

        A page with a cursor may be short, or empty: the orders that were looked at were not
        wanted. Raises InvalidCursor for what this list did not give out.
        """
        scope = f"{account}\n{wanted.status or ''}"
        if wanted.kind or wanted.pair:
            scope += f"\n{wanted.kind or ''}\n{wanted.pair or ''}"
        before = self._opened(cursor, scope) if cursor is not None else None
        page: list[Order] = []
        looked_at = 0
        while looked_at < MAX_LOOKED_AT:
            ask = min(100, limit if wanted.everything else MAX_LOOKED_AT)
            found = self.orders.of_account(account, before=before, limit=ask)
            standing = iter(self.epochs.read_all(order for _, order in found if order is not None))
            for place, stored in found:
                before = place
                order = next(standing) if stored is not None else None
                if order is not None and wanted.covers(order):
                    page.append(order)
                    if len(page) == limit:
                        return page, self._sealed(place, scope)
            looked_at += ask
            if len(found) < ask:
                return page, None
        return page, self._sealed(before or "", scope)

    @cached_property
    def _secret(self) -> bytes:
        return self.access.cursor_secret()

    def _sealed(self, place: str, scope: str) -> str:
        seal = self._seal(place, scope)
        return base64.urlsafe_b64encode(seal + place.encode()).decode().rstrip("=")

    def _opened(self, cursor: str, scope: str) -> str:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            seal, place = raw[:16], raw[16:].decode()
        except ValueError:
            raise InvalidCursor("this is no cursor of this list") from None
        if not hmac.compare_digest(seal, self._seal(place, scope)):
            raise InvalidCursor("this is no cursor of this list")
        return place

    def _seal(self, place: str, scope: str) -> bytes:
        message = f"{scope}\n{place}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).digest()[:16]
