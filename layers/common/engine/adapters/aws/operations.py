"""Operators' acts, and how long orders took: rows of the one table."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.adapters.aws.table import Item, Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, text, to_ms, whole
from engine.ports.metrics import Metric
from engine.ports.operations import Act, Result, Times

_AUDIT, _LATENCY = "AUDIT", "LATENCY"
#: In the order in which they are written; never change it.
_TIMES = (
    Metric.TIME_TO_END,
    Metric.QUEUE_TIME,
    Metric.QUOTE_TIME,
    Metric.BUILD_TIME,
    Metric.LANDING_TIME,
)
_TIMES_KEPT = timedelta(days=7)


@dataclass(slots=True, eq=False, repr=False)
class DynamoAudit:
    """The acts of a table, one partition, a row each."""

    table: Table

    def note(self, act: Act, *, until: datetime | None = None) -> None:
        item = {
            **key(_AUDIT, act.act_id),
            "at": attribute(to_ms(act.at)),
            "by": attribute(act.account),
            "act": attribute(act.act),
            "result": attribute(act.result.value),
        }
        if act.key_id is not None:
            item["keyId"] = attribute(act.key_id)
        if act.reason is not None:
            item["reason"] = attribute(act.reason)
        if until is not None:
            item["expiresAt"] = attribute(to_ms(until) // 1000)
        try:
            self.table.put(item, "attribute_not_exists(pk)")
        except Refused:
            return  # it stands there

    def finish(self, act_id: str, result: Result) -> None:
        # `result` is a reserved word.
        self.table.update(
            _AUDIT,
            act_id,
            "SET #result = :result",
            names={"#result": "result"},
            returning=False,
            result=result.value,
        )

    def acts(self, *, before: str | None, limit: int) -> list[Act]:
        return [_act(item) for item in self.table.rows(_AUDIT, before=before, limit=limit)]


def _act(item: Item) -> Act:
    with decoding("an act"):
        return Act(
            item["sk"]["S"],
            from_ms(int(item["at"]["N"])),
            text(item["by"]["S"]),
            text(item["keyId"]["S"]) if "keyId" in item else None,
            text(item["act"]["S"]),
            text(item["reason"]["S"]) if "reason" in item else None,
            Result(item["result"]["S"]),
        )


@dataclass(slots=True, eq=False, repr=False)
class DynamoLatencies:
    """The times of orders, a row for those that one batch of changes ended.

    A batch that is read again writes the same row again.
    """

    table: Table

    def add(self, times: Iterable[tuple[str, Times]], *, at: datetime) -> None:
        rows = [[order_id, *(took.get(m) for m in _TIMES)] for order_id, took in times]
        if not rows:
            return
        self.table.update(
            _LATENCY,
            f"{to_ms(at):014d}#{rows[0][0]}",
            "SET doc = :doc, expiresAt = :until",
            returning=False,
            doc=json.dumps(rows, separators=(",", ":")),
            until=to_ms(at + _TIMES_KEPT) // 1000,
        )

    def last(self, orders: int) -> list[Times]:
        found: dict[str, Times] = {}
        rows = self.table.walk(None, "pk = :pk", page=orders, newest_first=True, pk=_LATENCY)
        for row in rows:
            with decoding("the times of orders"):
                for order_id, *took in json.loads(row["doc"]["S"]):
                    known = zip(_TIMES, took, strict=True)
                    found.setdefault(order_id, {m: whole(t) for m, t in known if t is not None})
            if len(found) >= orders:
                break
        return list(found.values())[:orders]
