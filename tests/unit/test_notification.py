"""Who is told what, and when: each state once, in order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import TypeVar

import pytest

from engine.domain.errors import EngineError, PushFailed, StoreUnavailable
from engine.domain.order import Order, Status, Waiting
from engine.domain.terms import OrderType, Terms
from engine.domain.tokens import SOL, USDC
from engine.ports.access import Caller
from engine.ports.subscriptions import ARRIVAL, Subscription, account_topic, order_topic
from engine.service.epochs import Epochs
from engine.service.notification import Change, Notification, OrderChanged, Subscribed
from tests.fakes import (
    START,
    FakeClock,
    FakePush,
    Inline,
    MemoryOrders,
    MemoryRosters,
    MemorySubscriptions,
    Result,
    a_life,
    an_order,
)

T = TypeVar("T")
TOPIC, MINE = order_topic(an_order().order_id), account_topic("anyone")
LATER = START + timedelta(seconds=1)
LIFE = a_life(an_order(), at=LATER)
PENDING, ROUTING, BUILDING, SUBMITTED, CONFIRMED = LIFE
FAR = START + timedelta(hours=2)


def _subscription(connection_id: str, account: str = "anyone") -> Subscription:
    return Subscription(TOPIC, connection_id, account, 0, START, FAR)


def _render(kind: str, order: Order) -> bytes:
    return f"{kind} {order.seq}".encode()


def _error(error: EngineError, order_id: str) -> bytes:
    return error.code.encode()


def _changed(*states: Order) -> list[OrderChanged]:
    """Return records of an order's states, named by their `seq`."""
    return [OrderChanged(str(state.seq), state) for state in states]


@dataclass
class World:
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    subscriptions: MemorySubscriptions = field(default_factory=MemorySubscriptions)
    push: FakePush = field(default_factory=FakePush)
    clock: FakeClock = field(default_factory=FakeClock)
    revoked: set[str] = field(default_factory=set)

    rosters: MemoryRosters = field(default_factory=MemoryRosters)

    def __post_init__(self) -> None:
        self.process = self.new_process()

    def new_process(self) -> Notification:
        return Notification(
            self.orders,
            self.subscriptions,
            self.push,
            Inline(),
            self.clock,
            _render,
            _error,
            lambda key_id: key_id not in self.revoked,
            Epochs(self.rosters),
        )

    def subscribe(
        self, connection_id: str, topic: str = TOPIC, account: str = "anyone", after_seq: int = 0
    ) -> Subscribed:
        """Store a subscription; return what the stream will tell of it."""
        if connection_id not in self.subscriptions.connections:
            self.subscriptions.connect(connection_id, Caller(account), until=FAR)
        asked = Subscription(topic, connection_id, account, after_seq, self.clock.now())
        return Subscribed(f"of {connection_id}", self.subscriptions.watch(asked))

    def caught_up(self, *connection_ids: str, topic: str = TOPIC) -> None:
        """Let clients subscribe who have been told all that was."""
        for connection_id in connection_ids:
            subscribed = self.subscribe(connection_id, topic).subscription
            self.subscriptions.change(subscribed, replace(subscribed, caught_up=True))

    def stand(self, order: Order) -> None:
        self.orders.rows[order.order_id] = order

    @property
    def watching(self) -> list[Subscription]:
        return self.subscriptions.of([(TOPIC, "anyone")])[TOPIC, "anyone"]

    def left_over(self) -> list[Subscribed]:
        """Return what the stream tells of the subscriptions that are not caught up."""
        new = (w for w in self.subscriptions.rows.values() if not w.caught_up)
        return [Subscribed(f"of {w.connection_id}", w) for w in new]

    def publish(self, *changes: Change) -> set[str]:
        return self.process.publish(changes)


def test_every_watcher_is_told_every_change_in_order() -> None:
    world = World()
    world.caught_up("ann", "bob")
    assert world.publish(*_changed(PENDING, ROUTING)) == set()
    assert world.push.heard == {name: [b"status 1", b"status 2"] for name in ("ann", "bob")}


def test_nobody_watching_is_nobody_told() -> None:
    world = World()
    assert world.publish(*_changed(PENDING)) == set()
    assert world.push.heard == {}


