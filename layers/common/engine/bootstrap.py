"""Where ports meet adapters: made at a function's first call, kept for its process's life."""

import gc
import os
import random
from collections.abc import Sequence
from datetime import timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Protocol

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader
from snapshot_restore_py import register_after_restore

from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.table import Table
from engine.adapters.system import SystemChance, SystemClock
from engine.domain.order import Settlement
from engine.settings import Settings, needed

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

    from engine.adapters.aws.breakers import DynamoBreakers
    from engine.adapters.aws.keys import DynamoAccess
    from engine.adapters.aws.launches import DynamoLaunches, SqsLaunchCalls
    from engine.adapters.aws.letters import SqsQueues
    from engine.adapters.aws.operations import DynamoAudit, DynamoLatencies
    from engine.adapters.aws.prices import DynamoPriceBook
    from engine.adapters.aws.push import WebSocketPush
    from engine.adapters.aws.queue import SqsQueue
    from engine.adapters.aws.resting import DynamoRestingIndex, DynamoTickers
    from engine.adapters.aws.rosters import DynamoRosters
    from engine.adapters.aws.signals import DynamoReplays, SsmSources
    from engine.adapters.aws.subscriptions import DynamoSubscriptions
    from engine.adapters.metrics import EmbeddedMetrics
    from engine.adapters.simulated.launches import DynamoSimulatedLaunches
    from engine.adapters.simulated.prices import MovedPrices
    from engine.adapters.simulated.venues import PoolsAt
    from engine.adapters.solana.chain import SolanaChain
    from engine.adapters.solana.rpc import Node
    from engine.adapters.solana.venues import PoolBook
    from engine.api.http import HttpApi
    from engine.api.operating import OperatorApi
    from engine.api.pages import Pages
    from engine.api.sockets import Sockets
    from engine.api.stream import Stream
    from engine.api.ticks import Ticks
    from engine.api.work import Work
    from engine.domain.tokens import Token
    from engine.ports.access import Access
    from engine.ports.background import Background
    from engine.ports.breakers import Breakers
    from engine.ports.chain import Chain
    from engine.ports.clock import Chance, Clock
    from engine.ports.launches import LaunchBook, LaunchCalls, SimulatedLaunches
    from engine.ports.logs import Logs
    from engine.ports.metrics import Metrics
    from engine.ports.operations import Audit, Latencies, Queues
    from engine.ports.orders import OrderRepository
    from engine.ports.prices import PriceBook, Prices, Simulation
    from engine.ports.queue import OrderQueue
    from engine.ports.resting import RestingIndex, Tickers
    from engine.ports.rosters import Rosters
    from engine.ports.signals import Replays, Sources
    from engine.ports.subscriptions import Push, Subscriptions
    from engine.ports.venue import Market, Venue
    from engine.service.breaking import Breaking
    from engine.service.cancelling import Cancelling
    from engine.service.changing import Changing
    from engine.service.connecting import Connecting
    from engine.service.epochs import Epochs
    from engine.service.execution import Execution
    from engine.service.identity import Identity
    from engine.service.launching import Launching
    from engine.service.moving import Moving
    from engine.service.opening import Opening
    from engine.service.parting import Parting
    from engine.service.placing import Placing
    from engine.service.pricing import Pricing
    from engine.service.quoting import Quoting
    from engine.service.reading import Reading
    from engine.service.reconciliation import Reconciliation
    from engine.service.resting import TickerWatch
    from engine.service.signalling import Signalling
    from engine.service.waiting import Beginning
    from engine.service.watching import Watching

#: Ten orders at once, each with a thread of its own, and its venues'.
_ORDER_THREADS, _CALL_THREADS = 10, 40
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


