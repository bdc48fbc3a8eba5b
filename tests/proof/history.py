"""What was promised, against what clients saw and what table, chain and queues hold at the end.

A history is made by the proof's own world (`tests/proof/world.py`) and by the chaos run on the
embedded cloud (`tests/chaos`); the promises are the same.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

from engine.adapters.codec import from_ms, to_ms
from engine.api.views import order_view
from engine.domain.money import BPS
from engine.domain.order import TRANSITIONS, Order, Status, Try, TryOutcome, part_order_id
from engine.domain.parts import MAX_FAILURES, MAX_PARTS
from engine.domain.terms import OrderType
from engine.domain.triggers import AtPrice, Side, Trailing

T = TypeVar("T")
Document = Mapping[str, Any]
#: What becomes of a transaction that was sent.
_ENDS = frozenset({TryOutcome.LANDED, TryOutcome.REVERTED, TryOutcome.EXPIRED})
#: What an order fails with when all its attempts are used up: then it owes a dead letter.
EXHAUSTED = frozenset({"VENUES_UNAVAILABLE", "ATTEMPTS_EXHAUSTED"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one HTTP call was answered; status 0: nothing came back."""

    call: str  # place, read, cancel
    status: int
    body: Document = field(default_factory=dict)
    account: str = "anyone"
    key: str | None = None
    asked: Document = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that one client of the stream heard, and whose orders it may hear of.

    What the client itself sent is among them, see `asked_for`.
    """

    client: str
    account: str
    message: Document


def asked_for(
    order_id: str | None, after_seq: int = 0, stands: Mapping[str, int] | None = None
) -> Document:
    """Return that a client wants to hear of one (None: of all), as a message among the others."""
    return {"type": "asked", "orderId": order_id, "afterSeq": after_seq, "stands": stands or {}}


#: Among what a client hears: ten seconds ago the key by which it connected was revoked.
REVOKED: Document = {"type": "revoked"}


@dataclass(frozen=True, slots=True)
class Letter:
    """What lies in the dead-letter queue; no order id: nobody can tell whose it is."""

    order_id: str | None


class Repeats(IntEnum):
    """What clients may have been told again, because of what went wrong."""

    NONE = 0
    LAST = 1  # a push, which got no answer
    ANY = 2  # what a process had pushed that died, or could not say so


@dataclass(frozen=True, slots=True)
class Seen:
    """A reference price that a function saw; `by` none, it was told to the price row."""

    pair: str
    price: Decimal
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class Sweep:
    """A tick that has looked at all that this price reached, and wrote so when it was `done`.

    The index told late of `late` orders: of these it may not have known.
    """

    pair: str
    price: Decimal
    at: datetime
    done: datetime
    late: frozenset[str]


@dataclass
class History:
    """All that is known of a run.

    `states` are the states that each order's row had, oldest first. `ledger` is the chain's
    entries by signature: `out` says that it landed and with what, `code` that it reverted,
    `expired` that it never will. `queued` are the orders whose messages lie in the order queue,
    `redriven` the letters that an operator took out of the other one. `stayed` are the clients
    that subscribed to an order and listened to the end. `sent` has the `seq` that an order had when
    a signature was first sent; None: that is not known. `repeats` is what
    clients may have been told again; `lost`: some of the stream was given up. `open` are those
    whose connections stand. `seen` are the reference prices, oldest first, and `sweeps` the ticks
    that came to their end; None: that is not known. `cancelled_all` has the accounts that ended
    all that rested, and when.
    """

    answers: list[Answer] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    states: dict[str, list[Order]] = field(default_factory=dict)
    ledger: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    queued: list[str | None] = field(default_factory=list)
    dead_letters: list[Letter] = field(default_factory=list)
    redriven: list[Letter] = field(default_factory=list)
    stayed: set[tuple[str, str]] = field(default_factory=set)
    sent: Mapping[str, int] | None = None
    repeats: Repeats = Repeats.ANY
    lost: bool = False
    open: set[str] = field(default_factory=set)
    seen: Sequence[Seen] | None = None
    sweeps: Sequence[Sweep] = ()
    cancelled_all: Sequence[tuple[str, datetime]] = ()
    #: Mints and symbols of what has launched.
    launched: Collection[str] = ()

    @property
    def ends(self) -> dict[str, Order]:
        """Each order as it stands at the end."""
        return {order_id: states[-1] for order_id, states in self.states.items()}

    def epochs(self, order: Order) -> list[int]:
        """Return when all orders of this one's account were cancelled at once."""
        return [to_ms(at) for account, at in self.cancelled_all if account == order.account]

    def landed(self, order_id: str) -> list[str]:
        """Return the signatures that landed for an order."""
        return [
            signature
            for signature, entry in self.ledger.items()
            if entry.get("order") == order_id and "out" in entry
        ]


