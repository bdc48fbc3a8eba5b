"""The reference prices, as rows of the one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.adapters.aws.table import Item, Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, to_ms
from engine.domain.errors import Conflict
from engine.domain.prices import price_text
from engine.domain.triggers import Seen, Tick
from engine.ports.prices import PriceRow

_SK = "PRICE"


@dataclass(slots=True, eq=False, repr=False)
class DynamoPriceBook:
    """The reference prices of a table, one row a pair."""

    table: Table

    def get(self, pair: str) -> PriceRow | None:
        item = self.table.get(_pk(pair), _SK)
        return _row(item) if item else None

    def get_many(self, pairs: Sequence[str]) -> Mapping[str, PriceRow]:
        found = self.table.get_many([(_pk(pair), _SK) for pair in pairs])
        rows = map(_row, found.values())
        return {row.pair: row for row in rows}

    def put(self, row: PriceRow, *, expected_version: int) -> None:
        row = replace(row, version=expected_version + 1)
        condition = "version = :version" if expected_version else "attribute_not_exists(pk)"
        values = {"version": expected_version} if expected_version else {}
        try:
            self.table.put(_item(row), condition, **values)
        except Refused as refused:
            # A write that was made but not answered is made again by botocore.
            if refused.standing != _item(row):
                raise Conflict from refused


def _pk(pair: str) -> str:
    return f"PRICE#{pair}"


def _item(row: PriceRow) -> Item:
    tick = row.tick
    seen = {"price": ((tick.price, tick.at),), "high": tick.highs[:1], "low": tick.lows[:1]}
    # Beside the first, if there are any: who knows of no more reads the row as well.
    seen |= {name: some for name, some in (("highs", tick.highs), ("lows", tick.lows)) if some[1:]}
    return {
        **key(_pk(row.pair), _SK),
        "version": attribute(row.version),
        "source": attribute(",".join(row.source)),
        **{name: attribute(",".join(map(_text, some))) for name, some in seen.items()},
    }


def _row(item: Item) -> PriceRow:
    pair = item["pk"]["S"].removeprefix("PRICE#")
    with decoding(f"the price of {pair}"):
        highs, lows = (
            tuple(map(_seen, (item.get(f"{name}s") or item[name])["S"].split(",")))
            for name in ("high", "low")
        )
        source = tuple(item["source"]["S"].split(","))
        tick = Tick(*_seen(item["price"]["S"]), highs, lows)
        return PriceRow(pair, tick, source, int(item["version"]["N"]))


def _text(seen: Seen) -> str:
    price, at = seen
    return f"{price_text(price)}@{to_ms(at)}"


def _seen(text: str) -> Seen:
    price, ms = text.split("@")
    return Decimal(price), from_ms(int(ms))
