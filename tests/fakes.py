"""In-memory stand-ins for the ports; one suite runs against these and against the adapters."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

from engine.adapters.aws.orders import place_in_time
from engine.adapters.aws.subscriptions import MAX_SUBSCRIPTIONS
from engine.adapters.codec import from_ms, to_ms
from engine.domain.errors import Conflict, ConnectionGone, EngineError, TooManySubscriptions
from engine.domain.launches import Launch, Opened
from engine.domain.order import (
    Instruction,
    Leg,
    Order,
    Quote,
    Route,
    Status,
    Step,
    Transaction,
    Waiting,
)
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC, Token, pair_name
from engine.domain.triggers import AtLaunch, Direction, Level
from engine.market.pool import Pool
from engine.market.simulation import SimulatedMarket
from engine.ports.access import ApiKey, Caller, Trading, TradingState
from engine.ports.background import Background
from engine.ports.breakers import Board
from engine.ports.clock import Clock
from engine.ports.logs import LogLine
from engine.ports.metrics import UNMEASURED, Metric
from engine.ports.operations import Act, Depth, LyingLetter, Moved, Times
from engine.ports.operations import Result as ActResult
from engine.ports.prices import PriceRow
from engine.ports.queue import DeadLetter, ReceivedDeadLetter, WorkMessage
from engine.ports.resting import Ticker
from engine.ports.rosters import Entry, Roster
from engine.ports.signals import Source
from engine.ports.subscriptions import MAX_CONNECTION, Subscription, account_topic
from engine.ports.venue import Venue
from engine.service.breaking import Breaking
from engine.service.epochs import Epochs
from engine.service.parting import Parting
from engine.service.quoting import Quoting

T = TypeVar("T")

START = datetime(2026, 11, 22, 8, 24, tzinfo=UTC)


@dataclass
class FakeClock:
    """A clock that stands still until somebody sleeps."""

    time: datetime = START
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        ms = -(-seconds * 1000 // 1)
        self.time += timedelta(milliseconds=ms)


@dataclass
class FakeChance:
    """Chance without chance: `where` along each range, and bytes that count up."""

    where: float = 0.5
    counter: int = 0

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.where

    def token_bytes(self) -> bytes:
        self.counter += 1
        return self.counter.to_bytes(16, "little")


@dataclass
class Result(Generic[T]):
    """A call that is over."""

    value: T | None
    error: Exception | None

    def result(self, timeout: float | None = None) -> T:
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class Inline:
    """Runs a call when it is submitted: one story, one order of events."""

    def submit(self, call: Callable[[], T], /) -> Result[T]:
        try:
            return Result(call(), None)
        except Exception as error:  # noqa: BLE001 - kept for whoever asks for the result
            return Result(None, error)


class Lazy:
    """Runs a call when its result is asked for: the other extreme to `Inline`."""

    def submit(self, call: Callable[[], T], /) -> "Later[T]":
        return Later(call)


@dataclass
class Later(Generic[T]):
    call: Callable[[], T]
    done: Result[T] | None = None

    def result(self, timeout: float | None = None) -> T:
        self.done = self.done or Inline().submit(self.call)
        return self.done.result(timeout)


@dataclass
class Parallel:
    """Runs calls side by side in the clock's time, which goes on as their results are awaited."""

    clock: FakeClock

    def submit(self, call: Callable[[], T], /) -> "Timed[T]":
        began = self.clock.time
        done = Inline().submit(call)
        ended, self.clock.time = self.clock.time, began
        return Timed(self.clock, done, ended)


@dataclass
class Timed(Generic[T]):
    clock: FakeClock
    done: Result[T]
    ended: datetime

    def result(self, timeout: float | None = None) -> T:
        until = self.ended if timeout is None else self.clock.time + timedelta(seconds=timeout)
        self.clock.time = max(self.clock.time, min(until, self.ended))
        if self.ended > until:
            raise TimeoutError
        return self.done.result()


