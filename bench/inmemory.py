"""The engine without a cloud: its services over the in-memory adapters of the tests."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from engine.adapters.simulated import SimulatedChain, SimulatedVenue
from engine.adapters.simulated_prices import SimulatedPrices
from engine.adapters.system import SystemChance, SystemClock
from engine.api import views
from engine.api.http import HttpApi
from engine.api.sockets import Sockets
from engine.api.stream import Stream
from engine.api.work import Work
from engine.domain.order import Order
from engine.market.simulation import SimulatedMarket
from engine.ports import Background
from engine.service.cancelling import Cancelling
from engine.service.connecting import Connecting
from engine.service.execution import Execution
from engine.service.identity import Identity
from engine.service.limits import Limits
from engine.service.notification import Notification
from engine.service.placing import Placing
from engine.service.quoting import Quoting
from engine.service.reading import Reading
from engine.service.reconciliation import Reconciliation
from engine.service.revocation import Revocation
from engine.service.watching import Watching
from tests.fakes import (
    Inline,
    MemoryAccess,
    MemoryLedger,
    MemoryOrders,
    MemoryQueue,
    MemoryWatchers,
)

_CLOCK, _CHANCE = SystemClock(), SystemChance()
_NOW = (0.0, 0.0)
#: As the template has it: an order's size is checked against a reference price.
_DOLLARS = Decimal(0), Decimal(10_000_000)


class ToldOrders(MemoryOrders):
    """Orders in a dict, which keeps what changed as the table's stream would."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[Order] = []

    def _put(self, order: Order, expected_seq: int | None) -> None:
        super()._put(order, expected_seq)
        self.changed.append(order)


@dataclass
class Counted:
    """A push that only counts."""

    messages: int = 0
    size: int = 0
    closed: int = 0

    def close(self, connection_id: str) -> None:  # noqa: ARG002 - the port's
        self.closed += 1

    def __call__(self, connection_id: str, message: bytes) -> None:  # noqa: ARG002 - the port's
        self.messages += 1
        self.size += len(message)


@dataclass
class Engine:
    """All use cases over one set of in-memory adapters, with nothing simulated to wait for."""

    background: Background = field(default_factory=Inline)
    orders: ToldOrders = field(default_factory=ToldOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    watchers: MemoryWatchers = field(default_factory=MemoryWatchers)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    push: Counted = field(default_factory=Counted)
    market: SimulatedMarket = field(default_factory=lambda: SimulatedMarket(0))

    def __post_init__(self) -> None:
        venues = [
            SimulatedVenue(name, self.market, _CLOCK, _CHANCE, _NOW)
            for name in ("raydium", "meteora")
        ]
        self.quoting = Quoting(venues, _CLOCK, self.background)
        chain = SimulatedChain(self.market, MemoryLedger(), _CLOCK, _NOW)
        self.placing = Placing(
            self.orders,
            self.queue,
            _CLOCK,
            _CHANCE,
            timedelta(seconds=120),
            Limits(self.access, _CLOCK, SimulatedPrices(0), 0, *_DOLLARS),
        )
        self.execution = Execution(
            self.orders, self.queue, self.quoting, chain, _CLOCK, _CHANCE, self.background
        )
        self.identity = Identity(self.access, _CLOCK, _CHANCE, required=False)
        self.notification = Notification(
            self.orders,
            self.watchers,
            self.push,
            self.background,
            _CLOCK,
            views.message,
            views.unknown_order_message,
            self.identity.is_good,
        )

    def http(self) -> HttpApi:
        reading, cancelling = Reading(self.orders, self.access), Cancelling(self.orders, _CLOCK)
        return HttpApi(self.identity, self.placing, reading, cancelling, lambda: self.quoting)

    def work(self) -> Work:
        return Work(self.execution, self.queue, self.background)

    def sockets(self) -> Sockets:
        connecting = Connecting(self.identity, self.watchers, _CLOCK)
        watching = Watching(self.watchers, _CLOCK)
        return Sockets(self.identity, connecting, watching, lambda *_: self.push)

    def stream(self) -> Stream:
        revocation = Revocation(
            self.identity, self.watchers, self.push, self.background, _CLOCK, b"revoked"
        )
        return Stream(self.notification, revocation)

    def reconciliation(self) -> Reconciliation:
        return Reconciliation(self.orders, self.queue, lambda: self.execution, _CLOCK)


@contextmanager
def silenced() -> Iterator[None]:
    """Let what is logged go nowhere: written it is all the same, that costs what it costs."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def threads() -> ThreadPoolExecutor:
    """Return what the functions run calls on."""
    return ThreadPoolExecutor(40)