@pytest.mark.parametrize("standing", LIFE, ids=lambda order: order.status.value)
@pytest.mark.parametrize("after_seq", range(5))
def test_whoever_subscribes_is_told_each_state_that_was_the_newest_as_a_snapshot(
    standing: Order, after_seq: int
) -> None:
    world = World()
    world.stand(standing)
    world.publish(world.subscribe("ann", after_seq=after_seq))
    lacking = range(after_seq + 1, standing.seq + 1)
    told = world.push.heard.get("ann", [])
    if standing.seq < after_seq:
        assert told == [b"SEQ_NOT_REACHED"]
    else:
        assert told == [
            f"{'snapshot' if seq == standing.seq else 'status'} {seq}".encode() for seq in lacking
        ]


@pytest.mark.parametrize("came", range(6))
@pytest.mark.parametrize("seen", range(6))
@pytest.mark.parametrize("ahead", range(5))
def test_whenever_one_comes_each_state_is_told_once_and_in_order(
    came: int, seen: int, ahead: int
) -> None:
    """The record of the subscription lies behind `came` of the order's states in the stream.

    It is seen when the state after `seen` is read already; the table is `ahead` of the stream.
    """
    world = World()
    subscribed: list[Change] = []
    for n in range(6):
        world.stand(LIFE[min(n + ahead, 4)])
        if n == min(seen, came):
            subscribed.append(world.subscribe("ann"))
        if n == came:
            world.publish(*subscribed)
        world.publish(*_changed(*LIFE[n : n + 1]))
    told = [text.decode().split() for text in world.push.heard["ann"]]
    assert [seq for _, seq in told] == ["1", "2", "3", "4", "5"]
    assert [kind for kind, _ in told].count("snapshot") == 1


def test_what_comes_in_one_batch_with_a_subscription_is_told_after_what_was() -> None:
    world = World()
    world.stand(ROUTING)
    world.caught_up("bob")
    subscribed = world.subscribe("ann")
    world.publish(*_changed(PENDING, ROUTING), subscribed, *_changed(BUILDING))
    assert world.push.heard["ann"] == [b"status 1", b"snapshot 2", b"status 3"]
    assert world.push.heard["bob"] == [b"status 1", b"status 2", b"status 3"]


def test_a_watcher_of_no_order_is_told_so_and_then_of_one_that_comes() -> None:
    world = World()
    world.publish(world.subscribe("ann"))
    world.publish(*_changed(PENDING))
    assert world.push.heard == {"ann": [b"ORDER_NOT_FOUND", b"status 1"]}


def test_who_claims_more_than_was_is_told_so_and_then_what_goes_above_it() -> None:
    world = World()
    world.stand(ROUTING)
    world.publish(world.subscribe("ann", after_seq=4))
    world.publish(*_changed(BUILDING, SUBMITTED, CONFIRMED))
    assert world.push.heard == {"ann": [b"SEQ_NOT_REACHED", b"status 5"]}


def test_who_subscribes_again_is_told_again_as_asked() -> None:
    world = World()
    world.stand(BUILDING)
    world.publish(world.subscribe("ann"))
    world.clock.advance(1)
    world.publish(world.subscribe("ann", after_seq=1))
    assert world.push.heard["ann"][3:] == [b"status 2", b"snapshot 3"]


def test_the_record_of_a_subscription_that_another_has_replaced_says_nothing() -> None:
    world = World()
    world.stand(BUILDING)
    former = world.subscribe("ann")
    world.clock.advance(1)
    latter = world.subscribe("ann", after_seq=2)
    world.publish(former, latter)
    assert world.push.heard == {"ann": [b"snapshot 3"]}


def test_who_left_before_its_record_came_up_is_told_nothing() -> None:
    world = World()
    world.stand(SUBMITTED)
    subscribed = world.subscribe("ann")
    world.subscriptions.forget(subscribed.subscription)
    world.publish(subscribed)
    assert world.push.heard == {}


