"""Small stand-ins for three AWS services, with botocore's manners and a virtual clock.

They keep the promises that AWS makes, and no more: a queue delivers again what was not deleted in
time, a stream is read again from where its reader last said it had come.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import RLock
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from engine.ports.clock import Clock
from tests.proof.border import Border
from tests.proof.expressions import change, holds, plain

Item = dict[str, Any]
#: The two keys of each index, as the template has it.
INDEXES = {
    "open-orders": ("open", "placed"),
    "by-account": ("account", "placed"),
    "waits-above": ("aboveIn", "above"),
    "waits-below": ("belowIn", "below"),
    "waits-until": ("lastsIn", "lasts"),
}
#: As the template has it.
VISIBILITY = timedelta(seconds=60)
MAX_RECEIVES = 10


def refusal(code: str, operation: str, **more: Any) -> ClientError:
    """Return the error that botocore raises for a service's refusal."""
    answer: Any = {"Error": {"Code": code, "Message": code}, **more}
    return ClientError(answer, operation)


def _trouble(call: str) -> Exception:
    return refusal("InternalServerError", call)


def _timeout(call: str) -> Exception:
    return ReadTimeoutError(endpoint_url=call)


class FakeClient:
    """A client whose operations are its `do_` methods; each call of one crosses the border."""

    service = ""

    def __init__(self, border: Border) -> None:
        self._border = border
        self.lock = RLock()  # a service answers one call at a time, whoever calls

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith("do_"):
            raise AttributeError(f"the fake {self.service} has no {operation[3:]} yet: write it")
        do = getattr(self, f"do_{operation}")

        def alone(**params: Any) -> Any:
            with self.lock:
                return do(**params)

        def call(**params: Any) -> Any:
            name = f"{self.service}.{operation}"
            return self._border.cross(name, partial(alone, **params), _trouble, _timeout)

        return call


class FakeDynamo(FakeClient):
    """One table with a stream; `records` is the stream, from the beginning of time.

    Its indexes are read eventually: while it is `lagging` they show the rows as they were.
    """

    service = "dynamodb"

    def __init__(self, border: Border) -> None:
        super().__init__(border)
        self.rows: dict[tuple[str, str], Item] = {}
        self.records: list[dict[str, Any]] = []
        self.lagging = False
        self.late: dict[tuple[str, str], Item | None] = {}

    def catch_up(self) -> None:
        """Let the indexes show all that was written."""
        self.lagging = False
        self.late.clear()

    def do_get_item(self, *, Key: Item, **_: Any) -> dict[str, Any]:  # noqa: N803
        row = self.rows.get(_place(Key))
        return {} if row is None else {"Item": row}

    def do_batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, request),) = RequestItems.items()
        rows = [self.rows.get(_place(key)) for key in request["Keys"]]
        return {"Responses": {table: [row for row in rows if row]}, "UnprocessedKeys": {}}

    def do_put_item(self, *, Item: Item, **params: Any) -> dict[str, Any]:  # noqa: N803
        self._check("PutItem", self.rows.get(_place(Item)), params)
        self._write(_place(Item), Item)
        return {}

    def do_update_item(
        self,
        *,
        Key: Item,  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        **params: Any,
    ) -> dict[str, Any]:
        row = self.rows.get(_place(Key))
        self._check("UpdateItem", row, params)
        names = params.get("ExpressionAttributeNames", {})
        values = params.get("ExpressionAttributeValues", {})
        changed = change(UpdateExpression, {**Key, **(row or {})}, names, values)
        self._write(_place(Key), changed)
        return {"Attributes": changed}

    def do_delete_item(self, *, Key: Item, **params: Any) -> dict[str, Any]:  # noqa: N803
        row = self.rows.get(_place(Key))
        self._check("DeleteItem", row, params)
        if row is None:
            return {}
        self._write(_place(Key), None)
        return {"Attributes": row}

    def do_query(
        self,
        *,
        KeyConditionExpression: str,  # noqa: N803
        IndexName: str | None = None,  # noqa: N803
        ScanIndexForward: bool = True,  # noqa: N803
        Limit: int | None = None,  # noqa: N803
        **params: Any,
    ) -> dict[str, Any]:
        names = params.get("ExpressionAttributeNames", {})
        values = params.get("ExpressionAttributeValues", {})
        keys = INDEXES[IndexName] if IndexName else ("pk", "sk")
        seen = {**self.rows, **self.late} if IndexName else self.rows
        rows = [row for row in seen.values() if row and all(name in row for name in keys)]
        found = [row for row in rows if holds(KeyConditionExpression, row, names, values)]
        found.sort(key=lambda row: str(plain(row[keys[1]])), reverse=not ScanIndexForward)
        if IndexName:  # they all hold keys only
            found = [{name: row[name] for name in {"pk", "sk", *keys}} for row in found]
        return {"Items": found[:Limit]}  # no LastEvaluatedKey: whoever sets a limit wants no more

    def _check(self, operation: str, row: Item | None, params: Mapping[str, Any]) -> None:
        condition = params.get("ConditionExpression")
        if condition is None:
            return
        names = params.get("ExpressionAttributeNames", {})
        values = params.get("ExpressionAttributeValues", {})
        if not holds(condition, row or {}, names, values):
            raise refusal("ConditionalCheckFailedException", operation, Item=row or {})

    def _write(self, place: tuple[str, str], new: Item | None) -> None:
        old = self.rows.pop(place, None)
        if new is not None:
            self.rows[place] = new
        if new == old:
            return
        if self.lagging:
            self.late.setdefault(place, old)
        images = {"NewImage": new, "OldImage": old}
        self.records.append(
            {
                "eventName": "INSERT" if old is None else "MODIFY" if new else "REMOVE",
                "dynamodb": {
                    "Keys": {"pk": {"S": place[0]}, "sk": {"S": place[1]}},
                    "SequenceNumber": f"{len(self.records) + 1:021d}",
                    **{name: image for name, image in images.items() if image is not None},
                },
            }
        )


