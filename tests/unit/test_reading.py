"""An account's list, page by page."""

import base64
from datetime import timedelta

import pytest

from engine.domain.errors import InvalidCursor, OrderNotCancellable, OrderNotFound
from engine.domain.order import Order, Status, order_id_of
from engine.service.cancelling import Cancelling
from engine.service.epochs import Epochs
from engine.service.reading import Reading, Wanted
from tests.fakes import (
    START,
    FakeClock,
    MemoryAccess,
    MemoryOrders,
    MemoryQueue,
    MemoryRosters,
    a_parting,
    an_order,
)


def _orders(count: int, account: str = "ann") -> MemoryOrders:
    orders = MemoryOrders()
    for n in range(count):
        at = START + timedelta(seconds=n // 3)
        status = Status.CONFIRMED if n % 10 == 0 else Status.PENDING
        orders.add(an_order(order_id=f"o{n:04d}", account=account, at=at, status=status))
    return orders


def _reading(orders: MemoryOrders) -> Reading:
    return Reading(orders, MemoryAccess(), Epochs(MemoryRosters()))


def _cancelling(orders: MemoryOrders) -> Cancelling:
    rosters = MemoryRosters()
    return Cancelling(
        orders, rosters, Epochs(rosters), a_parting(orders, MemoryQueue(), FakeClock()), FakeClock()
    )


def _all(reading: Reading, status: Status | None = None, limit: int = 7) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page, cursor = reading.page("ann", Wanted(status), limit=limit, cursor=cursor)
        pages.append([order.order_id for order in page])
        if cursor is None:
            return pages


def test_pages_hold_every_order_once_newest_first() -> None:
    pages = _all(_reading(_orders(50)))
    ids = [order_id for page in pages for order_id in page]
    assert len(ids) == len(set(ids)) == 50
    assert ids == sorted(ids, reverse=True)
    assert {len(page) for page in pages[:-1]} == {7}


def test_orders_that_arrive_meanwhile_do_not_shift_the_pages() -> None:
    orders = _orders(20)
    reading = _reading(orders)
    first, cursor = reading.page("ann", Wanted(), limit=10, cursor=None)
    orders.add(an_order(order_id="new", account="ann", at=START + timedelta(hours=1)))
    second, _ = reading.page("ann", Wanted(), limit=10, cursor=cursor)
    assert len({order.order_id for order in [*first, *second]}) == 20


def test_a_status_is_found_among_many_others() -> None:
    pages = _all(_reading(_orders(1_200)), Status.CONFIRMED, limit=40)
    ids = [order_id for page in pages for order_id in page]
    assert len(ids) == len(set(ids)) == 120


def test_a_status_that_is_rare_does_not_make_a_page_read_for_ever() -> None:
    reading = _reading(_orders(1_200))
    page, cursor = reading.page("ann", Wanted(Status.FAILED), limit=10, cursor=None)
    assert page == []
    assert cursor is not None
    assert _all(reading, Status.FAILED)[-1] == []


def test_a_cursor_is_good_for_its_own_list_only() -> None:
    reading = _reading(_orders(20))
    _, cursor = reading.page("ann", Wanted(), limit=5, cursor=None)
    assert cursor
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    forged = base64.urlsafe_b64encode(raw[:-1] + b"9").decode().rstrip("=")
    for bad in ("", "x", cursor[:-2], cursor + "A", forged, "é", "!" * 20):
        with pytest.raises(InvalidCursor):
            reading.page("ann", Wanted(), limit=5, cursor=bad)
    for account, status in (("bob", None), ("ann", Status.PENDING)):
        with pytest.raises(InvalidCursor):
            reading.page(account, Wanted(status), limit=5, cursor=cursor)


def test_another_accounts_orders_are_not_listed_read_or_cancelled() -> None:
    orders = _orders(3, "bob")
    reading = _reading(orders)
    assert reading.page("ann", Wanted(), limit=5, cursor=None) == ([], None)
    with pytest.raises(OrderNotFound):
        reading.order("o0001", account="ann")
    with pytest.raises(OrderNotFound):
        _cancelling(orders).cancel("o0001", account="ann")


def test_cancelling_twice_is_cancelling_once() -> None:
    orders = MemoryOrders()
    orders.add(an_order(account="ann"))
    cancelling = _cancelling(orders)
    first = cancelling.cancel(an_order().order_id, account="ann")
    assert (first.status, first.seq) == (Status.CANCELLED, 2)
    assert cancelling.cancel(an_order().order_id, account="ann") == first


@pytest.mark.parametrize(
    "status", sorted(set(Status) - {Status.PENDING, Status.RESTING, Status.CANCELLED})
)
def test_an_order_that_has_begun_is_not_cancelled(status: Status) -> None:
    orders = MemoryOrders()
    orders.add(an_order(account="ann", status=status))
    with pytest.raises(OrderNotCancellable):
        _cancelling(orders).cancel(an_order().order_id, account="ann")


def test_a_cancel_that_loses_to_a_worker_says_so() -> None:
    order = an_order(account="ann")

    class Raced(MemoryOrders):
        """A worker claims the order between the read and the write."""

        def get(self, order_id: str) -> Order | None:
            self.rows[order_id] = an_order(account="ann", status=Status.ROUTING)
            return order

    with pytest.raises(OrderNotCancellable):
        _cancelling(Raced()).cancel(order.order_id, account="ann")


def test_an_order_is_found_by_its_client_order_id_and_nobody_elses_is() -> None:
    orders = MemoryOrders()
    order = an_order(order_id=order_id_of("ann", "k"), account="ann", client_order_id="k")
    orders.add(order)
    reading = _reading(orders)
    assert reading.by_client_id("k", account="ann") == order
    for key, account in (("k", "bob"), ("other", "ann")):
        with pytest.raises(OrderNotFound):
            reading.by_client_id(key, account=account)
