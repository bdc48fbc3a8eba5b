"""An order and its life cycle."""

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.domain.errors import FailureCode, IllegalTransition
from engine.domain.launches import Launch
from engine.domain.parts import LOOK_AFTER, PRICE_OUTSIDE_BAND, Parent, Part, Plan, Stop, slot_after
from engine.domain.terms import OrderType, Terms
from engine.domain.triggers import Fired, Trigger


class Status(StrEnum):
    """pending, routing, building, submitted, confirmed; failed from any of the first four;
    cancelled from pending only. The last three are final.
    """

    PENDING = "pending"
    ROUTING = "routing"
    BUILDING = "building"
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RESTING = "resting"
    EXPIRED = "expired"


class Network(StrEnum):
    """Whose venues and chain an order meets."""

    SIMULATED = "simulated"
    SOLANA = "solana"


class Settlement(StrEnum):
    """How an order is settled: in a simulated market; on paper, by real pools as they stand when it
    would have landed; or live, with money.
    """

    SIMULATED = "simulated"
    PAPER = "paper"
    LIVE = "live"

    @property
    def network(self) -> Network:
        return Network.SIMULATED if self is Settlement.SIMULATED else Network.SOLANA


#: The whole life cycle. A new attempt stays in its state: it never moves an order backwards. What
#: rests and is changed rests on, and so does an order in parts until the last of them has ended.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.RESTING: frozenset(
        {
            Status.RESTING,
            Status.PENDING,
            Status.CONFIRMED,
            Status.CANCELLED,
            Status.EXPIRED,
            Status.FAILED,
        }
    ),
    Status.PENDING: frozenset({Status.ROUTING, Status.FAILED, Status.CANCELLED}),
    Status.ROUTING: frozenset({Status.BUILDING, Status.FAILED, Status.RESTING}),
    Status.BUILDING: frozenset({Status.SUBMITTED, Status.FAILED}),
    Status.SUBMITTED: frozenset({Status.CONFIRMED, Status.FAILED, Status.RESTING}),
    Status.CONFIRMED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
}

FINAL: frozenset[Status] = frozenset(s for s, following in TRANSITIONS.items() if not following)


#: What an order's id may be, and its client's id of it.
ID_PATTERN = r"^[A-Za-z0-9._:-]{1,64}$"


