"""The order queue and its dead-letter queue, as an operator sees them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from engine.adapters.aws.queue import read_message
from engine.adapters.codec import from_ms
from engine.domain.errors import QueueUnavailable, Undecodable
from engine.ports.operations import Depth, LyingLetter, Moved

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
#: How long a letter is out of others' sight, if whoever looked at it or moved it died meanwhile.
_LOOKING_SECONDS, _MOVING_SECONDS = 5, 30
_LOOK_EVERY = 0.5


@dataclass(slots=True, eq=False, repr=False)
class SqsQueues:
    """The two queues, by their URLs."""

    client: Any
    orders: str
    dead: str
    sleep: Callable[[float], None] = time.sleep

    def depth(self) -> Depth:
        return self._depth(self.orders)

    def dead_letters(self) -> int:
        return self._depth(self.dead).total

    def look(self, *, limit: int) -> list[LyingLetter]:
        found: list[LyingLetter] = []
        receipts: list[str] = []
        with _translated():
            try:
                while len(found) < limit:
                    messages = self._received(limit - len(found), _LOOKING_SECONDS)
                    if not messages:
                        break
                    receipts += [message["ReceiptHandle"] for message in messages]
                    found += map(_letter, messages)
            finally:
                for receipt in receipts:
                    self.client.change_message_visibility(
                        QueueUrl=self.dead, ReceiptHandle=receipt, VisibilityTimeout=0
                    )
        return found

    def move(self, goes_on: Callable[[], bool], *, patience: float) -> Moved:
        with _translated():
            return self._moved(goes_on, patience)

    def _moved(self, goes_on: Callable[[], bool], patience: float) -> Moved:
        """Move one by one: sent first, then deleted. What comes meanwhile stays."""
        there = self._depth(self.dead).total
        moved = refused = 0
        waited = 0.0
        while there > moved + refused and goes_on():
            messages = self._received(there - moved - refused, _MOVING_SECONDS)
            if not messages:
                if waited >= patience:
                    break
                waited += _LOOK_EVERY
                self.sleep(_LOOK_EVERY)
            for message in messages:
                try:
                    self._send_back(message)
                except ClientError:
                    refused += 1
                    continue
                self.client.delete_message(
                    QueueUrl=self.dead, ReceiptHandle=message["ReceiptHandle"]
                )
                moved += 1
        return Moved(moved, refused, there - moved)

    def _send_back(self, message: Any) -> None:
        """Send a message to the order queue as it is, in its account's turn if it had one."""
        group = message.get("Attributes", {}).get("MessageGroupId")
        self.client.send_message(
            QueueUrl=self.orders,
            MessageBody=message["Body"],
            MessageAttributes=message.get("MessageAttributes", {}),
            **({"MessageGroupId": group} if group else {}),
        )

    def _received(self, limit: int, seconds: int) -> list[Any]:
        answer = self.client.receive_message(
            QueueUrl=self.dead,
            MaxNumberOfMessages=min(10, limit),
            VisibilityTimeout=seconds,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _depth(self, url: str) -> Depth:
        with _translated():
            answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=[*_COUNTS])
        return Depth(*(int(answer["Attributes"].get(name, 0)) for name in _COUNTS))


def _letter(message: Any) -> LyingLetter:
    system = message.get("Attributes", {})
    said = message.get("MessageAttributes", {})
    try:
        order_id = read_message(message["Body"]).order_id
    except Undecodable:
        order_id = None
    return LyingLetter(
        message["MessageId"],
        order_id,
        int(system.get("ApproximateReceiveCount", 1)),
        from_ms(int(system.get("SentTimestamp", 0))),
        said["reason"]["StringValue"] if "reason" in said else None,
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise QueueUnavailable("a queue did not answer as it should") from error
