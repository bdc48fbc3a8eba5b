"""The board of breakers, in memory and in a table: one contract."""

from typing import Any

import pytest

from engine.adapters.aws.breakers import DynamoBreakers
from engine.adapters.aws.table import Table
from engine.domain.breaker import Breaker
from engine.ports.breakers import Board, Breakers
from tests.fakes import START, MemoryBreakers

OPEN = Breaker("raydium", 5, START)
PROBED = Breaker("raydium", 5, START, probing=True)


@pytest.fixture(params=["memory", "dynamodb"])
def breakers(request: pytest.FixtureRequest) -> Breakers:
    if request.param == "memory":
        return MemoryBreakers()
    return DynamoBreakers(Table(request.getfixturevalue("dynamodb"), "orders"))


def test_what_was_written_is_read_back(breakers: Breakers) -> None:
    assert breakers.read() == Board()
    board = Board().with_(OPEN, "a").with_(Breaker("meteora", 1), "b")
    first = Board().with_(OPEN, "a")
    assert breakers.write(first) == first
    assert breakers.write(board) == board == breakers.read()


def test_of_two_writers_the_second_is_shown_what_stands(breakers: Breakers) -> None:
    breakers.write(Board().with_(OPEN, "a"))
    late = Board().with_(Breaker("meteora", 1), "b")
    assert breakers.write(late) == Board().with_(OPEN, "a")
    probed = Board().with_(OPEN, "a").with_(PROBED, "c")
    breakers.write(probed)
    assert breakers.write(Board().with_(OPEN, "a").with_(late.of("meteora"), "d")) == probed


def test_two_who_count_the_same_failure_are_told_apart(breakers: Breakers) -> None:
    breakers.write(Board().with_(OPEN, "a"))
    same = Board().with_(OPEN, "b")
    assert breakers.write(same) != same


def test_a_write_made_twice_is_one(dynamodb: Any) -> None:
    breakers = DynamoBreakers(Table(dynamodb, "orders"))
    board = Board().with_(OPEN, "a")
    assert breakers.write(board) == breakers.write(board) == board
