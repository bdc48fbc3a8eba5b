"""Where orders are kept."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from engine.domain.order import Order


class OrderRepository(Protocol):
    """Orders, one row each; every write says what it believes.

    An order that can't be decoded, by this version at least, is never overwritten: where it stands
    alone Undecodable is raised, among others it is left out with a log line.
    """

    def add(self, order: Order) -> None:
        """Store a new order. Raises Conflict with the one that stands under its id, Undecodable."""
        ...

    def get(self, order_id: str) -> Order | None:
        """Read an order, strongly consistent. Raises Undecodable."""
        ...

    def save(self, order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        """Replace the order whose `seq` is `expected_seq`, and whose trigger moved so often.

        Raises Conflict with the present one, Undecodable if that can't be read.
        """
        ...

    def of_account(
        self, account: str, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, Order | None]]:
        """Read up to `limit` orders of an account, newest first, with their places in time.

        With `before`, a place in time, only older ones. None stands for an order that is gone
        or can't be decoded; fewer than `limit` are there only at the end.
        """
        ...

    def get_many(self, order_ids: Sequence[str]) -> list[Order]:
        """Read those of some orders that are there and can be read, strongly consistent."""
        ...

    def open_before(self, before: datetime, *, limit: int) -> Iterable[Order]:
        """Read up to `limit` orders placed before `before` that are not done with, oldest first."""
        ...
