"""What the use cases need of the world, as protocols: the adapters and the fakes fill them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.domain.order import Instruction, Order, Transaction
from engine.domain.tokens import Token
from engine.domain.triggers import Level, Tick

if TYPE_CHECKING:
    from engine.market.pool import Pool

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Clock(Protocol):
    """Time as an argument: aware datetimes in UTC."""

    def now(self) -> datetime: ...
    def sleep(self, seconds: float) -> None: ...


class Chance(Protocol):
    """Chance as an argument."""

    def uniform(self, low: float, high: float) -> float: ...
    def token_bytes(self) -> bytes:
        """Return 16 random bytes."""
        ...


class Pending(Protocol[T_co]):
    """A call under way."""

    def result(self, timeout: float | None = None) -> T_co:
        """Return what the call returned, or raise what it raised; TimeoutError if not in time."""
        ...


class Background(Protocol):
    """Runs calls beside the caller's own; `concurrent.futures` executors are such."""

    def submit(self, call: Callable[[], T], /) -> Pending[T]: ...


class OrderRepository(Protocol):
    """Orders, one row each; every write says what it believes.

    An order that can't be decoded, by this version at least, is never overwritten: where it stands
    alone Undecodable is raised, among others it is left out with a log line.
    """

    def add(self, order: Order) -> None:
        """Store a new order. Raises Conflict with the one that stands under its id, Undecodable."""
        ...

    def get(self, order_id: str) -> Order | None:
        """Read an order, strongly consistent. Raises Undecodable."""
        ...

    def save(self, order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        """Replace the order whose `seq` is `expected_seq`, and whose trigger moved so often.

        Raises Conflict with the present one, Undecodable if that can't be read.
        """
        ...

    def of_account(
        self, account: str, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, Order | None]]:
        """Read up to `limit` orders of an account, newest first, with their places in time.

        With `before`, a place in time, only older ones. None stands for an order that is gone
        or can't be decoded; fewer than `limit` are there only at the end.
        """
        ...

    def get_many(self, order_ids: Sequence[str]) -> list[Order]:
        """Read those of some orders that are there and can be read, strongly consistent."""
        ...

    def open_before(self, before: datetime, *, limit: int) -> Iterable[Order]:
        """Read up to `limit` orders placed before `before` that are not done with, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class WorkMessage:
    """What lies in the order queue: an id, and the order as its sender knew it.

    The snapshot saves a read. It is believed only as far as a write conditional on its `seq` goes.
    """

    order_id: str
    snapshot: Order | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What lies in the dead-letter queue about an order that failed after all its attempts."""

    order_id: str
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True)
class FoundLetter:
    """A message that lies in the dead-letter queue; `receipt` is good for a few seconds."""

    order_id: str
    receipt: str


class OrderQueue(Protocol):
    """The order queue and its dead-letter queue."""

    def enqueue(self, message: WorkMessage) -> None:
        """Hand an order to the workers. Raises QueueUnavailable: it may lie there all the same."""
        ...

    def retry_in(self, receipt: str, seconds: int) -> None:
        """Hide a received message for `seconds` (0..43200), then deliver it again."""
        ...

    def bury(self, letter: DeadLetter) -> None:
        """Put a letter into the dead-letter queue. Raises QueueUnavailable."""
        ...

    def letters(self, *, limit: int) -> Sequence[FoundLetter]:
        """Look at up to `limit` letters, some of those there. Raises QueueUnavailable.

        One that can't be decoded stays where it is, with a log line.
        """
        ...

    def drop(self, letter: FoundLetter) -> None:
        """Take a letter out of the dead-letter queue. Raises QueueUnavailable."""
        ...

    def put_back(self, letter: FoundLetter) -> None:
        """Let others see a letter again at once. Raises QueueUnavailable."""
        ...


class Venue(Protocol):
    """A place to trade. See docs/venues.md for how to add one."""

    @property
    def name(self) -> str: ...

    def pool(self, token_in: str, token_out: str) -> "Pool":
        """Read the venue's pool for the two tokens, as it stands now.

        Raises VenueTimeout or VenueUnavailable (retryable), UnsupportedPair (not).
        """
        ...


