"""Who watches what, who may do what, and how much: rows of the one table."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.adapters.codec import from_ms, to_ms
from engine.adapters.table import Item, Refused, Table, attribute, key
from engine.domain.errors import ConnectionGone, TooManySubscriptions
from engine.ports import ApiKey, TradingState, Watcher

#: How many subscriptions one connection may have at a time.
MOST_SUBSCRIPTIONS = 50


@dataclass(slots=True, eq=False, repr=False)
class DynamoWatchers:
    """Connections, each with its account and what it watches; and per topic who watches it."""

    table: Table

    def connect(
        self, connection_id: str, account: str, *, until: datetime, first: Watcher | None = None
    ) -> None:
        item = {
            **key(f"CONN#{connection_id}", "CONN"),
            "account": attribute(account),
            "expiresAt": attribute(to_ms(until) // 1000),
            "ends": attribute(to_ms(until)),
        }
        if first is None:
            self.table.put(item)
        else:
            self.table.put({**item, "topics": attribute({first.topic})})
            self.table.put(watcher_item(first.of_account(account, until=until)))

    def watch(self, watcher: Watcher) -> Watcher:
        try:
            connection = self.table.update(
                f"CONN#{watcher.connection_id}",
                "CONN",
                "ADD topics :topic",
                "attribute_exists(pk) AND (attribute_not_exists(topics) "
                "OR contains(topics, :name) OR size(topics) < :most)",
                topic={watcher.topic},
                name=watcher.topic,
                most=MOST_SUBSCRIPTIONS,
            )
        except Refused as refused:
            if refused.standing is None:
                raise ConnectionGone(watcher.connection_id) from refused
            raise TooManySubscriptions(
                f"a connection watches {MOST_SUBSCRIPTIONS} things at most"
            ) from refused
        account = connection["account"]["S"]
        watcher = watcher.of_account(account, until=from_ms(int(connection["ends"]["N"])))
        self.table.put(watcher_item(watcher))
        return watcher

    def welcome(self, watcher: Watcher) -> bool:
        try:
            self.table.update(
                watcher.topic,
                f"CONN#{watcher.connection_id}",
                "SET welcomed = :yes",
                "attribute_exists(pk)",
                yes=1,
            )
        except Refused:
            return False
        return True

    def of(self, topic: str) -> list[Watcher]:
        return [item_watcher(item) for item in self.table.below(topic, "CONN#")]

    def forget(self, watcher: Watcher) -> None:
        self.table.delete(watcher.topic, f"CONN#{watcher.connection_id}")
        try:
            self.table.update(
                f"CONN#{watcher.connection_id}",
                "CONN",
                "DELETE topics :topic",
                "attribute_exists(pk)",
                topic={watcher.topic},
            )
        except Refused:
            return

    def forget_connection(self, connection_id: str) -> None:
        connection = self.table.delete(f"CONN#{connection_id}", "CONN")
        for topic in (connection or {}).get("topics", {}).get("SS", []):
            self.table.delete(topic, f"CONN#{connection_id}")

    def account_of(self, connection_id: str) -> str | None:
        connection = self.table.get(f"CONN#{connection_id}", "CONN")
        account: str | None = connection["account"]["S"] if connection else None
        return account


def watcher_item(watcher: Watcher) -> Item:
    """Return the row of a subscription; `since` makes a repeated one new to the stream."""
    item: Item = {
        **key(watcher.topic, f"CONN#{watcher.connection_id}"),
        "account": attribute(watcher.account),
        "after": attribute(watcher.after_seq),
    }
    if watcher.since:
        item["since"] = attribute(to_ms(watcher.since))
    if watcher.until:
        item["ends"] = attribute(to_ms(watcher.until))
        item["expiresAt"] = attribute(to_ms(watcher.until) // 1000)
    return item


def item_watcher(item: Mapping[str, Any]) -> Watcher:
    """Return the subscription that a row holds."""
    since, until = (
        from_ms(int(item[name]["N"])) if name in item else None for name in ("since", "ends")
    )
    return Watcher(
        item["pk"]["S"],
        item["sk"]["S"].removeprefix("CONN#"),
        item["account"]["S"],
        int(item["after"]["N"]),
        since,
        until,
        welcomed="welcomed" in item,
    )


@dataclass(slots=True, eq=False, repr=False)
class DynamoAccess:
    """API keys, stream tickets, order rates, the trading state, and the secret of the cursors."""

    table: Table

    def add_key(self, api_key: ApiKey) -> None:
        item = {
            **key(f"KEY#{api_key.key_id}", "KEY"),
            "account": attribute(api_key.account),
            "digest": attribute(api_key.digest),
        }
        self.table.put(item, "attribute_not_exists(pk)")

    def key(self, key_id: str) -> ApiKey | None:
        item = self.table.get(f"KEY#{key_id}", "KEY")
        if item is None or "revoked" in item:
            return None
        return ApiKey(key_id, item["account"]["S"], item["digest"]["S"])

    def revoke_key(self, key_id: str) -> bool:
        try:
            self.table.update(
                f"KEY#{key_id}", "KEY", "SET revoked = :yes", "attribute_exists(pk)", yes=1
            )
        except Refused:
            return False
        return True

    def add_ticket(self, digest: str, account: str, *, until: datetime) -> None:
        item = {
            **key(f"TICKET#{digest}", "TICKET"),
            "account": attribute(account),
            "ends": attribute(to_ms(until)),
            "expiresAt": attribute(to_ms(until) // 1000),
        }
        self.table.put(item)

    def take_ticket(self, digest: str, *, now: datetime) -> str | None:
        try:
            item = self.table.delete(f"TICKET#{digest}", "TICKET", "ends > :now", now=to_ms(now))
        except Refused:
            return None
        account: str | None = item["account"]["S"] if item else None
        return account

    def count_order(self, account: str, window: int, *, most: int, until: datetime) -> int | None:
        try:
            row = self.table.update(
                f"RATE#{account}#{window}",
                "RATE",
                "ADD orders :one SET expiresAt = :until",
                "attribute_not_exists(orders) OR orders < :most",
                one=1,
                most=most,
                until=to_ms(until) // 1000 + 60,
            )
        except Refused:
            return None
        return int(row["orders"]["N"])

    def trading_state(self) -> TradingState:
        item = self.table.get("CONFIG#trading", "CONFIG")
        return TradingState(item["state"]["S"]) if item else TradingState.ACTIVE

    def set_trading_state(self, state: TradingState) -> None:
        self.table.put({**key("CONFIG#trading", "CONFIG"), "state": attribute(state.value)})

    def cursor_secret(self) -> bytes:
        item = {
            **key("CONFIG#cursor", "CONFIG"),
            "secret": attribute(secrets.token_hex(32)),
        }
        standing = self.table.get("CONFIG#cursor", "CONFIG")
        if standing is None:
            try:
                self.table.put(item, "attribute_not_exists(pk)")
                standing = item
            except Refused as refused:
                standing = refused.standing or item
        return bytes.fromhex(standing["secret"]["S"])
