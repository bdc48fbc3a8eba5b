"""A market order and its life cycle."""

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from engine.domain.errors import IllegalTransition
from engine.domain.money import less_slippage
from engine.domain.tokens import Token


class OrderType(StrEnum):
    """How an order says when and at what price it trades."""

    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for: sell `amount` base units of one token for another.

    It never changes, and two orders ask for the same if their terms are equal. The tokens are
    kept as they were listed when the order was placed.
    """

    sell: Token
    buy: Token
    amount: int
    slippage_bps: int
    kind: OrderType = OrderType.MARKET


class Status(StrEnum):
    """Where an order is in its life."""

    PENDING = "pending"
    ROUTING = "routing"
    BUILDING = "building"
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: The whole life cycle. A new attempt stays in its state: it never moves an order backwards.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.ROUTING, Status.FAILED, Status.CANCELLED}),
    Status.ROUTING: frozenset({Status.BUILDING, Status.FAILED}),
    Status.BUILDING: frozenset({Status.SUBMITTED, Status.FAILED}),
    Status.SUBMITTED: frozenset({Status.CONFIRMED, Status.FAILED}),
    Status.CONFIRMED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}

FINAL: frozenset[Status] = frozenset(s for s, following in TRANSITIONS.items() if not following)


def order_id_of(account: str, client_order_id: str) -> str:
    """Return the id that an account's order under this key has, whenever it is placed (UUID v8)."""
    digest = bytearray(hashlib.sha256(f"{account}\n{client_order_id}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


@dataclass(frozen=True, slots=True)
class Quote:
    """What one venue offered for the whole amount; with `error`, why it offered nothing.

    `amount_out` is base units of the token bought and net of the fee; `fee` is base units of the
    token sold, or of the one bought if `fee_on_output`.
    """

    venue: str
    amount_out: int = 0
    fee: int = 0
    price_impact_bps: int = 0
    error: str | None = None
    fee_on_output: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """One swap of a route: `amount_in` through `pool`, expecting `amount_out` (base units)."""

    venue: str
    pool: str
    amount_in: int
    amount_out: int


@dataclass(frozen=True, slots=True)
class Route:
    """The legs that an order takes, all in one transaction, and why."""

    legs: tuple[Leg, ...]
    reason: str

    @property
    def amount_out(self) -> int:
        """The output the quotes promise, base units of the token bought."""
        return sum(leg.amount_out for leg in self.legs)

    def min_amount_out(self, slippage_bps: int) -> int:
        """The least output that the trader accepts, base units of the token bought."""
        return less_slippage(self.amount_out, slippage_bps)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step of a transaction; `program` is `wrap-sol`, a venue's name, or `unwrap-sol`."""

    program: str
    amount_in: int = 0
    min_amount_out: int = 0
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction: known by its signature before it is sent.

    After `expires_at`, by the chain's clock, it can't land any more.
    """

    signature: str
    signed_at: datetime
    expires_at: datetime
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an order failed: a stable code and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an order's history; `attempt` is the last one begun by then."""

    seq: int
    status: Status
    at: datetime
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """A market order; every change is a new value with `seq` one higher.

    Amounts are base units. `lease_until` is when the worker that claimed the order (`lease_by`,
    unlike any other claim's) may be taken for dead; `deadline` is when the order may no longer
    begin to execute. `quoted_seq` is the change that brought the quotes. Times are whole
    milliseconds.
    """

    order_id: str
    account: str
    terms: Terms
    created_at: datetime
    updated_at: datetime
    deadline: datetime
    client_order_id: str | None = None
    status: Status = Status.PENDING
    seq: int = 1
    attempts: int = 0
    quotes: tuple[Quote, ...] = ()
    quoted_seq: int = 0
    route: Route | None = None
    transaction: Transaction | None = None
    amount_out: int | None = None
    error: Failure | None = None
    history: tuple[Step, ...] = field(default=())
    lease_until: datetime | None = None
    lease_by: str | None = None
    dead_letter_due: bool = False

    @classmethod
    def place(
        cls,
        order_id: str,
        account: str,
        terms: Terms,
        *,
        at: datetime,
        deadline: datetime,
        client_order_id: str | None = None,
    ) -> "Order":
        """Return a new pending order with the first line of its history."""
        return cls(
            order_id=order_id,
            account=account,
            terms=terms,
            created_at=at,
            updated_at=at,
            deadline=deadline,
            client_order_id=client_order_id,
            history=(Step(1, Status.PENDING, at),),
        )

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def token_in(self) -> str:
        """The symbol of the token sold."""
        return self.terms.sell.symbol

    @property
    def token_out(self) -> str:
        """The symbol of the token bought."""
        return self.terms.buy.symbol

    @property
    def min_amount_out(self) -> int | None:
        return self.route.min_amount_out(self.terms.slippage_bps) if self.route else None

    def held(self, now: datetime) -> bool:
        """Tell whether a worker holds the order, or it waits for its next attempt."""
        return not self.final and self.lease_until is not None and now < self.lease_until

    def to(self, status: Status, *, at: datetime, **changes: object) -> "Order":
        """Return this order moved to `status`, one `seq` later.

        Raises IllegalTransition if the life cycle forbids the move.
        """
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(f"{self.status} -> {status}")
        return self._next(status, at, changes)

    def again(self, *, at: datetime, **changes: object) -> "Order":
        """Return this order in the same state, one `seq` later: a claim, or a new attempt.

        Raises IllegalTransition if the order is final.
        """
        if self.final:
            raise IllegalTransition(f"{self.status} is final")
        return self._next(self.status, at, changes)

    def towards(self, status: Status, *, at: datetime, **changes: object) -> "Order":
        """Return this order moved to `status`, or kept where it is if a new attempt is further on.

        Raises IllegalTransition if the order is final.
        """
        if status in TRANSITIONS[self.status]:
            return self.to(status, at=at, **changes)
        return self.again(at=at, **changes)

    def claimed(self, *, at: datetime, until: datetime, by: str) -> "Order":
        """Return this order held by worker `by` until `until`, for a new attempt.

        An order whose transaction may be under way is held only to learn what became of it: that
        is no new attempt. Losing the write of this is losing the claim.
        """
        if self.transaction is not None:
            return self.towards(Status.SUBMITTED, at=at, lease_until=until, lease_by=by)
        return self.towards(
            Status.ROUTING, at=at, lease_until=until, lease_by=by, attempts=self.attempts + 1
        )

    def failed(
        self, failure: Failure, *, at: datetime, dead_letter: bool = False, **changes: object
    ) -> "Order":
        """Return this order failed for good; `dead_letter`: an operator is to hear of it."""
        return self.to(
            Status.FAILED,
            at=at,
            error=failure,
            lease_until=None,
            lease_by=None,
            dead_letter_due=dead_letter,
            **changes,
        )

    def as_of(self, seq: int) -> "Order":
        """Return this order as it was at `seq` (1..self.seq), as far as that is kept.

        What a later attempt has replaced is left out, not guessed.
        """
        if seq == self.seq:
            return self
        step = self.history[seq - 1]
        known = seq >= self.quoted_seq
        return replace(
            self,
            status=step.status,
            seq=seq,
            attempts=step.attempt,
            updated_at=step.at,
            quotes=self.quotes if known else (),
            route=self.route if known else None,
            transaction=self.transaction if known else None,
            amount_out=None,
            error=None,
            history=self.history[:seq],
            dead_letter_due=False,
        )

    def as_placed(self) -> "Order":
        """Return the order as it was when it was accepted: what the first answer said."""
        return Order.place(
            self.order_id,
            self.account,
            self.terms,
            at=self.created_at,
            deadline=self.deadline,
            client_order_id=self.client_order_id,
        )

    def _next(self, status: Status, at: datetime, changes: dict[str, object]) -> "Order":
        at = max(at, self.updated_at)  # clocks of two machines differ; history does not go back
        seq = self.seq + 1
        attempts = changes.get("attempts", self.attempts)
        step = Step(seq, status, at, attempts)  # type: ignore[arg-type]
        if "quotes" in changes:
            changes["quoted_seq"] = seq
        return replace(
            self,
            status=status,
            seq=seq,
            updated_at=at,
            history=(*self.history, step),
            **changes,  # type: ignore[arg-type]
        )
