"""The WebSocket API behind its doorway."""

import copy
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.api.sockets import Sockets
from engine.domain.errors import StoreUnavailable
from engine.ports.access import ApiKey, Caller
from engine.ports.subscriptions import Subscription, account_topic, order_topic
from engine.service.connecting import Connecting
from engine.service.identity import ANYONE, Identity, new_key
from engine.service.watching import Watching
from tests.fakes import (
    START,
    FakeChance,
    FakeClock,
    FakePush,
    MemoryAccess,
    MemorySubscriptions,
    an_order,
)

EVENTS = Path(__file__).parents[2] / "events"
CONNECT, DISCONNECT, SUBSCRIBE = (
    json.loads((EVENTS / f"ws_{name}.json").read_text())
    for name in ("connect", "disconnect", "subscribe")
)
CONNECTION = CONNECT["requestContext"]["connectionId"]
ORDER = an_order().order_id
TOPIC = order_topic(ORDER)


@dataclass
class World:
    subscriptions: MemorySubscriptions = field(default_factory=MemorySubscriptions)
    push: FakePush = field(default_factory=FakePush)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    keys: bool = False
    clock: FakeClock = field(default_factory=FakeClock)
    limit: int = 0

    def __post_init__(self) -> None:
        self.identity = Identity(self.access, self.clock, FakeChance(), self.keys)

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        connecting = Connecting(self.identity, self.subscriptions, self.clock, self.limit)
        watching = Watching(self.subscriptions, self.clock)
        return Sockets(self.identity, connecting, watching, lambda api, stage: self.push).handle(
            event
        )

    def hear(self, event: dict[str, Any]) -> int:
        status: int = self.answer(event)["statusCode"]
        return status

    def watching(self, topic: str) -> list[Subscription]:
        return self.subscriptions.of([(topic, ANYONE)])[topic, ANYONE]

    def new_key(self, account: str) -> Caller:
        """Make a key; return who connects by it."""
        text, stored = new_key(account, FakeChance())
        self.access.add_key(stored)
        return self.identity.caller_of_key(text)

    def connect_by(self, caller: Caller) -> int:
        """Connect with a ticket of a key."""
        ticket = self.identity.issue_ticket(caller).text
        return self.hear({**CONNECT, "queryStringParameters": {"ticket": ticket}})

    def connect(self) -> None:
        event = copy.deepcopy(CONNECT)
        del event["queryStringParameters"]
        assert self.hear(event) == 200

    def frame(self, body: str) -> dict[str, Any] | None:
        event = copy.deepcopy(SUBSCRIBE)
        event["body"] = body
        assert self.hear(event) == 200
        heard = self.push.heard.get(CONNECTION, [])
        return json.loads(heard[-1]) if heard else None


def test_connecting_with_an_order_watches_it() -> None:
    world = World()
    assert world.hear(CONNECT) == 200
    assert [(w, w.account, w.since, w.until) for w in world.watching(TOPIC)] == [
        (Subscription(TOPIC, CONNECTION), ANYONE, START, START + timedelta(hours=2))
    ]


def test_nothing_is_pushed_before_the_connection_stands() -> None:
    world = World()
    world.hear(CONNECT)
    assert world.push.heard == {}


def test_connecting_bare_watches_nothing() -> None:
    world = World()
    world.connect()
    assert world.subscriptions.rows == {}
    assert world.subscriptions.caller_of(CONNECTION) == Caller(ANYONE)


@pytest.mark.parametrize("order_id", ["", "a b", "x" * 65, "a#b"])
def test_connecting_for_what_is_no_id_is_refused(order_id: str) -> None:
    world = World()
    assert world.hear({**CONNECT, "queryStringParameters": {"orderId": order_id}}) == 400
    assert world.subscriptions.rows == {}


def test_disconnecting_forgets_the_connection() -> None:
    world = World()
    world.hear(CONNECT)
    assert world.hear(DISCONNECT) == 200
    assert world.subscriptions.connections == {}


def test_subscribing_and_unsubscribing() -> None:
    world = World()
    world.connect()
    assert world.hear(SUBSCRIBE) == 200
    assert world.watching(TOPIC) == [Subscription(TOPIC, CONNECTION)]
    world.frame(json.dumps({"action": "unsubscribe", "orderId": ORDER}))
    assert world.watching(TOPIC) == []


