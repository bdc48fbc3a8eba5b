"""Let a WebSocket client watch orders."""

from dataclasses import dataclass, replace

from engine.domain.errors import ConnectionGone
from engine.ports import LONGEST_CONNECTION, Clock, Watcher, Watchers


@dataclass(slots=True, eq=False, repr=False)
class Watching:
    """The use case and what it needs."""

    watchers: Watchers
    clock: Clock

    def connect(self, connection_id: str, account: str, first: Watcher | None = None) -> None:
        """Remember a connection, who is at its other end, and what it watches from the start."""
        now = self.clock.now()
        if first is not None:
            first = replace(first, since=now)
        self.watchers.connect(connection_id, account, until=now + LONGEST_CONNECTION, first=first)

    def watch(self, watcher: Watcher) -> Watcher:
        """Store a subscription; the snapshot follows by the stream, so nothing is missed.

        Raises ConnectionGone, TooManySubscriptions.
        """
        return self.watchers.watch(replace(watcher, since=self.clock.now()))

    def account_of(self, connection_id: str) -> str:
        """Return the account at the other end. Raises ConnectionGone if it is not stored."""
        account = self.watchers.account_of(connection_id)
        if account is None:
            raise ConnectionGone(connection_id)
        return account

    def unwatch(self, watcher: Watcher) -> None:
        self.watchers.forget(watcher)

    def leave(self, connection_id: str) -> None:
        """Forget a connection and all that it watched."""
        self.watchers.forget_connection(connection_id)