def steps(one: Order | None, other: Order) -> list[Order]:
    """Return the states that a row's order took from `one` (None: there was none) to `other`.

    One write may take two steps; a client is told of each.
    """
    known = one.seq if one else 0
    return [*(other.as_of(seq) for seq in range(known + 1, other.seq)), other]


#: For each thing that was checked: None, or the sentence that says what is wrong with it.
Checked = Iterator[str | None]


def accepted_orders_are_stored(history: History) -> Checked:
    for answer in _accepted(history):
        order_id = answer.body["orderId"]
        yield None if order_id in history.states else f"{order_id} was accepted and is not stored"


def every_order_ends(history: History) -> Checked:
    for order_id, end in history.ends.items():
        if not end.final and end.status is not Status.RESTING:
            yield f"{order_id} is still {end.status}"
        elif end.dead_letter_due:
            yield f"{order_id} still owes its dead letter"
        else:
            yield None


def an_order_lands_once_at_most(history: History) -> Checked:
    for order_id in history.states:
        landed = history.landed(order_id)
        yield f"{order_id} landed {len(landed)} times: {landed}" if len(landed) > 1 else None
    for signature, entry in history.ledger.items():
        if "out" in entry and entry.get("order") not in history.states:
            yield f"{signature} landed for {entry.get('order')}, which is no order"


def confirmed_means_landed(history: History) -> Checked:
    for order_id, end in history.ends.items():
        landed = history.landed(order_id)
        if end.status is not Status.CONFIRMED:
            yield f"{order_id} is {end.status} and {landed[0]} landed" if landed else None
            continue
        if end.plan is not None:
            continue
        signature = end.transaction.signature if end.transaction else None
        entry = history.ledger.get(signature or "", {})
        if "out" not in entry:
            yield f"{order_id} is confirmed and its transaction {signature} has not landed"
        elif entry.get("order") != order_id:
            yield f"{order_id} is confirmed by {entry.get('order')}'s transaction {signature}"
        elif entry["out"] != str(end.amount_out):
            yield f"{order_id} says it got {end.amount_out}, the chain says {entry['out']}"
        elif end.amount_out is None or end.amount_out < (end.min_amount_out or 0):
            yield f"{order_id} got {end.amount_out}, less than its minimum {end.min_amount_out}"
        else:
            yield None


def nothing_trades_after_its_deadline(history: History) -> Checked:
    for order_id, end in history.ends.items():
        for signature in history.landed(order_id):
            at = from_ms(int(history.ledger[signature]["at"]))
            late = at > end.deadline
            yield f"{order_id} traded at {at}, after its deadline {end.deadline}" if late else None


def what_did_not_trade_never_will(history: History) -> Checked:
    """Failed and cancelled orders, and transactions that gave way to new ones."""
    for order_id, states in history.states.items():
        end = states[-1]
        given_up = [
            (one.in_flight, other)
            for one, other in pairwise(states)
            if one.in_flight and one.in_flight != other.in_flight
        ]
        if end.status is Status.CONFIRMED:
            given_up = given_up[:-1]
        for transaction, at in given_up:
            entry = history.ledger.get(transaction.signature)
            name = f"{order_id}'s transaction {transaction.signature}"
            if entry is None and at.updated_at <= transaction.expires_at:
                yield f"{name} was given up (seq {at.seq}) while it could still land"
            elif entry is not None and "out" in entry:
                yield f"{name} was given up (seq {at.seq}) and landed"
            elif entry is not None and int(entry.get("expired", "0")) > to_ms(at.updated_at):
                yield f"{name} was given up (seq {at.seq}) before it expired"
            else:
                yield None


def the_life_cycle_is_kept(history: History) -> Checked:
    for order_id, states in history.states.items():
        first = states[0]
        if first.seq != 1 or first.status not in {Status.PENDING, Status.RESTING}:
            yield f"{order_id} began as {first.status} with seq {first.seq}"
        for one, other in pairwise(states):
            yield _step(order_id, one, other)


