"""What the logs tell of an order is what its row says, and no secret is among it."""

import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.order import Status
from engine.observability import log
from engine.ports.logs import LogLine
from engine.service.placing import NewOrder
from engine.service.story import Event, story
from tests.proof.stories import STORIES, Story
from tests.proof.world import World

TOLD = [
    "a plain order",
    "no venue answers",
    "a price that moved",
    "a transaction that expired",
    "a cancelled order",
    "an order that expires",
    "a limit that is missed at first",
    "watchers come and go",
    "all that rests is cancelled",
]


class Heard(logging.Handler):
    """Keeps what the functions of a world log, each line with its function."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.lines: list[LogLine] = []

    def emit(self, record: logging.LogRecord) -> None:
        function = (self.world and self.world.border.function) or "nobody"
        self.lines.append(LogLine(function, self.format(record)))


@pytest.fixture
def heard() -> Iterator[Heard]:
    logger: Any = log._logger
    handler = Heard()
    handler.setFormatter(log.registered_formatter)
    level = log.log_level
    log.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    log.setLevel(level)


def run(tale: Story, heard: Heard) -> World:
    heard.world = world = tale.world()
    tale.tell(world)
    world.settle_down()
    return world


def written(events: list[Event]) -> list[tuple[int, str]]:
    """Return the changes of its row that a story tells of, by who wrote them."""
    writes = [
        e for e in events if e.function != "ws_notify" and {"seq", "status"} <= e.facts.keys()
    ]
    return [(e.facts["seq"], e.facts["status"]) for e in writes]


@pytest.mark.parametrize("name", TOLD)
def test_a_story_reads_true_against_the_table(name: str, heard: Heard) -> None:
    (tale,) = [each for each in STORIES if each.name == name]
    world = run(tale, heard)
    for order_id, states in world.states.items():
        order = states[-1]
        events = story(order_id, heard.lines)
        steps = [(seq, step.status.value) for seq, step in enumerate(order.history, 1)]
        assert written(events) == steps
        assert events[0].what == "order placed"
        assert events[0].function == "execute"
        attempts = {e.facts["attempt"] for e in events if e.what == "order routing"}
        assert attempts == {s.attempt for s in order.history if s.status is Status.ROUTING}
        sent = {e.facts["signature"] for e in events if e.what == "transaction sent"}
        assert sent <= {each.signature for each in order.tries}
        assert (order.status is Status.CONFIRMED) <= bool(sent)
        assert [e.facts["reason"] for e in events if e.what == "order failed"] == (
            [order.error.code] if order.error else []
        )


def test_one_that_failed_twice_and_was_confirmed_has_three_attempts(heard: Heard) -> None:
    heard.world = world = World(away=frozenset({"raydium", "meteora"}))
    order_id = str(world.place().body["orderId"])
    for _ in range(2):
        world.deliver()
        world.clock.advance(10)
    world.away = frozenset()
    world.clock.advance(30)
    world.settle_down()
    events = story(order_id, heard.lines)
    assert [e.facts.get("attempt") for e in events if e.what == "no quotes, trying again"] == [1, 2]
    (end,) = [e for e in events if e.what == "order confirmed"]
    assert end.facts["attempt"] == 3


def test_a_dead_letter_and_each_push_are_told_of(heard: Heard) -> None:
    heard.world = world = World()
    world.connect("ann")
    order_id = str(world.place("XFAIL").body["orderId"])
    world.watch("ann", order_id)
    world.settle_down()
    events = story(order_id, heard.lines)
    (letter,) = [e for e in events if e.what == "dead letter sent"]
    assert letter.facts["reason"] == "VENUES_UNAVAILABLE"
    pushed = {e.facts["seq"] for e in events if e.what == "pushed"}
    assert pushed == {seq for seq, _ in written(events)}


def test_a_change_that_nobody_watches_is_told_of(heard: Heard) -> None:
    heard.world = world = World()
    order_id = str(world.place().body["orderId"])
    world.settle_down()
    events = story(order_id, heard.lines)
    unseen = [e.facts["seq"] for e in events if e.what == "nobody watches"]
    assert unseen == [seq for seq, _ in written(events)]


def test_the_request_that_placed_an_order_is_named_to_the_last_push(heard: Heard) -> None:
    heard.world = world = World()
    world.connect("ann")
    placing = world.engine.placing
    new_order = NewOrder("SOL", "USDC", Decimal(1))
    placed = placing.place(new_order, account="ann", correlation_id="request-7").order
    world.watch("ann", placed.order_id)
    world.settle_down()
    events = story(placed.order_id, heard.lines)
    functions = {e.function for e in events}
    assert {"worker", "ws_notify"} <= functions
    assert {e.facts.get("correlation_id") for e in events} == {"request-7"}


@pytest.mark.parametrize(
    "secret",
    [
        "oek_0123456789abcdef_" + "A1" * 20,
        "oet_" + "ab" * 32,
        "whsec_" + "Zm9v" * 6,
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ],
)
def test_no_line_shows_a_secret_even_one_said_by_mistake(secret: str, heard: Heard) -> None:
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception(f"it is {secret}", extra={"headers": {"x": secret}})
    (line,) = heard.lines
    assert secret not in line.text
    assert "***" in json.loads(line.text)["message"]
