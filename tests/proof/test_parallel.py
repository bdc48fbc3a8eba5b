"""Many at once: real threads, over services that answer one call at a time."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest

from tests.proof.history import Answer, broken
from tests.proof.world import ORDERS, World

T = TypeVar("T")


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which nothing takes time, and threads give way to each other very often."""
    world = World(quoting_takes=(0, 0), landing_takes=(0, 0))
    world.border.stage = lambda: None
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield world
    sys.setswitchinterval(interval)


def _at_once(times: int, call: Callable[[], T]) -> list[T]:
    start = Barrier(times)

    def started() -> T:
        start.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(times) as threads:
        return [each.result() for each in [threads.submit(started) for _ in range(times)]]


def test_a_hundred_parallel_posts_with_one_key_are_one_order(world: World) -> None:
    answers: list[Answer] = _at_once(100, lambda: world.place(key="k"))
    assert [answer.status for answer in answers] == [202] * 100
    assert all(answer.body == answers[0].body for answer in answers)
    assert sum(answer.replayed for answer in answers) == 99
    assert len(world.order_ids) == 1
    assert len(world.sqs.messages(ORDERS)) == 1
    world.settle_down()
    assert len(world.history().landed(world.order_ids[0])) == 1
    assert broken(world.history()) == []


def test_two_hundred_orders_delivered_three_times_to_ten_workers_land_once_each(
    world: World,
) -> None:
    for _ in range(200):
        world.place()
    for message in list(world.sqs.messages(ORDERS)):
        for _ in range(2):
            world.sqs.duplicate(ORDERS, message)

    def work() -> None:
        while world.deliver():
            pass

    _at_once(10, work)
    world.settle_down()
    history = world.history()
    assert broken(history) == []
    assert [len(history.landed(order_id)) for order_id in history.states] == [1] * 200
    assert {end.attempts for end in history.ends.values()} == {1}


def test_ten_workers_that_get_one_message_at_once_make_one_trade(world: World) -> None:
    for _ in range(20):
        world.place()
        (message,) = world.sqs.messages(ORDERS)
        for _ in range(9):
            world.sqs.duplicate(ORDERS, message)
        _at_once(10, lambda: world.deliver([0]))
        world.settle_down()
    history = world.history()
    assert broken(history) == []
    assert [len(history.landed(order_id)) for order_id in history.states] == [1] * 20