def _step(order_id: str, one: Order, other: Order) -> str | None:
    """Say what is wrong with a row's change from `one` to `other`."""
    name = f"{order_id}'s change from seq {one.seq} ({one.status}) to {other.seq} ({other.status})"
    if other.seq == one.seq and _view(one) == _view(other):
        return None  # a letter that was owed is sent: nothing that a client sees
    if other.seq == one.seq and replace(one, waiting=other.waiting, plan=other.plan) == other:
        same = one.plan == other.plan or _told_of(one) == _told_of(other)
        return None if same else f"{name} changes its parts"  # else what it waits for is moved
    if one.final:
        return f"{name} comes after its end"
    if other.seq != one.seq + 1:
        return f"{name} is not one step"
    if other.status is not one.status and other.status not in TRANSITIONS[one.status]:
        return f"{name} is not in the life cycle"
    if other.updated_at < one.updated_at:
        return f"{name} goes back in time"
    if other.history[:-1] != one.history:
        return f"{name} rewrites its history"
    return None


def a_status_says_what_has_happened(history: History) -> Checked:
    """`building`: signed and stored, nothing sent; `submitted`: the send was made."""
    for order_id, states in history.states.items():
        for state in states:
            if state.status is Status.SUBMITTED and state.tx_hash is None:
                yield f"{order_id} is submitted (seq {state.seq}) and sent nothing"
            for tried in state.tries:
                if tried.changes[-1][0] == state.seq:
                    yield _try(history.sent, f"{order_id}'s try of {tried.signature}", tried)


def _try(sent: Mapping[str, int] | None, name: str, tried: Try) -> str | None:
    """Say what is wrong with the last that became of a try."""
    outcomes = [outcome for _, outcome in tried.changes]
    if outcomes[-1] in _ENDS and outcomes[:-1] != [TryOutcome.SIGNED, TryOutcome.SENT]:
        return f"{name} {outcomes[-1]} and was {outcomes[:-1]} before"
    if outcomes[-1] is not TryOutcome.SENT or sent is None:
        return None
    (signed, _), (told, _) = tried.changes
    at = sent.get(str(tried.signature))
    if at is None or not signed <= at < told:
        return f"{name} was signed (seq {signed}), sent (seq {at}) and said to be sent (seq {told})"
    return None


def what_was_sent_is_kept(history: History) -> Checked:
    for order_id, states in history.states.items():
        for one, other in pairwise(states):
            lost = {t.signature for t in one.tries} - {t.signature for t in other.tries}
            if lost - {None}:
                yield f"{order_id} forgot (seq {other.seq}) that it signed {lost}"
            elif one.tx_hash and not other.tx_hash:
                yield f"{order_id} forgot (seq {other.seq}) that it sent {one.tx_hash}"
            else:
                yield None


def an_order_is_taken_only_when_nobody_holds_it(history: History) -> Checked:
    for order_id, states in history.states.items():
        for one, other in pairwise(states):
            if other.lease_by is None or other.lease_by == one.lease_by:
                continue
            if one.lease_until is not None and other.updated_at < one.lease_until:
                yield f"{order_id} was taken (seq {other.seq}) from one who held it"
            else:
                yield None


def _told_of(parent: Order) -> Document:
    """Return what is told of a parent, but for when it goes on."""
    told = dict(_view(parent))
    return {**told, "trigger": {**told["trigger"], "dueAt": None}}


@lru_cache(10_000)
def _view(order: Order) -> Document:
    return order_view(order).model_dump(mode="json")


def what_clients_are_told_is_true(history: History) -> Checked:
    views: dict[str, dict[int, list[Document]]] = {}
    for order_id, states in history.states.items():
        had = views.setdefault(order_id, {})
        reads_as = [state.under(epoch) for state in states for epoch in history.epochs(state)]
        for state in [*states, *reads_as]:
            had.setdefault(state.seq, []).append(_view(state))
    for answer in history.answers:
        if answer.call == "place" and answer.status == 202:
            yield _told("the answer to POST", answer.body, views, seq=1)
        elif answer.status == 200:
            yield _told(f"the answer to {answer.call}", answer.body, views)
    for heard in history.heard:
        message = heard.message
        if message["type"] not in {"snapshot", "status"}:
            continue
        by = f"{heard.client}'s stream"
        order = message["order"]
        said = (message["orderId"], message["seq"], message["status"], message["at"])
        if said != (order["orderId"], order["seq"], order["status"], order["updatedAt"]):
            yield f"{by} heard a message of {said} about {order['orderId']}, {order['seq']}"
        else:
            yield _told(by, order, views, past=history.states.get(order["orderId"], ()))


