"""Who watches what: rows of the one table.

A connection is a row, with its account and the topics it watches. A topic is a row for each account
that watches it, with an attribute for each connection: one read tells whom a change concerns. An
account's connects of a minute are a row, with an attribute for each key: it counts them, and tells
which are to be closed when a key is revoked.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.adapters.aws.keys import caller_item, item_caller
from engine.adapters.aws.table import Item, Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, text, to_ms, whole
from engine.domain.errors import (
    ConnectionGone,
    StoreUnavailable,
    TooManySubscriptions,
    Undecodable,
)
from engine.observability import log
from engine.ports.access import Caller
from engine.ports.subscriptions import MAX_CONNECTION, Subscription, account_topic

#: How many subscriptions one connection may have at a time.
MAX_SUBSCRIPTIONS = 50
#: What begins the sort key of a topic's row; the account follows.
ROWS = "WATCHERS#"
_MAX_DROPPED = 100  # an expression has 4 kB and 300 operators at most
_ENTRY = "c:"  # and the connection's (or key's) id: the name of its attribute
_MINUTE = 60_000  # milliseconds


@dataclass(slots=True, eq=False, repr=False)
class DynamoSubscriptions:
    """Connections, each with its account and what it watches; and per topic who watches it."""

    table: Table

    def connect(
        self,
        connection_id: str,
        caller: Caller,
        *,
        until: datetime,
        first: Subscription | None = None,
    ) -> None:
        item = {
            **key(f"CONN#{connection_id}", "CONN"),
            **caller_item(caller),
            "expiresAt": attribute(to_ms(until) // 1000),
            "ends": attribute(to_ms(until)),
        }
        if first is not None:
            item["topics"] = attribute({first.topic})
        self.table.put(item)
        if first is not None:
            self._add(first.of_caller(caller, until=until))

    def count_connect(
        self, connection_id: str, caller: Caller, *, at: datetime, limit: int
    ) -> bool:
        condition = "attribute_not_exists(connects) OR connects < :limit" if limit else None
        values: dict[str, Any] = {
            "one": 1,
            "noted": {f"{to_ms(at)} {connection_id}"},
            "end": to_ms(at + MAX_CONNECTION) // 1000 + 60,
        }
        try:
            self.table.update(
                *_connects(caller.account, to_ms(at) // _MINUTE),
                "ADD connects :one, #key :noted SET expiresAt = :end",
                condition,
                names={"#key": f"{_ENTRY}{caller.key_id}"},
                returning=False,
                **(values | {"limit": limit} if limit else values),
            )
        except Refused:
            return False
        return True

    def connected_by(self, caller: Caller, *, at: datetime) -> list[tuple[str, datetime]]:
        first, last = (to_ms(t) // _MINUTE for t in (at - MAX_CONNECTION, at))
        minutes = range(first, last + 2)  # clocks differ
        rows = self.table.get_many([_connects(caller.account, minute) for minute in minutes])
        noted = [row.get(f"{_ENTRY}{caller.key_id}", {}).get("SS", []) for row in rows.values()]
        read = [_noted(entry) for some in noted for entry in some]
        return [each for each in read if each]

    def watch(self, subscription: Subscription) -> Subscription:
        try:
            connection = self.table.update(
                *_connection(subscription.connection_id),
                "ADD topics :topic",
                "attribute_exists(pk) AND (attribute_not_exists(topics) "
                "OR contains(topics, :name) OR size(topics) < :maximum)",
                topic={subscription.topic},
                name=subscription.topic,
                maximum=MAX_SUBSCRIPTIONS,
            )
        except Refused as refused:
            if refused.standing is None:
                raise ConnectionGone(subscription.connection_id) from refused
            raise TooManySubscriptions(
                f"a connection watches {MAX_SUBSCRIPTIONS} things at most"
            ) from refused
        caller = _caller(connection)
        subscription = subscription.of_caller(caller, until=from_ms(int(connection["ends"]["N"])))
        self._add(subscription)
        return subscription

    def change(self, standing: Subscription, changed: Subscription) -> None:
        with suppress(Refused):
            self._change(
                standing,
                "SET #entry = :changed",
                "#entry = :standing",
                standing=_entry(standing),
                changed=_entry(changed),
            )

    def of(self, topics: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Subscription]]:
        keys = {_row(topic, account): (topic, account) for topic, account in topics}
        rows = self.table.get_many(list(keys))
        return {of: item_subscriptions(rows.get(place, {})) for place, of in keys.items()}

    def forget(self, subscription: Subscription) -> None:
        self._drop([subscription])
        try:
            self.table.update(
                *_connection(subscription.connection_id),
                "DELETE topics :topic",
                "attribute_exists(pk)",
                topic={subscription.topic},
            )
        except Refused:
            return

    def forget_connection(self, connection_id: str) -> None:
        self._drop(self._left(connection_id))

    def forget_gone(self, gone: Iterable[str], subscriptions: Iterable[Subscription]) -> None:
        stale = [*subscriptions]
        for connection_id in gone:
            stale += self._left(connection_id)
        self._drop(stale)

    def caller_of(self, connection_id: str) -> Caller | None:
        connection = self.table.get(*_connection(connection_id))
        return _caller(connection) if connection else None

    def _add(self, subscription: Subscription) -> None:
        # No connection of this row lasts longer than one that would begin now.
        started = subscription.since or subscription.until
        expires = to_ms(started + MAX_CONNECTION) // 1000 if started else 0
        self._change(
            subscription,
            "SET #entry = :entry, expiresAt = :end",
            entry=_entry(subscription),
            end=expires,
        )

    def _left(self, connection_id: str) -> list[Subscription]:
        """Delete a connection; return that it watched its account, if it did."""
        connection = self.table.delete(*_connection(connection_id))
        if connection is None:
            return []
        account = _caller(connection).account
        mine = account_topic(account)
        watched = mine in connection.get("topics", {}).get("SS", [])
        return [Subscription(mine, connection_id, account)] if watched else []

    def _drop(self, subscriptions: Iterable[Subscription]) -> None:
        """Take subscriptions out of their topics' rows, a row at a time: a write pays for all."""
        rows: dict[tuple[str, str], set[str]] = {}
        for subscription in subscriptions:
            row = _row(subscription.topic, subscription.account)
            rows.setdefault(row, set()).add(_ENTRY + subscription.connection_id)
        for row, entries in rows.items():
            names = sorted(entries)
            for n in range(0, len(names), _MAX_DROPPED):
                some = {f"#e{i}": name for i, name in enumerate(names[n : n + _MAX_DROPPED])}
                with suppress(Refused):
                    self.table.update(
                        *row,
                        f"REMOVE {', '.join(some)}",
                        "attribute_exists(pk)",
                        names=some,
                        returning=False,
                    )

    def _change(
        self,
        subscription: Subscription,
        expression: str,
        condition: str | None = None,
        **values: Any,
    ) -> None:
        """Change a connection's entry in the row of what it watches. Raises Refused."""
        self.table.update(
            *_row(subscription.topic, subscription.account),
            expression,
            condition,
            names={"#entry": _ENTRY + subscription.connection_id},
            returning=False,
            **values,
        )


