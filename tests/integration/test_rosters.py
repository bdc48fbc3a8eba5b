"""An account's roster: one suite for the table's adapter and for the fake."""

from datetime import timedelta
from uuid import UUID

import pytest

from engine.adapters.aws.rosters import DynamoRosters
from engine.adapters.aws.table import Table
from engine.adapters.codec import to_ms
from engine.ports.rosters import Entry, Roster, Rosters
from tests.fakes import START, MemoryRosters

PAIR = "SOL/USDC"
NOW = to_ms(START)


@pytest.fixture(params=["memory", "dynamodb"])
def rosters(request: pytest.FixtureRequest) -> Rosters:
    if request.param == "memory":
        return MemoryRosters()
    return DynamoRosters(Table(request.getfixturevalue("dynamodb"), "orders"))


def entry(n: int) -> Entry:
    return Entry(str(UUID(int=n, version=4)), START + timedelta(milliseconds=n))


def test_a_roster_begins_empty(rosters: Rosters) -> None:
    assert rosters.read("ann") == Roster()


def test_an_order_is_entered_while_there_is_room_and_once(rosters: Rosters) -> None:
    for _ in range(2):
        assert rosters.enter("ann", entry(1), room=2)[0]
    entered, roster = rosters.enter("ann", entry(2), room=2)
    assert (entered, roster) == (True, Roster(entries=frozenset({entry(1), entry(2)})))
    entered, roster = rosters.enter("ann", entry(3), room=2)
    assert (entered, roster) == (False, Roster(entries=frozenset({entry(1), entry(2)})))
    assert rosters.enter("bob", entry(3), room=2)[0]


def test_what_is_cleared_is_gone_and_there_is_as_much_room_as_was_said(rosters: Rosters) -> None:
    for n in range(3):
        rosters.enter("ann", entry(n), room=3)
    rosters.clear("ann", [entry(0), entry(1)], room=2, version=0)
    assert rosters.read("ann") == Roster(entries=frozenset({entry(2)}), version=1)
    assert [rosters.enter("ann", entry(n), room=3)[0] for n in (4, 5)] == [True, False]
    rosters.clear("ann", [], room=3, version=1)
    assert rosters.enter("ann", entry(5), room=3)[0]
    rosters.clear("ann", rosters.read("ann").entries, room=3, version=2)
    assert rosters.read("ann") == Roster(version=3)
    assert rosters.enter("ann", entry(6), room=3)[0]


def test_who_counted_something_older_clears_nothing(rosters: Rosters) -> None:
    rosters.enter("ann", entry(1), room=1)
    rosters.clear("ann", [], room=2, version=0)
    for version in (0, 2):
        rosters.clear("ann", [entry(1)], room=9, version=version)
    assert rosters.read("ann") == Roster(entries=frozenset({entry(1)}), version=1)
    assert [rosters.enter("ann", entry(n), room=1)[0] for n in (2, 3)] == [True, False]


def test_an_epoch_is_a_time_and_above_all_before_it(rosters: Rosters) -> None:
    rosters.enter("ann", entry(1), room=1)
    assert rosters.cancel_all("ann", None, at=START) == NOW
    assert rosters.cancel_all("ann", PAIR, at=START) == NOW + 1
    assert rosters.cancel_all("ann", None, at=START - timedelta(hours=1)) == NOW + 2
    later = START + timedelta(seconds=1)
    assert rosters.cancel_all("ann", "RAY/USDC", at=later) == NOW + 1_000
    roster = rosters.read("ann")
    pairs = {PAIR: NOW + 1, "RAY/USDC": NOW + 1_000}
    assert roster == Roster(NOW + 2, pairs, frozenset({entry(1)}))
    assert [roster.epoch_of(pair) for pair in (PAIR, "RAY/USDC")] == [NOW + 2, NOW + 1_000]
    assert rosters.read("bob").epoch_of(PAIR) == 0


def test_an_account_is_swept_once_after_each_cancel_all(rosters: Rosters) -> None:
    assert rosters.unswept(limit=9) == []
    rosters.cancel_all("ann", None, at=START)
    rosters.cancel_all("bob", PAIR, at=START)
    assert sorted(rosters.unswept(limit=9)) == ["ann", "bob"]
    assert len(rosters.unswept(limit=1)) == 1
    seen = rosters.read("ann")
    rosters.swept("ann", seen)
    assert rosters.unswept(limit=9) == ["bob"]
    rosters.cancel_all("ann", PAIR, at=START)
    rosters.swept("ann", seen)
    assert sorted(rosters.unswept(limit=9)) == ["ann", "bob"]