def _told(
    by: str,
    body: Document,
    views: Mapping[str, Mapping[int, Sequence[Document]]],
    seq: int | None = None,
    past: Sequence[Order] = (),
) -> str | None:
    """Say if a document of an order is none that the table had.

    Of its `past` it may be told as a later state keeps it.
    """
    order_id = body.get("orderId")
    had = views.get(str(order_id))
    if had is None:
        return None if seq == 1 else f"{by} told of {order_id}, which is no order"
    states = had.get(body["seq"], ())
    name = f"{by} told of {order_id} as {body['status']} with seq {body['seq']}"
    if not states or seq not in (None, body["seq"]):
        return f"{name}, which it never was"
    state = states[-1]
    later = (_view(o.as_of(body["seq"])) for o in past if o.seq > body["seq"])
    if body not in states and body not in later:
        wrong = sorted(n for n in {*state, *body} if state.get(n) != body.get(n))
        return f"{name}, with another {', '.join(wrong)} than it had"
    return None


def nobody_hears_of_anothers_orders(history: History) -> Checked:
    told = [(f"{h.client}'s stream", h.account, h.message.get("order")) for h in history.heard]
    told += [(f"the answer to {a.call}", a.account, a.body) for a in history.answers]
    for by, account, order in told:
        states = history.states.get(str(order["orderId"])) if order and "orderId" in order else None
        if states is not None:
            whose = states[0].account
            yield f"{by} told {account} of {whose}'s order" if whose != account else None


def a_revoked_key_is_out(history: History) -> Checked:
    """Ten seconds after its revocation it hears of no order, and in the end it is closed."""
    revoked: set[str] = set()
    for heard in history.heard:
        if heard.message == REVOKED:
            revoked.add(heard.client)
        elif heard.client in revoked and "order" in heard.message:
            yield f"{heard.client} heard of {heard.message['orderId']} by a key that is revoked"
    for client in sorted(revoked):
        stands = client in history.open
        yield f"{client} is still connected by a key that is revoked" if stands else None


def one_key_is_one_order(history: History) -> Checked:
    by_key: dict[tuple[str, str], list[Answer]] = {}
    for answer in history.answers:
        if answer.call == "place" and answer.key is not None:
            by_key.setdefault((answer.account, answer.key), []).append(answer)
    owner: dict[str, tuple[str, str]] = {}
    for name, answers in by_key.items():
        accepted = [answer for answer in answers if answer.status == 202]
        for answer in accepted:
            yield _same(name, accepted[0], answer)
        if sum(not answer.replayed for answer in accepted) > 1:
            yield f"key {name} was told more than once that its order is new"
        for answer in answers:
            if answer.status == 409 and accepted and _trade(answer.asked) == _order_of(accepted[0]):
                yield f"key {name} was refused the order that it has"
        if accepted:
            order_id = accepted[0].body["orderId"]
            if owner.setdefault(order_id, name) != name:
                yield f"keys {owner[order_id]} and {name} have one order, {order_id}"


def _same(name: tuple[str, str], first: Answer, other: Answer) -> str | None:
    if other.body != first.body:
        return f"key {name} got different answers: {first.body} and {other.body}"
    if _trade(other.asked) != _order_of(first):
        return f"key {name} got the order {first.body['orderId']} for another order"
    return None


def _trade(asked: Document) -> tuple[object, ...]:
    return (
        asked["tokenIn"],
        asked["tokenOut"],
        Decimal(str(asked["amount"])),
        asked.get("slippageBps", 50),
    )


def _order_of(answer: Answer) -> tuple[object, ...]:
    return _trade(answer.body)


def whoever_watches_is_told_each_state_in_order(history: History) -> Checked:
    """Once, but for what is pushed again because of something that went wrong."""
    if history.lost:
        return
    for (client, order_id), messages in _told_of_each(history).items():
        yield from _in_order(f"{client} was told of {order_id}", order_id, messages, history)


def _told_of_each(history: History) -> Mapping[tuple[str, str], list[Document]]:
    """Return by client and order what it asked and was told, in order."""
    found: dict[tuple[str, str], list[Document]] = {}
    of_client: dict[str, list[Document]] = {}
    for said in history.heard:
        of_client.setdefault(said.client, []).append(said.message)
    for client, messages in of_client.items():
        for order_id in {str(m["orderId"]) for m in messages if m.get("orderId")}:
            found[client, order_id] = [m for m in messages if m.get("orderId") in (order_id, None)]
    return found


