"""The order queue and its dead-letter queue."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from engine.adapters.codec import (
    check_version,
    decode,
    decoding,
    encode,
    identifier,
    version_of,
)
from engine.domain.errors import QueueUnavailable, Undecodable
from engine.observability import log
from engine.ports.queue import DeadLetter, ReceivedDeadLetter, WorkMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


#: How long a letter is out of others' sight while it is looked at.
_LOOKING_SECONDS = 10
_GROUP = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")
_MAX_LOOKED_AT = 500  # letters a run, also if none of them can be read


def message_body(message: WorkMessage) -> str:
    """Return the text of a work message."""
    body: dict[str, Any] = {"v": 1, "orderId": message.order_id}
    if message.snapshot is not None:
        body |= {"v": version_of(message.snapshot), "order": encode(message.snapshot)}
    return json.dumps(body, separators=(",", ":"))


def read_message(body: str) -> WorkMessage:
    """Return the work message that `body` holds. Raises Undecodable."""
    with decoding("a message"):
        parsed = json.loads(body)
        check_version(parsed.get("v", 1))
        order_id, written = identifier(parsed["orderId"]), parsed.get("order")
        snapshot = None if written is None else decode(written)
        if snapshot and snapshot.order_id != order_id:
            raise ValueError(f"it is of order {order_id} and holds another")
        return WorkMessage(order_id, snapshot)


def account_group(account: str) -> str:
    """Return an account's message group: its name, or a digest of one that SQS would not take."""
    if _GROUP.fullmatch(account):
        return account
    return sha256(account.encode()).hexdigest()


@dataclass(slots=True, eq=False, repr=False)
class SqsQueue:
    """The two queues, by their URLs."""

    client: "SQSClient"
    order_queue_url: str
    dead_letter_queue_url: str | None = None

    def enqueue(self, message: WorkMessage) -> None:
        # SQS serves the groups of a standard queue in turns ("fair queues"), and keeps no order in
        # one: an account's thousand orders do not stand before everybody's one.
        group = account_group(message.snapshot.account) if message.snapshot else None
        self._send(self.order_queue_url, message_body(message), {}, group)

    def retry_in(self, receipt: str, seconds: int) -> None:
        with _translated("the message comes back in its own time"):
            self.client.change_message_visibility(
                QueueUrl=self.order_queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def send_dead_letter(self, letter: DeadLetter) -> None:
        attributes = {"reason": letter.reason, "attempts": str(letter.attempts)}
        body = json.dumps({"v": 1, "orderId": letter.order_id, **attributes})
        self._send(self._dead_letter_queue, body, {"orderId": letter.order_id, **attributes})

    def dead_letters(self, *, limit: int) -> list[ReceivedDeadLetter]:
        found: list[ReceivedDeadLetter] = []
        looked_at = 0
        with _translated("the dead-letter queue did not answer"):
            while len(found) < limit and looked_at < _MAX_LOOKED_AT:
                answer = self.client.receive_message(
                    QueueUrl=self._dead_letter_queue,
                    MaxNumberOfMessages=min(10, limit - len(found)),
                    VisibilityTimeout=_LOOKING_SECONDS,
                )
                messages = answer.get("Messages", [])
                if not messages:
                    break
                looked_at += len(messages)
                for message in messages:
                    try:
                        order_id = read_message(message["Body"]).order_id
                    except Undecodable as error:  # an operator's to look at
                        facts = {"message_id": message["MessageId"], "why": str(error)}
                        log.warning("letter set aside", extra=facts)
                        continue
                    found.append(ReceivedDeadLetter(order_id, message["ReceiptHandle"]))
        return found

    def drop(self, letter: ReceivedDeadLetter) -> None:
        with _translated("the letter was not dropped"):
            self.client.delete_message(
                QueueUrl=self._dead_letter_queue, ReceiptHandle=letter.receipt
            )

    def put_back(self, letter: ReceivedDeadLetter) -> None:
        with _translated("the letter comes back in its own time"):
            self.client.change_message_visibility(
                QueueUrl=self._dead_letter_queue, ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )

    @property
    def _dead_letter_queue(self) -> str:
        if self.dead_letter_queue_url is None:
            raise QueueUnavailable("this function has no dead-letter queue")
        return self.dead_letter_queue_url

    def _send(
        self, url: str, body: str, attributes: Mapping[str, str], group: str | None = None
    ) -> None:
        grouped: Any = {"MessageGroupId": group} if group else {}
        with _translated("the queue did not take the message"):
            self.client.send_message(
                **grouped,
                QueueUrl=url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": text}
                    for name, text in attributes.items()
                },
            )


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Raise QueueUnavailable for what the queue should not have answered."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise QueueUnavailable(what) from error
