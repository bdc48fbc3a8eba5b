"""Repair what a crash left behind."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.domain.errors import QueueUnavailable, Undecodable
from engine.domain.order import Order, Status
from engine.domain.tokens import Token, listed_pairs
from engine.observability import log
from engine.ports.clock import Clock
from engine.ports.metrics import UNMEASURED, Metric, Metrics
from engine.ports.orders import OrderRepository
from engine.ports.queue import OrderQueue, WorkMessage
from engine.ports.resting import RestingIndex
from engine.service.resting import TickerWatch
from engine.service.sweeping import Sweeping

if TYPE_CHECKING:
    from engine.service.execution import Execution
    from engine.service.launching import Launching


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did.

    Open orders looked at, handed to the workers again, settled here; dead letters dropped because
    their order came to a good end after all; orders that a cancel-all had ended, and say so now;
    snipers that nobody else had woken.
    """

    seen: int = 0
    enqueued: int = 0
    settled: int = 0
    dropped: int = 0
    swept: int = 0
    woken: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Reconciliation:
    """The use case and what it needs.

    An order younger than `grace` is nobody's business yet. After `budget` no other order is begun:
    a chain that does not answer takes seconds an order, and a run that is cut off says nothing.
    """

    orders: OrderRepository
    queue: OrderQueue
    execution: "Callable[[], Execution]"  # made when an order is to be settled: most runs find none
    clock: Clock
    ticker: TickerWatch
    resting: RestingIndex
    sweeping: Sweeping
    grace: timedelta = timedelta(seconds=20)
    maximum: int = 200
    max_dead_letters: int = 50
    budget: timedelta = timedelta(seconds=35)
    metrics: Metrics = UNMEASURED
    launching: "Callable[[], Launching] | None" = None
    launched: Callable[[], Iterable[Token]] = tuple

    def repair(self) -> Report:
        """Find the open orders that nobody works on and see to each, oldest first.

        What may have been sent, is past its deadline, or owes a dead letter is settled here; what
        has yet to trade goes back to the workers. Safe to run twice at once. An order that can't
        be settled keeps nobody waiting: its error is raised when all the others are seen to.
        """
        now = self.clock.now()
        seen = enqueued = settled = 0
        failure: Exception | None = None
        for order in self.orders.open_before(now - self.grace, limit=self.maximum):
            if self.clock.now() >= now + self.budget:
                break
            seen += 1
            if order.held(now) or now - order.updated_at < self.grace:
                continue
            if order.final or order.transaction is not None or now >= order.deadline:
                try:
                    self.execution().settle(WorkMessage(order.order_id, order))
                    settled += 1
                except Undecodable as error:
                    log.warning("order left alone", extra=_facts(order.order_id, error))
                except Exception as error:  # noqa: BLE001 - raised below
                    log.exception("order not settled", extra={"order_id": order.order_id})
                    failure = failure or error
            elif self._enqueue(order):
                enqueued += 1
        self.ticker.revive(self.resting, listed_pairs(test_tokens=True, launched=self.launched()))
        woken = self.launching().repair().woken if self.launching else 0
        dropped, swept = self._clear_letters(), self.sweeping.sweep()
        report = Report(seen, enqueued, settled, dropped, swept, woken)
        log.info("reconciled", extra=asdict(report))
        if enqueued or settled:
            self.metrics.record(Metric.REPAIRS, enqueued + settled)
        self.metrics.emit()
        if failure is not None:
            raise failure
        return report

    def _clear_letters(self) -> int:
        """Drop the letters of orders that did not fail: SQS buries what it delivered too often."""
        dropped = 0
        try:
            for letter in self.queue.dead_letters(limit=self.max_dead_letters):
                try:
                    order = self.orders.get(letter.order_id)
                except Undecodable as error:
                    log.warning("letter set aside", extra=_facts(letter.order_id, error))
                    order = None
                if order is not None and order.final and order.status is not Status.FAILED:
                    self.queue.drop(letter)
                    dropped += 1
                else:
                    self.queue.put_back(letter)
        except QueueUnavailable:
            log.warning("dead letters not looked at")
        return dropped

    def _enqueue(self, order: Order) -> bool:
        try:
            self.queue.enqueue(WorkMessage(order.order_id, order))
        except QueueUnavailable:
            log.warning("order not enqueued", extra={"order_id": order.order_id})
            return False
        return True


def _facts(order_id: str, error: Undecodable) -> dict[str, str]:
    return {"order_id": order_id, "why": str(error)}