def _in_order(name: str, order_id: str, messages: Sequence[Document], history: History) -> Checked:
    has, of_all, replaying, stands = 0, False, False, 0
    begun = False  # what a replay tells may have become more since it was asked for
    asks: list[Document] = []
    for message in messages:
        if message["type"] == "asked":
            if message["orderId"] is None:
                of_all = True
                if order_id in message["stands"]:
                    has = -1  # its snapshot comes first
            else:
                asks.append(message)
        if message["type"] not in {"snapshot", "status"}:
            continue
        seq, snapshot = message["seq"], message["type"] == "snapshot"
        fitting = (each for each in reversed(asks) if seq == each["afterSeq"] + 1)
        asked = next(fitting, None)
        if asked is not None:  # what was, from there on
            asks.remove(asked)
            stands = asked["stands"].get(order_id, 0)
            replaying, begun = stands > asked["afterSeq"], True
            has = seq
        elif asks and seq <= has and snapshot:  # who asks twice may be answered alike twice
            asks.pop(0)
            begun = True
        elif has < 0 and not snapshot:
            yield f"{name} a status (seq {seq}) before its snapshot"
        elif seq == has + 1 or (of_all and snapshot and seq > has):
            has = seq
        elif seq > has or not (of_all or history.repeats >= _repeat(seq, has)):
            yield f"{name} seq {seq} after {has}"
        has = max(has, seq)
        if of_all or history.repeats:
            continue
        if replaying and not snapshot and seq == history.ends[order_id].seq:
            yield f"{name} what was, and no snapshot of it"
        elif snapshot and not begun:
            yield f"{name} a snapshot (seq {seq}) amid the changes"
        elif snapshot and seq < stands:
            yield f"{name} a snapshot (seq {seq}) of what was no more ({stands})"
        replaying, begun = replaying and not snapshot, begun and not snapshot
    yield None


def _repeat(seq: int, has: int) -> Repeats:
    return Repeats.LAST if seq == has else Repeats.ANY


def who_stays_hears_the_end(history: History) -> Checked:
    """Who claims to have more than there ever was is told so."""
    of_each = _told_of_each(history)
    for client, order_id in sorted(history.stayed):
        if order_id not in history.states:
            continue
        end = history.ends[order_id]
        messages = of_each.get((client, order_id), [])
        last = max((m.get("seq", m.get("afterSeq", 0)) for m in messages), default=0)
        if last < end.seq:
            yield f"{client} stayed and did not hear that {order_id} is {end.status}"
        elif last > end.seq and not any(m.get("code") == "SEQ_NOT_REACHED" for m in messages):
            yield f"{client} was not told that {order_id} is not at {last} but at {end.seq}"
        else:
            yield None


def the_queues_end_empty(history: History) -> Checked:
    """But for the letters of failed orders."""
    for order_id in history.queued:
        yield f"a message of {order_id} lies in the order queue"
    ends = history.ends
    for letter in history.dead_letters:
        end = ends.get(letter.order_id or "")
        if end is None:
            yield f"a letter lies in the dead-letter queue of {letter.order_id}, which is no order"
        elif end.status is not Status.FAILED:
            yield f"a letter lies in the dead-letter queue of {end.order_id}, which is {end.status}"
        else:
            yield None


def who_used_up_all_attempts_has_a_letter(history: History) -> Checked:
    lettered = {letter.order_id for letter in [*history.dead_letters, *history.redriven]}
    for order_id, end in history.ends.items():
        if end.error is not None and end.error.code in EXHAUSTED:
            yield None if order_id in lettered else f"{order_id} failed without a dead letter"