def order_id_of(account: str, client_order_id: str) -> str:
    """Return the id that an account's order under this key has, whenever it is placed (UUID v8)."""
    digest = bytearray(hashlib.sha256(f"{account}\n{client_order_id}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def part_order_id(account: str, parent_id: str, place: int) -> str:
    """Return the id of the order at a place in a plan's `begun`: no client's key derives it."""
    return order_id_of(account, f"{parent_id}\n{place}")


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

    After `expires_at`, by the chain's clock, it can't land any more. On a real chain whoever sends
    it needs its bytes as they are signed, `wire`, and it can land up to the block of height
    `last_valid_height`, which decides, whatever the clock says.
    """

    signature: str
    signed_at: datetime
    expires_at: datetime
    instructions: tuple[Instruction, ...]
    wire: bytes | None = None
    last_valid_height: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an order failed: a stable code and a sentence for people."""

    code: str
    detail: str


class TryOutcome(StrEnum):
    """How far a try to trade has come, or how it ended."""

    SIGNED = "signed"
    SENT = "sent"
    LANDED = "landed"
    REVERTED = "reverted"
    EXPIRED = "expired"
    NO_ROUTE = "noRoute"


@dataclass(frozen=True, slots=True)
class Try:
    """One try to trade: what was signed, if it came to that, and what became of it.

    `changes` are its outcomes so far, each with the order's `seq` then; `code` is the reason of one
    that came to nothing. Of an order that waits it says at which reference price that came due,
    the output that was `quoted` and its `bound`, base units of the token bought.
    """

    signature: str | None
    changes: tuple[tuple[int, TryOutcome], ...]
    code: str | None = None
    price: Decimal | None = None
    quoted: int | None = None
    bound: int | None = None

    @property
    def seq(self) -> int:
        """The change of the order that brought it."""
        return self.changes[0][0]

    @property
    def outcome(self) -> TryOutcome:
        return self.changes[-1][1]

    def became(self, outcome: TryOutcome, *, seq: int, code: str | None = None) -> "Try":
        return replace(self, changes=(*self.changes, (seq, outcome)), code=code)

    def as_of(self, seq: int) -> "Try":
        known = tuple(change for change in self.changes if change[0] <= seq)
        return self if known == self.changes else replace(self, changes=known, code=None)


_1970 = datetime(1970, 1, 1, tzinfo=UTC)
#: The way to the send: what an order has reached on it, a new attempt does not take back.
_PATH = (Status.PENDING, Status.ROUTING, Status.BUILDING, Status.SUBMITTED)
IN_FLIGHT = frozenset({TryOutcome.SIGNED, TryOutcome.SENT})
_NEVER_SENT = frozenset({TryOutcome.SIGNED, TryOutcome.NO_ROUTE})
#: The code of a try whose transaction did not land while it could.
TRANSACTION_EXPIRED = "TRANSACTION_EXPIRED"
#: The code of a try whose quotes did not meet the order's limit.
LIMIT_NOT_MET = "LIMIT_NOT_MET"
#: How many tries an order keeps; of more, the oldest that signed nothing are forgotten.
MAX_TRIES = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an order's history; `attempt` is the last one begun by then."""

    status: Status
    at: datetime
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an order waits for, since when, and what set it off last.

    `trigger` moves with the price without a change of the order: `moves` counts that. `epoch` is
    the time of its account's last cancel-all before it was placed (see `service/epochs.py`).
    """

    trigger: Trigger
    since: datetime
    epoch: int = 0
    moves: int = 0
    fired: Fired | None = None
    fired_price: Decimal | None = None
    fired_seq: int = 0
    #: When what it waited for launched, by the signal's own time.
    launched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order; every change is a new value with one more step in its `history`.

    Amounts are base units. `lease_until` is when the worker that claimed the order (`lease_by`,
    unlike any other claim's) may be taken for dead; `deadline` is when the order may no longer
    begin to execute. `quoted_seq` is the change that brought quotes, route and transaction.
    `former_terms` are those it had before it was changed, each with the last `seq` of theirs. Times
    are whole milliseconds.
    """

    order_id: str
    account: str
    terms: Terms
    deadline: datetime
    history: tuple[Step, ...]
    client_order_id: str | None = None
    quotes: tuple[Quote, ...] = ()
    quoted_seq: int = 0
    route: Route | None = None
    transaction: Transaction | None = None
    tries: tuple[Try, ...] = ()
    amount_out: int | None = None
    error: Failure | None = None
    lease_until: datetime | None = None
    lease_by: str | None = None
    dead_letter_due: bool = False
    waiting: Waiting | None = None
    former_terms: tuple[tuple[int, Terms], ...] = ()
    settlement: Settlement = Settlement.SIMULATED
    #: The id of the request that placed it, by which its log lines are found.
    correlation_id: str | None = None
    #: How far an order in parts has come, and of which such an order this one is a part.
    plan: Plan | None = None
    parent: Parent | None = None

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
        waiting: Waiting | None = None,
        settlement: Settlement = Settlement.SIMULATED,
    ) -> "Order":
        """Return a new order with the first line of its history: it rests, or is pending.

        It rests if it waits for something that has not set it off as it is placed.
        """
        rests = waiting is not None and waiting.fired is None
        history = (Step(Status.RESTING if rests else Status.PENDING, at),)
        return cls(
            order_id,
            account,
            terms,
            deadline,
            history,
            client_order_id,
            waiting=waiting,
            settlement=settlement,
            plan=Plan(at) if terms.kind is OrderType.TWAP else None,
        )

    @property
    def seq(self) -> int:
        """The number of its changes; every write is conditional on it."""
        return len(self.history)

    @property
    def status(self) -> Status:
        return self.history[-1].status

    @property
    def attempts(self) -> int:
        """How often it was begun to trade."""
        return self.history[-1].attempt

    @property
    def created_at(self) -> datetime:
        return self.history[0].at

    @property
    def updated_at(self) -> datetime:
        return self.history[-1].at

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
        """The least output that the trader accepts, base units of the token bought."""
        if self.route is None:
            return None
        return self.minimum(self.terms.amount, self.route.amount_out)

    def minimum(self, amount_in: int, quoted: int) -> int:
        """Return the least output that is accepted for `amount_in` by what set the order off."""
        fired = self.waiting and self.waiting.fired
        return self.terms.minimum(amount_in, quoted, fired.leg if fired else None)

    @property
    def placed_terms(self) -> Terms:
        """What it asked for when it was placed."""
        return self.former_terms[0][1] if self.former_terms else self.terms

    @property
    def expires_at(self) -> datetime:
        """When it ends if it rests still; its deadline if it never rests."""
        return self.terms.expires_at or self.deadline

    @property
    def looked_at(self) -> datetime:
        """By when somebody has to look at it, if it rests still."""
        if self.plan is None:
            return self.expires_at
        wakes_at = self.plan.wakes_at or self.expires_at
        return wakes_at if self.plan.stop else min(wakes_at, self.expires_at)

    @property
    def epoch(self) -> int:
        """The epoch of its account in which it, or the order that it is a part of, was placed."""
        if self.parent is not None:
            return self.parent.epoch
        return self.waiting.epoch if self.waiting else 0

    @property
    def moves(self) -> int:
        """How often its trigger was moved; every write is conditional on it and on `seq`."""
        return self.waiting.moves if self.waiting else 0

    def under(self, epoch: int) -> "Order":
        """Return this order as it reads after its account's last cancel-all, at `epoch`.

        What rested then is cancelled, whether or not that is written already.
        """
        if self.status is not Status.RESTING or self.waiting is None or self.waiting.epoch >= epoch:
            return self
        at = _1970 + timedelta(milliseconds=epoch)
        if self.plan is not None:
            return self if self.plan.stop else self.stop(Status.CANCELLED, at=at)
        return self.cancel(at=at)

    @property
    def in_flight(self) -> Transaction | None:
        """The transaction that is stored and may land still: nothing else may be built."""
        open_try = self.tries and self.tries[-1].outcome in IN_FLIGHT
        return self.transaction if open_try else None

    @property
    def sent(self) -> bool:
        """Whether a send of what is in flight was made, as far as is written."""
        return bool(self.tries) and self.tries[-1].outcome is TryOutcome.SENT

    @property
    def tx_hash(self) -> str | None:
        """The signature that was sent last, whatever became of it."""
        signatures = (t.signature for t in reversed(self.tries) if t.outcome not in _NEVER_SENT)
        return next(signatures, None)

    def held(self, now: datetime) -> bool:
        """Tell whether a worker holds the order, or it waits for its next attempt."""
        return not self.final and self.lease_until is not None and now < self.lease_until

    def move(self, trigger: Trigger, *, at: datetime) -> "Order":
        """Return this resting order with a trigger that the price of `at` has moved.

        That is no change to tell. What the price did before does not concern the moved trigger.
        """
        waiting = self._resting()
        waiting = replace(waiting, trigger=trigger, since=at, moves=waiting.moves + 1)
        return replace(self, waiting=waiting)

    def wake(self, fired: Fired, price: Decimal, *, at: datetime, deadline: datetime) -> "Order":
        """Return this resting order due: `fired` at the reference price `price`."""
        waiting = self._resting()
        woken = self._to(Status.PENDING, at, attempt=0)
        waiting = replace(waiting, fired=fired, fired_price=price, fired_seq=woken.seq)
        return replace(woken, deadline=deadline, waiting=waiting)

    def wake_at_launch(self, launch: Launch, *, at: datetime, deadline: datetime) -> "Order":
        """Return this resting order due, because its token has launched.

        From here on it buys that token. No deadline is later than it wants the launch to be old.
        """
        waiting = self._resting()
        woken = self._to(Status.PENDING, at, attempt=0)
        waiting = replace(waiting, fired=Fired(None), fired_seq=woken.seq, launched_at=launch.at)
        if self.terms.max_age_seconds is not None:
            deadline = min(deadline, launch.at + timedelta(seconds=self.terms.max_age_seconds))
        terms = replace(self.terms, buy=launch.token)
        return replace(woken, deadline=deadline, waiting=waiting, terms=terms)

    @property
    def too_late(self) -> Failure:
        """Why it fails when its deadline has passed."""
        waiting, age = self.waiting, self.terms.max_age_seconds
        if waiting is not None and waiting.launched_at is not None and age is not None:
            until = waiting.launched_at + timedelta(seconds=age)
            if self.deadline == until:
                detail = f"it launched more than {age} s before this could trade"
                return Failure(FailureCode.LAUNCH_TOO_OLD, detail)
        return Failure(FailureCode.EXPIRED, "the order's deadline passed before it could trade")

    def rest(
        self,
        quotes: tuple[Quote, ...],
        code: str,
        trigger: Trigger,
        *,
        at: datetime,
        quoted: int | None = None,
    ) -> "Order":
        """Return this order resting again, for `trigger`: its limit was not met.

        The quotes, `quoted` together, did not meet it; or what was in flight reverted, because the
        pools did not when it landed.
        """
        if self.waiting is None or self.status is Status.RESTING:
            raise IllegalTransition(f"{self.status} does not rest again")
        missed = self._to(Status.RESTING, at)
        if self.in_flight is not None:
            missed = _became(missed, TryOutcome.REVERTED, code)
        else:
            missed = _in_vain(missed, quotes, code, quoted)
        waiting = replace(self.waiting, trigger=trigger, since=missed.updated_at)
        return replace(missed, lease_until=None, lease_by=None, waiting=waiting)

    def change(self, terms: Terms, trigger: Trigger, *, at: datetime) -> "Order":
        """Return this resting order with other terms."""
        waiting = self._resting()
        changed = self._to(Status.RESTING, at)
        waiting = replace(waiting, trigger=trigger, since=changed.updated_at)
        former = (*self.former_terms, (self.seq, self.terms))
        return replace(changed, terms=terms, waiting=waiting, former_terms=former)

    def begin_part(self, *, at: datetime) -> "Order":
        """Return this parent with its next part recorded as begun, in the slot of `at`."""
        plan, number = self._next_part()
        step = self._to(Status.RESTING, at, attempt=self.attempts + 1)
        amount = plan.amount_of(number, self.terms.amount, self.terms.parts or 1)
        plan = replace(plan, begun=(*plan.begun, Part(number, amount, step.seq)))
        return replace(step, plan=self._on(plan, step.updated_at))

    def skip_part(self, price: Decimal, *, at: datetime) -> "Order":
        """Return this parent with a try that says that `price` is outside its band.

        The part's amount goes to the last one; where that has begun, or it is the last, the part
        waits for a price inside. Said once, that is only a move of what is due.
        """
        plan, number = self._next_part()
        carried = plan.carries(number, self.terms.parts or 1)
        told = bool(self.tries) and self.tries[-1].seq == self.seq
        if not carried and told and self.seq not in {seq for _, seq in plan.skipped}:
            return self.postpone(slot_after(self.created_at, self.terms.every, at))
        step = self._to(Status.RESTING, at, attempt=self.attempts + 1)
        if carried:
            plan = replace(plan, skipped=(*plan.skipped, (number, step.seq)))
        tried = ((step.seq, TryOutcome.NO_ROUTE),)
        tries = (*self.tries, Try(None, tried, PRICE_OUTSIDE_BAND, price))
        tries = _bounded(tries, max(MAX_TRIES, self.terms.parts or 1))
        return replace(step, tries=tries, plan=self._on(plan, step.updated_at))

    def postpone(self, due: datetime | None = None, looks_at: datetime | None = None) -> "Order":
        """Return this parent to be looked at later, which is no change to tell."""
        waiting, plan = self._resting(), self.plan
        if plan is None:
            raise IllegalTransition("it has no parts")
        plan = replace(plan, due=due or plan.due, looks_at=looks_at or plan.looks_at)
        return replace(self, plan=plan, waiting=replace(waiting, moves=waiting.moves + 1))

    def end_part(self, place: int, ended: "Order", *, at: datetime) -> "Order":
        """Return this parent after one of its parts' orders `ended`; it may end by that."""
        self._resting()
        plan = self.plan
        if plan is None or not plan.begun[place].is_open:
            return self
        plan = plan.ended(place, ended.status, ended.amount_out, seq=self.seq + 1)
        if plan.stop is None and (number := plan.exhausted()) is not None:
            why = f" ({ended.error.code}: {ended.error.detail})" if ended.error else ""
            detail = f"part {number} was not filled by any of its orders{why}"
            failure = Failure(FailureCode.PART_FAILED, detail)
            plan = replace(plan, stop=Stop(Status.FAILED, self.seq + 1, failure))
        return self._planned(plan, at)

    def stop(self, status: Status, *, at: datetime) -> "Order":
        """Return this parent, which begins no more parts and ends as `status`.

        At once, or when what is under way has ended.
        """
        self._resting()
        if self.plan is None or self.plan.stop is not None:
            raise IllegalTransition("it stops already")
        return self._planned(replace(self.plan, stop=Stop(status, self.seq + 1)), at)

    def part_order(self, place: int, lifetime: timedelta) -> "Order":
        """Return the order at a place in the plan as it is placed: the same whoever asks."""
        if self.plan is None:
            raise IllegalTransition("it has no parts")
        part = self.plan.begun[place]
        at, terms = self.history[part.seq - 1].at, self.terms
        order = Order.place(
            part_order_id(self.account, self.order_id, place),
            self.account,
            Terms(terms.sell, terms.buy, part.amount, terms.slippage_bps, side=terms.side),
            at=at,
            deadline=at + lifetime,
            settlement=self.settlement,
        )
        parent = Parent(self.order_id, part.number, self.epoch)
        return replace(order, parent=parent, correlation_id=self.correlation_id)

    def _next_part(self) -> tuple[Plan, int]:
        self._resting()
        number = self.plan.next_part(self.terms.parts or 1) if self.plan else None
        if self.plan is None or number is None or self.plan.stop is not None:
            raise IllegalTransition("no part of it is to begin")
        return self.plan, number

    def _planned(self, plan: Plan, at: datetime) -> "Order":
        """Return this parent one step on: resting, or ended if nothing is left to do."""
        if plan.filled == self.terms.amount:
            step = self._ended(Status.CONFIRMED, at)
        elif plan.stop is not None and not plan.under_way:
            step = replace(self._ended(plan.stop.status, at), error=plan.stop.failure)
        else:
            step = self._to(Status.RESTING, at)
            return replace(step, plan=self._on(plan, step.updated_at, due=plan.due))
        return replace(step, plan=replace(plan, due=None, looks_at=None))

    def _on(self, plan: Plan, at: datetime, due: datetime | None = None) -> Plan:
        """Return a plan with the times at which to go on: `due`, or at the next slot."""
        left = plan.stop is None and plan.next_part(self.terms.parts or 1) is not None
        following = due or slot_after(self.created_at, self.terms.every, at)
        looks_at = at + LOOK_AFTER if plan.under_way else None
        return replace(plan, due=following if left else None, looks_at=looks_at)

    def expire(self, *, at: datetime) -> "Order":
        """Return this resting order ended by its time."""
        self._resting()
        return self._ended(Status.EXPIRED, at)

    def claim(self, *, at: datetime, until: datetime, by: str) -> "Order":
        """Return this order held by worker `by` until `until`, for a new attempt.

        An order with a transaction in flight is held only to learn what became of it: that is no
        new attempt. Losing the write of this is losing the claim.
        """
        if self.in_flight is not None:
            claimed = self._next(self.status, at)
        else:
            claimed = self._next(self._at_least(Status.ROUTING), at, self.attempts + 1)
        return replace(claimed, lease_until=until, lease_by=by)

    def build(
        self,
        quotes: tuple[Quote, ...],
        route: Route,
        transaction: Transaction,
        *,
        at: datetime,
    ) -> "Order":
        """Return this order with a signed transaction, of which nothing is sent yet."""
        built = self._next(self._at_least(Status.BUILDING), at)
        signed = Try(transaction.signature, ((built.seq, TryOutcome.SIGNED),))
        signed = _measured(built, signed, route.amount_out)
        return _tried(built, signed, quotes, route, transaction)

    def submit(self, *, at: datetime) -> "Order":
        """Return this order after a send of its transaction was made."""
        if self.in_flight is None:
            raise IllegalTransition(f"{self.status} with nothing to send")
        return _became(self._next(self._at_least(Status.SUBMITTED), at), TryOutcome.SENT)

    def wait(
        self, quotes: tuple[Quote, ...], code: str, *, at: datetime, until: datetime
    ) -> "Order":
        """Return this order after a try without a route, for another attempt at `until`."""
        waiting = _in_vain(self._next(self._at_least(Status.ROUTING), at), quotes, code)
        return replace(waiting, lease_until=until, lease_by=None)

    def rebuild(self, *, at: datetime) -> "Order":
        """Return this order after its transaction expired: another may be built."""
        step = self._next(self.status, at)
        expired = _became(step, TryOutcome.EXPIRED, TRANSACTION_EXPIRED)
        return replace(expired, lease_until=None, lease_by=None)

    def confirm(self, amount_out: int, *, at: datetime) -> "Order":
        """Return this order after its transaction landed with `amount_out` base units."""
        if not self.tries:
            raise IllegalTransition(f"{self.status} with nothing that could land")
        confirmed = _became(self._ended(Status.CONFIRMED, at), TryOutcome.LANDED)
        return replace(confirmed, amount_out=amount_out)

    def fail(
        self,
        failure: Failure,
        *,
        at: datetime,
        quotes: tuple[Quote, ...] | None = None,
        dead_letter: bool = False,
    ) -> "Order":
        """Return this order failed for good; `dead_letter`: an operator is to hear of it.

        With `quotes` the last try found no route; with a transaction in flight, that has reverted.
        """
        failed = self._ended(Status.FAILED, at)
        if quotes is not None:
            failed = _in_vain(failed, quotes, failure.code)
        elif self.in_flight is not None:
            failed = _became(failed, TryOutcome.REVERTED, failure.code)
        return replace(failed, error=failure, dead_letter_due=dead_letter)

    def cancel(self, *, at: datetime) -> "Order":
        """Return this order cancelled. Raises IllegalTransition once a worker has begun."""
        return self._ended(Status.CANCELLED, at)

    def as_of(self, seq: int) -> "Order":
        """Return this order as it was at `seq` (1..self.seq), as far as that is kept.

        What a later attempt has replaced is left out, not guessed.
        """
        if seq == self.seq:
            return self
        known = seq >= self.quoted_seq
        waiting = self.waiting
        if waiting is not None and seq < waiting.fired_seq:
            waiting = replace(waiting, fired=None, fired_price=None, fired_seq=0, launched_at=None)
        terms = next((terms for last, terms in self.former_terms if seq <= last), self.terms)
        if waiting is not None and waiting.fired is None:
            terms = terms.awaiting
        changed = terms != self.terms or (waiting and self.history[seq - 1].at < waiting.since)
        if waiting is not None and changed:
            waiting = replace(waiting, trigger=terms.trigger_before(waiting.trigger))
        return replace(
            self,
            terms=terms,
            former_terms=tuple(each for each in self.former_terms if each[0] < seq),
            waiting=waiting,
            history=self.history[:seq],
            quotes=self.quotes if known else (),
            route=self.route if known else None,
            transaction=self.transaction if known else None,
            tries=tuple(each.as_of(seq) for each in self.tries if each.seq <= seq),
            amount_out=None,
            error=None,
            dead_letter_due=False,
            # As it was placed, its first part was due: a repeat is answered so.
            plan=self.plan and self.plan.as_of(seq, due=self.created_at if seq == 1 else None),
        )

    def _at_least(self, status: Status) -> Status:
        """Return `status`, or the present one if a new attempt is further on."""
        if status in TRANSITIONS[self.status]:
            return status
        if self.status in _PATH[_PATH.index(status) :]:
            return self.status
        raise IllegalTransition(f"{self.status} -> {status}")

    def _resting(self) -> Waiting:
        if self.status is not Status.RESTING or self.waiting is None:
            raise IllegalTransition(f"{self.status} does not rest")
        return self.waiting

    def _ended(self, status: Status, at: datetime) -> "Order":
        return replace(self._to(status, at), lease_until=None, lease_by=None)

    def _to(self, status: Status, at: datetime, attempt: int | None = None) -> "Order":
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(f"{self.status} -> {status}")
        return self._next(status, at, attempt)

    def _next(self, status: Status, at: datetime, attempt: int | None = None) -> "Order":
        """Return this order one step on. Raises IllegalTransition if it is final."""
        if self.final:
            raise IllegalTransition(f"{self.status} is final")
        at = max(at, self.updated_at)  # clocks of two machines differ; history does not go back
        step = Step(status, at, self.attempts if attempt is None else attempt)
        return replace(self, history=(*self.history, step))


def _tried(
    order: Order,
    tried: Try,
    quotes: tuple[Quote, ...],
    route: Route | None = None,
    transaction: Transaction | None = None,
) -> Order:
    """Return `order` with what a try brought, in place of what an earlier one did."""
    tries = _bounded((*order.tries, tried))
    brought = replace(order, quotes=quotes, route=route, transaction=transaction, tries=tries)
    return replace(brought, quoted_seq=order.seq)


def _in_vain(
    order: Order, quotes: tuple[Quote, ...], code: str, quoted: int | None = None
) -> Order:
    tried = Try(None, ((order.seq, TryOutcome.NO_ROUTE),), code)
    return _tried(order, _measured(order, tried, quoted), quotes)


def _measured(order: Order, tried: Try, quoted: int | None) -> Try:
    """Return a try with what it was held against, if its order waited for a price."""
    if order.waiting is None:
        return tried
    known = quoted is not None or order.terms.limit_price is not None
    bound = order.minimum(order.terms.amount, quoted or 0) if known else None
    return replace(tried, price=order.waiting.fired_price, quoted=quoted, bound=bound)


def _became(order: Order, outcome: TryOutcome, code: str | None = None) -> Order:
    *earlier, last = order.tries
    return replace(order, tries=(*earlier, last.became(outcome, seq=order.seq, code=code)))


def _bounded(tries: tuple[Try, ...], maximum: int = MAX_TRIES) -> tuple[Try, ...]:
    """Drop the oldest tries that signed nothing, above `maximum`; a signature is never dropped."""
    unsigned = [n for n, each in enumerate(tries) if each.signature is None]
    dropped = unsigned[: max(0, len(tries) - maximum)]
    return tuple(each for n, each in enumerate(tries) if n not in dropped)
