"""Let a WebSocket client watch orders."""

from dataclasses import dataclass, replace

from engine.domain.errors import ConnectionGone
from engine.ports.access import Caller
from engine.ports.clock import Clock
from engine.ports.subscriptions import MAX_CONNECTION, Subscription, Subscriptions


@dataclass(slots=True, eq=False, repr=False)
class Watching:
    """The use case and what it needs."""

    subscriptions: Subscriptions
    clock: Clock

    def connect(
        self, connection_id: str, caller: Caller, first: Subscription | None = None
    ) -> None:
        """Remember a connection, who is at its other end, and what it watches from the start."""
        now = self.clock.now()
        if first is not None:
            first = replace(first, since=now)
        self.subscriptions.connect(connection_id, caller, until=now + MAX_CONNECTION, first=first)

    def watch(self, subscription: Subscription) -> Subscription:
        """Store a subscription; what it lacks follows by the stream, so nothing is missed.

        Raises ConnectionGone, TooManySubscriptions.
        """
        return self.subscriptions.watch(replace(subscription, since=self.clock.now()))

    def caller_of(self, connection_id: str) -> Caller:
        """Return who is at the other end. Raises ConnectionGone if it is not stored."""
        caller = self.subscriptions.caller_of(connection_id)
        if caller is None:
            raise ConnectionGone(connection_id)
        return caller

    def unwatch(self, subscription: Subscription) -> None:
        self.subscriptions.forget(subscription)

    def leave(self, connection_id: str) -> None:
        """Forget a connection and all that it watched."""
        self.subscriptions.forget_connection(connection_id)
