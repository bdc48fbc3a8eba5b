"""Prices of the simulated market without its pools, and those that somebody has set."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import NamedTuple

from engine.adapters.aws.table import Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, to_ms
from engine.domain.launches import Opened
from engine.domain.prices import price_text
from engine.domain.tokens import TOKENS, USDC, Token, pair_name
from engine.market.walk import dollars, milliseconds
from engine.ports.clock import Clock

_PK, _SK = "SIM#PRICES", "SIM"
#: How long a process believes what it has read; longer if nothing was ever moved, since that costs
#: every order.
_BELIEVED = timedelta(milliseconds=100)
_UNMOVED_BELIEVED = timedelta(seconds=2)
#: What a write may take until all can read it.
_WRITTEN = timedelta(milliseconds=50)


class Move(NamedTuple):
    """A pair's price from a time on, and the one before; None: as it walks."""

    price: Decimal
    since: datetime
    before: Decimal | None


@dataclass(slots=True, eq=False, repr=False)
class MovedPrices:
    """The prices that somebody has set, the same for every process: one row of the table.

    A move is dated so far ahead that whoever believes the row as it was has read it anew by then.
    Thus all processes go over to it at one time, though each reads the row once in a while only.
    """

    table: Table
    clock: Clock
    _lock: Lock = field(default_factory=Lock)
    _moves: Mapping[str, Move] = field(default_factory=dict)
    _until: datetime | None = field(default=None)

    def at(self, at: datetime) -> dict[str, Decimal]:
        """Return the prices that are set at a time, by pair."""
        moved = {
            pair: move.price if move.since <= at else move.before
            for pair, move in self._believed().items()
        }
        return {pair: price for pair, price in moved.items() if price is not None}

    def move(self, pair: str, price: Decimal) -> datetime:
        """Set a pair's price, and return from when on every process goes by it."""
        while True:
            version, moves = self._read()
            believed = _BELIEVED if moves else _UNMOVED_BELIEVED
            since = self.clock.now() + believed + _WRITTEN
            since = max([since, *(move.since for move in moves.values())])
            before = moves[pair].price if pair in moves else None
            text = _text({**moves, pair: Move(price, since, before)})
            item = {
                **key(_PK, _SK),
                "version": attribute(version + 1),
                "moves": attribute(text),
            }
            try:
                if version:
                    self.table.put(item, "version = :version", version=version)
                else:
                    self.table.put(item, "attribute_not_exists(pk)")
            except Refused:  # another move was first, or this one, unanswered
                continue
            return max(since, self.clock.now() + believed)

    def _believed(self) -> Mapping[str, Move]:
        with self._lock:  # venues are asked side by side: one of them reads
            now = self.clock.now()
            if self._until is None or now >= self._until:
                _, self._moves = self._read()
                self._until = now + (_BELIEVED if self._moves else _UNMOVED_BELIEVED)
            return self._moves

    def _read(self) -> tuple[int, dict[str, Move]]:
        item = self.table.get(_PK, _SK)
        if item is None:
            return 0, {}
        with decoding("the moved prices"):
            return int(item["version"]["N"]), _moves(item["moves"]["S"])


def _text(moves: Mapping[str, Move]) -> str:
    return json.dumps(
        {
            pair: [price_text(price), to_ms(since), before and price_text(before)]
            for pair, (price, since, before) in moves.items()
        },
        separators=(",", ":"),
    )


def _moves(text: str) -> dict[str, Move]:
    return {
        pair: Move(Decimal(price), from_ms(since), before and Decimal(before))
        for pair, (price, since, before) in json.loads(text).items()
    }


@dataclass(slots=True, eq=False, repr=False)
class SimulatedPrices:
    """What the tokens are worth before any venue strays from it."""

    seed: int
    moved: MovedPrices | None = None
    launched: Callable[[], Mapping[str, Opened]] = dict

    def dollars(self, token: Token, at: datetime) -> Decimal:
        moved = self.moved.at(at) if self.moved else {}
        walked = Decimal(dollars(self.seed, token, milliseconds(at))).scaleb(-21)
        if token.symbol not in TOKENS and (opened := self.launched().get(token.symbol)):
            walked = opened.price
        return moved.get(pair_name(token, USDC), walked)
