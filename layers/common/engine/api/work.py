"""The worker's side: batches of SQS messages, settled side by side."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from engine.adapters.aws.queue import read_message
from engine.domain.errors import QueueUnavailable, StoreUnavailable, Undecodable
from engine.observability import log
from engine.ports.background import Background
from engine.ports.metrics import UNMEASURED, Metrics
from engine.ports.queue import OrderQueue
from engine.service.execution import Execution, TryAgain


@dataclass(slots=True, eq=False, repr=False)
class Work:
    """Settles batches; at most as many at once as the batch has messages."""

    execution: Execution
    queue: OrderQueue
    background: Background
    metrics: Metrics = UNMEASURED

    def settle_batch(self, event: dict[str, Any]) -> dict[str, Any]:
        """Settle every order of an SQS event at the same time; report those to deliver again.

        One failure never touches its neighbours. A message that can't be decoded, or whose
        order can't, stays in the queue until that gives up on it and moves it to the dead-letter
        queue: a newer version may be deployed beside this one.
        """
        records = event["Records"]
        settling = [self.background.submit(partial(self._settle, record)) for record in records]
        again = [
            record["messageId"]
            for record, done in zip(records, settling, strict=True)
            if not done.result()
        ]
        self.metrics.emit()
        log.debug("batch settled", extra={"messages": len(records), "again": len(again)})
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}

    def _settle(self, record: dict[str, Any]) -> bool:
        """Settle one message; return whether it is done with."""
        try:
            outcome = self.execution.settle(read_message(record["body"]))
            if isinstance(outcome, TryAgain):
                self.queue.retry_in(record["receiptHandle"], outcome.seconds)
                return False
        except (QueueUnavailable, StoreUnavailable, Undecodable) as error:
            log.warning(
                "message not settled",
                extra={"message_id": record["messageId"], "why": str(error)},
            )
            return False
        except Exception:  # noqa: BLE001 - a bug in one order must not spoil the others' batch
            log.exception("message not settled", extra={"message_id": record["messageId"]})
            return False
        return True
