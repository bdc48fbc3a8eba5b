"""What a storm did, and what became of each promise."""

import time
from collections import Counter
from dataclasses import dataclass

from engine.adapters.aws.keys import DynamoAccess
from local.ops.keys import create
from local.system import System
from tests.chaos.storm import ACCOUNTS, Storm
from tests.proof.history import Finding, History, findings

#: Orders placed in a second: what two cores with an emulated cloud carry besides the trouble.
A_SECOND = 6.0
#: Sentences that are printed of what broke one promise.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a storm did, and what became of each promise."""

    history: History
    findings: list[Finding]
    done: Counter[str]
    seconds: float

    @property
    def broken(self) -> list[str]:
        return [sentence for finding in self.findings for sentence in finding.broken]


def storm(
    system: System,
    orders: int,
    seed: int,
    hidden: int | None = None,
    parents: int = 0,
    parts: int = 2,
) -> Outcome:
    """Storm a running system whose callers need keys.

    A message that a dead worker had is `hidden` seconds, or as long as the template says.
    """
    if hidden is not None:
        system.client("sqs").set_queue_attributes(
            QueueUrl=system.stack.order_queue, Attributes={"VisibilityTimeout": str(hidden)}
        )
    access = DynamoAccess(system.table)
    keys = {account: create(access, account) for account in ACCOUNTS}
    started = time.monotonic()
    chaos = Storm(system, keys, seed)
    history = chaos.run(orders, A_SECOND, parents, parts)
    return Outcome(history, findings(history), chaos.done, time.monotonic() - started)


def parameters(faults: int) -> dict[str, str]:
    """Return what the stack is deployed with; `faults` percent of the chain's doings go wrong."""
    unlimited = {"OrdersPerMinute": "0", "ConnectsPerMinute": "0"}
    return {"Auth": "api-key", "ChainFaultPercent": str(faults), **unlimited}


def table(outcome: Outcome) -> str:
    """Return what was promised against what was found."""
    width = max(len(finding.promise) for finding in outcome.findings)
    lines = [f"{'promised':{width}}  looked at  broken"]
    lines += [
        f"{finding.promise:{width}}  {finding.checked:9,}  {len(finding.broken):6,}"
        for finding in outcome.findings
    ]
    ends = Counter(
        f"{end.status}{' (' + end.error.code + ')' if end.error else ''}"
        for end in outcome.history.ends.values()
    )
    lines += ["", f"{sum(ends.values()):,} orders in {outcome.seconds:.0f} s"]
    lines += [f"  {count:6,}  {end}" for end, count in ends.most_common()]
    lines += ["", "What happened to them"]
    lines += [f"  {count:6,}  {what}" for what, count in sorted(outcome.done.items())]
    for finding in outcome.findings:
        if finding.broken:
            lines += ["", f"Broken: {finding.promise}", *finding.broken[:SHOWN]]
        if len(finding.broken) > SHOWN:
            lines.append(f"... and {len(finding.broken) - SHOWN} more")
    return "\n".join(lines)
