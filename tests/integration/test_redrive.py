"""Where SQS knows no StartMessageMoveTask, the letters are moved one by one."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from engine.adapters.aws.queue import SqsQueue
from engine.ports.queue import DeadLetter
from local.ops.redrive import Moved, Queues


class Old:
    """An SQS client of a cloud that has no such call; moto raises NotImplementedError for it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def start_message_move_task(self, **_: str) -> None:
        raise ClientError({"Error": {"Code": "InvalidAction"}}, "StartMessageMoveTask")


@pytest.fixture
def queue(sqs: Any) -> SqsQueue:
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("orders", "dead")]
    return SqsQueue(sqs, *urls)


def _redriven(queue: SqsQueue, client: Any) -> Moved:
    return Queues(client, str(queue.dead_letter_queue_url), queue.order_queue_url).redrive()


def test_every_letter_is_moved_with_what_it_says(queue: SqsQueue) -> None:
    for n in range(23):
        queue.send_dead_letter(DeadLetter(f"o{n}", "X", 3))
    assert _redriven(queue, Old(queue.client)) == Moved(23, by_hand=True)
    assert queue.dead_letters(limit=1) == []
    said = set()
    while messages := queue.client.receive_message(
        QueueUrl=queue.order_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", []):
        said |= {m["MessageAttributes"]["orderId"]["StringValue"] for m in messages}
    assert said == {f"o{n}" for n in range(23)}


def test_no_letters_are_moved_where_there_are_none(queue: SqsQueue) -> None:
    assert _redriven(queue, Old(queue.client)) == Moved(0, by_hand=True)


def test_letters_that_are_being_looked_at_are_waited_for_but_not_for_ever(queue: SqsQueue) -> None:
    dead = str(queue.dead_letter_queue_url)
    for n in range(3):
        queue.send_dead_letter(DeadLetter(f"o{n}", "X", 3))
    held = queue.dead_letters(limit=2)

    def put_back(_: float) -> None:
        if held:
            queue.put_back(held.pop())

    queues = Queues(Old(queue.client), dead, queue.order_queue_url, put_back)
    assert queues.redrive() == Moved(3, by_hand=True)
    queue.send_dead_letter(DeadLetter("o4", "X", 3))
    queue.client.receive_message(QueueUrl=dead, VisibilityTimeout=3_600)
    assert queues.redrive() == Moved(0, by_hand=True)


def test_a_letter_that_comes_meanwhile_is_not_moved_round_and_round(queue: SqsQueue) -> None:
    class Returning(Old):
        def send_message(self, **message: Any) -> Any:
            self.sent += 1
            assert self.sent <= 2, "it never ends"
            queue.send_dead_letter(DeadLetter("again", "X", 3))
            return self._client.send_message(**message)

    for name in ("o1", "o2"):
        queue.send_dead_letter(DeadLetter(name, "X", 3))
    assert _redriven(queue, Returning(queue.client)) == Moved(2, by_hand=True)


def test_letters_that_nobody_can_decode_are_moved_too_and_one_that_is_refused_stops_nobody(
    queue: SqsQueue,
) -> None:
    class Choosy(Old):
        def send_message(self, **message: Any) -> Any:
            if message["MessageBody"] == "refused":
                raise ClientError({"Error": {"Code": "InvalidMessageContents"}}, "SendMessage")
            return self._client.send_message(**message)

    for body in ("refused", "[" * 3_000, '{"v":99}'):
        queue.client.send_message(QueueUrl=str(queue.dead_letter_queue_url), MessageBody=body)
    queue.send_dead_letter(DeadLetter("o1", "X", 3))
    assert _redriven(queue, Choosy(queue.client)) == Moved(3, by_hand=True, refused=1)