def test_a_push_that_failed_is_taken_up_where_it_was_and_nobody_hears_twice() -> None:
    world = World()
    world.stand(BUILDING)
    world.caught_up("bob")
    subscribed = world.subscribe("ann")
    world.push.failing["ann"] = [None, PushFailed("refused")]
    batch: list[Change] = [subscribed, *_changed(SUBMITTED, CONFIRMED)]
    assert world.publish(*batch) == {"of ann", "4", "5"}
    assert world.push.heard == {"ann": [b"status 1"], "bob": [b"status 4", b"status 5"]}
    assert world.publish(*batch) == set()
    assert world.push.heard == {
        "ann": [b"status 1", b"status 2", b"snapshot 3", b"status 4", b"status 5"],
        "bob": [b"status 4", b"status 5"],
    }


def test_a_process_that_died_after_the_push_repeats_and_leaves_nothing_out() -> None:
    @dataclass
    class Dying(MemorySubscriptions):
        """Is not there any more when the place is to be kept."""

        alive: bool = False

        def change(self, standing: Subscription, changed: Subscription) -> None:
            if not self.alive:
                raise StoreUnavailable("dead")
            super().change(standing, changed)

    subscriptions = Dying()
    world = World(subscriptions=subscriptions)
    world.stand(ROUTING)
    subscribed = world.subscribe("ann")
    assert world.publish(subscribed) == {"of ann"}
    subscriptions.alive = True
    assert world.publish(subscribed) == set()
    world.publish(*_changed(BUILDING))
    assert world.push.heard["ann"] == [
        *(b"status 1", b"snapshot 2", b"status 1", b"snapshot 2"),
        b"status 3",
    ]


def test_a_watcher_who_left_is_forgotten_and_that_one_only() -> None:
    world = World()
    world.caught_up("ann", "bob")
    world.push.gone.add("ann")
    assert world.publish(*_changed(PENDING)) == set()
    assert world.watching == [_subscription("bob")]
    assert world.push.heard == {"bob": [b"status 1"]}


@dataclass
class DeafWatchers(MemorySubscriptions):
    """Forgets nobody."""

    def forget_gone(self, gone: Iterable[str], subscriptions: Iterable[Subscription]) -> None:
        raise StoreUnavailable("deaf")


def test_who_can_not_be_forgotten_keeps_nobody_from_hearing() -> None:
    world = World(subscriptions=DeafWatchers())
    world.caught_up("ann", "bob", "carol")
    world.push.gone.add("ann")
    carol = _subscription("carol")
    world.subscriptions.rows[carol] = replace(carol, until=START)
    assert world.publish(*_changed(PENDING)) == set()
    assert world.push.heard == {"bob": [b"status 1"]}


def test_who_is_gone_is_forgotten_in_all_that_was_looked_at() -> None:
    world = World()
    world.caught_up("ann")
    world.caught_up("ann", topic=MINE)
    world.push.gone.add("ann")
    world.publish(*_changed(PENDING))
    assert (world.subscriptions.rows, world.subscriptions.connections) == ({}, {})


def test_any_other_failure_is_reported_from_where_it_began() -> None:
    world = World()
    world.caught_up("ann", "bob")
    world.push.broken["ann"] = PushFailed("refused")
    assert world.publish(*_changed(PENDING, ROUTING)) == {"1", "2"}
    assert len(world.watching) == 2
    assert world.push.heard == {"bob": [b"status 1", b"status 2"]}


def test_who_is_still_connecting_is_told_in_a_later_run_and_keeps_nobody_waiting() -> None:
    world = World()
    world.stand(ROUTING)
    world.caught_up("bob")
    world.clock.advance(1)
    world.push.arriving["ann"] = 3
    subscribed = world.subscribe("ann")
    runs = 0
    batch: list[Change] = [subscribed, *_changed(BUILDING)]
    while batch:
        began = world.clock.now()
        assert world.publish(*batch) == set()
        assert world.clock.now() - began <= timedelta(milliseconds=50)
        world.stand(BUILDING)
        batch = [*world.left_over()]
        runs += 1
    assert runs == 4
    assert world.push.heard == {
        "bob": [b"status 3"],
        "ann": [b"status 1", b"status 2", b"snapshot 3"],
    }


@dataclass
class SideBySide:
    """Runs calls side by side: what they sleep together is slept once."""

    clock: FakeClock
    latest: datetime = START

    def submit(self, call: Callable[[], T], /) -> Result[T]:
        began = self.clock.time
        result = Inline().submit(call)
        self.latest = max(self.latest, self.clock.time)
        self.clock.time = began
        return result


