"""Who may send signals, and what was heard of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Source:
    """A sender of signals: one of its secrets signs, two while one is rotated.

    `authorization` is the fixed header of one that can only echo that; None: it has to sign.
    """

    name: str
    secrets: tuple[str, ...]
    authorization: str | None = None


class Sources(Protocol):
    """The sources that the operator has made."""

    def find(self, name: str) -> Source | None: ...


class Replays(Protocol):
    """The messages that were heard; kept for longer than one is believed."""

    def heard(self, source: str, message_id: str) -> bool: ...

    def note(self, source: str, message_id: str, *, until: datetime) -> None:
        """Note that a message had its effect; it may be noted already."""
        ...
