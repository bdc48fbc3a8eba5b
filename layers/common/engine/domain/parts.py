"""An order in parts: which part is begun when, and for how much, so that all of them are the whole.

A parent's time is cut into slots of one interval, from when it was placed; in each at most one part
is begun. What a part did not trade is traded by another order for the same part, in a later slot.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.domain.order import Failure, Status

MAX_PARTS = 100
#: How many orders of one part may end unfilled before the parent gives up.
MAX_FAILURES = 3
#: How long a part's order is left to tell how it ended; then its parent's ticker looks.
LOOK_AFTER = timedelta(seconds=20)
#: The code of a try whose slot came while the price was outside the band.
PRICE_OUTSIDE_BAND = "PRICE_OUTSIDE_BAND"


def share(amount: int, parts: int, number: int) -> int:
    """Return what part `number` (1..parts) of `amount` base units is: they sum to it exactly."""
    return amount * number // parts - amount * (number - 1) // parts


def slot_after(start: datetime, interval: timedelta, at: datetime) -> datetime:
    """Return when the slot begins that follows the one in which `at` lies."""
    return start + ((at - start) // interval + 1) * interval


@dataclass(frozen=True, slots=True)
class Parent:
    """Whose part an order is, and which; `epoch` is that of its parent, see `Waiting`."""

    order_id: str
    part: int
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """An order that was begun for part `number`, and how it ended.

    `seq` and `ended_seq` (0: not yet) are the parent's changes that say so; `amount_out` is base
    units of the token bought, None if it traded nothing.
    """

    number: int
    amount: int
    seq: int
    ended_seq: int = 0
    status: "Status | None" = None
    amount_out: int | None = None

    @property
    def is_open(self) -> bool:
        return not self.ended_seq

    @property
    def filled(self) -> bool:
        return self.amount_out is not None

    def as_of(self, seq: int) -> "Part":
        return self if self.ended_seq <= seq else Part(self.number, self.amount, self.seq)


@dataclass(frozen=True, slots=True)
class Stop:
    """That no more parts are begun since change `seq`, and how the parent ends for that."""

    status: "Status"
    seq: int
    failure: "Failure | None" = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How far a parent has come.

    `due` is when a part may be begun next, None if that is not known or none is left; `looks_at`
    when to look at what is under way. `skipped` are the numbers of parts outside the band, each
    with the change that said so: the last part has their amounts too.
    """

    due: datetime | None
    looks_at: datetime | None = None
    begun: tuple[Part, ...] = ()
    skipped: tuple[tuple[int, int], ...] = ()
    stop: Stop | None = None

    @property
    def under_way(self) -> tuple[int, ...]:
        """The places in `begun`, from 0, of what has not ended."""
        return tuple(n for n, part in enumerate(self.begun) if part.is_open)

    @property
    def filled(self) -> int:
        """What was sold, base units."""
        return sum(part.amount for part in self.begun if part.filled)

    @property
    def amount_out(self) -> int:
        """What came out, base units of the token bought."""
        return sum(part.amount_out or 0 for part in self.begun)

    @property
    def wakes_at(self) -> datetime | None:
        """When there is something to do next."""
        return min((at for at in (self.due, self.looks_at) if at is not None), default=None)

    def next_part(self, parts: int) -> int | None:
        """Return the number of the part to begin next: one that failed, else a new one."""
        passed = {number for number, _ in self.skipped}
        passed |= {part.number for part in self.begun if part.is_open or part.filled}
        return next((n for n in range(1, parts + 1) if n not in passed), None)

    def amount_of(self, number: int, amount: int, parts: int) -> int:
        """Return for how much a part is to be begun; the last takes all that no other has."""
        if number < parts:
            return share(amount, parts, number)
        return amount - sum(part.amount for part in self.begun if part.is_open or part.filled)

    def carries(self, number: int, parts: int) -> bool:
        """Tell whether the last part can still take the amount of this one."""
        last = (p for p in self.begun if p.number == parts)
        return number < parts and not any(p.is_open or p.filled for p in last)

    def exhausted(self) -> int | None:
        """Return the number of a part that has failed too often, if there is one."""
        failed = Counter(p.number for p in self.begun if not p.is_open and not p.filled)
        return next((number for number, n in failed.items() if n >= MAX_FAILURES), None)

    def as_of(self, seq: int, *, due: datetime | None) -> "Plan":
        """Return this plan as it was at change `seq` of its parent; `due` then is not kept in it.

        A part is never begun and ended by one change.
        """
        return Plan(
            due,
            None,
            tuple(part.as_of(seq) for part in self.begun if part.seq <= seq),
            tuple(each for each in self.skipped if each[1] <= seq),
            self.stop if self.stop and self.stop.seq <= seq else None,
        )

    def ended(self, place: int, status: "Status", amount_out: int | None, *, seq: int) -> "Plan":
        """Return this plan after the order at a place in `begun` has ended."""
        part = replace(self.begun[place], ended_seq=seq, status=status, amount_out=amount_out)
        begun = (*self.begun[:place], part, *self.begun[place + 1 :])
        return replace(self, begun=begun)