@dataclass(frozen=True, slots=True)
class Spell:
    """A time through which an order rested on the same terms; `end` is the state that ended it.

    `again`: it had come due before, and its limit was missed.
    """

    resting: Order
    end: Order | None
    again: bool

    @property
    def name(self) -> str:
        return f"{self.resting.order_id}, a {self.resting.terms.kind}"

    @property
    def since(self) -> datetime:
        return self.resting.updated_at

    @property
    def until(self) -> datetime:
        return _known(self.resting.terms.expires_at)

    def on(self, prices: Iterable[tuple[datetime, Decimal]], *, sure: bool) -> datetime | None:
        """Return when one of these prices, oldest first, makes it come due.

        A trailing stop follows the price in bands, and what missed its limit waits for a price that
        is from 1 to 100 bps better: it is `sure` to come due by the worse, and may by the better.
        """
        terms, trigger = self.resting.terms, self.resting.waiting and self.resting.waiting.trigger
        # How it began is believed: by the price then, or what it had come to before a change.
        stopped = isinstance(trigger, AtPrice)
        best = trigger.watermark if isinstance(trigger, Trailing) else None
        up = 1 if terms.side is Side.SELL else -1
        for at, price in prices:
            match terms.kind:
                case OrderType.LIMIT:
                    due = self._limit(price, up, sure=sure)
                case OrderType.STOP:
                    due = up * (price - _known(terms.stop_price)) <= 0
                case OrderType.TAKE_PROFIT:
                    due = up * (price - _known(terms.stop_price)) >= 0
                case OrderType.STOP_LIMIT:
                    stopped = stopped or up * (price - _known(terms.stop_price)) <= 0
                    due = stopped and self._limit(price, up, sure=sure)
                case OrderType.OCO:
                    profit, loss = _known(terms.take_profit).price, _known(terms.stop_loss).price
                    due = up * (price - profit) >= 0 or up * (price - loss) <= 0
                case OrderType.TRAILING_STOP:
                    begins = terms.activation_price
                    if best is None and begins is not None and up * (price - begins) < 0:
                        continue
                    best = price if best is None else max(best, price, key=lambda p: up * p)
                    bps = _known(terms.trailing_bps)
                    band = max(1, bps // 50) if sure else 0
                    stop = best * (BPS - up * (bps + 2 * band)) / BPS
                    due = up * (price - stop) <= (0 if sure else stop * _ROUNDING)
                case OrderType.SNIPER:
                    due = False  # it waits for no price
                case _:
                    raise ValueError(f"what does a {terms.kind} wait for?")
            if due:
                return at
        return None

    def _limit(self, price: Decimal, up: int, *, sure: bool) -> bool:
        further = (100 if sure else 1) * self.again
        limit = _known(self.resting.terms.limit_price) * (BPS + up * further) / BPS
        return up * (price - limit) >= -limit * _ROUNDING


#: Prices have 12 digits.
_ROUNDING = Decimal("1e-11")
#: The oldest price that may trigger anything, as the settings have it by default.
_STALE = timedelta(seconds=10)


def _known(value: T | None) -> T:
    assert value is not None
    return value


def _spells(history: History) -> Iterator[Spell]:
    for states in history.states.values():
        steps = list({state.seq: state for state in reversed(states)}.values())[::-1]
        ends: list[Order | None] = [*steps[1:], None]
        for n, (resting, end) in enumerate(zip(steps, ends, strict=True)):
            if resting.status is Status.RESTING and resting.plan is None:
                again = n > 0 and steps[n - 1].status is not Status.RESTING
                yield Spell(resting, end, again)


def nothing_is_triggered_before_its_price(history: History) -> Checked:
    """Nor by one from before it rested, nor by one that is too old."""
    if history.seen is None:
        return
    for spell in _spells(history):
        if spell.end is None or spell.end.status is not Status.PENDING:
            continue
        if spell.resting.terms.launch is not None:
            continue
        woken = spell.end.updated_at
        begins = spell.since
        if woken == begins:  # it was due as it was placed, or changed, by the price as it was
            begins -= _STALE
        lived = [
            seen
            for seen in history.seen
            if seen.pair == spell.resting.terms.pair and begins <= seen.at <= woken
            if seen.by in (None, "trigger") or woken == spell.since
        ]
        name = f"{spell.name} was triggered (seq {spell.end.seq})"
        if spell.on([(seen.at, seen.price) for seen in lived], sure=False) is None:
            yield f"{name} by a price that was not there since it rested"
        elif not any(woken - seen.at <= _STALE for seen in lived):
            yield f"{name} by a price that was stale"
        elif woken >= spell.until:
            yield f"{name} after its time was over"
        else:
            yield None


def what_is_due_is_triggered(history: History) -> Checked:
    """By the first whole sweep that meets its price: exactly what a look at all would find."""
    for spell in _spells(history):
        order = spell.resting
        met = [
            sweep
            for sweep in history.sweeps
            if sweep.pair == order.terms.pair
            and spell.since < sweep.at
            and sweep.done < spell.until
            and (spell.end is None or sweep.done < spell.end.updated_at)
            and not any(spell.since <= at <= sweep.done for at in _all_ended(history, order))
            and order.order_id not in sweep.late
        ]
        due = spell.on([(sweep.at, sweep.price) for sweep in met], sure=True)
        how = "is still" if spell.end is None else f"was until seq {spell.end.seq}"
        yield f"{spell.name} was due at {due} and {how} resting" if due else None


def what_rests_ends_when_it_expires(history: History) -> Checked:
    for spell in _spells(history):
        end = spell.end
        if end is not None and end.status is Status.EXPIRED:
            early = end.updated_at < spell.until
            yield f"{spell.name} expired at {end.updated_at}, too early" if early else None
        elif end is None:
            swept = max((sweep.at for sweep in history.sweeps), default=spell.since)
            over = swept > spell.until
            yield f"{spell.name} rests still, after {spell.until}" if over else None


def a_cancel_all_ends_what_rests(history: History) -> Checked:
    for spell in _spells(history):
        order_id, end = spell.resting.order_id, history.ends[spell.resting.order_id]
        for at in _all_ended(history, end):
            if spell.since < at and (spell.end is None or at <= spell.end.updated_at):
                ended = end.status in {Status.CANCELLED, Status.EXPIRED}
                yield None if ended else f"{order_id} rested as all was cancelled: {end.status}"


def _all_ended(history: History, order: Order) -> list[datetime]:
    return [from_ms(epoch) for epoch in history.epochs(order)]


def a_limit_is_kept(history: History) -> Checked:
    """By what was traded, and by the transaction's own minimum."""
    for order_id, end in history.ends.items():
        terms = end.terms
        if end.status is not Status.CONFIRMED or terms.limit_price is None:
            continue
        rate = Fraction(terms.limit_price) * Fraction(10) ** (
            terms.quote.decimals - terms.base.decimals
        )
        least = terms.amount * (rate if terms.side is Side.SELL else 1 / rate)
        steps = end.transaction.instructions if end.transaction else ()
        minimum = sum(step.min_amount_out for step in steps if step.pool)
        worst = min(end.amount_out or 0, minimum)
        yield f"{order_id} got {worst}, and its limit is {least}" if worst < least else None


def _parents(history: History) -> Iterator[tuple[Order, dict[int, Order]]]:
    """Yield each order in parts as it ended, with the orders of its parts by their place."""
    children: dict[str, list[Order]] = {}
    for end in history.ends.values():
        if end.parent is not None:
            children.setdefault(end.parent.order_id, []).append(end)
    for end in history.ends.values():
        if end.plan is not None:
            ids = {
                part_order_id(end.account, end.order_id, n): n
                for n in range(MAX_PARTS * MAX_FAILURES)
            }
            mine = children.pop(end.order_id, [])
            yield end, {ids.get(child.order_id, -1): child for child in mine}


def a_slot_begins_one_part_at_most(history: History) -> Checked:
    """By the grid of intervals from when the parent was placed, and each part once at a time."""
    for parent, children in _parents(history):
        slots = [
            (child.created_at - parent.created_at) // parent.terms.every
            for child in children.values()
        ]
        yield (
            f"{parent.order_id} began two parts in a slot" if len(slots) > len(set(slots)) else None
        )
        for place, child in children.items():
            said = parent.plan.begun[place] if parent.plan and place >= 0 else None
            if said is None or child.parent is None or said.number != child.parent.part:
                yield f"{child.order_id} is part of {parent.order_id}, which does not say so"
            elif said.amount != child.terms.amount:
                yield f"{child.order_id} is for {child.terms.amount}, said is {said.amount}"
            else:
                yield None


def parts_are_traded_once_and_sum_to_the_amount(history: History) -> Checked:
    for parent, children in _parents(history):
        traded = [c for c in children.values() if c.status is Status.CONFIRMED]
        numbers = [child.parent.part for child in traded if child.parent]
        sold = sum(child.terms.amount for child in traded)
        may = sum(c.terms.amount for c in children.values() if c.status not in _UNFILLED)
        name = f"{parent.order_id} of {parent.terms.amount}"
        if len(numbers) > len(set(numbers)):
            yield f"{name} traded a part twice: {numbers}"
        elif may > parent.terms.amount:
            yield f"{name} has begun {may}"
        elif (parent.status is Status.CONFIRMED) is not (sold == parent.terms.amount):
            yield (
                f"{name} is {parent.status}, and its parts have sold {sold}"
                if (parent.final)
                else None
            )
        else:
            yield None


def a_sniper_keeps_its_guards(history: History) -> Checked:
    """It trades what has launched and was awaited, soon enough, and spends what it may."""
    for order_id, states in history.states.items():
        end = states[-1]
        terms, waiting = end.terms, end.waiting
        if terms.launch is None or waiting is None or waiting.fired is None:
            continue
        at = _known(waiting.launched_at)
        steps = end.transaction.instructions if end.transaction else ()
        spent = sum(step.amount_in for step in steps if step.pool)
        entry = history.ledger.get(end.tx_hash or "", {})
        landed = from_ms(int(entry["at"])) if "out" in entry else at
        if terms.launch not in (terms.buy.symbol, terms.buy.mint):
            yield f"{order_id} waited for {terms.launch} and was woken for {terms.buy.symbol}"
        elif landed > at + timedelta(seconds=_known(terms.max_age_seconds)):
            yield f"{order_id} landed at {landed}, too long after the launch at {at}"
        elif spent > terms.amount:
            yield f"{order_id} may spend {terms.amount}, and signed for {spent}"
        else:
            yield None


_UNFILLED = frozenset({Status.FAILED, Status.CANCELLED})


def a_parent_ends_with_what_its_parts_did(history: History) -> Checked:
    """Not before them, and with their ends and their sums."""
    for parent, children in _parents(history):
        if not parent.final or parent.plan is None:
            continue
        if len(parent.plan.begun) != len(children):
            yield f"{parent.order_id} begun {len(parent.plan.begun)} parts, there are {children}"
            continue
        for place, child in children.items():
            said = parent.plan.begun[place]
            told, is_so = (said.status, said.amount_out), (child.status, child.amount_out)
            wrong = told != is_so
            yield f"{parent.order_id} says {told} of {child.order_id}: {is_so}" if wrong else None


def every_launch_is_answered(history: History) -> Checked:
    """Nobody rests whose token has launched."""
    for order_id, end in history.ends.items():
        launch = end.terms.launch
        if launch is not None:
            missed = end.status is Status.RESTING and launch in history.launched
            yield f"{order_id} rests still, and {launch} has launched" if missed else None


Promise = Callable[[History], Checked]
PROMISES: tuple[Promise, ...] = (
    accepted_orders_are_stored,
    every_order_ends,
    an_order_lands_once_at_most,
    confirmed_means_landed,
    nothing_trades_after_its_deadline,
    what_did_not_trade_never_will,
    the_life_cycle_is_kept,
    a_status_says_what_has_happened,
    what_was_sent_is_kept,
    an_order_is_taken_only_when_nobody_holds_it,
    what_clients_are_told_is_true,
    nobody_hears_of_anothers_orders,
    a_revoked_key_is_out,
    one_key_is_one_order,
    whoever_watches_is_told_each_state_in_order,
    who_stays_hears_the_end,
    the_queues_end_empty,
    who_used_up_all_attempts_has_a_letter,
    nothing_is_triggered_before_its_price,
    what_is_due_is_triggered,
    what_rests_ends_when_it_expires,
    a_cancel_all_ends_what_rests,
    a_limit_is_kept,
    a_slot_begins_one_part_at_most,
    parts_are_traded_once_and_sum_to_the_amount,
    a_parent_ends_with_what_its_parts_did,
    a_sniper_keeps_its_guards,
    every_launch_is_answered,
)


#: What holds at any time, and not only when everything has come to its end.
ALWAYS = (
    accepted_orders_are_stored,
    an_order_lands_once_at_most,
    nothing_trades_after_its_deadline,
    what_did_not_trade_never_will,
    the_life_cycle_is_kept,
    a_status_says_what_has_happened,
    what_was_sent_is_kept,
    an_order_is_taken_only_when_nobody_holds_it,
    what_clients_are_told_is_true,
    nobody_hears_of_anothers_orders,
    one_key_is_one_order,
    whoever_watches_is_told_each_state_in_order,
    nothing_is_triggered_before_its_price,
    what_is_due_is_triggered,
    a_limit_is_kept,
    a_slot_begins_one_part_at_most,
    parts_are_traded_once_and_sum_to_the_amount,
    a_parent_ends_with_what_its_parts_did,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one promise: how often it was looked at, and what broke it."""

    promise: str
    checked: int
    broken: tuple[str, ...]


def findings(history: History, promises: Sequence[Promise] = PROMISES) -> list[Finding]:
    """Return what became of each promise."""
    found = []
    for promise in promises:
        results = list(promise(history))
        broken = tuple(result for result in results if result is not None)
        found.append(Finding(promise.__name__.replace("_", " "), len(results), broken))
    return found


def broken(history: History, promises: Sequence[Promise] = PROMISES) -> list[str]:
    """Return a sentence for every broken promise."""
    return [sentence for finding in findings(history, promises) for sentence in finding.broken]


def _accepted(history: History) -> Iterator[Answer]:
    for answer in history.answers:
        if answer.call == "place" and answer.status == 202:
            yield answer
