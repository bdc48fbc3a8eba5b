"""The order queue and its dead-letter queue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from engine.adapters.codec import decode, encode
from engine.domain.errors import QueueUnavailable
from engine.ports import DeadLetter, WorkMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class UnreadableMessage(ValueError):
    """A message that no sender of ours wrote."""


def message_body(message: WorkMessage) -> str:
    """Return the text of a work message."""
    body: dict[str, Any] = {"orderId": message.order_id}
    if message.snapshot is not None:
        body["order"] = encode(message.snapshot)
    return json.dumps(body, separators=(",", ":"))


def read_message(body: str) -> WorkMessage:
    """Return the work message that `body` holds. Raises UnreadableMessage."""
    try:
        parsed = json.loads(body)
        snapshot = parsed.get("order")
        return WorkMessage(str(parsed["orderId"]), decode(snapshot) if snapshot else None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessage(f"not a work message: {error}") from error


@dataclass(frozen=True, slots=True)
class SqsQueue:
    """The two queues, by their URLs."""

    client: "SQSClient"
    order_queue_url: str
    dead_letter_queue_url: str | None = None

    def enqueue(self, message: WorkMessage) -> None:
        self._send(self.order_queue_url, message_body(message), {})

    def retry_in(self, receipt: str, seconds: int) -> None:
        try:
            self.client.change_message_visibility(
                QueueUrl=self.order_queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable("the message comes back in its own time") from error

    def bury(self, letter: DeadLetter) -> None:
        if self.dead_letter_queue_url is None:
            raise QueueUnavailable("this function has no dead-letter queue")
        attributes = {"reason": letter.reason, "attempts": str(letter.attempts)}
        body = json.dumps({"orderId": letter.order_id, **attributes})
        self._send(self.dead_letter_queue_url, body, {"orderId": letter.order_id, **attributes})

    def _send(self, url: str, body: str, attributes: Mapping[str, str]) -> None:
        try:
            self.client.send_message(
                QueueUrl=url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": text}
                    for name, text in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable("the queue did not take the message") from error