def new_subscriptions(old: Item | None, new: Item) -> list[Subscription]:
    """Return the subscriptions that a change of a topic's row began, or left to be caught up."""
    standing = old or {}
    changed = {name: value for name, value in new.items() if standing.get(name) != value}
    started = item_subscriptions({**changed, **key(new["pk"]["S"], new["sk"]["S"])})
    return [subscription for subscription in started if not subscription.caught_up]


def item_subscriptions(item: Item) -> list[Subscription]:
    """Return the subscriptions that a topic's row holds; none if there is no row."""
    if not item:
        return []
    topic, account = item["pk"]["S"], item["sk"]["S"].removeprefix(ROWS)
    read = [
        _read(topic, account, name.removeprefix(_ENTRY), value.get("S", ""))
        for name, value in item.items()
        if name.startswith(_ENTRY)
    ]
    return [subscription for subscription in read if subscription]


def _row(topic: str, account: str) -> tuple[str, str]:
    return topic, ROWS + account


def _connection(connection_id: str) -> tuple[str, str]:
    return f"CONN#{connection_id}", "CONN"


def _caller(connection: Item) -> Caller:
    """Return who is at the other end. Raises StoreUnavailable for a row of a newer version."""
    try:
        return item_caller(connection)
    except Undecodable as error:
        log.error("a connection's row can't be read", extra={"row": connection["pk"]["S"]})
        raise StoreUnavailable("the connection's row can't be read") from error


def _connects(account: str, minute: int) -> tuple[str, str]:
    return f"CONNECTS#{account}#{minute}", "CONNECTS"


def _noted(entry: str) -> tuple[str, datetime] | None:
    """Return a connection and when it was counted; what a newer version noted is set aside."""
    try:
        with decoding("a connect"):
            ms, connection_id = entry.split(" ")
            return connection_id, from_ms(int(ms))
    except Undecodable as error:
        log.warning("a connect can't be read", extra={"entry": entry, "why": str(error)})
        return None


def _entry(subscription: Subscription) -> str:
    """Return a subscription as text; `since` makes a repeated one new to the stream.

    Its last number is 1 when it is caught up, and below that minus how often it was deferred.
    """
    times = (at and to_ms(at) for at in (subscription.since, subscription.until))
    by = [] if subscription.key_id is None else [subscription.key_id]
    state = 1 if subscription.caught_up else -subscription.deferred
    entry = [subscription.after_seq, *times, state, *by]
    return json.dumps(entry, separators=(",", ":"))


def _read(topic: str, account: str, connection_id: str, entry: str) -> Subscription | None:
    """Return a subscription; one that a newer version wrote is set aside."""
    try:
        with decoding("a subscription"):
            return _subscription(topic, account, connection_id, entry)
    except Undecodable as error:
        facts = {"topic": topic, "connection_id": connection_id, "why": str(error)}
        log.warning("a subscription can't be read", extra=facts)
        return None


def _subscription(topic: str, account: str, connection_id: str, entry: str) -> Subscription:
    after_seq, since, until, state, *by = json.loads(entry)
    since, until = (None if ms is None else from_ms(ms) for ms in (since, until))
    after_seq, state = whole(after_seq), whole(state, -10_000, 1)
    by = [text(key_id) for key_id in by]
    started = Subscription(topic, connection_id, account, after_seq, since, until, state > 0, *by)
    return replace(started, deferred=max(0, -state))