def _place(key: Item) -> tuple[str, str]:
    return key["pk"]["S"], key["sk"]["S"]


@dataclass
class Message:
    """A message in a queue; `receipt` is the one that its latest receiver got."""

    message_id: str
    body: str
    visible_at: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)
    receives: int = 0
    receipt: str | None = None

    @property
    def order_id(self) -> str | None:
        try:
            order_id: str = json.loads(self.body)["orderId"]
        except (ValueError, KeyError, TypeError):
            return None
        return order_id


class FakeSqs(FakeClient):
    """Standard queues by URL; what was received too often goes on to the queue's `dead` one."""

    service = "sqs"

    def __init__(self, border: Border, clock: Clock, dead: Mapping[str, str]) -> None:
        super().__init__(border)
        self.clock = clock
        self.dead = dead
        self.queues: dict[str, list[Message]] = {}
        self._ids = itertools.count(1)

    def messages(self, url: str) -> list[Message]:
        return self.queues.setdefault(url, [])

    def visible(self, url: str) -> list[Message]:
        now = self.clock.now()
        return [m for m in self.messages(url) if m.visible_at <= now]

    def duplicate(self, url: str, message: Message) -> None:
        """Deliver a message once more than it was sent, as a standard queue may."""
        self.do_send_message(QueueUrl=url, MessageBody=message.body)

    def receive(self, url: str, chosen: list[Message], hidden: timedelta) -> list[Message]:
        """Receive visible messages; those that were received too often are moved instead."""
        received = []
        for message in chosen:
            dead = self.dead.get(url)
            if dead is not None and message.receives >= MAX_RECEIVES:
                self.messages(url).remove(message)
                message.receives, message.receipt = 0, None
                self.messages(dead).append(message)
                continue
            message.receives += 1
            message.receipt = f"{message.message_id}#{message.receives}"
            message.visible_at = self.clock.now() + hidden
            received.append(message)
        return received

    def do_send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        MessageAttributes: Mapping[str, Any] | None = None,  # noqa: N803
        MessageGroupId: str | None = None,  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
    ) -> dict[str, Any]:
        message = Message(
            f"m{next(self._ids)}",
            MessageBody,
            self.clock.now() + timedelta(seconds=DelaySeconds),
            MessageAttributes or {},
        )
        self.messages(QueueUrl).append(message)
        return {"MessageId": message.message_id}

    def do_receive_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MaxNumberOfMessages: int = 1,  # noqa: N803
        VisibilityTimeout: int = 30,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        chosen = self.visible(QueueUrl)[:MaxNumberOfMessages]
        received = self.receive(QueueUrl, chosen, timedelta(seconds=VisibilityTimeout))
        return {
            "Messages": [
                {"MessageId": m.message_id, "ReceiptHandle": m.receipt, "Body": m.body}
                for m in received
            ]
        }

    def do_delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        queue = self.messages(QueueUrl)
        queue[:] = [m for m in queue if m.receipt != ReceiptHandle]

    def do_change_message_visibility(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
    ) -> None:
        now = self.clock.now()
        for message in self.messages(QueueUrl):
            if message.receipt == ReceiptHandle and now < message.visible_at:
                message.visible_at = now + timedelta(seconds=VisibilityTimeout)
                return
        raise refusal("MessageNotInflight", "ChangeMessageVisibility")


class FakeSockets(FakeClient):
    """The connections of a WebSocket API, and what each client heard."""

    service = "connections"

    def __init__(self, border: Border) -> None:
        super().__init__(border)
        self.open: set[str] = set()
        self.heard: dict[str, list[Mapping[str, Any]]] = {}

    def do_post_to_connection(self, *, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        if ConnectionId not in self.open:
            raise refusal("GoneException", "PostToConnection")
        self.heard.setdefault(ConnectionId, []).append(json.loads(Data))

    def do_delete_connection(self, *, ConnectionId: str) -> None:  # noqa: N803
        if ConnectionId not in self.open:
            raise refusal("GoneException", "DeleteConnection")
        self.open.discard(ConnectionId)
