"""The reference prices, as rows of the one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.adapters.aws.table import Item, Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, to_ms
from engine.domain.errors import Conflict
from engine.domain.prices import price_text
from engine.domain.triggers import Tick
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
    seen = {
        "price": (tick.price, tick.at),
        "high": (tick.high, tick.high_at),
        "low": (tick.low, tick.low_at),
    }
    return {
        **key(_pk(row.pair), _SK),
        "version": attribute(row.version),
        "source": attribute(",".join(row.source)),
        **{
            name: attribute(f"{price_text(price)}@{to_ms(at)}")
            for name, (price, at) in seen.items()
        },
    }


def _row(item: Item) -> PriceRow:
    pair = item["pk"]["S"].removeprefix("PRICE#")
    with decoding(f"the price of {pair}"):
        price, high, low = (_seen(item[name]["S"]) for name in ("price", "high", "low"))
        source = tuple(item["source"]["S"].split(","))
        return PriceRow(pair, Tick(*price, *high, *low), source, int(item["version"]["N"]))


def _seen(text: str) -> tuple[Decimal, datetime]:
    price, ms = text.split("@")
    return Decimal(price), from_ms(int(ms))