class Market(Protocol):
    """The pools of all venues as they stand, many pairs in one read; nobody is asked to quote."""

    def pools(self, pairs: Sequence[tuple[Token, Token]]) -> Mapping[str, Sequence["Pool"]]:
        """Return by pair (BASE/QUOTE) the pools that could be read.

        Those of a venue that does not answer are not among them.
        """
        ...


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What is kept of a pair's reference price: all that it did since the last whole sweep."""

    pair: str
    tick: Tick
    source: tuple[str, ...]
    version: int = 0


class PriceBook(Protocol):
    """The reference prices, one row a pair; reads are strongly consistent."""

    def get(self, pair: str) -> PriceRow | None:
        """Read a pair's row."""
        ...

    def get_many(self, pairs: Sequence[str]) -> Mapping[str, PriceRow]:
        """Read rows at once; return those that are there, by pair."""
        ...

    def put(self, row: PriceRow, *, expected_version: int) -> None:
        """Write a pair's row, one version on; 0: there is none yet. Raises Conflict."""
        ...


class Simulation(Protocol):
    """The simulated market's prices, which anybody may set for everybody."""

    def move(self, pair: str, price: Decimal) -> datetime:
        """Set a pair's price, and return from when on every process goes by it."""
        ...


@dataclass(frozen=True, slots=True)
class Landed:
    """The transaction is on the chain and paid `amount_out` base units."""

    amount_out: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Reverted:
    """The transaction is on the chain as failed: nothing was traded, and it can't land again."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The transaction did not land and, by the chain's own word, can't any more."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The chain does not know (yet): it may land still, or has landed unseen."""


Landing = Landed | Reverted | Expired | Unknown


class Chain(Protocol):
    """Signs, sends and looks up transactions."""

    def sign(
        self, order: Order, instructions: Sequence[Instruction], *, valid_for: timedelta
    ) -> Transaction:
        """Build and sign the transaction of `instructions`; sends nothing.

        It can land for `valid_for` at most. Two calls for one order and attempt may give two
        signatures: store the one that is sent.
        """
        ...

    def send(self, order: Order, transaction: Transaction) -> None:
        """Send; sending a signature again is harmless, the chain lands it once.

        Raises ChainUnavailable: it may have been taken all the same.
        """
        ...

    def landing(self, transaction: Transaction, *, wait: timedelta) -> Landing:
        """Tell what became of a transaction, waiting up to `wait` for it to land.

        Raises ChainUnavailable, which means Unknown.
        """
        ...


#: API Gateway ends every WebSocket connection after two hours.
LONGEST_CONNECTION = timedelta(hours=2)


def order_topic(order_id: str) -> str:
    """Return the topic of one order."""
    return f"ORDER#{order_id}"


def account_topic(account: str) -> str:
    """Return the topic of all of an account's orders."""
    return f"ACCOUNT#{account}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an account, and by which of its keys; None where no keys are asked for."""

    account: str
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Watcher:
    """A WebSocket connection that watches a topic on behalf of an account, by a key of it.

    It has every state of the order up to `after_seq`, and is `caught_up` once it was told what had
    been when it came; `deferred` counts how often that was put off. It watches from `since` to
    `until` at most. Two are equal if the same connection watches the same topic.
    """

    topic: str
    connection_id: str
    account: str = field(default="", compare=False)
    after_seq: int = field(default=0, compare=False)
    since: datetime | None = field(default=None, compare=False)
    until: datetime | None = field(default=None, compare=False)
    caught_up: bool = field(default=False, compare=False)
    key_id: str | None = field(default=None, compare=False)
    deferred: int = field(default=0, compare=False)

    def of_caller(self, caller: Caller, *, until: datetime) -> "Watcher":
        return replace(self, account=caller.account, key_id=caller.key_id, until=until)


