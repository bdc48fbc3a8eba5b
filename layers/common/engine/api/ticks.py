"""The ticker's side: messages that start it."""

from dataclasses import asdict, dataclass
from typing import Any

from engine.adapters.aws.launches import read_launches
from engine.adapters.aws.resting import read_start
from engine.domain.errors import Undecodable
from engine.observability import log
from engine.ports.metrics import UNMEASURED, Metrics
from engine.service.launching import Launching
from engine.service.ticking import Ticking
from engine.service.triggering import Swept


@dataclass(slots=True, eq=False, repr=False)
class Ticks:
    """Ticks for batches of starting messages; wakes what launches are told of."""

    ticking: Ticking
    launching: Launching
    metrics: Metrics = UNMEASURED

    def tick_on(self, event: dict[str, Any]) -> dict[str, Any]:
        """Tick the pairs that an SQS event names, and those that are ticked already.

        The snipers of launches that it names are woken first.
        """
        pairs, launches, starts = set[str](), set[str](), False
        for record in event["Records"]:
            try:
                called = read_launches(record["body"])
                launches |= called
                pairs |= read_start(record["body"])
                starts |= not called
            except Undecodable as error:
                log.warning(
                    "message set aside",
                    extra={"message_id": record["messageId"], "why": str(error)},
                )
        woken = sum(map(self.launching.wake, sorted(launches)), Swept())
        swept = asdict(self.ticking.tick_on(pairs) + woken if starts else woken)
        self.metrics.emit()
        log.info("ticked", extra=swept)
        return swept
