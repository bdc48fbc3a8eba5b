"""The life cycle: one table, and orders that keep to it."""

from collections.abc import Callable
from datetime import timedelta

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
)
from tests.fakes import START, a_life, an_order

LATER = START + timedelta(seconds=1)


def test_the_table_is_the_design() -> None:
    allowed = {f"{a} -> {b}" for a, following in TRANSITIONS.items() for b in following}
    assert allowed == {
        "pending -> routing",
        "pending -> failed",
        "pending -> cancelled",
        "routing -> building",
        "routing -> failed",
        "building -> submitted",
        "building -> failed",
        "submitted -> confirmed",
        "submitted -> failed",
    }
    assert {Status.CONFIRMED, Status.FAILED, Status.CANCELLED} == FINAL


LIFE = a_life(an_order(), at=LATER)
PENDING, ROUTING, BUILDING, SUBMITTED, CONFIRMED = LIFE
UNTIL = LATER + timedelta(seconds=15)
FAILURE = Failure("X", "x")

#: Everything that can be done to an order, by its name.
VERBS: dict[str, Callable[[Order], Order]] = {
    "claim": lambda order: order.claim(at=LATER, until=UNTIL, by="w"),
    "build": lambda order: order.build((), Route((), "why"), _transaction("another"), at=LATER),
    "submit": lambda order: order.submit(at=LATER),
    "wait": lambda order: order.wait((), "VENUES_UNAVAILABLE", at=LATER, until=UNTIL),
    "confirm": lambda order: order.confirm(1, at=LATER),
    "fail": lambda order: order.fail(FAILURE, at=LATER),
    "cancel": lambda order: order.cancel(at=LATER),
}
verbs = st.sampled_from(sorted(VERBS))


def _transaction(signature: str) -> Transaction:
    return Transaction(signature, LATER, UNTIL, ())


@given(st.lists(verbs, max_size=12))
def test_an_order_follows_the_table_whatever_is_asked_of_it(asked: list[str]) -> None:
    order = an_order()
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
