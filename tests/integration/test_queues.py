"""The queue adapter against moto's SQS."""

from dataclasses import replace
from typing import Any

import pytest

from engine.adapters.aws.queue import SqsQueue, message_body, read_message
from engine.domain.errors import QueueUnavailable
from engine.ports.queue import DeadLetter, WorkMessage
from tests.fakes import an_order


@pytest.fixture
def queue(sqs: Any) -> SqsQueue:
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("orders", "dead")]
    return SqsQueue(sqs, *urls)


def _received(queue: SqsQueue, url: str | None) -> list[Any]:
    answer = queue.client.receive_message(
        QueueUrl=str(url), MessageAttributeNames=["All"], MaxNumberOfMessages=10
    )
    return list(answer.get("Messages", []))


def test_an_order_arrives_with_what_its_sender_knew(queue: SqsQueue) -> None:
    queue.enqueue(WorkMessage(an_order().order_id, an_order()))
    (message,) = _received(queue, queue.order_queue_url)
    assert read_message(message["Body"]) == WorkMessage(an_order().order_id, an_order())


@pytest.mark.parametrize("account", ["ann", "a b", "ä", "x" * 200])
def test_an_order_lies_in_the_group_of_its_account(queue: SqsQueue, account: str) -> None:
    """SQS serves the groups of a standard queue in turns, so that nobody's thousand go first."""
    for owner in (account, account, "bob"):
        sent = replace(an_order(), account=owner)
        queue.enqueue(WorkMessage(sent.order_id, sent))
    answer = queue.client.receive_message(
        QueueUrl=queue.order_queue_url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["MessageGroupId"],
    )
    groups = [message["Attributes"]["MessageGroupId"] for message in answer["Messages"]]
    assert groups[0] == groups[1] != groups[2] == "bob"
    assert all(len(group) <= 128 and group.isascii() and " " not in group for group in groups)


def test_a_message_comes_again_when_told(queue: SqsQueue) -> None:
    queue.enqueue(WorkMessage("o1"))
    (message,) = _received(queue, queue.order_queue_url)
    assert _received(queue, queue.order_queue_url) == []
    queue.retry_in(message["ReceiptHandle"], 0)
    assert len(_received(queue, queue.order_queue_url)) == 1


def test_a_dead_letter_says_which_order_why_and_after_how_many_attempts(queue: SqsQueue) -> None:
    queue.send_dead_letter(DeadLetter("o1", "VENUES_UNAVAILABLE", 3))
    (message,) = _received(queue, queue.dead_letter_queue_url)
    said = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert said == {"orderId": "o1", "reason": "VENUES_UNAVAILABLE", "attempts": "3"}
    assert read_message(message["Body"]) == WorkMessage("o1")  # it can be moved back as it is


def test_a_queue_that_refuses_is_said_to_be_unavailable(sqs: Any) -> None:
    nowhere = SqsQueue(sqs, "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere")
    with pytest.raises(QueueUnavailable):
        nowhere.enqueue(WorkMessage("o1"))
    with pytest.raises(QueueUnavailable):
        nowhere.retry_in("receipt", 1)
    with pytest.raises(QueueUnavailable):
        nowhere.send_dead_letter(DeadLetter("o1", "X", 1))


def test_a_message_is_small(queue: SqsQueue) -> None:
    assert len(message_body(WorkMessage(an_order().order_id, an_order()))) < 500


def test_letters_are_looked_at_dropped_and_put_back(queue: SqsQueue) -> None:
    for name in ("o1", "o2"):
        queue.send_dead_letter(DeadLetter(name, "X", 3))
    of_tomorrow = message_body(WorkMessage(an_order().order_id, an_order())).replace("[0,0", "[9,0")
    for body in ("poison", "[" * 3_000, of_tomorrow):
        queue.client.send_message(QueueUrl=str(queue.dead_letter_queue_url), MessageBody=body)
    found = {letter.order_id: letter for letter in queue.dead_letters(limit=10)}
    assert found.keys() == {"o1", "o2"}
    queue.drop(found["o1"])
    queue.put_back(found["o2"])
    left = queue.dead_letters(limit=10)
    assert [letter.order_id for letter in left] == ["o2"]
