"""The functions' logs in CloudWatch."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.adapters.codec import to_ms
from engine.domain.errors import StoreUnavailable
from engine.ports.logs import LogLine

#: The functions that speak of orders; each logs to a group of its name.
FUNCTIONS = ("execute", "worker", "ws_connect", "ws_notify", "reconcile", "trigger")
_MOST = 10_000  # lines that a query of Insights returns
_LOOK_SECONDS, _PATIENCE = 0.5, 50


@dataclass(slots=True, eq=False, repr=False)
class InsightsLogs:
    """Log groups by function, asked by Logs Insights, all in one query."""

    client: Any
    groups: Mapping[str, str]
    sleep: Callable[[float], None] = time.sleep

    def about(self, word: str, *, since: datetime, until: datetime) -> list[LogLine]:
        """Raises StoreUnavailable if the query does not end well, or not in time."""
        names = {group: function for function, group in self.groups.items()}
        query = self.client.start_query(
            logGroupNames=list(names),
            startTime=to_ms(since) // 1000,
            endTime=to_ms(until) // 1000 + 1,
            queryString=f'fields @message, @log | filter @message like "{word}" | sort @timestamp',
            limit=_MOST,
        )["queryId"]
        for _ in range(_PATIENCE):
            answer = self.client.get_query_results(queryId=query)
            if answer["status"] not in {"Scheduled", "Running"}:
                break
            self.sleep(_LOOK_SECONDS)
        if answer["status"] != "Complete":
            raise StoreUnavailable(f"the query of the logs is {answer['status'].lower()}")
        rows = ({cell["field"]: cell["value"] for cell in row} for row in answer["results"])
        return [
            LogLine(names[row["@log"].rpartition(":")[2]], row["@message"].strip()) for row in rows
        ]


@dataclass(slots=True, eq=False, repr=False)
class FilteredLogs:
    """Log groups by function, filtered one after another: where there is no Insights."""

    client: Any
    groups: Mapping[str, str]

    def about(self, word: str, *, since: datetime, until: datetime) -> list[LogLine]:
        found = []
        for function, group in self.groups.items():
            asked: dict[str, Any] = {"logGroupName": group, "filterPattern": f'"{word}"'}
            asked |= {"startTime": to_ms(since), "endTime": to_ms(until)}
            while True:
                answer = self.client.filter_log_events(**asked)
                found += [LogLine(function, e["message"].strip()) for e in answer["events"]]
                if "nextToken" not in answer:
                    break
                asked["nextToken"] = answer["nextToken"]
        return found
