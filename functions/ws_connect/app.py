"""The WebSocket API: connect, disconnect, subscribe, unsubscribe, ping."""

from typing import Any

from snapshot_restore_py import register_before_snapshot

from engine.api.sockets import Sockets
from engine.bootstrap import engine


def lambda_handler(
    event: dict[str, Any], context: Any, using: Sockets | None = None
) -> dict[str, Any]:
    """Answer one WebSocket event."""
    use = using or engine().sockets  # Lambda never passes it; tests do
    return use.handle(event)


@register_before_snapshot
def prepare() -> None:
    """Make what the first request needs while nobody waits for it."""
    _ = engine().sockets
