"""What is counted and measured, by name."""

from enum import StrEnum
from typing import Protocol


class Metric(StrEnum):
    """Every metric that the engine emits. Times are milliseconds, all else is a count."""

    ORDERS_ACCEPTED = "OrdersAccepted"
    ORDERS_ENDED = "OrdersEnded"
    ORDERS_FAILED = "OrdersFailed"
    RETRIES = "Retries"
    TIME_TO_END = "TimeToEnd"
    QUEUE_TIME = "QueueTime"
    QUOTE_TIME = "QuoteTime"
    BUILD_TIME = "BuildTime"
    LANDING_TIME = "LandingTime"
    DEAD_LETTERS = "DeadLetters"
    TRIGGERS_DUE = "TriggersDue"
    TRIGGERS_FIRED = "TriggersFired"
    TRIGGER_LAG = "TriggerLag"
    TICKS = "Ticks"
    PRICE_AGE = "PriceAge"
    ORDERS_RESTING = "OrdersResting"
    REPAIRS = "Repairs"
    PUSH_LAG = "PushLag"
    WATCHERS_GONE = "WatchersGone"
    VENUE_FAILURES = "VenueFailures"
    BREAKERS_OPENED = "BreakersOpened"
    SIGNALS_ACCEPTED = "SignalsAccepted"
    SIGNALS_REFUSED = "SignalsRefused"


#: The one dimension of those that have any; each has a handful of values, none of them a client's.
DIMENSIONS: dict[Metric, str] = {
    Metric.ORDERS_ACCEPTED: "kind",
    Metric.ORDERS_ENDED: "outcome",
    Metric.ORDERS_FAILED: "reason",
    Metric.ORDERS_RESTING: "pair",
    Metric.VENUE_FAILURES: "venue",
    Metric.BREAKERS_OPENED: "venue",
    Metric.SIGNALS_REFUSED: "reason",
}
#: What is measured in milliseconds.
TIMES = frozenset(
    {
        Metric.TIME_TO_END,
        Metric.QUEUE_TIME,
        Metric.QUOTE_TIME,
        Metric.BUILD_TIME,
        Metric.LANDING_TIME,
        Metric.TRIGGER_LAG,
        Metric.PRICE_AGE,
        Metric.PUSH_LAG,
    }
)


class Metrics(Protocol):
    """Collects facts while a batch is worked on, from any thread; the doorway emits them after."""

    def record(self, metric: Metric, value: float = 1, *, by: str | None = None) -> None:
        """Note a fact that has happened; `by` is the value of the metric's dimension."""
        ...

    def emit(self) -> None:
        """Emit all that was recorded since the last time, once."""
        ...


class Unmeasured:
    """Where nobody counts."""

    def record(self, metric: Metric, value: float = 1, *, by: str | None = None) -> None:
        pass

    def emit(self) -> None:
        pass


UNMEASURED = Unmeasured()
