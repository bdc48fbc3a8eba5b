"""Move the dead letters back to the order queue."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from engine.adapters.aws.letters import SqsQueues
from local.errors import Refused
from local.ops.target import Target

#: What a cloud says that has no StartMessageMoveTask.
_UNKNOWN = {"InvalidAction", "UnknownOperationException", "UnknownOperation", "NotImplemented"}
_LOOK_EVERY = 1.0
_PATIENCE_SECONDS = 600.0
#: The reconciler looks at a letter for 10 s; what is refused here stays out of sight for longer.
_HELD_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Moved:
    """How many letters were moved, and whether one by one because the cloud knows no other way.

    `refused`: those that the order queue did not take. They stay where they are.
    """

    dead_letters: int
    by_hand: bool = False
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Queues:
    """The dead-letter queue and the order queue, by their URLs."""

    client: Any
    dead: str
    orders: str
    sleep: Callable[[float], None] = time.sleep

    def redrive(self) -> Moved:
        """Move the letters back; where they go is said, for those that the engine wrote came from
        no queue. Raises Refused.
        """
        source = self._arn(self.dead)
        try:
            self.client.start_message_move_task(
                SourceArn=source, DestinationArn=self._arn(self.orders)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _UNKNOWN:
                raise
            return self._by_hand()
        return self._finished(source)

    def _finished(self, source: str) -> Moved:
        for _ in range(int(_PATIENCE_SECONDS / _LOOK_EVERY)):
            (task,) = self.client.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"]
            if task["Status"] == "COMPLETED":
                return Moved(task.get("ApproximateNumberOfMessagesMoved", 0))
            if task["Status"] != "RUNNING":
                why = task.get("FailureReason", "no reason given")
                raise Refused(f"the move is {task['Status'].lower()}: {why}")
            self.sleep(_LOOK_EVERY)
        raise Refused("the move takes very long; SQS goes on with it")

    def _by_hand(self) -> Moved:
        """Move as many letters as there are now, as operators' keys do."""
        queues = SqsQueues(self.client, self.orders, self.dead, self.sleep)
        done = queues.move(lambda: True, patience=_HELD_SECONDS)
        return Moved(done.moved, by_hand=True, refused=done.refused)

    def _arn(self, url: str) -> str:
        return self._attribute(url, "QueueArn")

    def _attribute(self, url: str, name: str) -> str:
        answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        value: str = answer["Attributes"][name]
        return value


def queues_of(found: Target) -> Queues:
    """Return the queues of a stack."""
    outputs = found.outputs
    return Queues(found.client("sqs"), outputs["DeadLetterQueueUrl"], outputs["OrderQueueUrl"])


def told(moved: Moved, name: str) -> str:
    """Return what an operator is to know of it."""
    if moved.refused:
        stay = f"Letters that the order queue did not take, and that stay: {moved.refused}."
        return f"{told(replace(moved, refused=0), name)}\n{stay}" if moved.dead_letters else stay
    if not moved.dead_letters:
        return f"No letters lie in the dead-letter queue of {name}."
    dead_letters = "1 letter" if moved.dead_letters == 1 else f"{moved.dead_letters} letters"
    how = "one by one, for this cloud has no StartMessageMoveTask" if moved.by_hand else "by SQS"
    return (
        f"Moved {dead_letters} back to the order queue of {name}, {how}.\n"
        "An order that has ended stays as it is; one that has not goes on."
    )