class Adapters(Protocol):
    """What the use cases stand on; each is asked for only by what needs it."""

    @property
    def clock(self) -> "Clock": ...
    @property
    def chance(self) -> "Chance": ...
    @property
    def orders(self) -> "OrderRepository": ...
    @property
    def queue(self) -> "OrderQueue": ...
    @property
    def tickers(self) -> "Tickers": ...
    @property
    def resting(self) -> "RestingIndex": ...
    @property
    def rosters(self) -> "Rosters": ...
    @property
    def subscriptions(self) -> "Subscriptions": ...
    @property
    def access(self) -> "Access": ...
    @property
    def prices(self) -> "Prices": ...
    @property
    def price_book(self) -> "PriceBook": ...
    @property
    def market(self) -> "Market": ...
    @property
    def simulation(self) -> "Simulation": ...
    @property
    def venues(self) -> "Sequence[Venue]": ...
    @property
    def chain(self) -> "Chain": ...
    @property
    def breakers(self) -> "Breakers": ...
    @property
    def metrics(self) -> "Metrics": ...
    @property
    def audit(self) -> "Audit": ...
    @property
    def latencies(self) -> "Latencies": ...
    @property
    def queues(self) -> "Queues": ...
    @property
    def logs(self) -> "Logs": ...
    @property
    def order_threads(self) -> "Background": ...
    @property
    def call_threads(self) -> "Background": ...
    @property
    def launches(self) -> "LaunchBook": ...
    @property
    def launch_calls(self) -> "LaunchCalls": ...
    @property
    def simulated_launches(self) -> "SimulatedLaunches": ...
    @property
    def sources(self) -> "Sources": ...
    @property
    def replays(self) -> "Replays": ...
    def push_to(self, api_id: str, stage: str) -> "Push": ...


