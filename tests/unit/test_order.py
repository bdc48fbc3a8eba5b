"""The life cycle: one table, and orders that keep to it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.views import order_view
from engine.domain.errors import IllegalTransition
from engine.domain.order import (
    FINAL,
    MAX_TRIES,
    TRANSITIONS,
    Failure,
    Order,
    Route,
    Status,
    Transaction,
    Waiting,
)
from engine.domain.terms import OrderType, Terms
from engine.domain.tokens import SOL, USDC
from engine.domain.triggers import AtPrice, Direction, Fired, Level, Trailing
from tests.fakes import START, a_life, an_order

LATER = START + timedelta(seconds=1)


def test_the_table_is_the_design() -> None:
    allowed = {f"{a} -> {b}" for a, following in TRANSITIONS.items() for b in following}
    assert allowed == {
        "resting -> resting",
        "resting -> pending",
        "resting -> confirmed",
        "resting -> cancelled",
        "resting -> expired",
        "resting -> failed",
        "pending -> routing",
        "pending -> failed",
        "pending -> cancelled",
        "routing -> building",
        "routing -> failed",
        "routing -> resting",
        "submitted -> resting",
        "building -> submitted",
        "building -> failed",
        "submitted -> confirmed",
        "submitted -> failed",
    }
    assert {Status.CONFIRMED, Status.FAILED, Status.CANCELLED, Status.EXPIRED} == FINAL


LIFE = a_life(an_order(), at=LATER)
PENDING, ROUTING, BUILDING, SUBMITTED, CONFIRMED = LIFE
UNTIL = LATER + timedelta(seconds=15)
FAILURE = Failure("X", "x")
LEVEL, FURTHER = (Level(Direction.ABOVE, Decimal(price)) for price in (160, 161))
FIRED = Fired(LEVEL)
LIMIT = Terms(SOL, USDC, 10**9, 50, OrderType.LIMIT, limit_price=Decimal(160), expires_at=UNTIL)
RESTING = Order.place(
    "o2", "ann", LIMIT, at=START, deadline=UNTIL, waiting=Waiting(AtPrice(LEVEL), START)
)

#: Everything that can be done to an order, by its name.
VERBS: dict[str, Callable[[Order], Order]] = {
    "claim": lambda order: order.claim(at=LATER, until=UNTIL, by="w"),
    "build": lambda order: order.build((), Route((), "why"), _transaction("another"), at=LATER),
    "submit": lambda order: order.submit(at=LATER),
    "wait": lambda order: order.wait((), "VENUES_UNAVAILABLE", at=LATER, until=UNTIL),
    "confirm": lambda order: order.confirm(1, at=LATER),
    "fail": lambda order: order.fail(FAILURE, at=LATER),
    "cancel": lambda order: order.cancel(at=LATER),
    "wake": lambda order: order.wake(FIRED, Decimal(161), at=LATER, deadline=UNTIL),
    "rest": lambda order: order.rest((), "LIMIT_NOT_MET", AtPrice(FURTHER), at=LATER),
    "change": lambda order: order.change(LIMIT, AtPrice(LEVEL), at=LATER),
    "expire": lambda order: order.expire(at=LATER),
}
verbs = st.sampled_from(sorted(VERBS))


def _transaction(signature: str) -> Transaction:
    return Transaction(signature, LATER, UNTIL, ())


@given(st.sampled_from([an_order(), RESTING]), st.lists(verbs, max_size=12))
def test_an_order_follows_the_table_whatever_is_asked_of_it(order: Order, asked: list[str]) -> None:
    for verb in asked:
        try:
            following = VERBS[verb](order)
        except IllegalTransition:
            continue
        assert following.seq == order.seq + 1
        assert following.history[:-1] == order.history
        if following.status is not order.status:
            assert following.status in TRANSITIONS[order.status]
        order = following
    assert order.created_at == START


@pytest.mark.parametrize(
    ("order", "verb"),
    [
        *((RESTING, verb) for verb in ("claim", "build", "submit", "wait", "confirm", "rest")),
        *((PENDING, verb) for verb in ("wake", "change", "expire", "rest")),
        (PENDING, "build"),
        (PENDING, "submit"),
        (PENDING, "confirm"),
        (ROUTING, "submit"),
        (ROUTING, "confirm"),
        (ROUTING, "cancel"),
        (BUILDING, "confirm"),
        (SUBMITTED, "cancel"),
        *((order, verb) for order in (CONFIRMED, PENDING.cancel(at=LATER)) for verb in VERBS),
    ],
    ids=lambda of: of if isinstance(of, str) else of.status.value,
)
def test_what_the_life_cycle_forbids_is_an_error(order: Order, verb: str) -> None:
    with pytest.raises(IllegalTransition):
        VERBS[verb](order)


def test_a_claim_counts_an_attempt_and_routes() -> None:
    order = an_order().claim(at=LATER, until=UNTIL, by="a")
    assert (order.status, order.attempts, order.seq) == (Status.ROUTING, 1, 2)
    assert order.held(LATER)
    assert not order.held(UNTIL)


def test_a_second_attempt_stays_in_its_state() -> None:
    again = ROUTING.claim(at=LATER, until=LATER, by="b")
    assert (again.status, again.attempts, again.seq) == (Status.ROUTING, 2, 3)


@pytest.mark.parametrize("order", [BUILDING, SUBMITTED])
def test_who_takes_over_what_is_in_flight_begins_no_new_attempt(order: Order) -> None:
    taken = order.claim(at=LATER, until=UNTIL, by="b")
    assert (taken.status, taken.attempts) == (order.status, 1)
    assert taken.in_flight == order.in_flight


def test_building_has_sent_nothing_and_submitted_has() -> None:
    assert (BUILDING.tx_hash, BUILDING.sent) == (None, False)
    assert (SUBMITTED.tx_hash, SUBMITTED.sent) == ("5VER", True)


def test_every_past_state_is_told_as_it_was() -> None:
    for state in LIFE:
        assert order_view(CONFIRMED.as_of(state.seq)) == order_view(state)


def test_what_was_sent_and_expired_is_kept() -> None:
    expired = SUBMITTED.rebuild(at=LATER)
    assert (expired.in_flight, expired.tx_hash, expired.route) == (None, "5VER", SUBMITTED.route)
    failed = expired.fail(Failure("EXPIRED", "too late"), at=LATER)
    assert (failed.tx_hash, failed.transaction) == ("5VER", SUBMITTED.transaction)
    assert _told(failed) == [("5VER", "expired", "TRANSACTION_EXPIRED")]


def test_each_signature_stays_to_be_found_in_the_tries() -> None:
    again = SUBMITTED.rebuild(at=LATER).claim(at=LATER, until=UNTIL, by="b")
    built = VERBS["build"](again)
    assert (built.status, built.attempts, built.tx_hash) == (Status.SUBMITTED, 2, "5VER")
    ended = built.submit(at=LATER).confirm(1, at=LATER)
    assert ended.tx_hash == "another"
    assert _told(ended) == [
        ("5VER", "expired", "TRANSACTION_EXPIRED"),
        ("another", "landed", None),
    ]
    assert _told(ended.as_of(built.seq)) == [
        ("5VER", "expired", "TRANSACTION_EXPIRED"),
        ("another", "signed", None),
    ]


def test_a_try_without_a_route_is_told_and_leaves_what_was_sent_before() -> None:
    again = SUBMITTED.rebuild(at=LATER).claim(at=LATER, until=UNTIL, by="b")
    waiting = VERBS["wait"](again)
    assert (waiting.route, waiting.tx_hash) == (None, "5VER")
    assert _told(waiting)[1:] == [(None, "noRoute", "VENUES_UNAVAILABLE")]


def test_of_many_tries_the_oldest_without_a_signature_are_forgotten() -> None:
    order = SUBMITTED.rebuild(at=LATER)
    for _ in range(MAX_TRIES + 5):
        order = VERBS["wait"](order)
    assert len(order.tries) == MAX_TRIES
    assert order.tx_hash == "5VER"


def _told(order: Order) -> list[tuple[str | None, str, str | None]]:
    return [(each.signature, each.outcome.value, each.code) for each in order.tries]


def test_history_never_goes_back_when_clocks_differ() -> None:
    order = an_order().claim(at=START - timedelta(seconds=3), until=UNTIL, by="w")
    assert order.updated_at == START


def test_the_first_state_is_what_was_first_answered() -> None:
    assert order_view(ROUTING.as_of(1)) == order_view(PENDING)


def test_a_resting_order_that_is_woken_is_told_as_it_was_before() -> None:
    woken = VERBS["wake"](RESTING)
    assert (woken.status, woken.seq, woken.deadline) == (Status.PENDING, 2, UNTIL)
    assert woken.as_of(1).waiting == RESTING.waiting
    assert woken.minimum(10**9, 0) == 160_000_000


def test_a_limit_that_was_missed_rests_again_and_says_why() -> None:
    missed = VERBS["rest"](VERBS["claim"](VERBS["wake"](RESTING)))
    assert (missed.status, missed.lease_until) == (Status.RESTING, None)
    assert missed.waiting
    assert missed.waiting.trigger == AtPrice(FURTHER)
    assert [each.code for each in missed.tries] == ["LIMIT_NOT_MET"]
    assert VERBS["wake"](missed).claim(at=LATER, until=UNTIL, by="w").attempts == 1


def test_a_changed_order_keeps_what_it_asked_for_before() -> None:
    terms = replace(LIMIT, limit_price=Decimal(170))
    changed = RESTING.change(terms, AtPrice(LEVEL), at=LATER)
    again = changed.change(LIMIT, AtPrice(LEVEL), at=LATER)
    assert [again.as_of(seq).terms for seq in (1, 2, 3)] == [LIMIT, terms, LIMIT]
    assert again.placed_terms == changed.placed_terms == LIMIT
    assert again.as_of(2).former_terms == changed.former_terms


def test_a_trigger_that_moves_is_no_change_to_tell() -> None:
    moved = RESTING.move(Trailing(Direction.ABOVE, 100, Decimal(150)), at=LATER)
    assert (moved.seq, moved.moves, RESTING.moves) == (RESTING.seq, 1, 0)