@dataclass
class MemoryOrders:
    """Orders in a dict."""

    rows: dict[str, Order] = field(default_factory=dict)

    def add(self, order: Order) -> None:
        self._put(order, None)

    def get(self, order_id: str) -> Order | None:
        return self.rows.get(order_id)

    def save(self, order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        self._put(order, expected_seq, expected_moves)

    def get_many(self, order_ids: Sequence[str]) -> list[Order]:
        return [self.rows[order_id] for order_id in order_ids if order_id in self.rows]

    def open_before(self, before: datetime, *, limit: int) -> Iterable[Order]:
        rows = [o for o in self.rows.values() if not o.final or o.dead_letter_due]
        rows = [o for o in rows if o.status is not Status.RESTING]
        rows = [o for o in rows if o.created_at < before]
        return sorted(rows, key=lambda o: (o.created_at, o.order_id))[:limit]

    def of_account(
        self, account: str, *, before: str | None, limit: int
    ) -> list[tuple[str, Order]]:
        mine = [(place_in_time(o), o) for o in self.rows.values() if o.account == account]
        older = [row for row in mine if before is None or row[0] < before]
        return sorted(older, key=lambda row: row[0], reverse=True)[:limit]

    def _put(
        self, order: Order, expected_seq: int | None, expected_moves: int | None = None
    ) -> None:
        current = self.rows.get(order.order_id)
        stands = (current.seq if current else None) == expected_seq
        if current and expected_moves is not None:
            stands = stands and current.moves == expected_moves
        if not stands and current != order:
            raise Conflict(current)
        self.rows[order.order_id] = order


@dataclass
class MemoryQueue:
    """The two queues as lists; `delays` holds what was asked of each receipt."""

    messages: deque[WorkMessage] = field(default_factory=deque)
    dead_lettered: list[DeadLetter] = field(default_factory=list)
    delays: list[tuple[str, int]] = field(default_factory=list)

    def enqueue(self, message: WorkMessage) -> None:
        self.messages.append(message)

    def retry_in(self, receipt: str, seconds: int) -> None:
        self.delays.append((receipt, seconds))

    def send_dead_letter(self, letter: DeadLetter) -> None:
        self.dead_lettered.append(letter)

    def dead_letters(self, *, limit: int) -> list[ReceivedDeadLetter]:
        return [ReceivedDeadLetter(b.order_id, str(n)) for n, b in enumerate(self.dead_lettered)][
            :limit
        ]

    def drop(self, letter: ReceivedDeadLetter) -> None:
        self.dead_lettered = [b for b in self.dead_lettered if b.order_id != letter.order_id]

    def put_back(self, letter: ReceivedDeadLetter) -> None:
        pass


@dataclass
class MemoryResting:
    """The index of what rests in some orders, which never lags."""

    orders: MemoryOrders

    def reached(self, pair: str, level: Level, *, limit: int) -> list[str]:
        above = level.direction is Direction.ABOVE
        found = [
            (each.price, order.order_id)
            for order, waiting in self._resting()
            for each in waiting.trigger.levels
            if order.terms.pair == pair
            and each.direction is level.direction
            and (each.price <= level.price if above else each.price >= level.price)
        ]
        return [order_id for _, order_id in sorted(found, reverse=above)[:limit]]

    def awaiting(self, launches: Sequence[str], *, limit: int) -> list[str]:
        found = [
            (to_ms(order.created_at), order.order_id)
            for order, waiting in self._resting()
            if isinstance(waiting.trigger, AtLaunch) and waiting.trigger.launch in launches
        ]
        return [order_id for _, order_id in sorted(found)[:limit]]

    def expired(self, at: datetime, *, limit: int) -> list[str]:
        ends = ((order.looked_at, order.order_id) for order, _ in self._resting())
        return [order_id for end, order_id in sorted(ends) if end <= at][:limit]

    def rests(self, pair: str | None = None) -> bool:
        return any(pair in (None, order.terms.pair) for order, _ in self._resting())

    def population(self, pair: str, *, limit: int) -> int:
        return min(limit, sum(order.terms.pair == pair for order, _ in self._resting()))

    def _resting(self) -> list[tuple[Order, Waiting]]:
        rows = self.orders.rows.values()
        return [(o, o.waiting) for o in rows if o.status is Status.RESTING and o.waiting]


@dataclass
class MemoryRosters:
    """Rosters in a dict, with the room that each has."""

    rows: dict[str, Roster] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)
    dirty: list[str] = field(default_factory=list)

    def read(self, account: str) -> Roster:
        return self.rows.get(account, Roster())

    def enter(self, account: str, entry: Entry, *, room: int) -> tuple[bool, Roster]:
        roster = self.read(account)
        if len(roster.entries) >= self.rooms.setdefault(account, room):
            return False, roster
        self.rows[account] = replace(roster, entries=roster.entries | {entry})
        return True, self.rows[account]

    def clear(self, account: str, gone: Iterable[Entry], *, room: int, version: int) -> None:
        roster = self.read(account)
        if roster.version == version:
            left = roster.entries - set(gone)
            self.rows[account] = replace(roster, entries=left, version=version + 1)
            self.rooms[account] = room

    def cancel_all(self, account: str, pair: str | None, *, at: datetime) -> int:
        roster = self.read(account)
        epoch = max(to_ms(at), roster.latest + 1)
        if pair is None:
            roster = replace(roster, epoch=epoch)
        else:
            roster = replace(roster, pair_epochs={**roster.pair_epochs, pair: epoch})
        self.rows[account] = roster
        self.dirty.append(account)
        return epoch

    def unswept(self, *, limit: int) -> list[str]:
        return self.dirty[:limit]

    def swept(self, account: str, roster: Roster) -> None:
        if self.read(account).latest == roster.latest:
            self.dirty = [each for each in self.dirty if each != account]


