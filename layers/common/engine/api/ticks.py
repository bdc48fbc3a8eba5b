"""The ticker's side: messages that start it."""

from dataclasses import asdict, dataclass
from typing import Any

from engine.adapters.aws.resting import read_start
from engine.domain.errors import Undecodable
from engine.observability import log
from engine.ports.metrics import UNMEASURED, Metrics
from engine.service.ticking import Ticking


@dataclass(slots=True, eq=False, repr=False)
class Ticks:
    """Ticks for batches of starting messages."""

    ticking: Ticking
    metrics: Metrics = UNMEASURED

    def tick_on(self, event: dict[str, Any]) -> dict[str, Any]:
        """Tick the pairs that an SQS event names, and those that are ticked already."""
        pairs: set[str] = set()
        for record in event["Records"]:
            try:
                pairs |= read_start(record["body"])
            except Undecodable as error:
                log.warning(
                    "message set aside",
                    extra={"message_id": record["messageId"], "why": str(error)},
                )
        swept = asdict(self.ticking.tick_on(pairs))
        self.metrics.emit()
        log.info("ticked", extra=swept)
        return swept
