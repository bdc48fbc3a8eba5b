"""Tokens that somebody has launched in the simulated market: one row, the same for everybody."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock

from engine.adapters.aws.launches import launch_of, launch_row, put_versioned
from engine.adapters.aws.table import Table
from engine.adapters.codec import decoding, whole
from engine.domain.errors import Conflict
from engine.domain.launches import Launch, Opened
from engine.domain.prices import checked_price, price_text
from engine.ports.clock import Clock
from engine.ports.launches import KNOWN_WITHIN

_PK, _SK = "SIM#LAUNCHES", "SIM"
#: How long a process believes what it has read; the rest is what a write may take.
_BELIEVED = KNOWN_WITHIN - timedelta(milliseconds=50)


@dataclass(slots=True, eq=False, repr=False)
class DynamoSimulatedLaunches:
    """The launched tokens; asked for only where a token is none of those that always trade."""

    table: Table
    clock: Clock
    _lock: Lock = field(default_factory=Lock)
    _opened: Mapping[str, Opened] = field(default_factory=dict)
    _until: datetime | None = field(default=None)

    def opened(self) -> Mapping[str, Opened]:
        with self._lock:  # venues are asked side by side: one of them reads
            now = self.clock.now()
            if self._until is None or now >= self._until:
                _, self._opened = self._read()
                self._until = now + _BELIEVED
            return self._opened

    def open(self, opened: Opened) -> None:
        symbol = opened.launch.symbol
        while True:
            version, known = self._read()
            if symbol in known and known[symbol] != opened:
                raise Conflict
            written = _text({**known, symbol: opened})
            if put_versioned(self.table, _PK, _SK, "launches", written, version):
                self._until = None
                return

    def launches_since(self, at: datetime) -> Sequence[Launch]:
        _, known = self._read()
        return [each.launch for each in known.values() if each.launch.at >= at]

    def _read(self) -> tuple[int, dict[str, Opened]]:
        item = self.table.get(_PK, _SK)
        if item is None:
            return 0, {}
        with decoding("the simulated launches"):
            return int(item["version"]["N"]), _opened(item["launches"]["S"])


def _text(opened: Mapping[str, Opened]) -> str:
    rows = [
        [*launch_row(each.launch), price_text(each.price), each.liquidity_usd]
        for each in opened.values()
    ]
    return json.dumps(rows, separators=(",", ":"))


def _opened(written: str) -> dict[str, Opened]:
    found = (
        Opened(launch_of(launch), checked_price(Decimal(price)), whole(dollars, 1))
        for *launch, price, dollars in json.loads(written)
    )
    return {each.launch.symbol: each for each in found}
