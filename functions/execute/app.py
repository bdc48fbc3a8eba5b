"""The HTTP API: place and read orders."""

from typing import Any

from engine.api.http import HttpApi
from engine.bootstrap import http_api


def lambda_handler(
    event: dict[str, Any], context: Any, using: HttpApi | None = None
) -> dict[str, Any]:
    """Answer one HTTP request."""
    use = using or http_api()  # Lambda never passes it; tests do
    return use.handle(event)
