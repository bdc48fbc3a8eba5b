"""Change an order while it rests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from engine.domain.errors import (
    Conflict,
    FieldCode,
    FieldProblem,
    InvalidOrder,
    OrderNotChangeable,
    OrderNotFound,
    PreconditionFailed,
    QueueUnavailable,
)
from engine.domain.order import Order, Status, Waiting
from engine.domain.terms import KINDS, Exit, OrderType, Terms
from engine.observability import log
from engine.ports.clock import Clock
from engine.ports.orders import OrderRepository
from engine.ports.queue import OrderQueue, WorkMessage
from engine.service.epochs import Epochs
from engine.service.waiting import Beginning, expiry_problems, price_problems

#: How often an order may be changed: each is kept in its row.
MAX_CHANGES = 100


@dataclass(frozen=True, slots=True)
class ExitChange:
    """What is to become of one leg of an `oco`; None: it stays as it is."""

    price: Any = None
    slippage_bps: int | None = None


#: By the name of a term, what it is to become; an ExitChange for a leg.
Changes = Mapping[str, Any]


@dataclass(slots=True, eq=False, repr=False)
class Changing:
    """The use case and what it needs."""

    orders: OrderRepository
    queue: OrderQueue
    epochs: Epochs
    beginning: Beginning
    clock: Clock
    deadline: timedelta

    def change(
        self, order_id: str, changes: Changes, *, account: str, seqs: frozenset[int] | None = None
    ) -> Order:
        """Change the terms of an account's order that rests, and return it as it is then.

        With `seqs` only if its `seq` is one of them. The write is conditional, as the trigger's
        is: one of them wins. Raises OrderNotFound, PreconditionFailed, OrderNotChangeable,
        InvalidOrder, WouldTriggerNow.
        """
        order = self.orders.get(order_id)
        while True:
            if order is None or order.account != account:
                raise OrderNotFound(f"there is no order {order_id}")
            standing = self.epochs.read(order)
            if seqs is not None and standing.seq not in seqs:
                raise PreconditionFailed(f"its seq is {standing.seq}: it is {standing.status}")
            if standing.status is not Status.RESTING or standing.waiting is None:
                raise OrderNotChangeable(f"the order is {standing.status}, and rests no more")
            changed = self._changed(standing, standing.waiting, changes)
            if changed is standing:
                return order
            try:
                self.orders.save(changed, expected_seq=order.seq, expected_moves=order.moves)
            except Conflict as conflict:
                order = conflict.current
            else:
                self._hand_on(changed)
                return changed

    def _changed(self, order: Order, waiting: Waiting, changes: Changes) -> Order:
        """Return an order with other terms; due already, if they are met. Raises as `change`."""
        now = self.clock.now()
        if order.expires_at <= now:
            raise OrderNotChangeable("the order's time is over")
        if order.plan is not None and order.plan.stop is not None:
            raise OrderNotChangeable("the order begins no more parts")
        terms = _applied(order.terms, changes)
        if terms == order.terms:
            return order
        if len(order.former_terms) >= MAX_CHANGES:
            raise OrderNotChangeable(f"the order was changed {MAX_CHANGES} times already")
        names = {n for n in changes if getattr(terms, n) != getattr(order.terms, n)}
        problems = price_problems(terms)
        if "expires_at" in names:
            problems += expiry_problems(terms, at=now)
        if problems:
            raise InvalidOrder(*problems)
        trigger = terms.trigger_changed(waiting.trigger, names)
        if trigger == waiting.trigger:
            return order.change(terms, trigger, at=now)
        started = self.beginning.begin(terms, trigger, at=now)
        changed = order.change(terms, started.trigger if started else trigger, at=now)
        if started is None or started.fired is None or started.price is None:
            return changed
        return changed.wake(started.fired, started.price, at=now, deadline=now + self.deadline)

    def _hand_on(self, order: Order) -> None:
        log.info("order changed", extra={"order_id": order.order_id, "seq": order.seq})
        if order.status is not Status.PENDING:
            return
        try:
            self.queue.enqueue(WorkMessage(order.order_id, order))
        except QueueUnavailable:  # it is among the open orders: the reconciler enqueues it
            log.warning("order not enqueued", extra={"order_id": order.order_id})


def _applied(terms: Terms, changes: Changes) -> Terms:
    """Return terms with some of them changed. Raises InvalidOrder for those that a kind has not."""
    kind = KINDS[terms.kind]
    known = {"expires_at", *kind.needs, *kind.may} - {"launch", "parts", "interval_seconds"}
    if terms.kind is not OrderType.OCO:  # each leg of which has its own
        known.add("slippage_bps")
    foreign = [name for name in changes if name not in known]
    if foreign:
        detail = f"is not a field of an order of type {terms.kind}"
        raise InvalidOrder(
            *(FieldProblem(_pointer(name), FieldCode.UNKNOWN_FIELD, detail) for name in foreign)
        )
    return replace(terms, **{name: _become(terms, name, to) for name, to in changes.items()})


def _become(terms: Terms, name: str, to: Any) -> Any:
    leg = getattr(terms, name)
    if not isinstance(leg, Exit):
        return to
    slippage_bps = leg.slippage_bps if to.slippage_bps is None else to.slippage_bps
    return Exit(leg.price if to.price is None else to.price, slippage_bps)


def _pointer(name: str) -> str:
    first, *rest = name.split("_")
    return "/" + first + "".join(word.capitalize() for word in rest)
