"""The real services and adapters over a small world of our own, under a clock of our own.

One thread, one order of events: a run is the same every time, so that what goes wrong once can be
looked at again. The adapters are the real ones over `tests/proof/aws.py`; only the chain and the
venues are guarded at their ports, since they are simulated anyway.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast

from engine.adapters.aws.breakers import DynamoBreakers
from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.launches import DynamoLaunches, SqsLaunchCalls
from engine.adapters.aws.orders import DynamoOrders, item_order
from engine.adapters.aws.prices import DynamoPriceBook
from engine.adapters.aws.push import WebSocketPush
from engine.adapters.aws.queue import SqsQueue
from engine.adapters.aws.resting import DynamoRestingIndex, DynamoTickers
from engine.adapters.aws.rosters import DynamoRosters
from engine.adapters.aws.signals import DynamoReplays
from engine.adapters.aws.subscriptions import ROWS, DynamoSubscriptions
from engine.adapters.aws.table import Table
from engine.adapters.codec import from_ms, to_ms
from engine.adapters.simulated.chain import Faults, SimulatedChain
from engine.adapters.simulated.venues import SimulatedPools, SimulatedVenue
from engine.api.problems import problem_of
from engine.api.ticks import Ticks
from engine.api.views import order_view
from engine.bootstrap import Engine
from engine.domain.errors import (
    ChainUnavailable,
    EngineError,
    VenueTimeout,
    VenueUnavailable,
)
from engine.domain.order import Order, Status, Transaction
from engine.domain.terms import KINDS, OrderType
from engine.domain.tokens import SOL, USDC, Token, pair_name
from engine.domain.triggers import Side, Tick
from engine.market.pool import Pool
from engine.market.simulation import SimulatedMarket
from engine.ports.access import ApiKey, Caller
from engine.ports.background import Background
from engine.ports.chain import Chain
from engine.ports.prices import PriceBook, PriceRow
from engine.ports.subscriptions import ARRIVAL, Push, Subscription, account_topic, order_topic
from engine.ports.venue import Market, Venue
from engine.service.identity import BELIEVED
from engine.service.placing import NewOrder
from engine.settings import Settings
from tests.fakes import (
    DollarPrices,
    FakeChance,
    FakeClock,
    Inline,
    MemoryAudit,
    MemoryLatencies,
    MemoryLaunches,
    MemoryLedger,
    MemoryLogs,
    MemoryMetrics,
    MemoryQueues,
    MemorySimulation,
    MemorySources,
)
from tests.proof.aws import VISIBILITY, FakeDynamo, FakeSockets, FakeSqs, Message
from tests.proof.border import Border, Call, Died, Guarded, Harm
from tests.proof.history import (
    REVOKED,
    Answer,
    Heard,
    History,
    Letter,
    Repeats,
    Seen,
    Sweep,
    asked_for,
    steps,
)

T = TypeVar("T")

ORDERS, DEAD = "https://queues/orders", "https://queues/dead"
TICKS = "https://queues/ticks"
SOL_USDC = pair_name(SOL, USDC)
EVERY_MINUTE = timedelta(minutes=1)
#: Longer than the lease and the reconciler's grace, shorter than a message is hidden.
ASLEEP = timedelta(seconds=21)
SETTINGS = Settings.of(
    {
        "TABLE_NAME": "orders",
        "AUTH": "none",
        "SIMULATED_FAULTS": "on",
        "WEBSOCKET_API_ID": "proof",
        "WEBSOCKET_STAGE": "live",
    }
)
#: A run of the ticker is one tick here, so that anything can happen between two; then it looks
#: whether anything rests still.
ONE_TICK, ALWAYS = timedelta(milliseconds=1), timedelta(0)
#: How long a message is hidden from the other tickers, as the template has it.
TICK_VISIBILITY = timedelta(seconds=360)
#: So many ticks look again at what one of them has seen, and find nothing to do.
CALM = 2
#: When everything has been quiet for long.
PATIENCE = timedelta(minutes=20)
_AWAY = (ChainUnavailable, ChainUnavailable)
#: The tries that the stream's mapping has, as the template has it.
STREAM_RETRIES = 10


@dataclass
class World:
    """Clients, functions and services; `faults` and `away` (venues) may change at any time."""

    faults: Faults = field(default_factory=Faults)
    away: frozenset[str] = frozenset()
    background: Background = field(default_factory=Inline)
    seed: int = 7
    quoting_takes: tuple[float, float] = (0.2, 0.4)
    landing_takes: tuple[float, float] = (0.4, 0.8)
    clock: FakeClock = field(default_factory=FakeClock)
    chance: FakeChance = field(default_factory=FakeChance)
    border: Border = field(default_factory=Border)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    answers: list[Answer] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)
    stayed: set[tuple[str, str]] = field(default_factory=set)
    stayed_for_all: dict[str, set[str]] = field(default_factory=dict)
    keys: dict[str, set[str]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    redriven: list[Letter] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    sweeps: list[Sweep] = field(default_factory=list)
    cancelled_all: list[tuple[str, datetime]] = field(default_factory=list)
    blind: bool = False
    budget: int = 1_000
    sent: dict[str, int] = field(default_factory=dict)
    repeats: Repeats = Repeats.NONE
    lost: bool = False
    reading: bool = False
    reads: int = 0
    read_to: int = 0
    tries: int = 0

    def __post_init__(self) -> None:
        self.dynamo = FakeDynamo(self.border)
        self.sqs = FakeSqs(self.border, self.clock, {ORDERS: DEAD})
        self.sockets = FakeSockets(self.border)
        self.simulation = MemorySimulation(self.clock)
        self.repaired = self.clock.now()
        self.border.stall = self.fall_asleep
        self.border.overlap = self.overtake
        self.border.stage = self.stage
        table = Table(cast("Any", self.dynamo), "orders")
        self.orders, self.subscriptions = DynamoOrders(table), DynamoSubscriptions(table)
        self.access = DynamoAccess(table)
        self.queue = SqsQueue(cast("Any", self.sqs), ORDERS, DEAD)
        self.resting = DynamoRestingIndex(table)
        self.tickers = DynamoTickers(table, cast("Any", self.sqs), TICKS)
        self.rosters = DynamoRosters(table)
        self.prices = DollarPrices()
        self.book = DynamoPriceBook(table)
        self.breakers = DynamoBreakers(table)
        self.metrics = MemoryMetrics()
        self.audit, self.latencies = MemoryAudit(), MemoryLatencies()
        self.queues, self.logs = MemoryQueues(), MemoryLogs()
        self.launches, self.replays = DynamoLaunches(table), DynamoReplays(table)
        self.launch_calls = SqsLaunchCalls(lambda: cast("Any", self.sqs), lambda: TICKS)
        self.simulated_launches, self.sources = MemoryLaunches(), MemorySources()
        self.simulated = SimulatedMarket(
            self.seed, self.simulation.prices, self.simulated_launches.opened
        )
        self.pools = SimulatedPools(self.simulated, self.clock)

    @property
    def engine(self) -> Engine:
        """The engine of a process that has just started, over this world's adapters."""
        return Engine(SETTINGS, self)

    def place(
        self, sold: str = "SOL", amount: str = "1", key: str | None = None, account: str = "ann"
    ) -> Answer:
        """POST an order to sell `amount` of the token `sold` for USDC."""
        new_order = NewOrder(sold, "USDC", Decimal(amount), key=key)
        asked = {"tokenIn": sold, "tokenOut": "USDC", "amount": amount}
        placing = self.engine.placing

        def answer() -> Answer:
            placed = placing.place(new_order, account=account)
            return Answer(
                "place",
                202,
                _document(placed.order),
                account,
                key,
                asked,
                placed.replayed,
            )

        return self._answer(answer, Answer("place", 0, {}, account, key, asked))

    def rest(
        self,
        kind: OrderType,
        side: Side = Side.SELL,
        *,
        account: str = "ann",
        lasts: timedelta = timedelta(hours=1),
        **asked: Any,
    ) -> Answer:
        """Place an order of a kind that waits, for 1 SOL or 100 USDC."""
        sold, bought, amount = ("SOL", "USDC", 1) if side is Side.SELL else ("USDC", "SOL", 100)
        until = self.clock.now() + lasts
        slippage = KINDS[kind].slippage_bps
        asked = {"kind": kind, "expires_at": until, "slippage_bps": slippage, **asked}
        new_order = NewOrder(sold, bought, Decimal(amount), **asked)
        placing = self.engine.placing

        def answer() -> Answer:
            order = placing.place(new_order, account=account).order
            return Answer("place", 202, _document(order), account)

        return self._answer(answer, Answer("place", 0, {}, account))

    def snipe(
        self,
        launch: str = "MOON",
        *,
        account: str = "ann",
        lasts: timedelta = timedelta(hours=1),
        **asked: Any,
    ) -> Answer:
        """Place a sniper that spends 100 USDC on a token when it launches."""
        asked = {"slippage_bps": 300, "max_age_seconds": 60, **asked}
        new_order = NewOrder(
            "USDC",
            launch,
            Decimal(100),
            kind=OrderType.SNIPER,
            expires_at=self.clock.now() + lasts,
            launch=launch,
            **asked,
        )
        placing = self.engine.placing

        def answer() -> Answer:
            order = placing.place(new_order, account=account).order
            return Answer("place", 202, _document(order), account)

        return self._answer(answer, Answer("place", 0, {}, account))

    def launch(self, symbol: str = "MOON", price: str = "0.5", dollars: int = 100_000) -> None:
        """POST the launch of a simulated token; it stands even if its signal is lost."""
        opening = self.engine.opening
        self._run("execute", lambda: opening.open(symbol, Decimal(price), dollars))

    def change(self, order_id: str, account: str = "ann", **asked: Any) -> Answer:
        """PATCH an order that rests."""
        changing = self.engine.changing
        return self._told(
            "change", account, lambda: changing.change(order_id, asked, account=account)
        )

    def cancel_all(self, account: str = "ann") -> None:
        """POST the cancellation of all that rests."""
        cancelling = self.engine.cancelling

        def answer() -> Answer:
            cancelling.cancel_all(None, account=account)
            return Answer("cancel-all", 204)

        self.clock.advance(0.01)  # nothing else happens in its millisecond
        self._answer(answer, Answer("cancel-all", 0))
        self.clock.advance(0.01)

    def move(self, price: str, *, told: bool = False) -> None:
        """Move the market of SOL/USDC; the price row has seen it at once if it is `told`."""
        self._still = None, 0
        self.simulation.move(SOL_USDC, Decimal(price))
        if told:
            self.engine.moving.move(SOL, USDC, Decimal(price))
            self.seen.append(Seen(SOL_USDC, Decimal(price), self.clock.now(), None))

    def read(self, order_id: str, account: str = "ann") -> Answer:
        """GET an order."""
        reading = self.engine.reading
        return self._told("read", account, lambda: reading.order(order_id, account=account))

    def cancel(self, order_id: str, account: str = "ann") -> Answer:
        """POST an order's cancellation."""
        cancelling = self.engine.cancelling
        return self._told("cancel", account, lambda: cancelling.cancel(order_id, account=account))

    def connect(
        self,
        client: str,
        account: str = "ann",
        order_id: str | None = None,
        by: str | None = None,
        seen: int = 0,
    ) -> None:
        """Open a connection, by a key if one is named, which may watch an order from the start.

        The stream is so much faster that `seen` records are read before it stands.
        """
        caller = Caller(account, by)
        if by and by not in self.keys:
            self.access.add_key(ApiKey(by, account, "digest"))
            self.keys[by] = set()
        first = Subscription(order_topic(order_id), client, account) if order_id else None
        self.accounts[client] = account
        if first:
            self._asks(client, order_id)
        connecting, began = self.engine.connecting, self.clock.now()
        # API Gateway makes the connection when $connect has returned, or refuses it.
        stored = self._run("ws_connect", lambda: connecting.connect(client, caller, first))
        for _ in range(seen):
            self.notify(1)
        if stored:
            self.sockets.open.add(client)
            # One that is made so late was taken for gone: its client has to ask anew.
            in_time = self.clock.now() <= began + ARRIVAL
            if order_id and in_time and self._owner(order_id) == account:
                self.stayed.add((client, order_id))
            if by:
                self.keys[by].add(client)
                self._mark(by)

    def watch(self, client: str, order_id: str, after_seq: int = 0) -> None:
        """Subscribe a connected client to an order, of which it may have some states already."""
        if client not in self.sockets.open:
            return
        subscription = Subscription(order_topic(order_id), client, self.accounts[client], after_seq)
        self._asks(client, order_id, after_seq)
        stands = self._run("ws_connect", lambda: self.engine.watching.watch(subscription))
        if stands and self._owner(order_id) == self.accounts[client]:
            self.stayed.add((client, order_id))

    def watch_all(self, client: str) -> None:
        """Subscribe a connected client to all orders of its account."""
        if client not in self.sockets.open:
            return
        account = self.accounts[client]
        subscription = Subscription(account_topic(account), client, account)
        self._asks(client, None)
        if self._run("ws_connect", lambda: self.engine.watching.watch(subscription)):
            over = {o for o, states in self.states.items() if states[-1].final}
            self.stayed_for_all[client] = over & self.stayed_for_all.get(client, over)

    def unwatch(self, client: str, order_id: str) -> None:
        if client not in self.sockets.open:
            return
        self.stayed.discard((client, order_id))
        subscription = Subscription(order_topic(order_id), client, self.accounts[client])
        self._run("ws_connect", lambda: self.engine.watching.unwatch(subscription))

    def disconnect(self, client: str, *, noticed: bool = True) -> None:
        """End a connection; AWS tells of it at its best effort."""
        self.sockets.open.discard(client)
        self.stayed = {(c, o) for c, o in self.stayed if c != client}
        self.stayed_for_all.pop(client, None)
        if noticed:
            self._run("ws_connect", lambda: self.engine.watching.leave(client))

    def revoke(self, key_id: str) -> None:
        """Revoke a key, as the operator does, and let pass the time that this may take."""
        self.access.revoke_key(key_id)
        self.revoked.add(key_id)
        self.clock.advance(BELIEVED.total_seconds())
        self._mark(key_id)

    def _mark(self, key_id: str) -> None:
        """Note among what clients of a revoked key hear that they are to hear no more."""
        if key_id not in self.revoked:
            return
        for client in self.keys[key_id]:
            self.sockets.heard.setdefault(client, []).append(REVOKED)
            self.stayed = {(c, o) for c, o in self.stayed if c != client}
            self.stayed_for_all.pop(client, None)

    def _asks(self, client: str, order_id: str | None, after_seq: int = 0) -> None:
        mine = [s for s in self.states.values() if s[0].account == self.accounts[client]]
        stands = {s[-1].order_id: s[-1].seq for s in mine if order_id or not s[-1].final}
        asked = asked_for(order_id, after_seq, stands)
        self.sockets.heard.setdefault(client, []).append(asked)

    def _owner(self, order_id: str) -> str | None:
        states = self.states.get(order_id)
        return states[0].account if states else None

    def work(self, received: Sequence[Message]) -> None:
        """Let a worker settle a batch of messages, and delete those that it is done with."""
        event = {
            "Records": [
                {"messageId": m.message_id, "receiptHandle": m.receipt, "body": m.body}
                for m in received
            ]
        }
        receipts = {m.message_id: m.receipt for m in received}
        answer = self._run("worker", lambda: self.engine.work.settle_batch(event))
        if answer is None:
            return
        again = {failure["itemIdentifier"] for failure in answer.value["batchItemFailures"]}
        for message_id, receipt in receipts.items():
            if message_id not in again and receipt is not None:
                with self.sqs.lock:
                    self.sqs.do_delete_message(QueueUrl=ORDERS, ReceiptHandle=receipt)

    def deliver(self, which: Sequence[int] | None = None) -> bool:
        """Deliver visible messages to a worker: all, or those at some places in the queue."""
        with self.sqs.lock:
            visible = self.sqs.visible(ORDERS)
            places = range(10) if which is None else which
            chosen = [visible[n] for n in places if n < len(visible)]
            received = self.sqs.receive(ORDERS, chosen, VISIBILITY)
        if received:
            self.work(received)
        return bool(chosen)

    def notify(self, maximum: int = 100) -> bool:
        """Let the stream's function read on, up to `maximum` records."""
        records = self.stream[self.reads : self.reads + maximum]
        if not records:
            return False
        started = self.reads
        again = self.reading or started < self.read_to
        self.reading = True
        answer = self._run(
            "ws_notify", lambda: self.engine.stream.publish_batch({"Records": records})
        )
        self.reading = False
        if again or answer is None:
            self.repeats = Repeats.ANY
        failures = answer.value["batchItemFailures"] if answer else [_first(records)]
        if not failures:
            self.reads = self.read_to = max(self.reads, started + len(records))
            self.tries = 0
            return True
        names = [record["dynamodb"]["SequenceNumber"] for record in records]
        failed = names.index(failures[0]["itemIdentifier"])
        self.reads = self.read_to = max(self.reads, started + failed)
        self.tries += 1
        if self.tries > STREAM_RETRIES:  # the mapping gives up on it: nobody hears of it
            self.reads = self.read_to = started + len(records)
            self.tries = 0
            self.stayed.clear()
            self.stayed_for_all.clear()
            self.lost = True
        return True

    def tick(self) -> bool:
        """Deliver one message to the ticker, if there is one to be seen."""
        before, sweeps = self._stamp, len(self.sweeps)
        with self.sqs.lock:
            received = self.sqs.receive(TICKS, self.sqs.visible(TICKS)[:1], TICK_VISIBILITY)
        if not received:
            return False
        (message,) = received
        event = {"Records": [{"messageId": message.message_id, "body": message.body}]}
        ran = self._run("trigger", lambda: self._ticks.tick_on(event))
        if ran is not None:
            self.sqs.do_delete_message(QueueUrl=TICKS, ReceiptHandle=str(message.receipt))
        looked = ran is not None and (self.blind or len(self.sweeps) > sweeps)
        still = looked and before == self._stamp == self._still[0]
        self._still = self._stamp, self._still[1] + 1 if still else 0
        return True

    def tick_beside(self) -> None:
        """Let another ticker tick, of which the one that holds the lease knows nothing."""
        ticking = self._ticks.ticking
        prices = ticking.pricing.prices
        self._run("trigger", lambda: ticking.triggering.tick(prices([(SOL, USDC)])))

    @property
    def _ticks(self) -> Ticks:
        ticks = self.engine.ticks
        ticks.ticking.run, ticks.ticking.look_every = ONE_TICK, ALWAYS
        ticks.ticking.triggering.budget = self.budget
        return ticks

    @property
    def _stamp(self) -> tuple[object, ...]:
        """What a tick that finds nothing to do leaves as it is."""
        now = self.clock.now()
        ends = [states[-1] for states in self.states.values()]
        over = sum(end.status is Status.RESTING and end.looked_at <= now for end in ends)
        states = sum(map(len, self.states.values()))
        return states, over, dict(self.simulation.prices), self.blind, len(self.dynamo.late)

    def reconcile(self) -> None:
        """Let the schedule's function run."""
        self._run("reconcile", self.engine.reconciliation.repair)

    def redrive(self) -> None:
        """Move the dead letters back to the order queue, as the operator does."""
        dead_letters = self.sqs.messages(DEAD)
        self.redriven += [Letter(m.order_id) for m in dead_letters]
        for letter in dead_letters:
            self.sqs.duplicate(ORDERS, letter)
        dead_letters.clear()

    def settle_down(self, patience: timedelta = PATIENCE) -> None:
        """Let everything run, undisturbed, until nothing is left to do or `patience` ends."""
        until = self.clock.now() + patience
        while not self.quiet and self.clock.now() < until:
            if self.notify() or self.deliver():
                continue
            if (self._called or not self._calm) and self.tick():
                self.run_to(self.clock.now())
                continue
            now = self.clock.now()
            hidden = [*self.sqs.messages(ORDERS), *self.sqs.messages(TICKS)]
            due = [m.visible_at for m in hidden if m.visible_at > now]
            ends = [states[-1] for states in self.states.values() if states[-1].plan]
            due += [e.looked_at for e in ends if not e.final and e.looked_at > now]
            self.run_to(min([*due, self.repaired + EVERY_MINUTE, until]))

    def run_to(self, at: datetime) -> None:
        """Let time go by, to `at` at least, and the schedule with it."""
        self.clock.time = max(self.clock.time, at)
        if self.clock.now() >= self.repaired + EVERY_MINUTE:
            self.repaired = self.clock.now()
            self.reconcile()

    def fall_asleep(self) -> None:
        """Let one process sleep past its lease while all the others carry on to the end."""
        self.clock.time += ASLEEP
        self.reconcile()
        self.settle_down()

    def overtake(self) -> None:
        """Tick, deliver every message again, reconcile, and read, all in the same moment."""
        if self._rests:
            self.tick_beside()
        hidden = [m for m in self.sqs.messages(ORDERS) if m.visible_at > self.clock.now()]
        for copied in hidden:
            self.sqs.duplicate(ORDERS, copied)
        self.deliver()
        self.reconcile()
        for order_id in self.order_ids:
            self.read(order_id)
        self.notify()

    def stage(self) -> tuple[object, ...]:
        """Return how far the orders have come, and where prices are."""
        ends = [states[-1] for states in self.states.values()]
        return *self.simulation.prices.values(), *(
            (o.status, o.attempts, o.transaction and o.transaction.signature) for o in ends
        )

    @property
    def order_ids(self) -> list[str]:
        """The orders that there are, oldest first."""
        return list(self.states)

    @property
    def quiet(self) -> bool:
        """Whether nothing is left to do."""
        ends = {order_id: states[-1] for order_id, states in self.states.items()}
        dead_letters = [ends.get(m.order_id or "") for m in self.sqs.messages(DEAD)]
        return (
            not self.sqs.messages(ORDERS)
            and not self._called
            and self.reads >= len(self.stream)
            and all(self._at_rest(order) for order in ends.values())
            and all(order and order.status is Status.FAILED for order in dead_letters)
            and (not self._rests or self._calm)
        )

    @property
    def _called(self) -> bool:
        """Whether a launch waits for the ticker."""
        return any("launches" in message.body for message in self.sqs.messages(TICKS))

    @property
    def _calm(self) -> bool:
        """Whether ticks find nothing more to do."""
        return self._still[0] == self._stamp and self._still[1] >= CALM

    def _at_rest(self, order: Order) -> bool:
        """Tell whether nothing is left to do for an order."""
        if order.status is Status.RESTING and order.plan is not None:
            return False  # it ends by itself
        if order.status is Status.RESTING:
            epochs = (to_ms(at) for account, at in self.cancelled_all if account == order.account)
            return all(order.under(epoch) is order for epoch in epochs)
        return order.final and not order.dead_letter_due

    @property
    def _rests(self) -> bool:
        return any(states[-1].status is Status.RESTING for states in self.states.values())

    @property
    def states(self) -> dict[str, list[Order]]:
        """Every state that each order's row had."""
        self._look()
        return self._states

    @property
    def stream(self) -> list[dict[str, Any]]:
        """The changes that the stream's function is woken for: the template's filter."""
        self._look()
        return self._stream

    def told(self, order_id: str) -> int:
        """Return the `seq` of an order up to which the stream has been read."""
        read = self.stream[: self.reads]
        seqs = [r["dynamodb"]["NewImage"].get("seq") for r in read if _of(r) == order_id]
        return max((int(seq["N"]) for seq in seqs if seq), default=0)

    def _look(self) -> None:
        for record in self.dynamo.records[self._looked :]:
            new = record["dynamodb"].get("NewImage")
            if new is None:
                continue
            if new["sk"]["S"] == "ORDER":
                order = item_order(new)
                states = self._states.setdefault(order.order_id, [])
                states += steps(states[-1] if states else None, order)
            if new["sk"]["S"] == "RESTING" and "epoch" in new:
                began = new["pk"]["S"].removeprefix("ACCOUNT#"), from_ms(int(new["epoch"]["N"]))
                if began not in self.cancelled_all:
                    self.cancelled_all.append(began)
            revoked = new["sk"]["S"] == "KEY" and record["eventName"] == "MODIFY"
            if revoked or new["sk"]["S"] == "ORDER" or new["sk"]["S"].startswith(ROWS):
                self._stream.append(record)
        self._looked = len(self.dynamo.records)

    _states: dict[str, list[Order]] = field(default_factory=dict)
    _stream: list[dict[str, Any]] = field(default_factory=list)
    _looked: int = 0
    #: How the last tick left things, and how many before it had left them so.
    _still: tuple[object, int] = (None, 0)

    def history(self) -> History:
        heard = [
            Heard(client, self.accounts[client], message)
            for client, messages in self.sockets.heard.items()
            for message in messages
        ]
        for_all = {
            (client, order_id)
            for client, over in self.stayed_for_all.items()
            for order_id, states in self.states.items()
            if states[0].account == self.accounts[client] and order_id not in over
        }
        return History(
            answers=self.answers,
            heard=heard,
            states=self.states,
            ledger=self.ledger.entries,
            queued=[m.order_id for m in self.sqs.messages(ORDERS)],
            dead_letters=[Letter(m.order_id) for m in self.sqs.messages(DEAD)],
            redriven=self.redriven,
            stayed=for_all | self.stayed,
            sent=self.sent,
            repeats=max([self.repeats, *map(_may_repeat, self.border.happened)]),
            lost=self.lost,
            open=self.sockets.open,
            seen=self.seen,
            sweeps=self.sweeps,
            cancelled_all=self.cancelled_all,
            launched={
                name
                for each in self.simulated_launches.known.values()
                for name in (each.launch.mint, each.launch.symbol)
            },
        )

    @property
    def market(self) -> Market:
        """The market as the ticker reads it, which is noted; if the world is blind, nothing."""
        return cast("Market", NotedMarket(self))

    @property
    def price_book(self) -> PriceBook:
        """The price rows; those that the ticker writes at the end of a sweep are noted."""
        return cast("PriceBook", NotedBook(self))

    @property
    def venues(self) -> Sequence[Venue]:
        """The venues as they are now, each behind the border."""
        return [
            self._venue(
                SimulatedVenue(name, self.simulated, self.clock, self.chance, self.quoting_takes)
            )
            for name in ("raydium", "meteora")
        ]

    @property
    def chain(self) -> Chain:
        """The chain under the faults that there are now, behind the border."""
        chain = SimulatedChain(
            self.simulated, self.ledger, self.clock, self.landing_takes, self.seed, self.faults
        )
        return cast("Chain", Noted(self._guarded("chain", chain, *_AWAY), self._send))

    @property
    def order_threads(self) -> Background:
        return self.background

    @property
    def call_threads(self) -> Background:
        return self.background

    def push_to(self, api_id: str, stage: str) -> Push:
        return WebSocketPush(cast("Any", self.sockets))

    def _send(self, order_id: str, signature: str) -> None:
        with self.dynamo.lock:
            row = self.dynamo.rows[f"ORDER#{order_id}", "ORDER"]
            self.sent.setdefault(signature, int(row["seq"]["N"]))

    def _venue(self, venue: SimulatedVenue) -> Venue:
        if venue.name in self.away:
            return Away(venue.name)
        return cast("Venue", self._guarded(venue.name, venue, VenueUnavailable, VenueTimeout))

    def _guarded(
        self,
        name: str,
        thing: object,
        trouble: Callable[[str], Exception],
        timeout: Callable[[str], Exception],
    ) -> Guarded:
        return Guarded(self.border, name, thing, trouble, timeout)

    def _told(self, call: str, account: str, order: Callable[[], Order]) -> Answer:
        return self._answer(
            lambda: Answer(call, 200, _document(order()), account),
            Answer(call, 0, {}, account),
        )

    def _answer(self, call: Callable[[], Answer], nothing: Answer) -> Answer:
        """Answer a request as the HTTP API would; keep what the client was told."""
        try:
            with self.border.process("execute"):
                answer = call()
        except Died:
            answer = nothing
        except EngineError as error:
            problem = problem_of(error)
            answer = Answer(
                nothing.call, problem.status, {}, nothing.account, nothing.key, nothing.asked
            )
        self.answers.append(answer)
        return answer

    def _run(self, function: str, call: Callable[[], T]) -> "Ran[T] | None":
        """Run a function; None if it died or raised what AWS would try again."""
        try:
            with self.border.process(function):
                return Ran(call())
        except (Died, EngineError):
            return None


