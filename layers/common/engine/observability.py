"""Logs: facts with keys, one a decision. No line has a key, a ticket or a signature in it."""

import json
import re
from typing import Any, Protocol

from aws_lambda_powertools import Logger


class Correlated(Protocol):
    """An order, as far as the log knows one."""

    @property
    def order_id(self) -> str: ...
    @property
    def correlation_id(self) -> str | None: ...


#: API keys, stream tickets, secrets and signatures of webhooks, whatever they stand in.
_SECRETS = re.compile(
    r"((?:oek_[a-f0-9]{16}|oet|whsec)_|\bv1[,=]|[Bb]earer +)[A-Za-z0-9+/=._-]{8,}"
)


def _line(fields: dict[str, Any]) -> str:
    """Return a line of the log: the net under all that may be said by mistake."""
    return _SECRETS.sub(r"\1***", json.dumps(fields, default=str, separators=(",", ":")))


#: One JSON line a fact; the service's name and the level come from the environment.
log = Logger(json_serializer=_line, location=None)


def about(order: Correlated, **facts: Any) -> dict[str, Any]:
    """Return what a line says of an order: its id, the request that placed it, and `facts`."""
    ids = {"order_id": order.order_id, "correlation_id": order.correlation_id}
    return {name: fact for name, fact in {**ids, **facts}.items() if fact is not None}