@dataclass
class MemoryTickers:
    """The ticker's row, and what was sent to start it."""

    row: Ticker = field(default_factory=lambda: Ticker(None, START, frozenset()))
    started: list[frozenset[str]] = field(default_factory=list)

    def read(self) -> Ticker:
        return self.row

    def take(self, holder: str, *, until: datetime, now: datetime) -> Ticker | None:
        if self.row.until > now and self.row.holder not in (None, holder):
            return None
        self.row = replace(self.row, holder=holder, until=until)
        return self.row

    def release(self, holder: str) -> None:
        if self.row.holder == holder:
            self.row = replace(self.row, holder=None, until=from_ms(0))

    def add(self, pairs: Iterable[str]) -> None:
        self.row = replace(self.row, pairs=self.row.pairs | set(pairs))

    def drop(self, pair: str) -> None:
        self.row = replace(self.row, pairs=self.row.pairs - {pair})

    def start(self, pairs: Iterable[str]) -> None:
        self.started.append(frozenset(pairs))


@dataclass
class MemorySubscriptions:
    """Connections with their caller and end, connects, and subscriptions, in dicts."""

    connections: dict[str, tuple[Caller, datetime]] = field(default_factory=dict)
    connects: list[tuple[Caller, datetime, str]] = field(default_factory=list)
    rows: dict[Subscription, Subscription] = field(default_factory=dict)

    def connect(
        self,
        connection_id: str,
        caller: Caller,
        *,
        until: datetime,
        first: Subscription | None = None,
    ) -> None:
        self.connections[connection_id] = (caller, until)
        if first is not None:
            self.watch(first)

    def count_connect(
        self, connection_id: str, caller: Caller, *, at: datetime, limit: int
    ) -> bool:
        minute = at.replace(second=0, microsecond=0)
        mine = [t for c, t, _ in self.connects if c.account == caller.account and t >= minute]
        if limit and len(mine) >= limit:
            return False
        self.connects.append((caller, at, connection_id))
        return True

    def connected_by(self, caller: Caller, *, at: datetime) -> list[tuple[str, datetime]]:
        since = at - MAX_CONNECTION
        return [(name, t) for c, t, name in self.connects if c == caller and since <= t <= at]

    def watch(self, subscription: Subscription) -> Subscription:
        if subscription.connection_id not in self.connections:
            raise ConnectionGone(subscription.connection_id)
        mine = {w for w in self.rows if w.connection_id == subscription.connection_id}
        if len(mine | {subscription}) > MAX_SUBSCRIPTIONS:
            raise TooManySubscriptions("too many")
        caller, until = self.connections[subscription.connection_id]
        self.rows[subscription] = subscription.of_caller(caller, until=until)
        return self.rows[subscription]

    def change(self, standing: Subscription, changed: Subscription) -> None:
        if standing in self.rows and astuple(self.rows[standing]) == astuple(standing):
            self.rows[standing] = changed

    def of(self, topics: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Subscription]]:
        rows = self.rows.values()
        return {of: [w for w in rows if (w.topic, w.account) == of] for of in topics}

    def caller_of(self, connection_id: str) -> Caller | None:
        return self.connections.get(connection_id, (None, None))[0]

    def forget(self, subscription: Subscription) -> None:
        self.rows.pop(subscription, None)

    def forget_gone(self, gone: Iterable[str], subscriptions: Iterable[Subscription]) -> None:
        for connection_id in gone:
            self.forget_connection(connection_id)
        for subscription in subscriptions:
            self.forget(subscription)

    def forget_connection(self, connection_id: str) -> None:
        caller, _ = self.connections.pop(connection_id, (Caller(""), None))
        self.forget(Subscription(account_topic(caller.account), connection_id))