def test_many_who_are_still_connecting_cost_a_batch_no_more_than_one() -> None:
    world = World()
    background = SideBySide(world.clock)
    world.process.background = background
    world.stand(ROUTING)
    began = world.clock.now()
    crowd = [world.subscribe(f"c{n}") for n in range(50)]
    world.push.arriving |= {f"c{n}": 1 for n in range(50)}
    assert world.publish(*crowd) == set()
    assert background.latest - began <= timedelta(milliseconds=50)


def test_who_is_only_just_connecting_is_not_pushed_to_in_vain() -> None:
    world = World()
    world.stand(PENDING)
    world.publish(world.subscribe("ann"))
    assert world.clock.slept == [0.025]
    world.publish(*_changed(ROUTING))
    assert world.clock.slept == [0.025]


def test_clocks_that_differ_keep_nobody_waiting_for_longer() -> None:
    world = World()
    world.stand(PENDING)
    subscribed = world.subscribe("ann")
    world.clock.time = START - timedelta(seconds=5)
    world.publish(subscribed)
    assert world.clock.slept == [0.025]


def test_who_has_left_already_is_not_waited_for() -> None:
    world = World()
    subscribed = world.subscribe("ann")
    del world.subscriptions.connections["ann"]
    world.push.gone.add("ann")
    world.publish(subscribed)
    assert world.watching == []
    assert world.clock.slept == [0.025]


def test_who_never_arrives_is_forgotten() -> None:
    world = World()
    world.push.gone.add("ann")
    batch = [world.subscribe("ann")]
    while batch:
        world.publish(*batch)
        batch = world.left_over()
    assert world.watching == []
    assert world.clock.now() - START < ARRIVAL + timedelta(milliseconds=100)


def test_what_happens_meanwhile_is_not_lost_on_who_is_still_connecting() -> None:
    world = World()
    world.push.arriving["ann"] = 2
    world.stand(PENDING)
    world.publish(world.subscribe("ann"))
    world.publish(*_changed(ROUTING))
    world.stand(BUILDING)
    world.publish(*world.left_over(), *_changed(BUILDING))
    assert world.push.heard == {"ann": [b"status 1", b"status 2", b"snapshot 3"]}


def test_who_is_over_is_forgotten_when_seen() -> None:
    world = World()
    world.caught_up("ann", "bob")
    world.subscriptions.rows[_subscription("ann")] = replace(_subscription("ann"), until=START)
    world.publish(*_changed(PENDING))
    assert world.watching == [_subscription("bob")]
    assert list(world.push.heard) == ["bob"]


def test_of_those_beside_who_is_over_is_forgotten_when_somebody_comes() -> None:
    world = World()
    world.stand(PENDING)
    world.caught_up("bob", "carol")
    world.subscriptions.rows[_subscription("bob")] = replace(_subscription("bob"), until=START)
    world.publish(world.subscribe("ann"))
    assert set(world.watching) == {_subscription("ann"), _subscription("carol")}


def test_who_connected_by_a_key_that_is_revoked_is_told_nothing_and_forgotten() -> None:
    world = World()
    world.stand(PENDING)
    world.caught_up("bob")
    world.subscriptions.connect("ann", Caller("anyone", "k1"), until=FAR)
    subscribed = world.subscribe("ann")
    world.publish(subscribed)
    assert world.push.heard == {"ann": [b"snapshot 1"]}
    world.revoked.add("k1")
    world.publish(*_changed(ROUTING))
    assert world.watching == [_subscription("bob")]
    world.publish(subscribed)
    assert world.push.heard == {"ann": [b"snapshot 1"], "bob": [b"status 2"]}


def test_a_watcher_whose_time_is_over_is_told_nothing() -> None:
    world = World()
    world.caught_up("ann")
    world.clock.time = FAR
    world.publish(*_changed(PENDING))
    assert world.push.heard == {}


def test_nobody_is_told_of_another_accounts_order() -> None:
    world = World()
    world.stand(PENDING)
    eve = world.subscribe("eve", account="eves")
    world.caught_up("ann")
    world.publish(eve, *_changed(ROUTING))
    assert world.push.heard == {"eve": [b"ORDER_NOT_FOUND"], "ann": [b"status 2"]}


