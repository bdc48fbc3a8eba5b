"""The ticker: wake the resting orders whose price or time has come."""

from typing import Any

from engine.api.ticks import Ticks
from engine.bootstrap import engine


def lambda_handler(
    event: dict[str, Any], context: Any, using: Ticks | None = None
) -> dict[str, Any]:
    """Tick until nothing rests, or until it is time to hand on; return what was done."""
    use = using or engine().ticks  # Lambda never passes it; tests do
    return use.tick_on(event)
