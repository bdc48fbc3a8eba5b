"""Who may do what, and how much: rows of the one table."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from engine.adapters.aws.table import Item, Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, text, to_ms
from engine.ports.access import ApiKey, Caller, Role, Trading, TradingState


@dataclass(slots=True, eq=False, repr=False)
class DynamoAccess:
    """API keys, stream tickets, order rates, the trading state, and the secret of the cursors."""

    table: Table

    def add_key(self, api_key: ApiKey) -> None:
        item = {
            **key(f"KEY#{api_key.key_id}", "KEY"),
            "account": attribute(api_key.account),
            "digest": attribute(api_key.digest),
            "role": attribute(api_key.role.value),
        }
        self.table.put(item, "attribute_not_exists(pk)")

    def key(self, key_id: str) -> ApiKey | None:
        item = self.table.get(f"KEY#{key_id}", "KEY")
        if item is None or "revoked" in item:
            return None
        with decoding(f"key {key_id}"):
            role = Role(item["role"]["S"]) if "role" in item else Role.TRADER
            return ApiKey(key_id, text(item["account"]["S"]), text(item["digest"]["S"]), role)

    def revoke_key(self, key_id: str) -> bool:
        try:
            self.table.update(
                f"KEY#{key_id}", "KEY", "SET revoked = :yes", "attribute_exists(pk)", yes=1
            )
        except Refused:
            return False
        return True

    def add_ticket(self, digest: str, caller: Caller, *, until: datetime) -> None:
        item = {
            **key(f"TICKET#{digest}", "TICKET"),
            **caller_item(caller),
            "ends": attribute(to_ms(until)),
            "expiresAt": attribute(to_ms(until) // 1000),
        }
        self.table.put(item)

    def ticket(self, digest: str, *, now: datetime) -> Caller | None:
        item = self.table.get(f"TICKET#{digest}", "TICKET")
        if item is None:
            return None
        with decoding("a ticket"):
            return item_caller(item) if int(item["ends"]["N"]) > to_ms(now) else None

    def use_ticket(self, digest: str, *, now: datetime) -> bool:
        try:
            self.table.delete(f"TICKET#{digest}", "TICKET", "ends > :now", now=to_ms(now))
        except Refused:
            return False
        return True

    def count_order(
        self, account: str, window: int, *, maximum: int, until: datetime
    ) -> int | None:
        try:
            row = self.table.update(
                f"RATE#{account}#{window}",
                "RATE",
                "ADD orders :one SET expiresAt = :until",
                "attribute_not_exists(orders) OR orders < :maximum",
                one=1,
                maximum=maximum,
                until=to_ms(until) // 1000 + 60,
            )
        except Refused:
            return None
        with decoding("a count of orders"):
            return int(row["orders"]["N"])

    def trading(self) -> Trading:
        item = self.table.get("CONFIG#trading", "CONFIG")
        if item is None:
            return Trading()
        with decoding("the trading state"):
            return Trading(
                TradingState(item["state"]["S"]),
                text(item["reason"]["S"]) if "reason" in item else None,
                from_ms(int(item["since"]["N"])) if "since" in item else None,
            )

    def set_trading(self, trading: Trading) -> None:
        item = {**key("CONFIG#trading", "CONFIG"), "state": attribute(trading.state.value)}
        if trading.reason is not None:
            item["reason"] = attribute(trading.reason)
        if trading.since is not None:
            item["since"] = attribute(to_ms(trading.since))
        self.table.put(item)

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
        with decoding("the cursors' secret"):
            return bytes.fromhex(standing["secret"]["S"])


def caller_item(caller: Caller) -> Item:
    """Return a caller as attributes of a row."""
    by = {} if caller.key_id is None else {"keyId": attribute(caller.key_id)}
    return {"account": attribute(caller.account), **by}


def item_caller(item: Item) -> Caller:
    """Return the caller that a row's attributes name. Raises Undecodable."""
    with decoding("a caller"):
        key_id = text(item["keyId"]["S"]) if "keyId" in item else None
        return Caller(text(item["account"]["S"]), key_id)


def revoked_key(old: Item | None, new: Item) -> Caller | None:
    """Return whose key was revoked by a change of its row, None if none was."""
    if "revoked" not in new or (old and "revoked" in old):
        return None
    return Caller(new["account"]["S"], new["pk"]["S"].removeprefix("KEY#"))
