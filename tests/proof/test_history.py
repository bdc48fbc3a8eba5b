"""The checker of histories finds each kind of broken promise, and none in a true history."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from engine.adapters.codec import to_ms
from engine.api.views import message, order_view
from engine.domain.order import Order, Status, Step, TryOutcome
from engine.domain.terms import OrderType
from tests.proof.history import (
    PROMISES,
    Answer,
    Heard,
    History,
    Letter,
    Repeats,
    Sweep,
    asked_for,
    broken,
    findings,
)
from tests.proof.world import World

Spoil = Callable[[History], None]


def _told() -> World:
    """Return a world in which ann watched an order, and three more ended in other ways."""
    world = World()
    world.connect("ann")
    world.connect("mia", by="k1")
    world.revoke("k1")
    order_id = world.place(key="k").body["orderId"]
    world.watch("ann", order_id)
    world.notify()
    world.settle_down()
    world.place(key="k")
    for token in ("XFAIL", "XSLIP"):
        world.place(token)
    world.settle_down()
    world.cancel(world.place(key="c").body["orderId"])
    world.settle_down()
    _wait(world)
    world.snipe()
    world.launch()
    world.settle_down()
    for each in world.order_ids:
        world.read(each)
    return world


def _wait(world: World) -> None:
    """Let a limit be reached, one stop expire, and another be cancelled with all that rests."""
    world.move("100")
    world.rest(OrderType.LIMIT, limit_price=Decimal(105))
    world.rest(OrderType.STOP, stop_price=Decimal(95), lasts=timedelta(seconds=10))
    world.settle_down()
    world.move("106")
    world.clock.advance(11)
    world.settle_down()
    world.rest(OrderType.STOP, stop_price=Decimal(95))
    world.settle_down()
    world.cancel_all()
    world.settle_down()
    world.rest(OrderType.TWAP, parts=2, interval_seconds=10)
    world.settle_down()


@cache
def _once() -> History:
    return _told().history()


def _history() -> History:
    """Return a history that may be spoilt."""
    told = _once()
    return replace(
        told,
        answers=[*told.answers],
        heard=[*told.heard],
        states={order_id: [*states] for order_id, states in told.states.items()},
        queued=[*told.queued],
        dead_letters=[*told.dead_letters],
        redriven=[*told.redriven],
        stayed={*told.stayed},
        open={*told.open},
    )


@pytest.fixture
def history() -> History:
    return _history()


def _of(history: History, status: Status) -> str:
    return next(o for o, end in history.ends.items() if end.status is status)


def _failed(history: History) -> str:
    """Return an order that tried three times."""
    return next(o for o, end in history.ends.items() if end.attempts == 3)


def _slipped(history: History) -> str:
    ends = history.ends.items()
    return next(o for o, end in ends if end.error and end.error.code == "SLIPPAGE_EXCEEDED")


def _change(history: History, status: Status, **changes: Any) -> None:
    """Give the last state of an order some other values."""
    states = history.states[_of(history, status)]
    states[-1] = replace(states[-1], **changes)


def _confirmed(history: History) -> Order:
    return history.ends[_of(history, Status.CONFIRMED)]


def _entry(history: History) -> tuple[str, dict[str, str]]:
    transaction = _confirmed(history).transaction
    assert transaction is not None
    return transaction.signature, dict(history.ledger[transaction.signature])


def _with_ledger(history: History, entries: dict[str, dict[str, str]]) -> None:
    history.ledger = {**history.ledger, **entries}


def _without(history: History, status: Status, seq: int) -> None:
    order_id = _of(history, status)
    history.states[order_id] = [o for o in history.states[order_id] if o.seq != seq]


def _place(history: History, n: int) -> int:
    """Return where the nth message of the stream is among all that ann said and heard."""
    return [at for at, heard in enumerate(history.heard) if "order" in heard.message][n]


def _message(history: History, n: int, **changes: Any) -> None:
    heard = history.heard[at := _place(history, n)]
    history.heard[at] = replace(heard, message={**heard.message, **changes})


def _document(history: History, n: int, **changes: Any) -> None:
    order = {**history.heard[_place(history, n)].message["order"], **changes}
    _message(history, n, order=order)


def _answer(history: History, call: str, **changes: Any) -> None:
    for n, answer in enumerate(history.answers):
        if answer.call == call:
            history.answers[n] = replace(answer, **changes)
            return


def _body(history: History, call: str, **changes: Any) -> None:
    answer = next(answer for answer in history.answers if answer.call == call)
    _answer(history, call, body={**answer.body, **changes})


def lose_an_order(history: History) -> None:
    del history.states[_of(history, Status.CONFIRMED)]


def leave_an_order_open(history: History) -> None:
    history.states[_of(history, Status.CONFIRMED)].pop()


def owe_a_letter(history: History) -> None:
    _change(history, Status.FAILED, dead_letter_due=True)


def land_twice(history: History) -> None:
    _, entry = _entry(history)
    _with_ledger(history, {"another": entry})


def land_for_nobody(history: History) -> None:
    _, entry = _entry(history)
    _with_ledger(history, {"another": {**entry, "order": "nobody"}})


def confirm_what_did_not_land(history: History) -> None:
    signature, entry = _entry(history)
    _with_ledger(history, {signature: {"expired": entry["at"]}})


def confirm_by_anothers_transaction(history: History) -> None:
    signature, entry = _entry(history)
    _with_ledger(history, {signature: {**entry, "order": _of(history, Status.CANCELLED)}})


def tell_another_amount_than_the_chain(history: History) -> None:
    _change(history, Status.CONFIRMED, amount_out=1)


def give_less_than_the_minimum(history: History) -> None:
    signature, entry = _entry(history)
    _with_ledger(history, {signature: {**entry, "out": "1"}})
    _change(history, Status.CONFIRMED, amount_out=1)


def land_for_a_cancelled_order(history: History) -> None:
    _, entry = _entry(history)
    _with_ledger(history, {"another": {**entry, "order": _of(history, Status.CANCELLED)}})


def land_for_a_failed_order(history: History) -> None:
    end = history.ends[_slipped(history)]
    assert end.transaction is not None
    _, entry = _entry(history)
    _with_ledger(history, {end.transaction.signature: {**entry, "order": end.order_id}})


def trade_after_the_deadline(history: History) -> None:
    signature, entry = _entry(history)
    late = _confirmed(history).deadline + timedelta(milliseconds=1)
    _with_ledger(history, {signature: {**entry, "at": str(to_ms(late))}})


def fail_while_it_may_still_land(history: History) -> None:
    end = history.ends[_slipped(history)]
    assert end.transaction is not None
    history.ledger = {s: e for s, e in history.ledger.items() if s != end.transaction.signature}


def fail_before_it_expired(history: History) -> None:
    end = history.ends[_slipped(history)]
    assert end.transaction is not None
    later = str(to_ms(end.updated_at) + 1)
    _with_ledger(history, {end.transaction.signature: {"expired": later}})


def begin_in_the_middle(history: History) -> None:
    del history.states[_of(history, Status.CONFIRMED)][0]


def leave_a_gap(history: History) -> None:
    _without(history, Status.CONFIRMED, 3)


def _last_step(states: list[Order], n: int, **changes: Any) -> None:
    *earlier, last = states[n].history
    states[n] = replace(states[n], history=(*earlier, replace(last, **changes)))


def skip_a_status(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    _last_step(states, 2, status=Status.CONFIRMED)


def change_after_the_end(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    failed = Step(Status.FAILED, states[-1].updated_at)
    states.append(replace(states[-1], history=(*states[-1].history, failed)))


def change_without_a_new_seq(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    states.append(replace(states[-1], amount_out=1))


def go_back_in_time(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    _last_step(states, 1, at=states[0].updated_at - timedelta(seconds=1))


def rewrite_the_past(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    past = tuple(replace(step, at=step.at + timedelta(1)) for step in states[-1].history)
    states[-1] = replace(states[-1], history=past)


def say_it_was_sent_before_it_was(history: History) -> None:
    signature, _ = _entry(history)
    history.sent = {**(history.sent or {}), signature: 4}


def send_what_is_not_stored(history: History) -> None:
    signature, _ = _entry(history)
    history.sent = {**(history.sent or {}), signature: 2}


def submit_what_was_not_sent(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    states[3] = replace(states[3], tries=states[2].tries)


def confirm_what_was_not_sent(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    landed = states[2].tries[0].became(TryOutcome.LANDED, seq=5)
    states[4] = replace(states[4], tries=(landed,))


def forget_a_signature(history: History) -> None:
    _change(history, Status.CONFIRMED, tries=())


def call_what_was_sent_only_signed(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    states[4] = replace(states[4], tries=states[2].tries)


def take_an_order_from_its_holder(history: History) -> None:
    states = history.states[_of(history, Status.CONFIRMED)]
    states[2] = replace(states[2], lease_by="another")


def tell_a_false_status_in_a_message(history: History) -> None:
    _message(history, 0, status="confirmed")


def tell_of_a_state_that_never_was(history: History) -> None:
    _document(history, 1, seq=9)
    _message(history, 1, seq=9)


def tell_a_false_amount(history: History) -> None:
    _document(history, -1, amountOut="1000000")


def tell_of_an_order_that_is_not(history: History) -> None:
    _body(history, "read", orderId="nobody")


def answer_a_post_with_a_later_state(history: History) -> None:
    order = next(answer.body for answer in history.answers if answer.call == "read")
    _answer(history, "place", body=order)


def tell_of_anothers_order(history: History) -> None:
    history.heard[:] = [replace(heard, account="eve") for heard in history.heard]


def let_a_revoked_key_hear_on(history: History) -> None:
    told = history.heard[_place(history, 0)]
    history.heard.append(replace(told, client="mia"))


def leave_a_revoked_key_connected(history: History) -> None:
    history.open.add("mia")


def answer_one_key_with_two_orders(history: History) -> None:
    cancelled = history.states[_of(history, Status.CANCELLED)][0].order_id
    _body(history, "place", orderId=cancelled)


def answer_another_order_with_the_same_order(history: History) -> None:
    answer = next(answer for answer in history.answers if answer.call == "place")
    _answer(history, "place", asked={**answer.asked, "amount": "2"})


def call_a_replay_new(history: History) -> None:
    history.answers[:] = [replace(answer, replayed=False) for answer in history.answers]


def refuse_a_key_its_own_order(history: History) -> None:
    answer = next(answer for answer in history.answers if answer.call == "place")
    history.answers.append(replace(answer, status=409, body={}))


def give_two_keys_one_order(history: History) -> None:
    answer = next(answer for answer in history.answers if answer.call == "place")
    history.answers.append(replace(answer, key="another"))


def keep_the_end_from_a_watcher(history: History) -> None:
    history.heard.pop()


def keep_a_step_from_a_watcher(history: History) -> None:
    del history.heard[_place(history, 2)]


def tell_a_watcher_the_newer_first(history: History) -> None:
    one, other = _place(history, 2), _place(history, 3)
    history.heard[one], history.heard[other] = history.heard[other], history.heard[one]


def show_a_watcher_no_snapshot(history: History) -> None:
    _message(history, 0, type="status")
    history.heard[:] = [h for h in history.heard if h.message.get("seq", 1) == 1]
    order_id = _of(history, Status.CONFIRMED)
    history.states[order_id] = history.states[order_id][:1]


def show_a_watcher_a_snapshot_again(history: History) -> None:
    _message(history, 3, type="snapshot")


def show_a_watcher_what_was_no_more(history: History) -> None:
    asked = asked_for(_of(history, Status.CONFIRMED), stands={_of(history, Status.CONFIRMED): 3})
    history.heard.insert(_place(history, 0), Heard("ann", "ann", asked))


def tell_who_watches_all_a_status_before_the_snapshot(history: History) -> None:
    stands = {_of(history, Status.CONFIRMED): 1}
    status = history.heard[_place(history, 1)].message
    history.heard += [
        Heard("bob", "ann", asked_for(None, stands=stands)),
        Heard("bob", "ann", status),
    ]


def leave_a_claim_without_words(history: History) -> None:
    order_id = _of(history, Status.CONFIRMED)
    history.heard.append(Heard("zoe", "ann", asked_for(order_id, after_seq=9)))
    history.stayed.add(("zoe", order_id))


def leave_a_message_in_the_queue(history: History) -> None:
    history.queued.append(_of(history, Status.CONFIRMED))


def leave_a_letter_of_a_good_order(history: History) -> None:
    history.dead_letters.append(Letter(_of(history, Status.CONFIRMED)))


def leave_a_letter_of_no_order(history: History) -> None:
    history.dead_letters.append(Letter(None))


def lose_a_letter(history: History) -> None:
    history.dead_letters.clear()


def _waited(history: History, kind: OrderType, status: Status) -> list[Order]:
    """Return the states of an order that waited, and ended so."""
    found = history.states.values()
    return next(s for s in found if (s[-1].terms.kind, s[-1].status) == (kind, status))


def _until(states: list[Order], until: datetime) -> None:
    states[:] = [replace(o, terms=replace(o.terms, expires_at=until)) for o in states]


def _woken(states: list[Order]) -> int:
    return next(n for n, state in enumerate(states) if state.status is Status.PENDING)


def trigger_without_a_price(history: History) -> None:
    history.seen = ()


def trigger_by_a_stale_price(history: History) -> None:
    states = _waited(history, OrderType.LIMIT, Status.CONFIRMED)
    woken = _woken(states)
    _last_step(states, woken, at=states[woken].updated_at + timedelta(minutes=5))
    history.seen = [seen for seen in history.seen or () if seen.at <= states[woken - 1].updated_at]
    history.seen += [replace(history.seen[-1], price=Decimal(110), by="trigger")]


def trigger_after_the_end(history: History) -> None:
    states = _waited(history, OrderType.LIMIT, Status.CONFIRMED)
    _until(states, states[_woken(states)].updated_at)


def trigger_nothing(history: History) -> None:
    resting = _waited(history, OrderType.STOP, Status.CANCELLED)[0]
    at = resting.updated_at + timedelta(milliseconds=1)
    swept = Sweep(resting.terms.pair, Decimal(94), at, at, frozenset())
    history.sweeps = [*history.sweeps, swept]


def end_before_the_end(history: History) -> None:
    states = _waited(history, OrderType.STOP, Status.EXPIRED)
    _until(states, states[-1].updated_at + timedelta(seconds=1))


def rest_for_ever(history: History) -> None:
    _waited(history, OrderType.STOP, Status.EXPIRED).pop()


def rest_though_all_was_cancelled(history: History) -> None:
    _waited(history, OrderType.STOP, Status.CANCELLED).pop()


def fill_below_the_limit(history: History) -> None:
    states = _waited(history, OrderType.LIMIT, Status.CONFIRMED)
    states[-1] = replace(states[-1], amount_out=104_999_999)


def _child(history: History, part: int) -> list[Order]:
    return next(s for s in history.states.values() if s[-1].parent and s[-1].parent.part == part)


def begin_two_parts_in_a_slot(history: History) -> None:
    states, began = _child(history, 2), _child(history, 1)[0].history[0]
    states[-1] = replace(states[-1], history=(began, *states[-1].history[1:]))


def trade_a_part_twice(history: History) -> None:
    states, first = _child(history, 2), _child(history, 1)[0]
    states[-1] = replace(states[-1], parent=first.parent)


def begin_more_than_the_amount(history: History) -> None:
    states = _child(history, 2)
    states[-1] = replace(states[-1], terms=replace(states[-1].terms, amount=10**9))


def say_what_a_part_did_not_do(history: History) -> None:
    states = _waited(history, OrderType.TWAP, Status.CONFIRMED)
    plan = states[-1].plan
    assert plan is not None
    first = replace(plan.begun[0], amount_out=1)
    states[-1] = replace(states[-1], plan=replace(plan, begun=(first, *plan.begun[1:])))


def spend_more_than_it_may(history: History) -> None:
    states = _waited(history, OrderType.SNIPER, Status.CONFIRMED)
    states[:] = [replace(o, terms=replace(o.terms, amount=99_999_999)) for o in states]


def rest_though_it_has_launched(history: History) -> None:
    del _waited(history, OrderType.SNIPER, Status.CONFIRMED)[1:]


SPOILS: dict[Spoil, str] = {
    spend_more_than_it_may: "may spend 99999999, and signed for 100000000",
    rest_though_it_has_launched: "rests still, and MOON has launched",
    lose_an_order: "was accepted and is not stored",
    leave_an_order_open: "is still submitted",
    owe_a_letter: "still owes its dead letter",
    land_twice: "landed 2 times",
    land_for_nobody: "landed for nobody, which is no order",
    confirm_what_did_not_land: "has not landed",
    confirm_by_anothers_transaction: "is confirmed by",
    tell_another_amount_than_the_chain: "says it got 1, the chain says",
    give_less_than_the_minimum: "less than its minimum",
    land_for_a_cancelled_order: "is cancelled and another landed",
    land_for_a_failed_order: "is failed and",
    trade_after_the_deadline: "after its deadline",
    fail_while_it_may_still_land: "while it could still land",
    fail_before_it_expired: "before it expired",
    begin_in_the_middle: "began as routing with seq 2",
    leave_a_gap: "from seq 2 (routing) to 4 (submitted) is not one step",
    skip_a_status: "is not in the life cycle",
    change_after_the_end: "comes after its end",
    change_without_a_new_seq: "comes after its end",
    go_back_in_time: "goes back in time",
    rewrite_the_past: "rewrites its history",
    say_it_was_sent_before_it_was: "sent (seq 4) and said to be sent (seq 4)",
    send_what_is_not_stored: "sent (seq 2) and said to be sent (seq 4)",
    submit_what_was_not_sent: "is submitted (seq 4) and sent nothing",
    confirm_what_was_not_sent: "landed and was [",
    forget_a_signature: "that it signed",
    call_what_was_sent_only_signed: "that it sent",
    take_an_order_from_its_holder: "from one who held it",
    tell_a_false_status_in_a_message: "heard a message of",
    tell_of_a_state_that_never_was: "which it never was",
    tell_a_false_amount: "with another amountOut than it had",
    tell_of_an_order_that_is_not: "told of nobody, which is no order",
    answer_a_post_with_a_later_state: "the answer to POST told of",
    tell_of_anothers_order: "ann's stream told eve of ann's order",
    let_a_revoked_key_hear_on: "by a key that is revoked",
    leave_a_revoked_key_connected: "still connected",
    answer_one_key_with_two_orders: "got different answers",
    answer_another_order_with_the_same_order: "for another order",
    call_a_replay_new: "more than once that its order is new",
    refuse_a_key_its_own_order: "was refused the order that it has",
    give_two_keys_one_order: "have one order",
    keep_the_end_from_a_watcher: "stayed and did not hear",
    keep_a_step_from_a_watcher: "seq 4 after 2",
    tell_a_watcher_the_newer_first: "seq 4 after 2",
    show_a_watcher_no_snapshot: "what was, and no snapshot of it",
    show_a_watcher_a_snapshot_again: "a snapshot (seq 4) amid the changes",
    show_a_watcher_what_was_no_more: "a snapshot (seq 1) of what was no more (3)",
    tell_who_watches_all_a_status_before_the_snapshot: "a status (seq 2) before its snapshot",
    leave_a_claim_without_words: "was not told that",
    leave_a_message_in_the_queue: "lies in the order queue",
    leave_a_letter_of_a_good_order: "which is confirmed",
    leave_a_letter_of_no_order: "which is no order",
    lose_a_letter: "failed without a dead letter",
    trigger_without_a_price: "by a price that was not there",
    trigger_by_a_stale_price: "by a price that was stale",
    trigger_after_the_end: "after its time was over",
    trigger_nothing: "was until seq 2 resting",
    end_before_the_end: "too early",
    rest_for_ever: "rests still",
    rest_though_all_was_cancelled: "rested as all was cancelled: resting",
    fill_below_the_limit: "and its limit is 105000000",
    begin_two_parts_in_a_slot: "began two parts in a slot",
    trade_a_part_twice: "traded a part twice: [1, 1]",
    begin_more_than_the_amount: "of 1000000000 has begun 1500000000",
    say_what_a_part_did_not_do: "says (<Status.CONFIRMED: 'confirmed'>, 1) of",
}


def test_a_true_history_breaks_nothing_and_every_promise_was_looked_at(history: History) -> None:
    assert broken(history) == []
    assert [finding.promise for finding in findings(history) if not finding.checked] == []


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
def test_the_checker_notices_if_somebody_were_to(spoil: Spoil, history: History) -> None:
    spoil(history)
    sentences = broken(history)
    assert any(SPOILS[spoil] in sentence for sentence in sentences), sentences


def test_every_promise_has_been_seen_broken() -> None:
    noticed = set()
    for spoil in SPOILS:
        history = _history()
        spoil(history)
        noticed |= {finding.promise for finding in findings(history) if finding.broken}
    assert len(noticed) == len(PROMISES)


def test_what_is_not_kept_of_the_past_is_no_lie_but_a_wrong_word_is(history: History) -> None:
    failed = history.ends[_failed(history)]
    past = json.loads(message("status", failed.as_of(3)))
    assert past["order"] != order_view(history.states[failed.order_id][2])
    history.heard += [
        Heard("bob", "ann", asked_for(failed.order_id, after_seq=2)),
        Heard("bob", "ann", past),
    ]
    assert broken(history) == []
    past["order"]["amountOut"] = "1"
    assert broken(history) != []


def test_who_watches_all_may_be_shown_what_lay_between_at_once(history: History) -> None:
    history.heard.insert(0, Heard("ann", "ann", asked_for(None)))
    del history.heard[_place(history, 2) : _place(history, 4)]
    _message(history, -1, type="snapshot")
    assert broken(history) == []


@pytest.mark.parametrize("repeats", Repeats)
@pytest.mark.parametrize("again", [4, 3, 1])
def test_what_was_told_may_be_told_again_only_if_something_went_wrong(
    history: History, repeats: Repeats, again: int
) -> None:
    history.repeats = repeats
    history.heard.append(history.heard[_place(history, again)])
    allowed = Repeats.LAST if again == 4 else Repeats.ANY
    assert (broken(history) == []) == (repeats >= allowed)


def test_no_answer_is_no_promise(history: History) -> None:
    history.answers.append(Answer("place", 0, {}, "ann", "k", {}))
    history.heard.append(Heard("ann", "ann", {"type": "pong"}))
    assert broken(history) == []