class Watchers(Protocol):
    """Connections and what they watch."""

    def connect(
        self, connection_id: str, caller: Caller, *, until: datetime, first: Watcher | None = None
    ) -> None:
        """Store a connection: who is at its other end, when it ends at the latest, what it watches.

        What `first` is to be told follows by the stream.
        """
        ...

    def count_connect(
        self, connection_id: str, caller: Caller, *, at: datetime, limit: int
    ) -> bool:
        """Count a connection that is about to be stored, and note it under its caller's key.

        False if the account has made `limit` (0: any number) in the same minute of the clock.
        """
        ...

    def connected_by(self, caller: Caller, *, at: datetime) -> list[tuple[str, datetime]]:
        """Return the connections of a key that may stand at `at`, and when each was counted.

        Those that have ended are among them.
        """
        ...

    def watch(self, watcher: Watcher) -> Watcher:
        """Store a subscription of a connection's account; what it lacks follows by the stream.

        Raises ConnectionGone if the connection is not stored, TooManySubscriptions.
        """
        ...

    def change(self, standing: Watcher, changed: Watcher) -> None:
        """Note how far a subscription has come; nothing if it is not as it stood any more."""
        ...

    def of(self, topics: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Watcher]]:
        """Return who watches topics, each on behalf of an account: by topic and account.

        Those whose time is over are among them.
        """
        ...

    def forget(self, watcher: Watcher) -> None:
        """Drop one subscription; harmless when it is gone already."""
        ...

    def forget_connection(self, connection_id: str) -> None:
        """Drop a connection, and that it watches its account.

        What it watches of single orders may stay, until a push finds it gone or its time is over.
        """
        ...

    def forget_gone(self, gone: Iterable[str], subscriptions: Iterable[Watcher]) -> None:
        """Drop connections that are gone, as `forget_connection` does, and these subscriptions.

        The connections of these are gone, or over: nothing else is noted of them.
        """
        ...

    def caller_of(self, connection_id: str) -> Caller | None:
        """Return who is at the other end of a connection, None if it is not stored."""
        ...


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is stored: `digest` is the SHA-256 of the whole key, in hex."""

    key_id: str
    account: str
    digest: str


class TradingState(StrEnum):
    """Whether new orders are taken. Orders that are under way are finished in either."""

    ACTIVE = "active"
    HALTED = "halted"


class Access(Protocol):
    """API keys, stream tickets, order rates, the trading state, and the secret of the cursors."""

    def key(self, key_id: str) -> ApiKey | None:
        """Return a key that is good, None for one that is unknown or revoked."""
        ...

    def add_ticket(self, digest: str, caller: Caller, *, until: datetime) -> None: ...

    def ticket(self, digest: str, *, now: datetime) -> Caller | None:
        """Return who drew a ticket, None if it is unknown, used or expired."""
        ...

    def use_ticket(self, digest: str, *, now: datetime) -> bool:
        """Use up a ticket; False if it is unknown, used or expired."""
        ...

    def count_order(self, account: str, window: int, *, most: int, until: datetime) -> int | None:
        """Count an order of `account` in `window`; return the count, None if `most` is reached."""
        ...

    def trading_state(self) -> TradingState: ...

    def cursor_secret(self) -> bytes:
        """Return this stack's own secret, made at its first use."""
        ...


class Push(Protocol):
    """Reaches one WebSocket client."""

    def __call__(self, connection_id: str, message: bytes) -> None:
        """Post a message.

        Raises ConnectionGone if the client has left, PushFailed for any other reason.
        """
        ...

    def close(self, connection_id: str) -> None:
        """Close a connection. Raises ConnectionGone, PushFailed."""
        ...


class RestingIndex(Protocol):
    """Which orders rest where; read eventually: it may lag behind the rows by a moment."""

    def reached(self, pair: str, level: Level, *, limit: int) -> Sequence[str]:
        """Return up to `limit` orders of a pair that wait for this price or one before it.

        `level` is where the price has come to, from which side. Those nearest to it come first.
        """
        ...

    def expired(self, at: datetime, *, limit: int) -> Sequence[str]:
        """Return up to `limit` orders that rest no longer than until `at`, the oldest first."""
        ...

    def rests(self, pair: str) -> bool:
        """Tell whether any order of a pair rests."""
        ...


@dataclass(frozen=True, slots=True)
class Ticker:
    """Who ticks until when, and for which pairs."""

    holder: str | None
    until: datetime
    pairs: frozenset[str]


class Tickers(Protocol):
    """The one ticker's row, and the messages that start it."""

    def read(self) -> Ticker: ...

    def take(self, holder: str, *, until: datetime, now: datetime) -> Ticker | None:
        """Begin or go on to tick; None if somebody else does."""
        ...

    def release(self, holder: str) -> None: ...

    def add(self, pairs: Iterable[str]) -> None: ...

    def drop(self, pair: str) -> None: ...

    def start(self, pairs: Iterable[str]) -> None:
        """Send what starts a ticker for these pairs. Raises QueueUnavailable."""
        ...
