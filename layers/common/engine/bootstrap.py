"""Where ports meet adapters: made at a function's first call, kept for its process's life."""

import gc
import os
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from engine.adapters.dynamodb import DynamoOrders
from engine.adapters.system import SystemChance, SystemClock
from engine.adapters.table import Table
from engine.settings import Settings

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from engine.adapters.accounts import DynamoAccess
    from engine.adapters.sqs import SqsQueue
    from engine.adapters.watchers import DynamoWatchers
    from engine.adapters.websocket import WebSocketPush
    from engine.api.http import HttpApi
    from engine.api.sockets import Sockets
    from engine.api.stream import Stream
    from engine.api.work import Work
    from engine.market.simulation import SimulatedMarket
    from engine.service.execution import Execution
    from engine.service.identity import Identity
    from engine.service.quoting import Quoting
    from engine.service.reconciliation import Reconciliation

#: Ten orders at once, each with a thread of its own, and its venues'.
_ORDER_THREADS, _CALL_THREADS = 10, 40
_CLOCK, _CHANCE = SystemClock(), SystemChance()
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=50,
    tcp_keepalive=True,
    # A fifth of a call's CPU: checks of our own arguments (the tests make them), and a text that
    # is put together anew for every request.
    parameter_validation=False,
    user_agent="order-execution-engine",
)


@cache
def settings() -> Settings:
    """Return the settings; the first call ends the start, and with it the collector's rest."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    return Settings(dict(os.environ))


@cache
def http_api() -> "HttpApi":
    """Return the HTTP API of this process."""
    from engine.adapters.simulated_prices import SimulatedPrices
    from engine.api.http import HttpApi
    from engine.service.cancelling import Cancelling
    from engine.service.limits import Limits
    from engine.service.placing import Placing
    from engine.service.reading import Reading

    limits = Limits(
        _access(),
        _CLOCK,
        SimulatedPrices(settings().simulation_seed),
        settings().orders_per_minute,
        *settings().order_dollars,
    )
    placing = Placing(
        _orders(),
        _queue(),
        _CLOCK,
        _CHANCE,
        settings().order_deadline,
        limits,
        test_tokens=settings().simulated_faults,
    )
    return HttpApi(
        _identity(),
        placing,
        Reading(_orders(), _access()),
        Cancelling(_orders(), _CLOCK),
        _quoting,
    )


@cache
def work() -> "Work":
    """Return the worker of this process."""
    from engine.api.work import Work

    return Work(_execution(), _queue(), _threads(_ORDER_THREADS))


@cache
def sockets() -> "Sockets":
    """Return the WebSocket API's answers."""
    from engine.api.sockets import Sockets
    from engine.service.watching import Watching

    def push_to(api_id: str, stage: str) -> "WebSocketPush":
        return _push(settings().push_endpoint_of(api_id, stage))

    return Sockets(_identity(), Watching(_watchers(), _CLOCK), push_to)


@cache
def stream() -> "Stream":
    """Return the announcer of this process."""
    from engine.api.stream import Stream
    from engine.api.views import message, unknown_order_message
    from engine.service.notification import Notification

    return Stream(
        Notification(
            _orders(),
            _watchers(),
            _push(settings().push_endpoint),
            _calls(),
            _CLOCK,
            message,
            unknown_order_message,
        )
    )


@cache
def reconciliation() -> "Reconciliation":
    """Return the repairer of this process."""
    from engine.service.reconciliation import Reconciliation

    return Reconciliation(_orders(), _queue(), _execution, _CLOCK)


@cache
def _execution() -> "Execution":
    from engine.adapters.dynamodb import DynamoLedger
    from engine.adapters.simulated import SimulatedChain, Weather
    from engine.service.execution import Execution

    chain = SimulatedChain(
        _market(),
        DynamoLedger(_table()),
        _CLOCK,
        settings().confirm_delay,
        settings().simulation_seed,
        Weather.foul(settings().chain_fault_rate),
    )
    return Execution(_orders(), _queue(), _quoting(), chain, _CLOCK, _CHANCE)


@cache
def _quoting() -> "Quoting":
    from engine.adapters.simulated import SimulatedVenue
    from engine.service.quoting import Quoting

    venues = [
        SimulatedVenue(name, _market(), _CLOCK, _CHANCE, settings().quote_delay)
        for name in ("raydium", "meteora")
    ]
    return Quoting(venues, _CLOCK, _calls(), min_split_gain_bps=settings().min_split_gain_bps)


@cache
def _identity() -> "Identity":
    from engine.service.identity import Identity

    return Identity(_access(), _CLOCK, _CHANCE, settings().keys_required)


@cache
def _market() -> "SimulatedMarket":
    from engine.market.simulation import SimulatedMarket

    return SimulatedMarket(settings().simulation_seed)


@cache
def _calls() -> "ThreadPoolExecutor":
    return _threads(_CALL_THREADS)


def _threads(most: int) -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(most)


@cache
def _aws() -> boto3.Session:
    return boto3.Session()


@cache
def _table() -> Table:
    return Table(_aws().client("dynamodb", config=_CONFIG), settings().table_name)


@cache
def _orders() -> DynamoOrders:
    return DynamoOrders(_table())


@cache
def _watchers() -> "DynamoWatchers":
    from engine.adapters.watchers import DynamoWatchers

    return DynamoWatchers(_table())


@cache
def _access() -> "DynamoAccess":
    from engine.adapters.accounts import DynamoAccess

    return DynamoAccess(_table())


@cache
def _queue() -> "SqsQueue":
    from engine.adapters.sqs import SqsQueue

    client = _aws().client("sqs", config=_CONFIG)
    return SqsQueue(client, settings().order_queue_url, settings().dead_letter_queue_url)


@cache
def _push(endpoint: str) -> "WebSocketPush":
    from engine.adapters.websocket import WebSocketPush

    client = _aws().client("apigatewaymanagementapi", endpoint_url=endpoint, config=_CONFIG)
    return WebSocketPush(client)
