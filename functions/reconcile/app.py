"""The schedule: repair what a crash left behind."""

from dataclasses import asdict
from typing import Any

from engine.bootstrap import engine
from engine.service.reconciliation import Reconciliation


def lambda_handler(
    event: dict[str, Any], context: Any, using: Reconciliation | None = None
) -> dict[str, Any]:
    """Repair once; return what was found."""
    use = using or engine().reconciliation  # Lambda never passes it; tests do
    return asdict(use.repair())
