"""Stacks on which orders wait, and how many of them a test lets wait."""

import os

#: A quick market, and as many orders a minute as a test likes.
QUICK = {
    "Auth": "api-key",
    "OrdersPerMinute": "0",
    "QuoteDelayMinMs": "0",
    "QuoteDelayMaxMs": "20",
    "ConfirmDelayMinMs": "50",
    "ConfirmDelayMaxMs": "150",
}


def many(few: int, maximum: int) -> int:
    """Return how often to try something that chance decides: `maximum` with MANY=1."""
    return maximum if os.environ.get("MANY", "0") not in {"", "0"} else few
