"""The WebSocket API: connect, disconnect, subscribe, unsubscribe, ping."""

from typing import Any

from engine.api.sockets import Sockets
from engine.bootstrap import sockets


def lambda_handler(
    event: dict[str, Any], context: Any, using: Sockets | None = None
) -> dict[str, Any]:
    """Answer one WebSocket event."""
    use = using or sockets()  # Lambda never passes it; tests do
    return use.handle(event)