def test_ping_gets_pong() -> None:
    assert World().frame('{"action":"ping"}') == {"type": "pong"}


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "1", "null", "[" * 10_000, "{}", '{"action":1}', '{"action":"dance"}',
        '{"action":"subscribe"}', '{"action":"subscribe","orderId":1}',
        '{"action":"subscribe","orderId":"a b"}', '{"action":"unsubscribe","orderId":null}',
        '{"action":"subscribe","orders":"all"}',
        '{"action":"subscribe","orders":"mine","orderId":"o"}',
        '{"action":"subscribe","orderId":"o","afterSeq":-1}', '{"action":"ping","x":1}',
        '{"action":"subscribe","orderId":"o","afterSeq":true}', '{"action":["ping"]}',
        '{"action":"subscribe","orderId":"o","color":"red"}', '{"action":"ping"}' + " " * 5000,
        '{"action":"ping","action":"ping"}', '{"action":"subscribe","orderId":"o","orderId":"p"}',
        "[" * 3_000, '{"action":"subscribe","orderId":' + "[" * 3_000 + "]" * 900 + "}",
        '{"action":"subscribe","orderId":"o","afterSeq":NaN}',
        '{"action":"subscribe","afterSeq":0}', '{"action":"subscribe","orderId":null}',
        '{"action":"subscribe","orderId":"o","afterSeq":' + "9" * 4_000 + "}", '"\\ud800"',
        '{"action":"subscribe","orders":"mine","afterSeq":0}', '{"action":"ping","orders":"mine"}',
        '{"action":"subscribe","orders":null,"orderId":"o"}',
    ],
)  # fmt: skip
def test_a_bad_frame_is_answered_and_the_connection_lives_on(body: str) -> None:
    world = World()
    world.connect()
    answer = world.frame(body)
    assert answer is not None
    assert (answer["type"], answer["code"]) == ("error", "BAD_FRAME")
    assert world.subscriptions.rows == {}


def test_a_client_who_left_before_the_answer_is_forgotten() -> None:
    world = World()
    world.hear(CONNECT)
    world.push.gone.add(CONNECTION)
    world.frame('{"action":"ping"}')
    assert world.subscriptions.connections == {}


def test_a_client_may_watch_all_its_orders_or_one_from_where_it_left_off() -> None:
    world = World()
    world.connect()
    world.frame('{"action":"subscribe","orders":"mine"}')
    (mine,) = world.watching(account_topic(ANYONE))
    assert mine.account == ANYONE
    world.frame(json.dumps({"action": "subscribe", "orderId": ORDER, "afterSeq": 3}))
    (one,) = world.watching(TOPIC)
    assert one.after_seq == 3
    world.frame('{"action":"unsubscribe","orders":"mine"}')
    assert world.watching(account_topic(ANYONE)) == []


def test_connecting_may_resume() -> None:
    world = World()
    query = {"orderId": ORDER, "afterSeq": "2"}
    assert world.hear({**CONNECT, "queryStringParameters": query}) == 200
    (subscription,) = world.watching(TOPIC)
    assert subscription.after_seq == 2
    for bad in ("-1", "x", "", "1.5"):
        query = {"orderId": ORDER, "afterSeq": bad}
        assert world.hear({**CONNECT, "queryStringParameters": query}) == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"orderid": ["o"]}, "orderid"),
        ({"afterSeq": ["3"]}, "afterSeq needs an orderId"),
        ({"orderId": ["o", "p"]}, "orderId: stands more than once"),
        ({"orders": ["mine"], "afterSeq": ["0"]}, "stands alone"),
        ({"orders": [""]}, "mine"),
        ({"ticket": ["oet_1"], "x": ["1"]}, "x: not known"),
    ],
)
def test_a_query_that_is_not_known_is_refused_with_words(query: Any, said: str) -> None:
    world = World()
    answer = world.answer({**CONNECT, "multiValueQueryStringParameters": query})
    problem = json.loads(answer["body"])
    assert answer["statusCode"] == problem["status"] == 400
    assert problem["code"] == "BAD_HANDSHAKE"
    assert said in problem["detail"]
    assert world.subscriptions.connections == {}


def offering(*protocols: str) -> dict[str, Any]:
    return {**CONNECT, "headers": {"Sec-WebSocket-Protocol": ", ".join(protocols)}}


@pytest.mark.parametrize(
    ("offered", "chosen"), [((), None), (("graphql-ws",), None), (("x", "orders.v1"), "orders.v1")]
)
def test_of_the_subprotocols_that_are_offered_ours_is_chosen(offered: Any, chosen: Any) -> None:
    answer = World().answer(offering(*offered) if offered else CONNECT)
    assert answer["statusCode"] == 200
    assert answer.get("headers", {}).get("Sec-WebSocket-Protocol") == chosen


def test_a_ticket_may_come_beside_the_subprotocol() -> None:
    world = World(keys=True)
    ann = world.new_key("ann")
    ticket = f"ticket.{world.identity.issue_ticket(ann).text}"
    assert world.hear(offering(ticket)) == 400  # nothing could be chosen
    assert world.hear(offering("orders.v1", ticket, ticket)) == 400
    asked = {**offering("orders.v1", ticket), "queryStringParameters": {"ticket": "oet_1"}}
    assert world.hear(asked) == 400
    assert world.answer(offering("orders.v1", ticket))["headers"] == {
        "Sec-WebSocket-Protocol": "orders.v1"  # a ticket is never told back
    }
    assert world.subscriptions.caller_of(CONNECTION) == ann
    assert world.hear(offering("orders.v1", ticket)) == 401


def test_a_table_that_does_not_answer_is_said_to_be_unavailable() -> None:
    class Away(MemorySubscriptions):
        def connect(self, *args: Any, **kwargs: Any) -> None:
            raise StoreUnavailable("away")

    answer = World(subscriptions=Away()).answer(CONNECT)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "STORE_UNAVAILABLE")


