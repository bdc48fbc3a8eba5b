"""What operators see and do, against moto."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.letters import SqsQueues
from engine.adapters.aws.operations import DynamoAudit, DynamoLatencies
from engine.adapters.aws.queue import SqsQueue
from engine.adapters.aws.table import Table
from engine.ports.access import ApiKey, Role
from engine.ports.metrics import Metric
from engine.ports.operations import Act, Audit, Latencies, Result
from engine.ports.queue import DeadLetter
from tests.fakes import START, MemoryAudit, MemoryLatencies
from tests.integration.conftest import TABLE

ACT = Act("00001795337531000-000000000001", START, "olga", "k1", "halt", "why", Result.BEGUN)


@pytest.fixture
def table(dynamodb: Any) -> Table:
    return Table(dynamodb, TABLE)


@pytest.fixture(params=["memory", "dynamodb"])
def audit(request: pytest.FixtureRequest, table: Table) -> Audit:
    return MemoryAudit() if request.param == "memory" else DynamoAudit(table)


@pytest.fixture(params=["memory", "dynamodb"])
def latencies(request: pytest.FixtureRequest, table: Table) -> Latencies:
    return MemoryLatencies() if request.param == "memory" else DynamoLatencies(table)


def test_an_act_is_kept_as_it_was_noted_first_and_gets_its_result(audit: Audit) -> None:
    audit.note(ACT)
    audit.note(replace(ACT, reason="another"))
    assert audit.acts(before=None, limit=10) == [ACT]
    audit.finish(ACT.act_id, Result.DONE)
    assert audit.acts(before=None, limit=10) == [replace(ACT, result=Result.DONE)]


def test_acts_are_read_newest_first_and_on_from_any(audit: Audit) -> None:
    acts = [replace(ACT, act_id=f"{n:014d}-000000000000", key_id=None) for n in range(5)]
    for act in acts:
        audit.note(act, until=START)
    assert audit.acts(before=None, limit=2) == [acts[4], acts[3]]
    assert audit.acts(before=acts[3].act_id, limit=9) == [acts[2], acts[1], acts[0]]


def test_times_are_of_the_orders_that_ended_last_each_once(latencies: Latencies) -> None:
    for n in range(4):
        batch = [(f"{n}{m}", {Metric.TIME_TO_END: 10 * n + m}) for m in range(3)]
        latencies.add(batch, at=START + timedelta(seconds=n))
        latencies.add(batch, at=START + timedelta(seconds=n))
    latencies.add([], at=START)
    last = [each[Metric.TIME_TO_END] for each in latencies.last(6)]
    assert sorted(last) == [20, 21, 22, 30, 31, 32]
    assert len(latencies.last(1_000)) == 12


def test_a_key_keeps_its_role_and_one_of_before_roles_is_a_traders(table: Table) -> None:
    access = DynamoAccess(table)
    access.add_key(ApiKey("k1", "olga", "digest", Role.OPERATOR))
    assert access.key("k1") == ApiKey("k1", "olga", "digest", Role.OPERATOR)
    access.add_key(ApiKey("k2", "tom", "digest"))
    table.update("KEY#k2", "KEY", "REMOVE #r", names={"#r": "role"})
    assert access.key("k2") == ApiKey("k2", "tom", "digest", Role.TRADER)


@pytest.fixture
def queue(sqs: Any) -> SqsQueue:
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("orders", "dead")]
    return SqsQueue(sqs, *urls)


def _seen(queue: SqsQueue) -> SqsQueues:
    return SqsQueues(queue.client, queue.order_queue_url, str(queue.dead_letter_queue_url))


def test_looking_shows_letters_and_leaves_them(queue: SqsQueue) -> None:
    for n in range(13):
        queue.send_dead_letter(DeadLetter(f"o{n}", "VENUES_UNAVAILABLE", 3))
    queue.client.send_message(QueueUrl=str(queue.dead_letter_queue_url), MessageBody="[")
    queues = _seen(queue)
    for again in (1, 2):
        letters = queues.look(limit=100)
        assert {each.order_id for each in letters} == {*(f"o{n}" for n in range(13)), None}
        assert {each.receive_count for each in letters} == {again}
        assert {each.reason for each in letters} == {"VENUES_UNAVAILABLE", None}
    assert len(queues.look(limit=4)) == 4
    assert queues.dead_letters() == 14


def test_what_is_moved_back_keeps_its_accounts_turn(queue: SqsQueue) -> None:
    queue.client.send_message(
        QueueUrl=str(queue.dead_letter_queue_url),
        MessageBody='{"v":1,"orderId":"o1"}',
        MessageGroupId="ann",
    )
    moved = _seen(queue).move(lambda: True, patience=0)
    assert (moved.moved, moved.refused, moved.remaining) == (1, 0, 0)
    (message,) = queue.client.receive_message(
        QueueUrl=queue.order_queue_url, MessageSystemAttributeNames=["MessageGroupId"]
    )["Messages"]
    assert message["Attributes"]["MessageGroupId"] == "ann"


def test_moving_stops_when_it_is_to_and_says_what_is_left(queue: SqsQueue) -> None:
    for n in range(25):
        queue.send_dead_letter(DeadLetter(f"o{n}", "X", 3))
    going = iter([True, False])
    moved = _seen(queue).move(lambda: next(going), patience=0)
    assert 1 <= moved.moved <= 10
    assert moved.remaining == 25 - moved.moved == _seen(queue).dead_letters()
