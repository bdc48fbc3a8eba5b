"""The WebSocket API behind its doorway."""

import copy
import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.api.sockets import Sockets
from engine.ports import Watcher
from engine.service.watching import Watching
from tests.fakes import START, FakeClock, FakePush, MemoryWatchers, an_order

EVENTS = Path(__file__).parents[2] / "events"
CONNECT, DISCONNECT, SUBSCRIBE = (
    json.loads((EVENTS / f"ws_{name}.json").read_text())
    for name in ("connect", "disconnect", "subscribe")
)
CONNECTION = CONNECT["requestContext"]["connectionId"]
ORDER = an_order().order_id


@dataclass
class World:
    watchers: MemoryWatchers = field(default_factory=MemoryWatchers)
    push: FakePush = field(default_factory=FakePush)

    def hear(self, event: dict[str, Any]) -> int:
        sockets = Sockets(Watching(self.watchers, FakeClock()), lambda api, stage: self.push)
        status: int = sockets.handle(event)["statusCode"]
        return status

    def frame(self, body: str) -> dict[str, Any] | None:
        event = copy.deepcopy(SUBSCRIBE)
        event["body"] = body
        assert self.hear(event) == 200
        heard = self.push.heard.get(CONNECTION, [])
        return json.loads(heard[-1]) if heard else None


def test_connecting_with_an_order_watches_it() -> None:
    world = World()
    assert world.hear(CONNECT) == 200
    assert [(w, w.since, w.until) for w in world.watchers.of(ORDER)] == [
        (Watcher(ORDER, CONNECTION), START, START + timedelta(hours=2))
    ]


def test_nothing_is_pushed_before_the_connection_stands() -> None:
    world = World()
    world.hear(CONNECT)
    assert world.push.heard == {}


def test_connecting_bare_watches_nothing() -> None:
    world = World()
    event = copy.deepcopy(CONNECT)
    del event["queryStringParameters"]
    assert world.hear(event) == 200
    assert world.watchers.rows == {}


@pytest.mark.parametrize("order_id", ["", "a b", "x" * 65, "a#b"])
def test_connecting_for_what_is_no_id_is_refused(order_id: str) -> None:
    world = World()
    assert world.hear({**CONNECT, "queryStringParameters": {"orderId": order_id}}) == 400
    assert world.watchers.rows == {}


def test_disconnecting_forgets_the_connection() -> None:
    world = World()
    world.hear(CONNECT)
    assert world.hear(DISCONNECT) == 200
    assert world.watchers.rows == {}


def test_subscribing_and_unsubscribing() -> None:
    world = World()
    assert world.hear(SUBSCRIBE) == 200
    assert world.watchers.of(ORDER) == [Watcher(ORDER, CONNECTION)]
    world.frame(json.dumps({"action": "unsubscribe", "orderId": ORDER}))
    assert world.watchers.of(ORDER) == []


def test_ping_gets_pong() -> None:
    assert World().frame('{"action":"ping"}') == {"type": "pong"}


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "1", "null", "[" * 10_000, "{}", '{"action":1}', '{"action":"dance"}',
        '{"action":"subscribe"}', '{"action":"subscribe","orderId":1}',
        '{"action":"subscribe","orderId":"a b"}', '{"action":"unsubscribe","orderId":null}',
    ],
)  # fmt: skip
def test_a_bad_frame_is_answered_and_the_connection_lives_on(body: str) -> None:
    world = World()
    answer = world.frame(body)
    assert answer is not None
    assert (answer["type"], answer["code"]) == ("error", "BAD_FRAME")
    assert world.watchers.rows == {}


def test_a_client_who_left_before_the_answer_is_forgotten() -> None:
    world = World()
    world.hear(CONNECT)
    world.push.gone.add(CONNECTION)
    world.frame('{"action":"ping"}')
    assert world.watchers.rows == {}
