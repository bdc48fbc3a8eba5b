"""What can go wrong, in the words of the trade.

    EngineError
    +-- InvalidOrder              the request can't become an order (the caller's to mend)
    |   +-- WouldTriggerNow       it is due as it is placed, and its client does not want that
    |   +-- TooManyRestingOrders  the account has as many orders that wait as it may
    +-- IllegalTransition         the life cycle forbids the move
    +-- OrderNotFound             no such order, or not this account's
    +-- OrderNotCancellable       a worker has begun, or the order has ended
    +-- OrderNotChangeable        the order does not rest, or was changed as often as it may be
    +-- PreconditionFailed        the order is not as its client believed
    +-- IdempotencyKeyReused      the same key with another order
    +-- UnknownSource             no signals are taken from there
    +-- SignatureInvalid          a signal that is not signed by its source, or not now
    +-- Unauthenticated           no key, or none that is good
    +-- KeyRevoked                the key by which a client connected is good no more
    +-- ConnectRateExceeded       the account connects more often than it may
    +-- PriceUnavailable          there is no reference price, and nothing can begin without one
    +-- TradingHalted             the operator has stopped the taking of orders
    +-- OrderRateExceeded         the account places more orders than it may
    +-- InvalidCursor             a cursor that this list did not give out
    +-- TooManySubscriptions      the connection watches as much as it may
    +-- Conflict                  somebody else wrote the order first; carries what is there now
    +-- MarketError               a pool can't make this trade (never retried)
    |   +-- UnsupportedPair       no pool of the venue trades the two tokens
    |   +-- UnsupportedPool       a pool of a kind whose program's arithmetic is not modelled
    |   +-- PoolDisabled          a pool that is off, or not yet active
    |   +-- InsufficientLiquidity the pool can't fill the amount
    |   +-- AmountTooSmall        the trade would give less than one base unit
    |   +-- AmountTooLarge        an amount above what the program's integers hold
    +-- VenueError                a venue gave no answer (retryable)
    |   +-- VenueTimeout
    |   +-- VenueUnavailable
    +-- ChainUnavailable          the chain did not answer: what was asked is not known
    +-- QueueUnavailable          the message was not handed over
    +-- Undecodable               a row, message or record that this version can't read
    +-- StoreUnavailable          the table did not answer: a write may have been made all the same
    +-- ConnectionGone            that WebSocket client has left
    +-- PushFailed                a message did not reach a client that may still be there

Every class has a `code`: stable, upper case, `CATEGORY_CONDITION`, and what clients see.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.domain.order import Order


class FieldCode(StrEnum):
    """What may be wrong with a field of a request."""

    REQUIRED = "REQUIRED"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    INVALID = "INVALID"
    AMOUNT_TYPE = "AMOUNT_TYPE"
    AMOUNT_OUT_OF_RANGE = "AMOUNT_OUT_OF_RANGE"
    TOO_MANY_DECIMALS = "TOO_MANY_DECIMALS"
    NOT_A_COUNT = "NOT_A_COUNT"
    UNKNOWN_TOKEN = "UNKNOWN_TOKEN"  # noqa: S105
    SAME_TOKEN = "SAME_TOKEN"  # noqa: S105
    UNSUPPORTED_PAIR = "UNSUPPORTED_PAIR"
    KEY_MISMATCH = "KEY_MISMATCH"
    NOTIONAL_TOO_SMALL = "NOTIONAL_TOO_SMALL"
    NOTIONAL_TOO_LARGE = "NOTIONAL_TOO_LARGE"
    PRICE_TYPE = "PRICE_TYPE"
    PRICE_OUT_OF_RANGE = "PRICE_OUT_OF_RANGE"
    PRICE_TOO_PRECISE = "PRICE_TOO_PRECISE"
    PRICES_CROSSED = "PRICES_CROSSED"
    TIME_TYPE = "TIME_TYPE"
    EXPIRY_OUT_OF_RANGE = "EXPIRY_OUT_OF_RANGE"
    WOULD_TRIGGER_NOW = "WOULD_TRIGGER_NOW"
    TOO_MANY_RESTING_ORDERS = "TOO_MANY_RESTING_ORDERS"
    PARTS_TOO_SMALL = "PARTS_TOO_SMALL"
    SCHEDULE_TOO_LONG = "SCHEDULE_TOO_LONG"


class FailureCode(StrEnum):
    """Why an order failed; a market error's own code stands beside these."""

    VENUES_UNAVAILABLE = "VENUES_UNAVAILABLE"
    SLIPPAGE_EXCEEDED = "SLIPPAGE_EXCEEDED"
    EXPIRED = "EXPIRED"
    NO_ROUTE = "NO_ROUTE"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    CHAIN_UNAVAILABLE = "CHAIN_UNAVAILABLE"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    TRANSACTION_FAILED = "TRANSACTION_FAILED"
    TRANSACTION_REFUSED = "TRANSACTION_REFUSED"
    SETTLEMENT_CHANGED = "SETTLEMENT_CHANGED"
    PART_FAILED = "PART_FAILED"
    LAUNCH_TOO_OLD = "LAUNCH_TOO_OLD"
    LIQUIDITY_TOO_LOW = "LIQUIDITY_TOO_LOW"