def test_one_subscription_too_many_is_answered_with_an_error() -> None:
    world = World()
    world.connect()
    for n in range(50):
        assert world.frame(json.dumps({"action": "subscribe", "orderId": f"o{n}"})) is None
    answer = world.frame(json.dumps({"action": "subscribe", "orderId": "one-more"}))
    assert answer is not None
    assert answer["code"] == "TOO_MANY_SUBSCRIPTIONS"


def test_a_frame_of_a_connection_that_is_not_there_does_nothing() -> None:
    world = World()
    assert world.frame(json.dumps({"action": "subscribe", "orderId": ORDER})) is None
    assert world.subscriptions.rows == {}


SUBSCRIBE_FRAME = json.dumps({"action": "subscribe", "orderId": ORDER})


def test_who_connected_by_a_key_that_is_revoked_is_told_so_and_out() -> None:
    world = World(keys=True)
    ann = world.new_key("ann")
    assert world.connect_by(ann) == 200
    assert world.frame(SUBSCRIBE_FRAME) is None
    world.access.revoke_key(str(ann.key_id))
    world.clock.advance(10)
    answer = world.frame(SUBSCRIBE_FRAME)
    assert answer is not None
    assert (answer["type"], answer["code"]) == ("error", "KEY_REVOKED")
    assert world.push.closed == [CONNECTION]
    assert world.subscriptions.connections == {}


def test_a_ticket_of_a_key_that_was_revoked_meanwhile_is_worthless_at_once() -> None:
    world = World(keys=True)
    ann = world.new_key("ann")
    ticket = world.identity.issue_ticket(ann).text
    world.access.revoke_key(str(ann.key_id))
    event = {**CONNECT, "queryStringParameters": {"ticket": ticket, "orderId": ORDER}}
    assert world.hear(event) == 401
    assert world.subscriptions.connections == {}


@pytest.mark.parametrize(("slow", "stored"), [(2.9, 1), (3.0, 2)])
def test_a_connect_that_took_long_begins_anew_for_it_may_have_been_given_up(
    slow: float, stored: int
) -> None:
    clock = FakeClock()
    started = []

    class Slow(MemorySubscriptions):
        def watch(self, subscription: Subscription) -> Subscription:
            started.append(subscription.since)
            clock.advance(slow if len(started) == 1 else 0)
            return super().watch(subscription)

    world = World(subscriptions=Slow(), clock=clock)
    assert world.hear({**CONNECT, "queryStringParameters": {"orderId": ORDER}}) == 200
    assert started == [START, START + timedelta(seconds=slow)][:stored]


def test_connects_of_an_account_are_limited_whatever_key_they_are_made_by() -> None:
    world = World(keys=True, limit=3)
    ann = world.new_key("ann")
    other = replace(ann, key_id="another")
    world.access.add_key(ApiKey("another", "ann", "digest"))
    bob = Caller("bob", ann.key_id)
    assert [world.connect_by(c) for c in (ann, other, ann, other, ann)] == [200] * 3 + [429] * 2
    assert world.connect_by(bob) == 200
    ticket = world.identity.issue_ticket(ann).text
    refused = world.answer({**CONNECT, "queryStringParameters": {"ticket": ticket}})
    assert json.loads(refused["body"])["code"] == "CONNECT_RATE_EXCEEDED"
    assert refused["headers"]["Retry-After"] == "60"
    world.clock.advance(59)
    again = world.identity.issue_ticket(ann).text
    assert world.hear({**CONNECT, "queryStringParameters": {"ticket": again}}) == 429
    world.clock.advance(1)  # a ticket is not used up by that
    assert world.hear({**CONNECT, "queryStringParameters": {"ticket": again}}) == 200


def test_without_keys_connects_are_not_counted() -> None:
    world = World(limit=1)
    assert [world.hear(CONNECT) for _ in range(3)] == [200] * 3


def test_connecting_needs_a_key_or_a_ticket_where_keys_are_asked_for() -> None:
    world = World(keys=True)
    text, stored = new_key("ann", FakeChance())
    world.access.add_key(stored)
    caller = world.identity.caller_of_key(text)
    ticket = world.identity.issue_ticket(caller).text
    assert world.hear(CONNECT) == 401
    assert world.hear({**CONNECT, "queryStringParameters": {"ticket": "oet_guess"}}) == 401
    assert world.hear({**CONNECT, "queryStringParameters": {"apiKey": text}}) == 400
    assert world.subscriptions.connections == {}
    assert world.hear({**CONNECT, "headers": {"X-Api-Key": text}}) == 200
    assert world.hear({**CONNECT, "headers": {"Authorization": f"Bearer {text}"}}) == 200
    assert world.hear({**CONNECT, "queryStringParameters": {"ticket": ticket}}) == 200
    assert world.subscriptions.caller_of(CONNECTION) == caller
    assert world.hear({**CONNECT, "queryStringParameters": {"ticket": ticket}}) == 401
