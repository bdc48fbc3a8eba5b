"""What operators see of the system, and what is kept of their acts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.ports.metrics import Metric

#: An order's times in milliseconds, by the metric that they count for.
Times = dict[Metric, int]


class Result(StrEnum):
    """What became of an act. It is `begun` before it is done: if it stays so, nobody knows."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did, or was refused to do; ids sort by time, and are no other act's."""

    act_id: str
    at: datetime
    account: str
    key_id: str | None
    act: str
    reason: str | None
    result: Result


class Audit(Protocol):
    """The acts of operators; none is ever changed but for its result."""

    def note(self, act: Act, *, until: datetime | None = None) -> None:
        """Write an act down, once for its id; it is kept for ever, or `until`."""
        ...

    def finish(self, act_id: str, result: Result) -> None: ...

    def acts(self, *, before: str | None, limit: int) -> Sequence[Act]:
        """Return up to `limit` acts, the newest first; with `before`, an act's id, older ones."""
        ...


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue has, about: to be taken, taken, and not yet to be taken."""

    waiting: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.waiting + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class LyingLetter:
    """A message in the dead-letter queue, readable or not."""

    message_id: str
    order_id: str | None
    receive_count: int
    sent_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """How many letters went back to the order queue, which it did not take, and what is left."""

    moved: int
    refused: int
    remaining: int


class Queues(Protocol):
    """Both queues, as an operator sees them. Raises QueueUnavailable."""

    def depth(self) -> Depth: ...

    def dead_letters(self) -> int:
        """Count the letters, about."""
        ...

    def look(self, *, limit: int) -> Sequence[LyingLetter]:
        """Show up to `limit` letters, some of those there, and leave them for others to see."""
        ...

    def move(self, goes_on: Callable[[], bool], *, patience: float) -> Moved:
        """Move the letters that are there now back, while it `goes_on`.

        Those that somebody looks at are waited for, `patience` seconds at most.
        """
        ...


class Latencies(Protocol):
    """How long the orders took that ended last."""

    def add(self, times: Iterable[tuple[str, Times]], *, at: datetime) -> None:
        """Keep the times of orders, each with its id."""
        ...

    def last(self, orders: int) -> Sequence[Times]:
        """Return the times of the last so many orders that ended, or of as many as there are."""
        ...