@dataclass(frozen=True, slots=True)
class Ran(Generic[T]):
    """A function came to its end, and returned this."""

    value: T


@dataclass(frozen=True, slots=True)
class Noted:
    """A chain of which each send is noted as it is made, whatever becomes of the call."""

    _chain: Guarded
    _note: Callable[[str, str], None]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def send(self, order: Order, transaction: Transaction) -> None:
        self._note(order.order_id, transaction.signature)
        self._chain.send(order, transaction)


@dataclass(frozen=True, slots=True)
class NotedMarket:
    """The simulated market; what a function sees of it is noted."""

    _world: World

    @property
    def pairs(self) -> None:
        return None

    def pools(self, pairs: Sequence[tuple[Token, Token]]) -> Mapping[str, Sequence[Pool]]:
        world = self._world
        if world.blind:
            return {}
        if by := world.border.function:
            now, moved = world.clock.now(), world.simulation.prices
            names = [pair_name(*pair) for pair in pairs]
            world.seen += [Seen(name, moved[name], now, by) for name in names if name in moved]
        return world.pools.pools(pairs)


@dataclass(frozen=True, slots=True)
class NotedBook:
    """The price rows; noted is each sweep of which a row says that it was whole."""

    _world: World

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.book, name)

    def put(self, row: PriceRow, *, expected_version: int) -> None:
        world = self._world
        world.book.put(row, expected_version=expected_version)
        price, at = row.tick.price, row.tick.at
        if world.border.function == "trigger" and row.tick == Tick.of(price, at):
            late = frozenset(pk.removeprefix("ORDER#") for pk, _ in world.dynamo.late)
            world.sweeps.append(Sweep(row.pair, price, at, world.clock.now(), late))


@dataclass(frozen=True, slots=True)
class Away:
    """A venue that is out of order."""

    name: str

    def pool(self, token_in: str, token_out: str) -> Any:
        raise VenueUnavailable(self.name)


def _may_repeat(happened: tuple[Call, Harm]) -> Repeats:
    """Return what may be told again after something went wrong at a call."""
    call, _ = happened
    if call.function != "ws_notify":
        return Repeats.NONE
    return Repeats.LAST if call.operation.startswith("connections.") else Repeats.ANY


def _of(record: dict[str, Any]) -> str:
    topic: str = record["dynamodb"]["NewImage"]["pk"]["S"]
    return topic.removeprefix("ORDER#")


def _first(records: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}


def _document(order: Order) -> dict[str, Any]:
    return order_view(order).model_dump(mode="json")
