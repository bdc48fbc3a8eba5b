"""One order's story: what the functions' logs say of it, in the order in which it happened."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.ports.logs import LogLine, Logs

#: What every line has, or what an event says by itself.
_KNOWN = frozenset(
    {"level", "location", "message", "timestamp", "service", "order_id", "orders", "xray_trace_id"}
)
#: What a line says of all the orders that it names.
_OF_ALL = frozenset({"changes", "subscriptions", "missed"})
#: How much later than its last change an order may still be spoken of.
_AFTERWARDS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an order: where, what, and the facts of it."""

    at: str
    function: str
    what: str
    facts: Mapping[str, Any]

    def __str__(self) -> str:
        said = " ".join(f"{name}={fact}" for name, fact in self.facts.items())
        return f"{self.at}  {self.function:<10}  {self.what:<24}  {said}".rstrip()


def story(order_id: str, lines: Iterable[LogLine]) -> list[Event]:
    """Return the events of an order that some lines tell, oldest first; others' are left out."""
    events = [event for line in lines for event in _events(order_id, line)]
    return sorted(events, key=lambda event: event.at)


def read_story(order_id: str, logs: Logs, *, since: datetime, until: datetime) -> list[Event]:
    """Return the story of an order that was placed at `since` and changed last at `until`."""
    early, late = since - timedelta(seconds=5), until + _AFTERWARDS
    return story(order_id, logs.about(order_id, since=early, until=late))


def _events(order_id: str, line: LogLine) -> Iterator[Event]:
    try:
        said = json.loads(line.text)
    except ValueError:
        return
    if not isinstance(said, dict) or "message" not in said:
        return
    facts = {name: fact for name, fact in said.items() if name not in _KNOWN}
    at, what = str(said.get("timestamp", "")), str(said["message"])
    if said.get("order_id") == order_id or order_id in str(said.get("path", "")).split("/"):
        yield Event(at, line.function, what, facts)
    for named in said.get("orders") or ():
        if isinstance(named, dict) and named.get("order_id") == order_id:
            mine = {name: fact for name, fact in named.items() if name != "order_id"}
            mine |= {name: fact for name, fact in facts.items() if name not in _OF_ALL}
            if "subscriptions" in facts:
                mine["clients"] = facts["subscriptions"]
            yield Event(at, line.function, what, mine)
