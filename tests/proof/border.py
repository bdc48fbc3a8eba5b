"""The border between a function's process and the world: all that it does to the world crosses it.

Nothing here knows which calls there are. What crosses is counted, and each count is a place where
the process can die, stall, or be answered badly.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Died(BaseException):
    """The process is gone: nothing catches this."""


class Harm(StrEnum):
    """What can happen to one call."""

    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    REFUSED = "is refused"
    UNANSWERED = "is done but not answered"
    TWICE = "is sent twice"
    STALLS_BEFORE = "sleeps past its lease before"
    STALLS_AFTER = "sleeps past its lease after"
    OVERLAPS = "is overtaken at"


@dataclass(frozen=True, slots=True)
class Call:
    """The `number`th call of a run, made by a function, of an operation of the world.

    `stage` is how far the orders had come by then.
    """

    number: int
    function: str
    operation: str
    stage: object = None

    def __str__(self) -> str:
        return f"call {self.number}: {self.function} -> {self.operation}"


@dataclass
class Border:
    """Counts calls and does to some of them what `planned` says, by their number.

    `happened` is what it did.

    `stall` is what happens in the world while a process sleeps past its lease, `overlap` what
    happens at a busy moment in which no time goes by. `stage` tells how far the orders have come.
    """

    calls: list[Call] = field(default_factory=list)
    planned: dict[int, Harm] = field(default_factory=dict)
    happened: list[tuple[Call, Harm]] = field(default_factory=list)
    function: str | None = None
    stall: Callable[[], None] = lambda: None
    overlap: Callable[[], None] = lambda: None
    stage: Callable[[], object] = lambda: None

    @contextmanager
    def process(self, function: str) -> Iterator[None]:
        """Let `function` run; calls from outside any function belong to the world itself."""
        before, self.function = self.function, function
        try:
            yield
        finally:
            self.function = before

    def harm_next(self, harm: Harm, calls_from_now: int = 1) -> None:
        """Plan a harm for one of the calls that follow; the 1st is the next one."""
        self.planned[len(self.calls) + calls_from_now] = harm

    def cross(
        self,
        operation: str,
        call: Callable[[], T],
        trouble: Callable[[str], Exception],
        timeout: Callable[[str], Exception],
    ) -> T:
        """Make a call, and let happen to it what is planned."""
        if self.function is None:
            return call()
        made = Call(len(self.calls) + 1, self.function, operation, self.stage())
        self.calls.append(made)
        harm = self.planned.pop(made.number, None)
        if harm is not None:
            self.happened.append((made, harm))
        if harm is Harm.DIES_BEFORE:
            raise Died(str(made))
        if harm is Harm.REFUSED:
            raise trouble(str(made))
        if harm is Harm.STALLS_BEFORE:
            self._meanwhile(self.stall)
        if harm is Harm.OVERLAPS:
            self._meanwhile(self.overlap)
        if harm is Harm.TWICE:
            with suppress(Exception):
                call()
        try:
            return call()
        finally:  # whatever the answer was: it does not arrive, or late
            if harm is Harm.DIES_AFTER:
                raise Died(str(made))
            if harm is Harm.UNANSWERED:
                raise timeout(str(made))
            if harm is Harm.STALLS_AFTER:
                self._meanwhile(self.stall)

    def _meanwhile(self, what: Callable[[], None]) -> None:
        before, self.function = self.function, None
        try:
            what()
        finally:
            self.function = before


@dataclass(frozen=True, slots=True)
class Guarded:
    """Anything, with a border around it: every call of every method crosses."""

    _border: Border
    _name: str
    _thing: Any
    _trouble: Callable[[str], Exception]
    _timeout: Callable[[str], Exception]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if not callable(found):
            return found

        def across(*args: Any, **kwargs: Any) -> Any:
            call = partial(found, *args, **kwargs)
            return self._border.cross(f"{self._name}.{name}", call, self._trouble, self._timeout)

        return across
