"""The operators' part of the HTTP API."""

from typing import Any

from engine.api.operating import OperatorApi
from engine.bootstrap import engine


def lambda_handler(
    event: dict[str, Any], context: Any, using: OperatorApi | None = None
) -> dict[str, Any]:
    """Answer one HTTP request of an operator."""
    use = using or engine().operator_api  # Lambda never passes it; tests do
    return use.handle(event)
