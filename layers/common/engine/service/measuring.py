"""What a change of an order counts for: told by its row, once it is written."""

from collections.abc import Iterator
from datetime import datetime

from engine.domain.order import Order, Status, Step
from engine.ports.metrics import Metric, Metrics

#: The parts of an order's time, each with the states that it lies between.
PARTS = (
    (Metric.QUEUE_TIME, Status.PENDING, Status.ROUTING),
    (Metric.QUOTE_TIME, Status.ROUTING, Status.BUILDING),
    (Metric.BUILD_TIME, Status.BUILDING, Status.SUBMITTED),
    (Metric.LANDING_TIME, Status.SUBMITTED, Status.CONFIRMED),
)


def measure(order: Order, metrics: Metrics) -> None:
    """Record what the newest change of an order means."""
    for metric, value, by in facts(order):
        metrics.record(metric, value, by=by)


def facts(order: Order) -> Iterator[tuple[Metric, float, str | None]]:
    """Yield what the newest change of an order counts for: metric, value, dimension.

    The time of an order that waited begins when it came due.
    """
    last = order.history[-1]
    before = order.history[-2] if order.seq > 1 else None
    if before is None:
        yield Metric.ORDERS_ACCEPTED, 1, order.terms.kind
    elif order.plan is None and last.attempt > max(1, before.attempt):
        yield Metric.RETRIES, 1, None
    if last.status is Status.PENDING and order.waiting is not None:
        yield Metric.TRIGGERS_FIRED, 1, None
    if not order.final:
        return
    yield Metric.ORDERS_ENDED, 1, order.status
    if order.error is not None:
        yield Metric.ORDERS_FAILED, 1, order.error.code
    if order.dead_letter_due:
        yield Metric.DEAD_LETTERS, 1, None
    first = first_times(order.history)
    if order.status in (Status.CONFIRMED, Status.FAILED) and Status.PENDING in first:
        yield Metric.TIME_TO_END, milliseconds(first[Status.PENDING], last.at), None
    if order.status is Status.CONFIRMED:
        for metric, start, end in PARTS:
            if start in first and end in first:
                yield metric, milliseconds(first[start], first[end]), None


def times(order: Order) -> dict[Metric, int]:
    """Return how long an order took that has just ended, and each part; nothing of another."""
    if not order.final:
        return {}
    wanted = {Metric.TIME_TO_END, *(metric for metric, _, _ in PARTS)}
    return {metric: round(value) for metric, value, _ in facts(order) if metric in wanted}


def first_times(history: tuple[Step, ...]) -> dict[Status, datetime]:
    """Return when an order first came to each state, since it was last due."""
    first: dict[Status, datetime] = {}
    for step in history:
        if step.status is Status.PENDING or step.status is Status.RESTING:
            first.clear()
        first.setdefault(step.status, step.at)
    return first


def milliseconds(start: datetime, end: datetime) -> float:
    """Return the milliseconds between two times; clocks of two machines differ, so none below 0."""
    return max(0.0, (end - start).total_seconds() * 1000)
