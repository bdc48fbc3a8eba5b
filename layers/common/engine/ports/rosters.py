"""An account's orders that wait, as a whole: how many they are, and when all were cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """An order that may rest, and when it was about to be placed."""

    order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Roster:
    """What is kept of an account's orders that wait, beside their own rows.

    An epoch is the time of a cancel-all, in milliseconds since 1970 and above every earlier one:
    `epoch` of one of all orders, `pair_epochs` of those of a pair. `entries` are all orders that
    may rest, and some that do so no more; `version` rises when these are cleared away.
    """

    epoch: int = 0
    pair_epochs: Mapping[str, int] = field(default_factory=dict)
    entries: frozenset[Entry] = frozenset()
    version: int = 0

    @property
    def latest(self) -> int:
        return max(self.epoch, *self.pair_epochs.values(), 0)

    def epoch_of(self, pair: str) -> int:
        """Return when the orders of a pair were last cancelled at once."""
        return max(self.epoch, self.pair_epochs.get(pair, 0))


class Rosters(Protocol):
    """One roster an account; reads are strongly consistent."""

    def read(self, account: str) -> Roster: ...

    def enter(self, account: str, entry: Entry, *, room: int) -> tuple[bool, Roster]:
        """Note an order that is about to be placed; False if there is no room for it.

        There is room for `room` entries, or for as many as `clear` said last.
        """
        ...

    def clear(self, account: str, gone: Iterable[Entry], *, room: int, version: int) -> None:
        """Drop entries and say how many there may be, unless somebody has since `version`."""
        ...

    def cancel_all(self, account: str, pair: str | None, *, at: datetime) -> int:
        """Begin a new epoch, of a pair or of all; return it. The account is to be swept then."""
        ...

    def unswept(self, *, limit: int) -> Sequence[str]:
        """Return accounts that are to be swept; read eventually."""
        ...

    def swept(self, account: str, roster: Roster) -> None:
        """Note that nothing of the epochs of `roster` is left to sweep."""
        ...
