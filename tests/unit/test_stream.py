"""What the table's stream says, and what is to be delivered again."""

import copy
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.adapters.aws.orders import item_order, order_item
from engine.api.frames import refusal_message, revoked_message
from engine.api.stream import Stream
from engine.api.views import message
from engine.domain.errors import PushFailed
from engine.domain.order import Status, Step
from engine.ports.access import Caller
from engine.ports.subscriptions import Subscription, order_topic
from engine.service.epochs import Epochs
from engine.service.identity import Identity
from engine.service.notification import Notification
from engine.service.revocation import Revocation
from tests.fakes import (
    START,
    FakeChance,
    FakeClock,
    FakePush,
    Inline,
    MemoryAccess,
    MemoryOrders,
    MemoryRosters,
    MemorySubscriptions,
    an_order,
)

EVENT = json.loads((Path(__file__).parents[2] / "events/stream_changes.json").read_text())
CONNECTION = "VQZxmfXUoAMCJlw="
ORDER = an_order().order_id


@dataclass
class World:
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    subscriptions: MemorySubscriptions = field(default_factory=MemorySubscriptions)
    push: FakePush = field(default_factory=FakePush)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.identity = Identity(self.access, self.clock, FakeChance(), required=True)
        self.orders.add(an_order())
        self.subscriptions.connect(CONNECTION, Caller("anyone"), until=START + timedelta(hours=2))
        self.subscriptions.watch(Subscription(order_topic(ORDER), CONNECTION, since=START))

    def publish(self, event: dict[str, Any]) -> list[str]:
        notification = Notification(
            self.orders,
            self.subscriptions,
            self.push,
            Inline(),
            self.clock,
            message,
            refusal_message,
            self.identity.is_good,
            Epochs(MemoryRosters()),
        )
        revocation = Revocation(
            self.identity, self.subscriptions, self.push, Inline(), self.clock, revoked_message()
        )
        answer = Stream(notification, revocation).publish_batch(event)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.push.heard.get(CONNECTION, [])]


def test_the_event_holds_orders_as_the_table_writes_them() -> None:
    new = EVENT["Records"][0]["dynamodb"]["NewImage"]
    assert order_item(item_order(new)) == new
    assert item_order(new) == an_order()


def test_who_subscribes_gets_the_snapshot_and_then_what_follows() -> None:
    world = World()
    assert world.publish(EVENT) == []
    assert [(m["type"], m["seq"], m["status"]) for m in world.heard] == [
        ("snapshot", 1, "pending"),
        ("status", 2, "routing"),
    ]
    first = world.heard[0]
    assert first["orderId"] == ORDER
    assert first["order"]["orderId"] == ORDER
    assert first["at"] == "2026-11-22T08:24:00.000Z"


def test_the_first_record_that_did_not_reach_everybody_is_delivered_again() -> None:
    world = World()
    world.push.broken[CONNECTION] = PushFailed("refused")
    assert world.publish(EVENT) == [EVENT["Records"][1]["dynamodb"]["SequenceNumber"]]


def test_a_row_that_changed_but_for_the_order_is_nobodys_news() -> None:
    world = World()
    event = copy.deepcopy(EVENT)
    event["Records"] = event["Records"][2:]
    image = event["Records"][0]["dynamodb"]
    image["OldImage"] = copy.deepcopy(image["NewImage"])
    image["NewImage"]["doc"] = {"S": "nobody can read this"}
    assert world.publish(event) == []
    assert world.heard == []


def test_rows_that_are_nobodys_news_are_passed_over() -> None:
    world = World()
    event = copy.deepcopy(EVENT)
    removed, connection, landed = event["Records"]
    removed["eventName"] = "REMOVE"
    connection["dynamodb"]["NewImage"] = {"pk": {"S": "CONN#c"}, "sk": {"S": "CONN"}}
    landed["dynamodb"]["NewImage"] = {"pk": {"S": "TX#sig"}, "sk": {"S": "TX"}}
    assert world.publish(event) == []
    assert world.heard == []


def test_that_a_watcher_is_caught_up_is_not_news() -> None:
    world = World()
    event = copy.deepcopy(EVENT)
    image = _came(event)["NewImage"]
    image[f"c:{CONNECTION}"] = {"S": "[1,1795335840000,1795343040000,1]"}
    assert world.publish(event) == []
    assert world.heard == []


