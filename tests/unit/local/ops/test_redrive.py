"""Dead letters are moved back by SQS itself where it can, and its refusals are not hidden."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from local.errors import Refused
from local.ops.redrive import Moved, Queues, queues_of, told
from local.ops.target import Target

DEAD, ORDERS = "https://sqs/dead", "https://sqs/orders"
SLEPT: list[float] = []


@pytest.fixture
def sqs() -> Iterator[Any]:
    client = boto3.client(
        "sqs",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    SLEPT.clear()
    with Stubber(client) as stub:
        client.stub = stub  # type: ignore[attr-defined]
        yield client
        stub.assert_no_pending_responses()


def _queues(sqs: Any) -> Queues:
    return Queues(sqs, DEAD, ORDERS, SLEPT.append)


def _arns(sqs: Any) -> None:
    for url in (DEAD, ORDERS):
        sqs.stub.add_response(
            "get_queue_attributes",
            {"Attributes": {"QueueArn": f"arn:{url}"}},
            {"QueueUrl": url, "AttributeNames": ["QueueArn"]},
        )


def _started(sqs: Any) -> None:
    _arns(sqs)
    sqs.stub.add_response(
        "start_message_move_task",
        {"TaskHandle": "task"},
        {"SourceArn": f"arn:{DEAD}", "DestinationArn": f"arn:{ORDERS}"},
    )


def _looked(sqs: Any, status: str, **more: object) -> None:
    sqs.stub.add_response(
        "list_message_move_tasks",
        {"Results": [{"Status": status, **more}]},
        {"SourceArn": f"arn:{DEAD}", "MaxResults": 1},
    )


def test_sqs_moves_the_letters_to_where_it_is_told_and_is_waited_for(sqs: Any) -> None:
    _started(sqs)
    _looked(sqs, "RUNNING")
    _looked(sqs, "COMPLETED", ApproximateNumberOfMessagesMoved=3)
    assert _queues(sqs).redrive() == Moved(3)
    assert len(SLEPT) == 1


def test_a_move_that_sqs_gives_up_is_a_failure_with_its_reason(sqs: Any) -> None:
    _started(sqs)
    _looked(sqs, "FAILED", FailureReason="AccessDenied")
    with pytest.raises(Refused, match="failed: AccessDenied"):
        _queues(sqs).redrive()


def test_a_move_without_an_end_is_not_waited_for_for_ever(sqs: Any) -> None:
    _started(sqs)
    for _ in range(600):
        _looked(sqs, "RUNNING")
    with pytest.raises(Refused, match="very long"):
        _queues(sqs).redrive()
    assert sum(SLEPT) == 600


def test_a_refusal_that_is_no_ignorance_is_not_worked_around(sqs: Any) -> None:
    _arns(sqs)
    sqs.stub.add_client_error("start_message_move_task", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        _queues(sqs).redrive()


def test_the_queues_are_the_stacks(sqs: Any) -> None:
    outputs = {"DeadLetterQueueUrl": DEAD, "OrderQueueUrl": ORDERS}
    found = queues_of(Target("orders", outputs, lambda service: sqs))
    assert (found.client, found.dead, found.orders) == (sqs, DEAD, ORDERS)


def test_an_operator_is_told_how_many_and_how() -> None:
    assert told(Moved(1), "orders").startswith("Moved 1 letter back to the order queue of orders")
    assert told(Moved(0), "orders") == "No letters lie in the dead-letter queue of orders."
    assert "no StartMessageMoveTask" in told(Moved(2, by_hand=True), "orders")
    assert told(Moved(2, refused=1), "orders").endswith("and that stay: 1.")
