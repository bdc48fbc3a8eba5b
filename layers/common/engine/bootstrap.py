"""Where ports meet adapters: made at a function's first call, kept for its process's life."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from engine.adapters import aws
from engine.adapters.dynamodb import DynamoLedger, DynamoOrders, DynamoWatchers
from engine.adapters.sqs import SqsQueue
from engine.adapters.system import SystemChance, SystemClock
from engine.adapters.websocket import WebSocketPush
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.api.http import HttpApi
    from engine.api.sockets import Sockets
    from engine.api.stream import Stream
    from engine.api.work import Work
    from engine.service.execution import Execution
    from engine.service.reconciliation import Reconciliation

#: Ten orders at once, each with a thread of its own, its venues' and the look at the chain.
_ORDER_THREADS, _CALL_THREADS = 10, 40


@cache
def settings() -> Settings:
    return Settings(dict(os.environ))


@cache
def http_api() -> "HttpApi":
    """Return the HTTP API of this process."""
    from engine.api.http import HttpApi
    from engine.service.placing import Placing
    from engine.service.reading import Reading

    placing = Placing(
        _orders(),
        _queue(),
        SystemClock(),
        SystemChance(),
        settings().order_deadline,
        test_tokens=settings().simulated_faults,
    )
    return HttpApi(placing, Reading(_orders()))


@cache
def work() -> "Work":
    """Return the worker of this process."""
    from engine.api.work import Work

    return Work(execution(), _queue(), ThreadPoolExecutor(_ORDER_THREADS))


@cache
def sockets() -> "Sockets":
    """Return the WebSocket API's answers."""
    from engine.api.sockets import Sockets
    from engine.service.watching import Watching

    def push_to(api_id: str, stage: str) -> WebSocketPush:
        return WebSocketPush(aws.connections(settings().push_endpoint_of(api_id, stage)))

    return Sockets(Watching(_watchers(), SystemClock()), push_to)


@cache
def stream() -> "Stream":
    """Return the announcer of this process."""
    from engine.api.stream import Stream
    from engine.api.views import message, unknown_order_message
    from engine.service.notification import Notification

    push = WebSocketPush(aws.connections(settings().push_endpoint))
    background = ThreadPoolExecutor(_CALL_THREADS)
    return Stream(
        Notification(
            _orders(),
            _watchers(),
            push,
            background,
            SystemClock(),
            message,
            unknown_order_message,
        )
    )


@cache
def reconciliation() -> "Reconciliation":
    """Return the repairer of this process."""
    from engine.service.reconciliation import Reconciliation

    return Reconciliation(_orders(), _queue(), execution(), SystemClock())


@cache
def execution() -> "Execution":
    from engine.adapters.simulated import SimulatedChain, SimulatedVenue, Weather
    from engine.market.simulation import SimulatedMarket
    from engine.service.execution import Execution, Policy

    clock, chance = SystemClock(), SystemChance()
    market = SimulatedMarket(settings().simulation_seed)
    return Execution(
        _orders(),
        _queue(),
        [
            SimulatedVenue(name, market, clock, chance, settings().quote_delay)
            for name in ("raydium", "meteora")
        ],
        SimulatedChain(
            market,
            DynamoLedger(aws.dynamodb(), settings().table_name),
            clock,
            settings().confirm_delay,
            settings().simulation_seed,
            Weather.foul(settings().chain_fault_rate),
        ),
        clock,
        chance,
        ThreadPoolExecutor(_CALL_THREADS),
        Policy(min_split_gain_bps=settings().min_split_gain_bps),
    )


@cache
def _orders() -> DynamoOrders:
    return DynamoOrders(aws.dynamodb(), settings().table_name)


@cache
def _watchers() -> DynamoWatchers:
    return DynamoWatchers(aws.dynamodb(), settings().table_name)


@cache
def _queue() -> SqsQueue:
    return SqsQueue(aws.sqs(), settings().order_queue_url, settings().dead_letter_queue_url)