def test_of_a_topics_watchers_only_who_came_or_began_anew_is_told_what_was() -> None:
    world = World()
    event = copy.deepcopy(EVENT)
    record = _came(event)
    record["OldImage"] = copy.deepcopy(record["NewImage"])
    assert world.publish(event) == []
    assert world.heard == []
    record["OldImage"][f"c:{CONNECTION}"] = {"S": "[0,1795335839000,1795343040000,0]"}
    assert world.publish(event) == []
    assert [(m["type"], m["seq"]) for m in world.heard] == [("snapshot", 1)]


def test_who_was_still_connecting_is_brought_by_the_stream_once_more() -> None:
    world = World()
    event = copy.deepcopy(EVENT)
    record = _came(event)
    record["OldImage"] = copy.deepcopy(record["NewImage"])
    record["NewImage"][f"c:{CONNECTION}"] = {"S": "[0,1795335840000,1795343040000,-2]"}
    assert world.publish(event) == []
    assert [(m["type"], m["seq"]) for m in world.heard] == [("snapshot", 1)]


def test_each_step_that_one_write_took_is_told() -> None:
    world = World()
    world.publish(EVENT)
    event = copy.deepcopy(EVENT)
    event["Records"] = event["Records"][2:]
    image = event["Records"][0]["dynamodb"]
    routing = item_order(image["NewImage"])
    image["OldImage"] = image["NewImage"]
    steps = (Step(Status.BUILDING, START), Step(Status.SUBMITTED, START))
    image["NewImage"] = order_item(replace(routing, history=(*routing.history, *steps)))
    assert world.publish(event) == []
    assert [(m["type"], m["seq"], m["status"]) for m in world.heard[2:]] == [
        ("status", 3, "building"),
        ("status", 4, "submitted"),
    ]


def _revocation(key_id: str = "k1") -> dict[str, Any]:
    old = {"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}, "account": {"S": "ann"}}
    new = {**old, "revoked": {"N": "1"}}
    change = {"SequenceNumber": "7", "OldImage": old, "NewImage": new}
    return {"Records": [{"eventName": "MODIFY", "dynamodb": change}]}


def test_what_was_connected_by_a_revoked_key_is_told_so_and_closed_and_nothing_else() -> None:
    world = World()
    ann, other = Caller("ann", "k1"), Caller("ann", "k2")
    for n, caller in enumerate((ann, other, ann)):
        world.subscriptions.count_connect(f"c{n}", caller, at=START, limit=0)
        world.subscriptions.connect(f"c{n}", caller, until=START + timedelta(hours=2))
    world.push.gone.add("c2")
    assert world.publish(_revocation()) == []
    assert world.push.closed == ["c0"]
    (farewell,) = world.push.heard["c0"]
    assert json.loads(farewell)["code"] == "KEY_REVOKED"
    assert world.subscriptions.connections.keys() == {CONNECTION, "c1"}
    assert world.clock.slept == [1.0]  # until the youngest could be closed
    world.clock.advance(7200)
    assert world.publish(_revocation()) == []
    assert world.push.closed == ["c0"]


def test_a_revocation_that_could_not_close_a_connection_is_delivered_again() -> None:
    world = World()
    for name in ("c0", "c1"):
        world.subscriptions.count_connect(name, Caller("ann", "k1"), at=START, limit=0)
        world.subscriptions.connect(name, Caller("ann", "k1"), until=START + timedelta(hours=2))
    world.push.broken["c0"] = PushFailed("refused")
    assert world.publish(_revocation()) == ["7"]
    assert world.push.closed == ["c1"]
    world.push.broken.clear()
    assert world.publish(_revocation()) == []
    assert world.push.closed == ["c1", "c0"]


def test_a_key_that_is_made_or_was_revoked_before_is_nobodys_news() -> None:
    world = World()
    made, again = _revocation(), _revocation()
    del made["Records"][0]["dynamodb"]["NewImage"]["revoked"]
    image = again["Records"][0]["dynamodb"]
    image["OldImage"] = image["NewImage"]
    assert world.publish(made) == world.publish(again) == []
    assert world.clock.slept == []


def _came(event: dict[str, Any]) -> dict[str, Any]:
    """Keep of an event only who came to watch."""
    event["Records"] = [event["Records"][1]]
    image: dict[str, Any] = event["Records"][0]["dynamodb"]
    return image