class Engine:
    """The use cases over one set of adapters, and the doorways' APIs over those."""

    def __init__(self, settings: Settings, adapters: Adapters) -> None:
        self.settings, self.adapters = settings, adapters

    @cached_property
    def http_api(self) -> "HttpApi":
        """The HTTP API."""
        from engine.api.http import HttpApi

        return HttpApi(
            self.identity,
            self.placing,
            self.reading,
            self.changing,
            self.cancelling,
            lambda: self.quoting,
            lambda: self.pricing,
            (lambda: self.moving) if self.settings.simulated_faults else None,
            self.adapters.metrics,
            lambda: self.signalling,
            (lambda: self.opening) if self.settings.simulated_faults else None,
        )

    @cache  # noqa: B019 - it lives as long as the process, as this does
    def pages(self, folder: "Path") -> "Pages":
        """The console's files."""
        from engine.api.pages import Pages

        return Pages(folder, self.settings.stream_url)

    @cached_property
    def operator_api(self) -> "OperatorApi":
        """The operators' part of the HTTP API."""
        from engine.api.operating import OperatorApi
        from engine.service.acting import Acting
        from engine.service.operating import Operating

        use = self.adapters
        operating = Operating(
            Acting(use.access, use.audit, use.clock, use.chance),
            use.access,
            use.orders,
            use.queues,
            use.tickers,
            use.price_book,
            use.breakers,
            use.latencies,
            lambda: use.logs,
            use.clock,
            self.settings.settlement,
        )
        return OperatorApi(self.identity, operating)

    @cached_property
    def launching(self) -> "Launching":
        from engine.ports.launches import NoLaunches
        from engine.service.launching import Launching

        use = self.adapters
        return Launching(
            use.orders,
            use.resting,
            use.launches,
            use.launch_calls,
            use.simulated_launches if self.settings.simulated_faults else NoLaunches(),
            use.queue,
            use.order_threads,
            use.clock,
            self.epochs,
            self.settings.order_deadline,
            metrics=use.metrics,
        )

    @cached_property
    def signalling(self) -> "Signalling":
        from engine.service.signalling import Signalling, new_secret

        use = self.adapters
        return Signalling(
            use.sources,
            use.replays,
            self.launching,
            use.clock,
            new_secret(use.chance),
            use.metrics,
        )

    @cached_property
    def opening(self) -> "Opening":
        from engine.service.opening import Opening

        use = self.adapters
        return Opening(use.simulated_launches, self.signalling, use.clock, use.chance)

    def _launched(self) -> "list[Token]":
        """Return the tokens that have launched here."""
        if not self.settings.simulated_faults:
            return []
        opened = self.adapters.simulated_launches.opened().values()
        return [each.launch.token for each in opened]

    @cached_property
    def placing(self) -> "Placing":
        from engine.service.limits import Limits
        from engine.service.placing import Placing
        from engine.service.room import Room

        use, asked = self.adapters, self.settings
        limits = Limits(
            use.access, use.clock, use.prices, asked.orders_per_minute, *asked.order_dollars
        )
        return Placing(
            use.orders,
            use.queue,
            use.clock,
            use.chance,
            asked.order_deadline,
            limits,
            Room(use.orders, use.rosters, asked.resting_orders_per_account),
            self.ticker,
            self.beginning,
            test_tokens=asked.simulated_faults,
            pooled=use.market.pairs if asked.solana else None,
            settlement=asked.settlement,
            launching=lambda: self.launching,
            launched=self._launched,
        )

    @cached_property
    def reading(self) -> "Reading":
        from engine.service.reading import Reading

        return Reading(self.adapters.orders, self.adapters.access, self.epochs)

    @cached_property
    def changing(self) -> "Changing":
        from engine.service.changing import Changing

        use, deadline = self.adapters, self.settings.order_deadline
        return Changing(use.orders, use.queue, self.epochs, self.beginning, use.clock, deadline)

    @cached_property
    def cancelling(self) -> "Cancelling":
        from engine.service.cancelling import Cancelling

        use = self.adapters
        return Cancelling(use.orders, use.rosters, self.epochs, self.parting, use.clock)

    @cached_property
    def parting(self) -> "Parting":
        from engine.service.parting import Parting

        use, deadline = self.adapters, self.settings.order_deadline
        return Parting(use.orders, use.queue, use.clock, self.epochs, deadline)

    @cached_property
    def beginning(self) -> "Beginning":
        from engine.service.waiting import Beginning

        return Beginning(lambda: self.pricing, lambda: self.adapters.launches)

    @cached_property
    def epochs(self) -> "Epochs":
        from engine.service.epochs import Epochs

        return Epochs(self.adapters.rosters)

    @cached_property
    def work(self) -> "Work":
        """The worker."""
        from engine.api.work import Work

        use = self.adapters
        return Work(self.execution, use.queue, use.order_threads, use.metrics)

    @cached_property
    def sockets(self) -> "Sockets":
        """The WebSocket API."""
        from engine.api.sockets import Sockets

        return Sockets(self.identity, self.connecting, self.watching, self.adapters.push_to)

    @cached_property
    def connecting(self) -> "Connecting":
        from engine.service.connecting import Connecting

        use, limit = self.adapters, self.settings.connects_per_minute
        return Connecting(self.identity, use.subscriptions, use.clock, limit)

    @cached_property
    def watching(self) -> "Watching":
        from engine.service.watching import Watching

        return Watching(self.adapters.subscriptions, self.adapters.clock)

    @cached_property
    def stream(self) -> "Stream":
        """The announcer of what the table's stream tells."""
        from engine.api.frames import refusal_message, revoked_message
        from engine.api.stream import Stream
        from engine.api.views import message
        from engine.service.notification import Notification
        from engine.service.revocation import Revocation

        use = self.adapters
        push = use.push_to(
            needed(self.settings.websocket_api_id, "WEBSOCKET_API_ID"),
            needed(self.settings.websocket_stage, "WEBSOCKET_STAGE"),
        )
        notification = Notification(
            use.orders,
            use.subscriptions,
            push,
            use.call_threads,
            use.clock,
            message,
            refusal_message,
            self.identity.is_good,
            self.epochs,
            use.metrics,
        )
        farewell = revoked_message()
        revocation = Revocation(
            self.identity, use.subscriptions, push, use.call_threads, use.clock, farewell
        )
        return Stream(notification, revocation, use.metrics, use.latencies)

    @cached_property
    def reconciliation(self) -> "Reconciliation":
        """The repairer."""
        from engine.service.reconciliation import Reconciliation
        from engine.service.sweeping import Sweeping

        use = self.adapters
        sweeping = Sweeping(use.orders, use.rosters, use.clock)
        return Reconciliation(
            use.orders,
            use.queue,
            lambda: self.execution,
            use.clock,
            self.ticker,
            use.resting,
            sweeping,
            metrics=use.metrics,
            launching=lambda: self.launching,
            launched=self._launched,
        )

    @cached_property
    def execution(self) -> "Execution":
        from engine.service.execution import Execution

        use = self.adapters
        return Execution(
            use.orders,
            use.queue,
            self.quoting,
            use.chain,
            use.clock,
            use.chance,
            use.call_threads,
            self.ticker,
            self.epochs,
            self.parting,
            settlement=self.settings.settlement,
            signs=self.settings.signs,
        )

    @cached_property
    def ticker(self) -> "TickerWatch":
        from engine.service.resting import TickerWatch

        return TickerWatch(self.adapters.tickers, self.adapters.clock)

    @cached_property
    def ticks(self) -> "Ticks":
        """The ticker."""
        from engine.api.ticks import Ticks
        from engine.service.ticking import Ticking
        from engine.service.triggering import Triggering

        use = self.adapters
        triggering = Triggering(
            use.orders,
            use.resting,
            use.price_book,
            use.queue,
            use.order_threads,
            use.clock,
            self.epochs,
            self.settings.order_deadline,
            self.settings.stale_price,
            self.parting,
            metrics=use.metrics,
        )
        return Ticks(
            Ticking(
                triggering,
                use.resting,
                self.pricing,
                use.tickers,
                use.clock,
                use.chance,
                self.settings.tick,
                metrics=use.metrics,
                launched=self._launched,
            ),
            self.launching,
            use.metrics,
        )

    @cached_property
    def quoting(self) -> "Quoting":
        from engine.service.quoting import GRACE, Quoting

        use, gain = self.adapters, self.settings.min_split_gain_bps
        quickest, slowest = self.settings.quote_delay
        return Quoting(
            use.venues,
            use.clock,
            use.call_threads,
            self.breaking,
            # No simulated venue is taken for one that hangs, however slow it was made.
            grace=max(GRACE, timedelta(seconds=slowest - quickest + 0.2)),
            min_split_gain_bps=gain,
        )

    @cached_property
    def breaking(self) -> "Breaking":
        from engine.service.breaking import Breaking

        use = self.adapters
        return Breaking(use.breakers, use.clock, use.chance, use.metrics)

    @cached_property
    def pricing(self) -> "Pricing":
        from engine.service.pricing import Pricing

        use = self.adapters
        return Pricing(use.market, use.price_book, use.clock, self.settings.stale_price)

    @cached_property
    def moving(self) -> "Moving":
        from engine.service.moving import Moving

        use = self.adapters
        return Moving(
            use.simulation,
            self.pricing,
            use.price_book,
            use.clock,
            use.simulated_launches.opened,
        )

    @cached_property
    def identity(self) -> "Identity":
        from engine.service.identity import Identity

        use = self.adapters
        return Identity(use.access, use.clock, use.chance, self.settings.keys_required)


