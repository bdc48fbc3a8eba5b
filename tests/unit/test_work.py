"""A batch of messages: side by side, and none spoils its neighbours."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any, cast

import pytest

from engine.adapters.aws.queue import message_body
from engine.api.work import Work
from engine.domain.errors import QueueUnavailable, StoreUnavailable
from engine.ports.queue import WorkMessage
from engine.service.execution import Done, Execution, Outcome, TryAgain
from tests.fakes import Inline, MemoryQueue

EVENT = json.loads((Path(__file__).parents[2] / "events/sqs_batch.json").read_text())


@dataclass
class FakeExecution:
    """Settles as `told` says: an outcome, or an exception to raise."""

    told: dict[str, Outcome | Exception] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None

    def settle(self, message: WorkMessage) -> Outcome:
        self.before()
        outcome = self.told.get(message.order_id, Done())
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def _event(*order_ids: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m-{o}", "receiptHandle": f"r-{o}", "body": message_body(WorkMessage(o))}
            for o in order_ids
        ]
    }


def _settle(execution: FakeExecution, event: dict[str, Any], queue: MemoryQueue) -> list[str]:
    work = Work(cast("Execution", execution), queue, Inline())
    return [f["itemIdentifier"] for f in work.settle_batch(event)["batchItemFailures"]]


def test_a_settled_batch_reports_nothing() -> None:
    assert _settle(FakeExecution(), _event("a", "b"), MemoryQueue()) == []


def test_an_order_to_try_again_is_hidden_as_long_as_it_is_to_wait() -> None:
    queue = MemoryQueue()
    assert _settle(FakeExecution({"b": TryAgain(7)}), _event("a", "b"), queue) == ["m-b"]
    assert queue.delays == [("r-b", 7)]


@pytest.mark.parametrize("error", [StoreUnavailable("x"), ZeroDivisionError("a bug")])
def test_a_bad_message_does_not_spoil_its_neighbours(error: Exception) -> None:
    execution = FakeExecution({"b": error})
    assert _settle(execution, _event("a", "b", "c"), MemoryQueue()) == ["m-b"]


def test_a_message_that_can_not_be_read_comes_again_until_the_queue_gives_up_on_it() -> None:
    bad = EVENT["Records"][1]["messageId"]
    assert _settle(FakeExecution(), EVENT, MemoryQueue()) == [bad]


def test_a_delay_that_can_not_be_asked_for_still_brings_the_message_again() -> None:
    class Deaf(MemoryQueue):
        def retry_in(self, receipt: str, seconds: int) -> None:
            raise QueueUnavailable("deaf")

    assert _settle(FakeExecution({"a": TryAgain(7)}), _event("a"), Deaf()) == ["m-a"]


def test_the_orders_of_a_batch_are_settled_at_the_same_time() -> None:
    all_ten = Barrier(10, timeout=5)
    with ThreadPoolExecutor(10) as pool:
        execution = FakeExecution(before=all_ten.wait)
        work = Work(cast("Execution", execution), MemoryQueue(), pool)
        answer = work.settle_batch(_event(*"abcdefghij"))
    assert answer == {"batchItemFailures": []}
