"""The HTTP API: place and read orders."""

from typing import Any

from snapshot_restore_py import register_before_snapshot

from engine.api.http import HttpApi
from engine.bootstrap import engine


def lambda_handler(
    event: dict[str, Any], context: Any, using: HttpApi | None = None
) -> dict[str, Any]:
    """Answer one HTTP request."""
    use = using or engine().http_api  # Lambda never passes it; tests do
    return use.handle(event)


@register_before_snapshot
def prepare() -> None:
    """Make what the first request needs while nobody waits for it."""
    _ = engine().http_api
