"""The venues' circuit breakers, as one row of the one table."""

import json
from dataclasses import dataclass

from engine.adapters.aws.table import Item, Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, text, to_ms, whole
from engine.domain.breaker import Breaker
from engine.ports.breakers import Board

_ROW = ("BREAKERS", "BREAKERS")


@dataclass(slots=True, eq=False, repr=False)
class DynamoBreakers:
    """The breakers of a table."""

    table: Table

    def read(self) -> Board:
        item = self.table.get(*_ROW)
        return _board(item) if item else Board()

    def write(self, board: Board) -> Board:
        before = board.version - 1
        condition = "version = :version" if before else "attribute_not_exists(pk)"
        values = {"version": before} if before else {}
        try:
            self.table.put(_item(board), condition, **values)
        except Refused as refused:
            return _board(refused.standing) if refused.standing else Board()
        return board


def _item(board: Board) -> Item:
    rows = [
        [b.venue, b.failures, to_ms(b.until) if b.until else 0, int(b.probing)]
        for b in board.breakers.values()
    ]
    return {
        **key(*_ROW),
        "version": attribute(board.version),
        "changedBy": attribute(board.by),
        "doc": attribute(json.dumps(rows, separators=(",", ":"))),
    }


def _board(item: Item) -> Board:
    with decoding("the breakers"):
        breakers = [
            Breaker(text(venue), whole(failures), from_ms(ms) if ms else None, bool(probing))
            for venue, failures, ms, probing in json.loads(item["doc"]["S"])
        ]
        by = text(item["changedBy"]["S"])
        return Board({b.venue: b for b in breakers}, int(item["version"]["N"]), by)
