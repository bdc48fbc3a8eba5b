"""One suite for the table's adapters and for the fakes, so that a fake can't lie."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.adapters.dynamodb import DynamoLedger, DynamoOrders, DynamoWatchers
from engine.adapters.simulated import Ledger
from engine.domain.errors import Conflict, StoreUnavailable
from engine.domain.order import Failure, Status
from engine.ports import OrderRepository, Watcher, Watchers
from tests.fakes import START, MemoryLedger, MemoryOrders, MemoryWatchers, an_order

TABLE = "orders"
LATER = START + timedelta(seconds=1)
both = pytest.mark.parametrize("kind", ["memory", "dynamodb"])


@pytest.fixture
def orders(kind: str, request: pytest.FixtureRequest) -> OrderRepository:
    if kind == "memory":
        return MemoryOrders()
    return DynamoOrders(request.getfixturevalue("dynamodb"), TABLE)


@pytest.fixture
def watchers(kind: str, request: pytest.FixtureRequest) -> Watchers:
    if kind == "memory":
        return MemoryWatchers()
    return DynamoWatchers(request.getfixturevalue("dynamodb"), TABLE)


@pytest.fixture
def ledger(kind: str, request: pytest.FixtureRequest) -> Ledger:
    if kind == "memory":
        return MemoryLedger()
    return DynamoLedger(request.getfixturevalue("dynamodb"), TABLE)


@both
def test_an_order_is_stored_and_read(orders: OrderRepository) -> None:
    orders.add(an_order())
    assert orders.get(an_order().order_id) == an_order()


@both
def test_what_was_never_stored_is_not_there(orders: OrderRepository) -> None:
    assert orders.get("nothing") is None


@both
def test_a_second_order_under_an_id_loses_and_sees_the_first(orders: OrderRepository) -> None:
    orders.add(an_order())
    with pytest.raises(Conflict) as conflict:
        orders.add(an_order(amount=2))
    assert conflict.value.current == an_order()


@both
def test_a_write_that_was_made_but_not_answered_may_be_sent_again(orders: OrderRepository) -> None:
    orders.add(an_order())
    orders.add(an_order())
    routed = an_order().to(Status.ROUTING, at=LATER)
    orders.save(routed, expected_seq=1)
    orders.save(routed, expected_seq=1)
    assert orders.get(routed.order_id) == routed


@both
def test_of_two_claims_at_one_moment_one_loses(orders: OrderRepository) -> None:
    orders.add(an_order())
    first, second = (an_order().claimed(at=LATER, until=LATER, by=by) for by in "ab")
    orders.save(first, expected_seq=1)
    with pytest.raises(Conflict) as conflict:
        orders.save(second, expected_seq=1)
    assert conflict.value.current == first


@both
def test_a_change_of_an_order_that_is_not_there_is_a_conflict(orders: OrderRepository) -> None:
    with pytest.raises(Conflict) as conflict:
        orders.save(an_order(), expected_seq=1)
    assert conflict.value.current is None


@both
def test_open_orders_are_found_by_age_until_nothing_is_left_to_do(orders: OrderRepository) -> None:
    for n in range(9):
        at = START + timedelta(seconds=n)
        orders.add(an_order(order_id=f"o{n}", created_at=at, updated_at=at))
    done = replace(an_order(order_id="o1"), created_at=START + timedelta(seconds=1))
    orders.save(done.to(Status.CANCELLED, at=LATER), expected_seq=1)
    owing = replace(an_order(order_id="o2"), created_at=START + timedelta(seconds=2))
    failed = owing.failed(Failure("X", "x"), at=LATER, dead_letter=True)
    orders.save(failed, expected_seq=1)
    found = [o.order_id for o in orders.open_before(START + timedelta(seconds=6), limit=4)]
    assert found == ["o0", "o2", "o3", "o4"]
    orders.save(replace(failed, dead_letter_due=False), expected_seq=2)
    found = [o.order_id for o in orders.open_before(START + timedelta(seconds=6), limit=4)]
    assert found == ["o0", "o3", "o4", "o5"]


@both
def test_watchers_come_and_go(watchers: Watchers) -> None:
    ann, bob = Watcher("o1", "ann", START, LATER), Watcher("o1", "bob", START, LATER)
    for watcher in (ann, bob, Watcher("o2", "ann", START, LATER)):
        watchers.watch(watcher)
    assert {(w, w.since, w.until) for w in watchers.of("o1")} == {
        (ann, START, LATER),
        (bob, START, LATER),
    }
    watchers.forget(bob)
    watchers.forget(bob)
    assert watchers.of("o1") == [ann]
    watchers.forget_connection("ann")
    assert (watchers.of("o1"), watchers.of("o2")) == ([], [])


@both
def test_the_ledger_writes_a_signature_once(ledger: Ledger) -> None:
    assert ledger.read("sig") is None
    assert ledger.record("sig", {"out": "1"}) == {"out": "1"}
    assert ledger.record("sig", {"expired": "2"}) == {"out": "1"}
    assert ledger.read("sig") == {"out": "1"}


def test_a_table_that_does_not_answer_is_said_to_be_unavailable(dynamodb: Any) -> None:
    elsewhere = "no-such-table"
    calls: list[Callable[[], object]] = [
        lambda: DynamoOrders(dynamodb, elsewhere).get("o1"),
        lambda: DynamoOrders(dynamodb, elsewhere).add(an_order()),
        lambda: list(DynamoOrders(dynamodb, elsewhere).open_before(LATER, limit=1)),
        lambda: DynamoWatchers(dynamodb, elsewhere).of("o1"),
        lambda: DynamoWatchers(dynamodb, elsewhere).watch(Watcher("o", "c")),
        lambda: DynamoLedger(dynamodb, elsewhere).record("sig", {}),
        lambda: DynamoLedger(dynamodb, elsewhere).read("sig"),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable):
            call()
