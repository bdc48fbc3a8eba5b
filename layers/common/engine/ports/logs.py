"""Where the functions' logs are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a function's log, as it was written: JSON, mostly."""

    function: str
    text: str


class Logs(Protocol):
    """The logs of all functions."""

    def about(self, word: str, *, since: datetime, until: datetime) -> Sequence[LogLine]:
        """Return the lines that have `word` in them, an order's id say, in any order."""
        ...
