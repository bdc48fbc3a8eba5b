"""The order queue and its dead-letter queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.domain.order import Order


@dataclass(frozen=True, slots=True)
class WorkMessage:
    """What lies in the order queue: an id, and the order as its sender knew it.

    The snapshot saves a read. It is believed only as far as a write conditional on its `seq` goes.
    """

    order_id: str
    snapshot: Order | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What lies in the dead-letter queue about an order that failed after all its attempts."""

    order_id: str
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True)
class ReceivedDeadLetter:
    """A message that lies in the dead-letter queue; `receipt` is good for a few seconds."""

    order_id: str
    receipt: str


class OrderQueue(Protocol):
    """The order queue and its dead-letter queue."""

    def enqueue(self, message: WorkMessage) -> None:
        """Hand an order to the workers. Raises QueueUnavailable: it may lie there all the same."""
        ...

    def retry_in(self, receipt: str, seconds: int) -> None:
        """Hide a received message for `seconds` (0..43200), then deliver it again."""
        ...

    def send_dead_letter(self, letter: DeadLetter) -> None:
        """Put a letter into the dead-letter queue. Raises QueueUnavailable."""
        ...

    def dead_letters(self, *, limit: int) -> Sequence[ReceivedDeadLetter]:
        """Look at up to `limit` letters, some of those there. Raises QueueUnavailable.

        One that can't be decoded stays where it is, with a log line.
        """
        ...

    def drop(self, letter: ReceivedDeadLetter) -> None:
        """Take a letter out of the dead-letter queue. Raises QueueUnavailable."""
        ...

    def put_back(self, letter: ReceivedDeadLetter) -> None:
        """Let others see a letter again at once. Raises QueueUnavailable."""
        ...