def test_who_watches_an_account_is_told_of_all_its_orders_and_of_each_change_once() -> None:
    world = World()
    world.caught_up("ann")
    world.caught_up("ann", topic=MINE)
    world.publish(
        OrderChanged("1", PENDING),
        OrderChanged("2", an_order(order_id="o2")),
        OrderChanged("3", an_order(order_id="o3", account="somebody")),
    )
    assert world.push.heard == {"ann": [b"status 1", b"status 1"]}


def test_who_begins_to_watch_an_account_is_shown_its_open_orders_and_then_told() -> None:
    world = World()
    for n, status in enumerate((Status.ROUTING, Status.CONFIRMED, Status.PENDING)):
        world.stand(an_order(order_id=f"o{n}", status=status, at=START + timedelta(seconds=n)))
    world.clock.advance(5)
    world.publish(world.subscribe("ann", MINE))
    assert world.push.heard == {"ann": [b"snapshot 2", b"snapshot 1"]}
    world.publish(*_changed(PENDING, ROUTING))
    assert world.push.heard["ann"][2:] == [b"status 1", b"status 2"]


@pytest.mark.parametrize("seen_before", range(6))
@pytest.mark.parametrize("read", range(1, 6))
def test_no_status_of_an_order_comes_before_its_snapshot_and_none_goes_back(
    seen_before: int, read: int
) -> None:
    """Some changes are read while the subscription stands already, before its record comes up."""
    world = World()
    subscribed = world.subscribe("ann", MINE)
    for state in LIFE[:seen_before]:
        world.publish(*_changed(state))
    world.stand(LIFE[max(read, seen_before) - 1])
    world.publish(subscribed)
    for state in LIFE[seen_before:]:
        world.publish(*_changed(state))
    told = [text.decode().split() for text in world.push.heard["ann"]]
    assert told[0][0] == "snapshot"
    assert told[-1][1] == "5"
    assert all(int(one[1]) <= int(other[1]) for one, other in pairwise(told))


def test_an_order_that_ends_while_its_watcher_connects_is_shown_as_it_ended() -> None:
    world = World()
    world.push.arriving["ann"] = 1
    subscribed = world.subscribe("ann", MINE)
    world.publish(*_changed(CONFIRMED))
    world.stand(CONFIRMED)
    world.publish(subscribed)
    assert world.push.heard == {"ann": [b"snapshot 5"]}


def test_in_another_process_a_change_that_a_snapshot_has_overtaken_is_told_again() -> None:
    world = World()
    world.stand(SUBMITTED)
    world.publish(world.subscribe("ann", MINE))
    world.process = world.new_process()
    world.publish(*_changed(BUILDING, SUBMITTED, CONFIRMED))
    assert world.push.heard["ann"][0] == b"snapshot 4"
    assert world.push.heard["ann"][-1] == b"status 5"


@pytest.mark.parametrize("topic", [TOPIC, MINE])
def test_what_a_cancel_all_has_ended_is_shown_as_ended(topic: str) -> None:
    world = World()
    world.clock.advance(1)
    asked = Terms(SOL, USDC, 10**9, 50, OrderType.LIMIT, limit_price=Decimal(200))
    trigger = asked.trigger(None)
    assert trigger
    place = partial(Order.place, PENDING.order_id, "anyone", asked, at=START, deadline=FAR)
    world.stand(place(waiting=Waiting(trigger, START)))
    subscribed = world.subscribe("ann", topic)
    world.clock.advance(1)
    world.rosters.cancel_all("anyone", None, at=world.clock.now())
    world.publish(subscribed)
    assert world.push.heard["ann"][-1] == b"snapshot 2"


def test_an_order_that_comes_and_ends_with_the_subscription_has_its_snapshot_first() -> None:
    world = World()
    world.stand(an_order().cancel(at=START))
    subscribed = world.subscribe("ann", MINE)
    world.publish(*_changed(PENDING), subscribed, *_changed(an_order().cancel(at=START)))
    assert world.push.heard == {"ann": [b"snapshot 2"]}
