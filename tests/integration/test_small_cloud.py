"""The proof's small cloud answers as moto's does, so that what is proved on it holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.queue import SqsQueue
from engine.adapters.aws.subscriptions import DynamoSubscriptions
from engine.adapters.aws.table import Table
from engine.domain.errors import EngineError
from engine.domain.order import Failure, Status
from engine.ports.access import ApiKey, Caller
from engine.ports.queue import DeadLetter, WorkMessage
from engine.ports.subscriptions import Subscription, account_topic, order_topic
from tests.fakes import START, FakeClock, an_order
from tests.proof.aws import FakeDynamo, FakeSqs
from tests.proof.border import Border

LATER = START + timedelta(seconds=1)
FAR = START + timedelta(hours=2)
Call = Callable[[], object]


def _told(call: Call) -> object:
    """Return what a call returned or raised, so that it can be compared."""
    try:
        result = call()
    except EngineError as error:
        return type(error), getattr(error, "current", None)
    return list(result) if isinstance(result, Iterator) else result


def _orders(table: Table) -> Iterator[Call]:
    orders = DynamoOrders(table)
    one, two = an_order(), an_order(order_id="o2", at=LATER)
    claimed = one.claim(at=LATER, until=FAR, by="w")
    failed = two.fail(Failure("EXPIRED", "x"), at=LATER, dead_letter=True)
    yield lambda: orders.add(one)
    yield lambda: orders.add(one)
    yield lambda: orders.add(an_order(account="bob"))
    yield lambda: orders.save(two, expected_seq=1)
    yield lambda: orders.add(two)
    yield lambda: orders.save(claimed, expected_seq=1)
    yield lambda: orders.save(claimed, expected_seq=1)
    yield lambda: orders.save(one.claim(at=LATER, until=FAR, by="v"), expected_seq=1)
    yield lambda: orders.save(failed, expected_seq=1)
    yield lambda: orders.get("o2")
    yield lambda: orders.get("nothing")
    yield lambda: list(orders.open_before(FAR, limit=9))
    yield lambda: list(orders.open_before(LATER, limit=9))
    yield lambda: orders.of_account("anyone", before=None, limit=9)
    yield lambda: orders.of_account("anyone", before=None, limit=1)
    yield lambda: orders.of_account("nobody", before=None, limit=1)
    yield lambda: orders.save(
        claimed.fail(Failure("EXPIRED", "x"), at=LATER), expected_seq=claimed.seq
    )
    yield lambda: [order.status for order in orders.open_before(FAR, limit=9)] == [Status.FAILED]


def _subscriptions(table: Table) -> Iterator[Call]:
    subscriptions = DynamoSubscriptions(table)
    ann, bob = (Subscription(order_topic("o1"), name, since=START) for name in ("ann", "bob"))
    carol = Caller("a", "key")
    yield lambda: subscriptions.connected_by(carol, at=START)
    for n in range(4):
        yield lambda n=n: subscriptions.count_connect(f"c{n}", carol, at=START, limit=3)  # type: ignore[misc]
    yield lambda: subscriptions.count_connect("c5", Caller("a", "other"), at=START, limit=0)
    yield lambda: subscriptions.connected_by(carol, at=START)
    yield lambda: subscriptions.connect(
        "carol", carol, until=FAR, first=Subscription(account_topic("a"), "")
    )
    yield lambda: subscriptions.caller_of("carol")
    yield lambda: subscriptions.watch(ann)
    yield lambda: subscriptions.connect("ann", Caller("a"), until=FAR)
    yield lambda: subscriptions.connect("bob", Caller("b"), until=FAR, first=bob)
    yield lambda: subscriptions.watch(ann)
    yield lambda: subscriptions.watch(ann)
    yield lambda: subscriptions.watch(Subscription(account_topic("a"), "ann", after_seq=3))
    yield lambda: subscriptions.of([(order_topic("o1"), "a"), (account_topic("a"), "a")])
    yield lambda: subscriptions.of([(order_topic("o1"), "b")])
    stands = ann.of_caller(Caller("a"), until=FAR)
    yield lambda: subscriptions.change(stands, replace(stands, caught_up=True))
    yield lambda: subscriptions.change(stands, replace(stands, after_seq=3))
    yield lambda: subscriptions.change(ann.of_caller(Caller("a"), until=LATER), stands)
    yield lambda: subscriptions.of([(order_topic("o1"), "a")])
    yield lambda: subscriptions.caller_of("ann")
    yield lambda: subscriptions.forget(ann.of_caller(Caller("a"), until=FAR))
    yield lambda: subscriptions.forget(ann.of_caller(Caller("a"), until=FAR))
    yield lambda: subscriptions.forget(Subscription(order_topic("o1"), "nobody"))
    for n in range(52):
        yield lambda n=n: subscriptions.watch(Subscription(order_topic(f"o{n}"), "ann"))  # type: ignore[misc]
    yield lambda: subscriptions.forget_connection("ann")
    yield lambda: subscriptions.forget_connection("ann")
    yield lambda: subscriptions.of([(order_topic(f"o{n}"), "a") for n in range(52)])
    yield lambda: subscriptions.of([(account_topic("a"), "a")])


def _access(table: Table) -> Iterator[Call]:
    access = DynamoAccess(table)
    yield access.trading
    yield lambda: access.add_key(ApiKey("id", "ann", "digest"))
    yield lambda: access.key("id")
    yield lambda: access.revoke_key("id")
    yield lambda: access.revoke_key("nothing")
    yield lambda: access.key("id")
    yield lambda: access.add_ticket("t", Caller("ann", "id"), until=LATER)
    for now in (FAR, START, START):
        yield lambda now=now: access.ticket("t", now=now)  # type: ignore[misc]
        yield lambda now=now: access.use_ticket("t", now=now)  # type: ignore[misc]
    for _ in range(4):
        yield lambda: access.count_order("ann", 1, maximum=3, until=FAR)


@pytest.mark.parametrize("story", [_orders, _subscriptions, _access], ids=lambda s: s.__name__[1:])
def test_the_small_table_answers_as_motos(
    story: Callable[[Table], Iterator[Call]], dynamodb: Any
) -> None:
    small = FakeDynamo(Border())
    pairs = zip(
        story(Table(cast("Any", small), "orders")), story(Table(dynamodb, "orders")), strict=True
    )
    for n, (ours, theirs) in enumerate(pairs):
        assert _told(ours) == _told(theirs), f"call {n}"
    rows = dynamodb.scan(TableName="orders")["Items"]
    assert {(row["pk"]["S"], row["sk"]["S"]): row for row in rows} == small.rows


def _queue(queue: SqsQueue) -> Iterator[Call]:
    def receive(url: str | None, hidden: int) -> list[Any]:
        answer = queue.client.receive_message(
            QueueUrl=str(url), VisibilityTimeout=hidden, MaxNumberOfMessages=10
        )
        return list(answer.get("Messages", []))

    def body(url: str | None, hidden: int) -> Call:
        return lambda: sorted(message["Body"] for message in receive(url, hidden))

    yield lambda: queue.enqueue(WorkMessage("o1", an_order()))
    yield body(queue.order_queue_url, 0)
    yield body(queue.order_queue_url, 60)
    yield body(queue.order_queue_url, 60)
    yield lambda: queue.retry_in("no receipt", 1)
    for name in ("o1", "o2"):
        yield lambda name=name: queue.send_dead_letter(DeadLetter(name, "X", 3))  # type: ignore[misc]
    found = {}

    def look() -> list[str]:
        found.update({letter.order_id: letter for letter in queue.dead_letters(limit=10)})
        return sorted(found)

    yield look
    yield lambda: queue.dead_letters(limit=10)
    yield lambda: queue.drop(found["o1"])
    yield lambda: queue.put_back(found["o2"])
    yield lambda: [letter.order_id for letter in queue.dead_letters(limit=10)]


def test_the_small_queues_answer_as_motos(sqs: Any) -> None:
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("orders", "dead")]
    small = FakeSqs(Border(), FakeClock(), dict([urls]))
    pairs = zip(
        _queue(SqsQueue(cast("Any", small), *urls)), _queue(SqsQueue(sqs, *urls)), strict=True
    )
    for n, (ours, theirs) in enumerate(pairs):
        assert _told(ours) == _told(theirs), f"call {n}"


def test_what_was_received_too_often_goes_to_the_dead_letters_as_at_motos(sqs: Any) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = f'{{"deadLetterTargetArn":"{arn["QueueArn"]}","maxReceiveCount":10}}'
    url = sqs.create_queue(QueueName="orders", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    small = FakeSqs(Border(), FakeClock(), {url: dead})
    for client in (sqs, cast("Any", small)):
        client.send_message(QueueUrl=url, MessageBody="poison")
        seen = [
            len(client.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages", []))
            for _ in range(12)
        ]
        assert seen == [1] * 10 + [0] * 2
        assert client.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"
