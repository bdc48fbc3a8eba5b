"""An account's orders that wait: its epochs, and room for so many, in one row."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.adapters.aws.table import Item, Refused, Table
from engine.adapters.codec import decoding, from_ms, to_ms
from engine.ports.rosters import Entry, Roster

_PAIR = "epoch "
#: Where the index of open orders has the accounts that are to be swept.
_UNSWEPT = "accounts"


@dataclass(slots=True, eq=False, repr=False)
class DynamoRosters:
    """The rosters of a table."""

    table: Table

    def read(self, account: str) -> Roster:
        return _roster(self.table.get(*_key(account)) or {})

    def enter(self, account: str, entry: Entry, *, room: int) -> tuple[bool, Roster]:
        try:
            row = self.table.update(
                *_key(account),
                "ADD entries :entry SET room = if_not_exists(room, :room)",
                "attribute_not_exists(entries) OR size(entries) < room",
                entry={_text(entry)},
                room=room,
            )
        except Refused as refused:
            return False, _roster(refused.standing or {})
        return True, _roster(row)

    def clear(self, account: str, gone: Iterable[Entry], *, room: int, version: int) -> None:
        values: dict[str, Any] = {"room": room, "next": version + 1}
        expression, condition = "SET room = :room, version = :next", "attribute_not_exists(version)"
        if version:
            condition, values["version"] = "version = :version", version
        if texts := {_text(entry) for entry in gone}:
            expression, values["gone"] = f"DELETE entries :gone {expression}", texts
        with suppress(Refused):
            self.table.update(*_key(account), expression, condition, returning=False, **values)

    def cancel_all(self, account: str, pair: str | None, *, at: datetime) -> int:
        names = {"#new": "epoch" if pair is None else _PAIR + pair, "#open": "open"}
        epoch = to_ms(at)
        while True:
            try:
                self.table.update(
                    *_key(account),
                    "SET #new = :new, latest = :new, #open = :unswept, placed = :placed",
                    "attribute_not_exists(latest) OR latest < :new",
                    names=names,
                    new=epoch,
                    unswept=_UNSWEPT,
                    placed=f"{epoch:014d}#{account}",
                    returning=False,
                )
            except Refused as refused:  # another was faster, or by a clock that is ahead
                roster = _roster(refused.standing or {})
                epoch = 1 + max(epoch, roster.latest)
            else:
                return epoch

    def unswept(self, *, limit: int) -> Sequence[str]:
        found = self.table.index("open-orders", "#open = :open", limit=limit, open=_UNSWEPT)
        return [item["pk"]["S"].removeprefix("ACCOUNT#") for item in found]

    def swept(self, account: str, roster: Roster) -> None:
        with suppress(Refused):
            self.table.update(
                *_key(account),
                "REMOVE #open, placed",
                "placed = :placed",
                names={"#open": "open"},
                placed=f"{roster.latest:014d}#{account}",
                returning=False,
            )


def _key(account: str) -> tuple[str, str]:
    return f"ACCOUNT#{account}", "RESTING"


def _roster(row: Mapping[str, Any]) -> Roster:
    with decoding("an account's roster"):
        return Roster(
            _number(row, "epoch"),
            {
                name.removeprefix(_PAIR): _number(row, name)
                for name in row
                if name.startswith(_PAIR)
            },
            frozenset(_entry(text) for text in row.get("entries", {}).get("SS", ())),
            _number(row, "version"),
        )


def _number(row: Item | Mapping[str, Any], name: str) -> int:
    return int(row[name]["N"]) if name in row else 0


def _text(entry: Entry) -> str:
    """Return an entry in 30 characters: a write of the row is paid by the kilobyte."""
    return urlsafe_b64encode(to_ms(entry.at).to_bytes(6) + UUID(entry.order_id).bytes).decode()


def _entry(text: str) -> Entry:
    raw = urlsafe_b64decode(text)
    return Entry(str(UUID(bytes=raw[6:])), from_ms(int.from_bytes(raw[:6])))