class EngineError(Exception):
    """The root of all that the engine raises on purpose."""

    code = "INTERNAL_ERROR"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field; `pointer` is a JSON pointer into the request (RFC 6901)."""

    pointer: str
    code: FieldCode
    detail: str


class InvalidOrder(EngineError):
    """Fields of the request can't be accepted, each for its own reason."""

    code = "INVALID_ORDER"

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__("; ".join(f"{p.pointer} {p.detail}" for p in problems))
        self.problems = problems


class WouldTriggerNow(InvalidOrder):
    """The order is due as it is placed or changed; `pointer` is of the price that is reached."""

    code = "WOULD_TRIGGER_NOW"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(FieldProblem(pointer, FieldCode.WOULD_TRIGGER_NOW, detail))


class TooManyRestingOrders(InvalidOrder):
    code = "TOO_MANY_RESTING_ORDERS"

    def __init__(self, limit: int) -> None:
        detail = f"an account has at most {limit} orders that wait; cancel some, or let them end"
        super().__init__(FieldProblem("/type", FieldCode.TOO_MANY_RESTING_ORDERS, detail))


class IllegalTransition(EngineError):
    code = "ILLEGAL_TRANSITION"


class SeqNotReached(EngineError):
    """A watcher claims to have states of an order that it has not had."""

    code = "SEQ_NOT_REACHED"


class OrderNotFound(EngineError):
    code = "ORDER_NOT_FOUND"


class OrderNotCancellable(EngineError):
    code = "ORDER_NOT_CANCELLABLE"


class OrderNotChangeable(EngineError):
    code = "ORDER_NOT_CHANGEABLE"


class PreconditionFailed(EngineError):
    code = "PRECONDITION_FAILED"


class IdempotencyKeyReused(EngineError):
    code = "IDEMPOTENCY_KEY_REUSED"


class UnknownSource(EngineError):
    code = "UNKNOWN_SOURCE"


class SignatureInvalid(EngineError):
    code = "SIGNATURE_INVALID"


class Unauthenticated(EngineError):
    code = "UNAUTHENTICATED"


class KeyRevoked(EngineError):
    code = "KEY_REVOKED"


class ConnectRateExceeded(EngineError):
    """The account has made its `limit` connections of this minute; `retry_after` is seconds."""

    code = "CONNECT_RATE_EXCEEDED"

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(f"an account connects {limit} times a minute; wait {retry_after} s")
        self.retry_after = retry_after


class PriceUnavailable(EngineError):
    code = "PRICE_UNAVAILABLE"


class TradingHalted(EngineError):
    code = "TRADING_HALTED"


class OrderRateExceeded(EngineError):
    """The account's `limit` orders of this minute are used up, the next is in `retry_after` s."""

    code = "ORDER_RATE_EXCEEDED"

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(f"the next order is taken in {retry_after} s")
        self.limit = limit
        self.retry_after = retry_after


class InvalidCursor(EngineError):
    code = "INVALID_CURSOR"


class TooManySubscriptions(EngineError):
    code = "TOO_MANY_SUBSCRIPTIONS"


class Conflict(EngineError):
    """A conditional write lost; `current` is the order as it stands (None: there is none)."""

    code = "CONFLICT"

    def __init__(self, current: "Order | None" = None) -> None:
        super().__init__("the row is not what the writer believed")
        self.current = current


class MarketError(EngineError):
    code = "MARKET_ERROR"


class UnsupportedPair(MarketError):
    code = "UNSUPPORTED_PAIR"


class UnsupportedPool(MarketError):
    code = "UNSUPPORTED_POOL"


class PoolDisabled(MarketError):
    code = "POOL_DISABLED"


class InsufficientLiquidity(MarketError):
    code = "INSUFFICIENT_LIQUIDITY"


class AmountTooSmall(MarketError):
    code = "AMOUNT_TOO_SMALL"


class AmountTooLarge(MarketError):
    code = "AMOUNT_TOO_LARGE"


class VenueError(EngineError):
    code = "VENUE_ERROR"


class VenueTimeout(VenueError):
    code = "VENUE_TIMEOUT"


class VenueUnavailable(VenueError):
    code = "VENUE_UNAVAILABLE"


class VenueSuspended(VenueError):
    """The venue failed so often in a row that it is not asked for a while."""

    code = "VENUE_SUSPENDED"


class ChainUnavailable(EngineError):
    code = "CHAIN_UNAVAILABLE"


class InsufficientFunds(EngineError):
    """The account that trades has too little of what is sold, or to pay for the transaction."""

    code = "INSUFFICIENT_FUNDS"


class TransactionRefused(EngineError):
    """What was built is not what the order says: it is not signed."""

    code = "TRANSACTION_REFUSED"


class OperatorOnly(EngineError):
    """A key that is good, but no operator's."""

    code = "OPERATOR_ONLY"


class QueueUnavailable(EngineError):
    code = "QUEUE_UNAVAILABLE"


class StoreUnavailable(EngineError):
    code = "STORE_UNAVAILABLE"


class Undecodable(EngineError):
    """Something stored or sent can't be read: broken, or written by a newer version.

    It is set aside with a log line, never taken for something else, and never overwritten.
    """

    code = "UNDECODABLE"


class ConnectionGone(EngineError):
    code = "CONNECTION_GONE"


class PushFailed(EngineError):
    code = "PUSH_FAILED"
