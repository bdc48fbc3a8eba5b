"""What DynamoDB bills for a call, by its documented rules, from the items that it touches.

Sizes: "DynamoDB item sizes and formats". Units: "DynamoDB read and write operations" and, for
indexes, "Using global secondary indexes", of the Amazon DynamoDB developer guide. The embedded
clouds are no help: their reads cost the same whatever their size.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.template import indexes

Item = Mapping[str, Any]

TABLE_KEY = ("pk", "sk")


def item_bytes(item: Item) -> int:
    """Return the size of an item: the UTF-8 of its names, and its values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """Return the size of one attribute value."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return number_bytes(content)
        case "SS":
            return sum(len(each.encode()) for each in content)
    raise ValueError(f"no row of ours has {kind}")


def number_bytes(text: str) -> int:
    """Return the size of a number: a byte for every two significant digits, and one more."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return -(-len(digits) // 2) + 1 + text.startswith("-")


def _started(size: int, unit: int) -> int:
    return max(1, -(-size // unit))


def write_units(old: Item | None, new: Item | None) -> dict[str, int]:
    """Return the units of a write by where they fall: the table, and each index it touches.

    A put or an update costs the larger of both items, a deletion the item deleted.
    """
    item = new or old
    # A real chain would not have the simulated one's rows.
    place = "chain" if item and item["pk"]["S"].startswith("TX#") else "table"
    units = {place: _started(max(item_bytes(each or {}) for each in (old, new)), 1024)}
    for index, key in indexes().items():
        before, after = _entry(old, key), _entry(new, key)
        if before != after:  # else nothing that is projected changes: free
            changed = [_started(item_bytes(e), 1024) for e in (before, after) if e]
            units[index] = sum(changed)  # another key: one deletion and one put
    return units


def read_units(items: Iterable[Item], *, consistent: bool) -> float:
    """Return the units of a read: one for each begun 4 KB; half of that if not consistent.

    A query adds its items up first. Nothing found costs one too. A batch is so many reads of a row.
    """
    whole = _started(sum(item_bytes(item) for item in items), 4096)
    return whole if consistent else whole / 2


def index_entry(item: Item, index: str) -> Item:
    """Return what an index that projects keys only holds of an item."""
    return _entry(item, indexes()[index]) or {}


def _entry(item: Item | None, key: tuple[str, ...]) -> Item | None:
    if item is None or any(name not in item for name in key):
        return None
    return {name: item[name] for name in (*TABLE_KEY, *key)}


@dataclass
class Bill:
    """What some calls add up to: how often each was made, and units, writes by where they fall."""

    calls: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    reads: float = 0.0

    def include(self, other: "Bill") -> None:
        self.calls += other.calls
        self.writes += other.writes
        self.reads += other.reads
