"""Begin the parts of an order one by one, and note how each has ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from engine.domain.errors import Conflict, QueueUnavailable
from engine.domain.order import Order, Status, part_order_id
from engine.domain.parts import LOOK_AFTER, Plan, slot_after
from engine.observability import about, log
from engine.ports.clock import Clock
from engine.ports.orders import OrderRepository
from engine.ports.queue import OrderQueue, WorkMessage
from engine.service.epochs import Epochs


@dataclass(slots=True, eq=False, repr=False)
class Parting:
    """The use case and what it needs; `deadline` is how long a part's order may take to begin.

    The parent says first that a part is begun, in a write on condition: one ticker wins, once a
    slot. Only then the part's order is stored, under an id that follows from the parent's and its
    place. Whoever dies in between leaves an order that is said and not there: the next look, 20 s
    later at the most while ticks go on, stores it.
    """

    orders: OrderRepository
    queue: OrderQueue
    clock: Clock
    epochs: Epochs
    deadline: timedelta

    def look(self, parent: Order, price: Callable[[str], Decimal | None]) -> bool:
        """Do what is due for a resting parent; tell whether a part was begun.

        `price` tells the reference price of a pair, None if there is none that is fresh. Raises
        Conflict if somebody else was faster.
        """
        parent = self._standing(parent)
        for place in parent.plan.under_way if parent.plan else ():
            parent = self._follow(parent, place)
        now, plan = self.clock.now(), parent.plan
        if parent.final or plan is None:
            return False
        if plan.stop is None and parent.expires_at <= now:
            self._save(parent.stop(Status.EXPIRED, at=now), parent)
        elif plan.stop is None and plan.due is not None and plan.due <= now:
            return self._slot(parent, price)
        elif plan.looks_at is not None and plan.looks_at <= now:
            self._save(parent.postpone(looks_at=now + LOOK_AFTER), parent)
        return False

    def note(self, ended: Order) -> None:
        """Let the parent of a part's order know how that ended, if it does not yet."""
        if ended.parent is None or not ended.final:
            return
        parent = self.orders.get(ended.parent.order_id)
        while parent is not None and not parent.final:
            place = self._place(parent, ended)
            if place is None:
                return
            try:
                self._noted(parent, place, ended)
            except Conflict as conflict:
                parent = conflict.current
            else:
                return

    def stop(self, parent: Order) -> Order:
        """Cancel the parts' orders of a stopped parent that no worker has begun; return it then."""
        for place in parent.plan.under_way if parent.plan else ():
            try:
                parent = self._follow(parent, place, cancel=True)
            except Conflict:  # somebody else is at it: the next look goes on
                break
        return parent

    def _slot(self, parent: Order, price: Callable[[str], Decimal | None]) -> bool:
        now, terms, plan = self.clock.now(), parent.terms, parent.plan or Plan(None)
        if terms.banded:
            at = price(terms.pair)
            if at is None:
                again = min(now + LOOK_AFTER, slot_after(parent.created_at, terms.every, now))
                self._save(parent.postpone(again), parent)
                return False
            if not terms.in_band(at):
                self._save(parent.skip_part(at, at=now), parent)
                return False
        begun = parent.begin_part(at=now)
        self._save(begun, parent)
        self._place_part(begun, len(plan.begun))
        return True

    def _follow(self, parent: Order, place: int, *, cancel: bool = False) -> Order:
        """See how a part's order stands; store it if a crash kept it from being; return its parent.

        One that was never stored, of a parent that has stopped, has not begun: it is cancelled.
        """
        order_id = part_order_id(parent.account, parent.order_id, place)
        part = self.orders.get(order_id) or self._place_part(parent, place)
        while cancel and part.status is Status.PENDING:
            cancelled = part.cancel(at=self.clock.now())
            try:
                self.orders.save(cancelled, expected_seq=part.seq)
                part = cancelled
            except Conflict as conflict:
                part = conflict.current or part
        return self._noted(parent, place, part) if part.final else parent

    def _place_part(self, parent: Order, place: int) -> Order:
        part = parent.part_order(place, self.deadline)
        if parent.plan is not None and parent.plan.stop is not None:
            part = part.cancel(at=self.clock.now())
        try:
            self.orders.add(part)
        except Conflict as conflict:
            if conflict.current is None:
                raise
            part = conflict.current
        if part.status is Status.PENDING:
            try:
                self.queue.enqueue(WorkMessage(part.order_id, part))
            except QueueUnavailable:  # it is among the open orders: the reconciler enqueues it
                log.warning("order not enqueued", extra=about(part))
        return part

    def _place(self, parent: Order, part: Order) -> int | None:
        """Return at which place of its parent's plan an order is, if it is under way there."""
        places = parent.plan.under_way if parent.plan else ()
        ids = {part_order_id(parent.account, parent.order_id, place): place for place in places}
        return ids.get(part.order_id)

    def _noted(self, parent: Order, place: int, part: Order) -> Order:
        noted = self.epochs.read(parent).end_part(place, part, at=self.clock.now())
        self._save(noted, parent)
        return noted

    def _standing(self, parent: Order) -> Order:
        """Return a parent as it stands, and write down if a cancel-all has stopped it."""
        standing = self.epochs.read(parent)
        if standing is not parent:
            self._save(standing, parent)
        return standing

    def _save(self, order: Order, read: Order) -> None:
        self.orders.save(order, expected_seq=read.seq, expected_moves=read.moves)
