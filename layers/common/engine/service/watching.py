"""Let a WebSocket client watch orders."""

from dataclasses import dataclass, replace
from datetime import timedelta

from engine.ports import Clock, Watcher, Watchers

#: API Gateway ends every WebSocket connection after two hours.
LONGEST_CONNECTION = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Watching:
    """The use case and what it needs."""

    watchers: Watchers
    clock: Clock

    def watch(self, watcher: Watcher) -> None:
        """Store a subscription; the snapshot follows through the stream, so nothing is missed."""
        now = self.clock.now()
        self.watchers.watch(replace(watcher, since=now, until=now + LONGEST_CONNECTION))

    def unwatch(self, watcher: Watcher) -> None:
        self.watchers.forget(watcher)

    def leave(self, connection_id: str) -> None:
        """Forget all that a connection watched."""
        self.watchers.forget_connection(connection_id)
