"""The life cycle: one table, and orders that keep to it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import IllegalTransition
from engine.domain.order import (
    FINAL,
    TRANSITIONS,
    Failure,
    Leg,
    Quote,
    Route,
    Status,
    Transaction,
)
from tests.fakes import START, an_order

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


@given(st.lists(st.sampled_from(Status)))
def test_an_order_follows_the_table_whatever_is_asked_of_it(wishes: list[Status]) -> None:
    order = an_order()
    for wish in wishes:
        if wish in TRANSITIONS[order.status]:
            order = order.to(wish, at=LATER)
        else:
            with pytest.raises(IllegalTransition):
                order.to(wish, at=LATER)
    assert [step.seq for step in order.history] == list(range(1, order.seq + 1))
    assert order.history[-1].status is order.status


def test_a_claim_counts_an_attempt_and_routes() -> None:
    order = an_order().claimed(at=LATER, until=LATER + timedelta(seconds=15), by="a")
    assert (order.status, order.attempts, order.seq) == (Status.ROUTING, 1, 2)
    assert order.held(LATER)
    assert not order.held(LATER + timedelta(seconds=15))


def test_a_second_attempt_stays_in_its_state() -> None:
    order = an_order().to(Status.ROUTING, at=LATER, attempts=1)
    again = order.claimed(at=LATER, until=LATER, by="b")
    assert (again.status, again.attempts, again.seq) == (Status.ROUTING, 2, 3)


def test_a_step_that_was_never_stored_by_itself_is_told_as_it_would_have_been() -> None:
    until = START + timedelta(seconds=15)
    built = (
        an_order()
        .claimed(at=START, until=until, by="w")
        .towards(
            Status.BUILDING,
            at=START + timedelta(milliseconds=300),
            quotes=(Quote("raydium", 160, 1, 2), Quote("meteora", error="VENUE_TIMEOUT")),
            route=Route((Leg("raydium", "pool", 10**9, 160),), "only"),
            transaction=Transaction("sig", START, until, ()),
        )
    )
    submitted = built.to(Status.SUBMITTED, at=START + timedelta(milliseconds=300))
    assert submitted.as_of(built.seq) == built
    confirmed = submitted.to(Status.CONFIRMED, at=until, amount_out=161)
    assert confirmed.as_of(built.seq) == built


def test_history_never_goes_back_when_clocks_differ() -> None:
    order = an_order().to(Status.ROUTING, at=START - timedelta(seconds=3))
    assert order.updated_at == START


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_order_never_changes(final: Status) -> None:
    order = an_order(status=final)
    with pytest.raises(IllegalTransition):
        order.again(at=LATER)
    with pytest.raises(IllegalTransition):
        order.failed(Failure("X", "x"), at=LATER)


def test_as_placed_is_what_was_first_answered() -> None:
    placed = an_order()
    assert placed.to(Status.ROUTING, at=LATER, attempts=1).as_placed() == placed