@dataclass
class MemoryAccess:
    """Keys, tickets, counts and settings in dicts."""

    keys: dict[str, ApiKey] = field(default_factory=dict)
    tickets: dict[str, tuple[Caller, datetime]] = field(default_factory=dict)
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    state: TradingState = TradingState.ACTIVE
    reason: str | None = None
    since: datetime | None = None
    reads: int = 0

    def add_key(self, api_key: ApiKey) -> None:
        self.keys[api_key.key_id] = api_key

    def key(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        return self.keys.get(key_id)

    def revoke_key(self, key_id: str) -> bool:
        return self.keys.pop(key_id, None) is not None

    def add_ticket(self, digest: str, caller: Caller, *, until: datetime) -> None:
        self.tickets[digest] = (caller, until)

    def ticket(self, digest: str, *, now: datetime) -> Caller | None:
        caller, until = self.tickets.get(digest, (None, now))
        return caller if until > now else None

    def use_ticket(self, digest: str, *, now: datetime) -> bool:
        return self.ticket(digest, now=now) is not None and bool(self.tickets.pop(digest))

    def count_order(
        self, account: str, window: int, *, maximum: int, until: datetime
    ) -> int | None:
        count = self.counts.get((account, window), 0)
        if count >= maximum:
            return None
        self.counts[account, window] = count + 1
        return count + 1

    def trading(self) -> Trading:
        self.reads += 1
        return Trading(self.state, self.reason, self.since)

    def set_trading(self, trading: Trading) -> None:
        self.state, self.reason, self.since = trading.state, trading.reason, trading.since

    def cursor_secret(self) -> bytes:
        return b"s" * 32


@dataclass
class MemoryAudit:
    """Acts in a dict."""

    rows: dict[str, Act] = field(default_factory=dict)

    def note(self, act: Act, *, until: datetime | None = None) -> None:
        self.rows.setdefault(act.act_id, act)

    def finish(self, act_id: str, result: ActResult) -> None:
        self.rows[act_id] = replace(self.rows[act_id], result=result)

    def acts(self, *, before: str | None, limit: int) -> list[Act]:
        found = sorted(self.rows, reverse=True)
        return [self.rows[n] for n in found if before is None or n < before][:limit]


@dataclass
class MemoryLatencies:
    """Times in a dict, the last to end last."""

    rows: dict[str, Times] = field(default_factory=dict)

    def add(self, times: Iterable[tuple[str, Times]], *, at: datetime) -> None:
        self.rows.update(times)

    def last(self, orders: int) -> list[Times]:
        return [*self.rows.values()][-orders:]


@dataclass
class MemoryLogs:
    """Lines in a list."""

    lines: list[LogLine] = field(default_factory=list)

    def about(self, word: str, *, since: datetime, until: datetime) -> list[LogLine]:
        return [line for line in self.lines if word in line.text]


@dataclass
class MemoryQueues:
    """Letters in a list, and those that were moved."""

    letters: list[LyingLetter] = field(default_factory=list)
    moved: list[LyingLetter] = field(default_factory=list)

    def depth(self) -> Depth:
        return Depth(len(self.moved), 0, 0)

    def dead_letters(self) -> int:
        return len(self.letters)

    def look(self, *, limit: int) -> list[LyingLetter]:
        return self.letters[:limit]

    def move(self, goes_on: Callable[[], bool], *, patience: float) -> Moved:
        before = len(self.moved)
        while self.letters and goes_on():
            self.moved.append(self.letters.pop())
        return Moved(len(self.moved) - before, 0, len(self.letters))


class DollarPrices:
    """Every token is worth 100 dollars."""

    def dollars(self, token: Token, at: datetime) -> Decimal:
        return Decimal(100)


@dataclass
class MemoryPriceBook:
    """Price rows in a dict."""

    rows: dict[str, PriceRow] = field(default_factory=dict)

    def get(self, pair: str) -> PriceRow | None:
        return self.rows.get(pair)

    def get_many(self, pairs: Sequence[str]) -> Mapping[str, PriceRow]:
        return {pair: self.rows[pair] for pair in pairs if pair in self.rows}

    def put(self, row: PriceRow, *, expected_version: int) -> None:
        written = replace(row, version=expected_version + 1)
        standing = self.rows.get(row.pair)
        if (standing.version if standing else 0) != expected_version and standing != written:
            raise Conflict
        self.rows[row.pair] = written


@dataclass
class MemorySimulation:
    """Moved prices in a dict, for a SimulatedMarket to look into: nobody has to wait."""

    clock: FakeClock
    prices: dict[str, Decimal] = field(default_factory=dict)

    def move(self, pair: str, price: Decimal) -> datetime:
        self.prices[pair] = price
        return self.clock.now()


@dataclass
class MemoryLaunches:
    """Simulated launches in a dict: everybody knows them at once."""

    known: dict[str, Opened] = field(default_factory=dict)

    def opened(self) -> Mapping[str, Opened]:
        return self.known

    def open(self, opened: Opened) -> None:
        if self.known.setdefault(opened.launch.symbol, opened) != opened:
            raise Conflict

    def launches_since(self, at: datetime) -> Sequence[Launch]:
        return [each.launch for each in self.known.values() if each.launch.at >= at]


@dataclass
class MemoryBook:
    """The launches that are known, in a list."""

    known: list[Launch] = field(default_factory=list)

    def find(self, awaited: str) -> Launch | None:
        return next((each for each in reversed(self.known) if each.answers(awaited)), None)

    def since(self, at: datetime) -> Sequence[Launch]:
        return [each for each in self.known if each.at >= at]

    def add(self, launch: Launch, *, now: datetime) -> Launch:
        stands = next((each for each in self.known if each.mint == launch.mint), launch)
        if stands is launch:
            self.known.append(launch)
        return stands


@dataclass
class MemorySources:
    """The sources of signals in a dict."""

    known: dict[str, Source] = field(default_factory=dict)

    def find(self, name: str) -> Source | None:
        return self.known.get(name)


@dataclass
class Venues:
    """A market in which each venue stands at a price of its own, or is away."""

    at: dict[str, Decimal]

    @property
    def pairs(self) -> None:
        return None

    def pools(self, pairs: Sequence[tuple[Token, Token]]) -> Mapping[str, Sequence[Pool]]:
        return {
            pair_name(base, quote): [
                SimulatedMarket(7, {pair_name(base, quote): price}).pool(
                    venue, base.symbol, quote.symbol, START
                )
                for venue, price in self.at.items()
            ]
            for base, quote in pairs
        }


@dataclass
class MemoryBreakers:
    """The venues' breakers in one value; `reads` counts who looked."""

    board: Board = field(default_factory=Board)
    reads: int = 0

    def read(self) -> Board:
        self.reads += 1
        return self.board

    def write(self, board: Board) -> Board:
        if self.board.version == board.version - 1:
            self.board = board
        return self.board


@dataclass
class MemoryMetrics:
    """What was recorded, and of it what was emitted."""

    recorded: list[tuple[Metric, float, str | None]] = field(default_factory=list)
    emitted: list[tuple[Metric, float, str | None]] = field(default_factory=list)

    def record(self, metric: Metric, value: float = 1, *, by: str | None = None) -> None:
        self.recorded.append((metric, value, by))

    def emit(self) -> None:
        self.emitted += self.recorded
        self.recorded.clear()


def a_quoting(venues: Sequence[Venue], clock: Clock, background: Background) -> Quoting:
    """Return the use case over breakers of its own."""
    return Quoting(
        venues, clock, background, Breaking(MemoryBreakers(), clock, FakeChance(), UNMEASURED)
    )


@dataclass
class MemoryLedger:
    """The simulated chain's entries in a dict."""

    entries: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def record(self, signature: str, entry: Mapping[str, str]) -> Mapping[str, str]:
        return self.entries.setdefault(signature, entry)

    def read(self, signature: str) -> Mapping[str, str] | None:
        return self.entries.get(signature)


@dataclass
class FakePush:
    """Keeps what each client heard.

    `gone` clients have left, `arriving` ones are there after so many tries, `broken` ones can't be
    reached. `failing` has how the next pushes to a client go.
    """

    heard: dict[str, list[bytes]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    arriving: dict[str, int] = field(default_factory=dict)
    broken: dict[str, EngineError] = field(default_factory=dict)
    failing: dict[str, list[EngineError | None]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)

    def close(self, connection_id: str) -> None:
        if connection_id in self.gone:
            raise ConnectionGone(connection_id)
        if connection_id in self.broken:
            raise self.broken[connection_id]
        failure = self.failing[connection_id].pop(0) if self.failing.get(connection_id) else None
        if failure is not None:
            raise failure
        self.closed.append(connection_id)
        self.gone.add(connection_id)

    def __call__(self, connection_id: str, message: bytes) -> None:
        if connection_id in self.arriving:
            self.arriving[connection_id] -= 1
            if not self.arriving[connection_id]:
                del self.arriving[connection_id]
            raise ConnectionGone(connection_id)
        if connection_id in self.gone:
            raise ConnectionGone(connection_id)
        if connection_id in self.broken:
            raise self.broken[connection_id]
        failure = self.failing[connection_id].pop(0) if self.failing.get(connection_id) else None
        if failure is not None:
            raise failure
        self.heard.setdefault(connection_id, []).append(message)


def an_order(*, at: datetime = START, status: Status = Status.PENDING, **changes: object) -> Order:
    """Return an order of 1 SOL for USDC, placed `at`, with `changes`; it may be in `status`."""
    order = Order.place(
        "11111111-1111-4111-8111-111111111111",
        "anyone",
        Terms(SOL, USDC, 10**9, 50),
        at=at,
        deadline=START + timedelta(seconds=120),
    )
    if status is not Status.PENDING:
        changes["history"] = (*order.history, Step(status, at, 1))
    return replace(order, **changes)  # type: ignore[arg-type]


def a_life(order: Order, *, at: datetime) -> list[Order]:
    """Return the five states of an order that trades, all steps but the first made `at`."""
    leg = Leg("raydium", "pool", 10**9, 163_000_000)
    steps = Instruction("wrap-sol", 10**9), Instruction("raydium", 10**9, 162_000_000, "pool")
    quotes = Quote("raydium", 163_000_000, 2_500_000, 1), Quote("meteora", error="VENUE_TIMEOUT")
    transaction = Transaction("5VER", at, at + timedelta(seconds=60), steps)
    routing = order.claim(at=at, until=at + timedelta(seconds=15), by="w")
    building = routing.build(quotes, Route((leg,), "better by 3 bps"), transaction, at=at)
    submitted = building.submit(at=at)
    return [order, routing, building, submitted, submitted.confirm(162_900_000, at=at)]


def a_parting(
    orders: MemoryOrders, queue: MemoryQueue, clock: FakeClock, rosters: MemoryRosters | None = None
) -> Parting:
    """Return what begins the parts of orders, over some ports."""
    epochs = Epochs(rosters or MemoryRosters())
    return Parting(orders, queue, clock, epochs, timedelta(seconds=120))
