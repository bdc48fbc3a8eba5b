"""Who watches what, and how they are told."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from engine.ports.access import Caller

#: API Gateway ends every WebSocket connection after two hours.
MAX_CONNECTION = timedelta(hours=2)
#: How long a connection may be in the making, in which a push finds it gone.
ARRIVAL = timedelta(seconds=3)


def order_topic(order_id: str) -> str:
    """Return the topic of one order."""
    return f"ORDER#{order_id}"


def account_topic(account: str) -> str:
    """Return the topic of all of an account's orders."""
    return f"ACCOUNT#{account}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A WebSocket connection that watches a topic on behalf of an account, by a key of it.

    It has every state of the order up to `after_seq`, and is `caught_up` once it was told what had
    been when it came; `deferred` counts how often that was put off. It watches from `since` to
    `until` at most. Two are equal if the same connection watches the same topic.
    """

    topic: str
    connection_id: str
    account: str = field(default="", compare=False)
    after_seq: int = field(default=0, compare=False)
    since: datetime | None = field(default=None, compare=False)
    until: datetime | None = field(default=None, compare=False)
    caught_up: bool = field(default=False, compare=False)
    key_id: str | None = field(default=None, compare=False)
    deferred: int = field(default=0, compare=False)

    def of_caller(self, caller: Caller, *, until: datetime) -> "Subscription":
        return replace(self, account=caller.account, key_id=caller.key_id, until=until)


class Subscriptions(Protocol):
    """Connections and what they watch."""

    def connect(
        self,
        connection_id: str,
        caller: Caller,
        *,
        until: datetime,
        first: Subscription | None = None,
    ) -> None:
        """Store a connection: who is at its other end, when it ends at the latest, what it watches.

        What `first` is to be told follows by the stream.
        """
        ...

    def count_connect(
        self, connection_id: str, caller: Caller, *, at: datetime, limit: int
    ) -> bool:
        """Count a connection that is about to be stored, and note it under its caller's key.

        False if the account has made `limit` (0: any number) in the same minute of the clock.
        """
        ...

    def connected_by(self, caller: Caller, *, at: datetime) -> list[tuple[str, datetime]]:
        """Return the connections of a key that may stand at `at`, and when each was counted.

        Those that have ended are among them.
        """
        ...

    def watch(self, subscription: Subscription) -> Subscription:
        """Store a subscription of a connection's account; what it lacks follows by the stream.

        Raises ConnectionGone if the connection is not stored, TooManySubscriptions.
        """
        ...

    def change(self, standing: Subscription, changed: Subscription) -> None:
        """Note how far a subscription has come; nothing if it is not as it stood any more."""
        ...

    def of(self, topics: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Subscription]]:
        """Return who watches topics, each on behalf of an account: by topic and account.

        Those whose time is over are among them.
        """
        ...

    def forget(self, subscription: Subscription) -> None:
        """Drop one subscription; harmless when it is gone already."""
        ...

    def forget_connection(self, connection_id: str) -> None:
        """Drop a connection, and that it watches its account.

        What it watches of single orders may stay, until a push finds it gone or its time is over.
        """
        ...

    def forget_gone(self, gone: Iterable[str], subscriptions: Iterable[Subscription]) -> None:
        """Drop connections that are gone, as `forget_connection` does, and these subscriptions.

        The connections of these are gone, or over: nothing else is noted of them.
        """
        ...

    def caller_of(self, connection_id: str) -> Caller | None:
        """Return who is at the other end of a connection, None if it is not stored."""
        ...


class Push(Protocol):
    """Reaches one WebSocket client."""

    def __call__(self, connection_id: str, message: bytes) -> None:
        """Post a message.

        Raises ConnectionGone if the client has left, PushFailed for any other reason.
        """
        ...

    def close(self, connection_id: str) -> None:
        """Close a connection. Raises ConnectionGone, PushFailed."""
        ...
