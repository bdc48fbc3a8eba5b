"""The order queue's consumer: route and settle."""

from typing import Any

from engine.api.work import Work
from engine.bootstrap import engine


def lambda_handler(
    event: dict[str, Any], context: Any, using: Work | None = None
) -> dict[str, Any]:
    """Settle the orders of an SQS batch; report the ones to deliver again."""
    use = using or engine().work  # Lambda never passes it; tests do
    return use.settle_batch(event)
