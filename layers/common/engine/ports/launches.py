"""Tokens that have launched: what is known of them, and who tells."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from engine.domain.launches import Launch, Opened

#: How soon a token that is launched in the simulated market is known to every process.
KNOWN_WITHIN = timedelta(milliseconds=1_050)


class LaunchBook(Protocol):
    """The launches of the last hour; reads are strongly consistent."""

    def find(self, awaited: str) -> Launch | None:
        """Return the newest launch that a mint or a symbol names."""
        ...

    def since(self, at: datetime) -> Sequence[Launch]:
        """Return the launches since a time, oldest first."""
        ...

    def add(self, launch: Launch, *, now: datetime) -> Launch:
        """Enter a launch, and return what stands of its mint: the first that was told of it."""
        ...


class LaunchFeed(Protocol):
    """Somebody who can be asked what has launched, in case a signal was missed."""

    def launches_since(self, at: datetime) -> Sequence[Launch]: ...


class LaunchCalls(Protocol):
    """The queue whose messages have a launch's snipers woken."""

    def launched(self, mint: str, *, delay: int = 0) -> None:
        """Send for the snipers of a launch, in `delay` seconds. Raises QueueUnavailable."""
        ...


class SimulatedLaunches(LaunchFeed, Protocol):
    """The tokens that were launched in the simulated market, for every process."""

    def opened(self) -> Mapping[str, Opened]:
        """Return them by symbol."""
        ...

    def open(self, opened: Opened) -> None:
        """Launch a token, which every process knows KNOWN_WITHIN later. Raises Conflict."""
        ...


class NoLaunches:
    """Nothing is launched here, and nobody tells."""

    def launches_since(self, at: datetime) -> Sequence[Launch]:  # noqa: ARG002
        return ()

    def opened(self) -> Mapping[str, Opened]:
        return {}