class Aws:
    """The adapters on AWS, and the simulated venues and chain; each is made when it is needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock, self.chance = SystemClock(), SystemChance()
        self._pushes: dict[str, WebSocketPush] = {}

    @cached_property
    def orders(self) -> DynamoOrders:
        return DynamoOrders(self._table)

    @cached_property
    def queue(self) -> "SqsQueue":
        from engine.adapters.aws.queue import SqsQueue

        return SqsQueue(
            self._sqs,
            needed(self.settings.order_queue_url, "ORDER_QUEUE_URL"),
            self.settings.dead_letter_queue_url,
        )

    @cached_property
    def resting(self) -> "DynamoRestingIndex":
        from engine.adapters.aws.resting import DynamoRestingIndex

        return DynamoRestingIndex(self._table)

    @cached_property
    def tickers(self) -> "DynamoTickers":
        from engine.adapters.aws.resting import DynamoTickers

        url = needed(self.settings.tick_queue_url, "TICK_QUEUE_URL")
        return DynamoTickers(self._table, self._sqs, url)

    @cached_property
    def rosters(self) -> "DynamoRosters":
        from engine.adapters.aws.rosters import DynamoRosters

        return DynamoRosters(self._table)

    @cached_property
    def subscriptions(self) -> "DynamoSubscriptions":
        from engine.adapters.aws.subscriptions import DynamoSubscriptions

        return DynamoSubscriptions(self._table)

    @cached_property
    def access(self) -> "DynamoAccess":
        from engine.adapters.aws.keys import DynamoAccess

        return DynamoAccess(self._table)

    @cached_property
    def prices(self) -> "Prices":
        if self.settings.solana:
            from engine.adapters.solana.venues import PoolPrices, SolanaPools

            return PoolPrices(SolanaPools(self._book))
        from engine.adapters.simulated.prices import SimulatedPrices

        moved = self.simulation if self.settings.simulated_faults else None
        return SimulatedPrices(
            self.settings.simulation_seed,
            moved,
            self.simulated_launches.opened if moved else dict,
        )

    @cached_property
    def price_book(self) -> "DynamoPriceBook":
        from engine.adapters.aws.prices import DynamoPriceBook

        return DynamoPriceBook(self._table)

    @cached_property
    def market(self) -> "Market":
        if self.settings.solana:
            from engine.adapters.solana.venues import SolanaPools

            return SolanaPools(self._book)
        from engine.adapters.simulated.venues import SimulatedPools

        return SimulatedPools(self._pools, self.clock)

    @cached_property
    def simulation(self) -> "MovedPrices":
        from engine.adapters.simulated.prices import MovedPrices

        return MovedPrices(self._table, self.clock)

    @cached_property
    def launches(self) -> "DynamoLaunches":
        from engine.adapters.aws.launches import DynamoLaunches

        return DynamoLaunches(self._table)

    @cached_property
    def launch_calls(self) -> "SqsLaunchCalls":
        from engine.adapters.aws.launches import SqsLaunchCalls

        url = self.settings.tick_queue_url
        return SqsLaunchCalls(lambda: self._sqs, lambda: needed(url, "TICK_QUEUE_URL"))

    @cached_property
    def simulated_launches(self) -> "DynamoSimulatedLaunches":
        from engine.adapters.simulated.launches import DynamoSimulatedLaunches

        return DynamoSimulatedLaunches(self._table, self.clock)

    @cached_property
    def sources(self) -> "SsmSources":
        from engine.adapters.aws.signals import SsmSources

        return SsmSources(
            lambda: self._session.client("ssm", config=_CONFIG), self.settings.signal_path
        )

    @cached_property
    def replays(self) -> "DynamoReplays":
        from engine.adapters.aws.signals import DynamoReplays

        return DynamoReplays(self._table)

    @cached_property
    def venues(self) -> "Sequence[Venue]":
        if self.settings.solana:
            from engine.adapters.solana.venues import SolanaVenue

            return [SolanaVenue(name, self._book) for name in ("raydium", "meteora")]
        from engine.adapters.simulated.venues import SimulatedVenue

        return [
            SimulatedVenue(name, self._pools, self.clock, self.chance, self.settings.quote_delay)
            for name in ("raydium", "meteora")
        ]

    @cached_property
    def chain(self) -> "Chain":
        if self.settings.settlement is Settlement.LIVE:
            return self._solana_chain
        from engine.adapters.aws.orders import DynamoLedger
        from engine.adapters.simulated.chain import Faults, SimulatedChain

        if self.settings.settlement is Settlement.PAPER:
            from engine.adapters.solana.paper import PoolsNow

            ledger = DynamoLedger(self._table)
            return SimulatedChain(PoolsNow(self._book), ledger, self.clock, (0, 0))
        return SimulatedChain(
            self._pools,
            DynamoLedger(self._table),
            self.clock,
            self.settings.confirm_delay,
            self.settings.simulation_seed,
            Faults.at_rate(self.settings.chain_fault_rate),
        )

    @cached_property
    def _solana_chain(self) -> "SolanaChain":
        from engine.adapters.solana.chain import SolanaChain
        from engine.adapters.solana.signers import KmsSigner

        asked = needed(self.settings.solana, "NETWORK of solana")
        signer = None
        if asked.signer_key_id:
            signer = KmsSigner(self._session.client("kms", config=_CONFIG), asked.signer_key_id)
        return SolanaChain(self._node, self._book, self.clock, signer, asked.max_priority_fee)

    @cached_property
    def _node(self) -> "Node":
        from engine.adapters.solana.rpc import Node

        return Node(needed(self.settings.solana, "NETWORK of solana").rpc_url, self.clock)

    @cached_property
    def _book(self) -> "PoolBook":
        from engine.adapters.solana.pools import listings
        from engine.adapters.solana.venues import PoolBook

        asked = needed(self.settings.solana, "NETWORK of solana")
        return PoolBook(self._node, self.clock, listings(asked.pools))

    @cached_property
    def order_threads(self) -> "ThreadPoolExecutor":
        return _threads(_ORDER_THREADS)

    @cached_property
    def call_threads(self) -> "ThreadPoolExecutor":
        return _threads(_CALL_THREADS)

    @cached_property
    def breakers(self) -> "DynamoBreakers":
        from engine.adapters.aws.breakers import DynamoBreakers

        return DynamoBreakers(self._table)

    @cached_property
    def metrics(self) -> "EmbeddedMetrics":
        from engine.adapters.metrics import EmbeddedMetrics

        return EmbeddedMetrics()

    @cached_property
    def audit(self) -> "DynamoAudit":
        from engine.adapters.aws.operations import DynamoAudit

        return DynamoAudit(self._table)

    @cached_property
    def latencies(self) -> "DynamoLatencies":
        from engine.adapters.aws.operations import DynamoLatencies

        return DynamoLatencies(self._table)

    @cached_property
    def queues(self) -> "SqsQueues":
        from engine.adapters.aws.letters import SqsQueues

        orders, dead = self.settings.order_queue_url, self.settings.dead_letter_queue_url
        return SqsQueues(
            self._sqs, needed(orders, "ORDER_QUEUE_URL"), needed(dead, "DEAD_LETTER_QUEUE_URL")
        )

    @cached_property
    def logs(self) -> "Logs":
        from engine.adapters.aws.logs import FUNCTIONS, FilteredLogs, InsightsLogs

        prefix = needed(self.settings.log_groups, "LOG_GROUPS")
        groups = {name: f"{prefix}/{name}" for name in FUNCTIONS}
        kind = FilteredLogs if self.settings.endpoint_url else InsightsLogs
        return kind(self._session.client("logs", config=_CONFIG), groups)

    def push_to(self, api_id: str, stage: str) -> "WebSocketPush":
        """Return the push to an API's connections; the same for the same API."""
        from engine.adapters.aws.push import WebSocketPush

        url = self.settings.connections_url(api_id, stage)
        if url not in self._pushes:
            client = self._session.client(
                "apigatewaymanagementapi", endpoint_url=url, config=_CONFIG
            )
            self._pushes[url] = WebSocketPush(client)
        return self._pushes[url]

    @cached_property
    def _table(self) -> Table:
        return Table(self._session.client("dynamodb", config=_CONFIG), self.settings.table_name)

    @cached_property
    def _sqs(self) -> "SQSClient":
        client: SQSClient = self._session.client("sqs", config=_CONFIG)
        return client

    @cached_property
    def _pools(self) -> "PoolsAt":
        from engine.adapters.simulated.venues import MovedMarket
        from engine.market.simulation import SimulatedMarket

        seed = self.settings.simulation_seed
        if self.settings.simulated_faults:
            return MovedMarket(seed, self.simulation, self.simulated_launches.opened)
        return SimulatedMarket(seed)

    @cached_property
    def _session(self) -> boto3.Session:
        session = botocore.session.get_session()
        session.register_component("data_loader", _service_descriptions())
        return boto3.Session(botocore_session=session)


@cache
def engine() -> Engine:
    """Return this process's engine; the first call ends the start, and the collector's rest."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    settings = Settings.of(os.environ)
    return Engine(settings, Aws(settings))


@register_after_restore
def forget() -> None:
    """Let go of what was made before a snapshot: clients, credentials, what was believed then.

    Python's own random numbers, by which botocore pauses before a retry, would be the same in every
    process that is restored.
    """
    engine.cache_clear()
    random.seed()


class ServiceDescriptions(Loader):
    """What botocore's files say of our services, which it need not look for among four hundred."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's
        return ["apigatewaymanagementapi", "dynamodb", "kms", "logs", "sqs", "ssm"]


@cache
def _service_descriptions() -> ServiceDescriptions:
    """Return the descriptions, which do not age: read once, also if a snapshot lies between."""
    return ServiceDescriptions()


def _threads(maximum: int) -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(maximum)
