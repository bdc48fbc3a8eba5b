"""A client of the engine's API for Python.

with Engine("http://127.0.0.1:3000", key=key) as engine:
    order = engine.place(PlaceMarket(token_in="SOL", token_out="USDC", amount="1.5"))
    for update in engine.watch(order.order_id):
        print(update.seq, update.status)
"""

from oee.client.aio import AsyncEngine
from oee.client.errors import (
    Conflict,
    EngineError,
    Forbidden,
    Halted,
    NotFound,
    NotUnderstood,
    RateLimited,
    Refused,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from oee.client.stream import FINAL, Update
from oee.client.sync import Engine

__all__ = [
    "FINAL",
    "AsyncEngine",
    "Conflict",
    "Engine",
    "EngineError",
    "Forbidden",
    "Halted",
    "NotFound",
    "NotUnderstood",
    "RateLimited",
    "Refused",
    "TimedOut",
    "Unauthenticated",
    "Unreachable",
    "Update",
]
