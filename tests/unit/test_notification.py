"""Who hears what, and when."""

from dataclasses import dataclass, field
from datetime import timedelta

from engine.domain.errors import PushFailed
from engine.domain.order import Order, Status
from engine.ports import Watcher
from engine.service.notification import Change, Notification, OrderChanged, WatcherCame
from tests.fakes import START, FakeClock, FakePush, Inline, MemoryOrders, MemoryWatchers, an_order

O1 = an_order().order_id
LATER = START + timedelta(seconds=1)
ROUTING = an_order().to(Status.ROUTING, at=LATER)
FAR = START + timedelta(hours=2)


def _render(kind: str, order: Order) -> bytes:
    return f"{kind} {order.seq}".encode()


def _unknown(order_id: str) -> bytes:
    return b"unknown"


@dataclass
class World:
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    watchers: MemoryWatchers = field(default_factory=MemoryWatchers)
    push: FakePush = field(default_factory=FakePush)
    clock: FakeClock = field(default_factory=FakeClock)

    def watch(self, *connection_ids: str) -> None:
        for connection_id in connection_ids:
            self.watchers.watch(Watcher(O1, connection_id, START, FAR))

    def announce(self, *changes: Change) -> set[str]:
        return Notification(
            self.orders, self.watchers, self.push, Inline(), self.clock, _render, _unknown
        ).announce(changes)


def test_every_watcher_hears_every_change_in_order() -> None:
    world = World()
    world.watch("ann", "bob")
    assert world.announce(OrderChanged("1", an_order()), OrderChanged("2", ROUTING)) == set()
    assert world.push.heard == {name: [b"status 1", b"status 2"] for name in ("ann", "bob")}


def test_nobody_watching_is_nobody_told() -> None:
    world = World()
    assert world.announce(OrderChanged("1", an_order())) == set()
    assert world.push.heard == {}


def test_a_newcomer_gets_a_snapshot_of_now() -> None:
    world = World()
    world.orders.add(ROUTING)
    world.watch("ann")
    world.announce(WatcherCame("1", Watcher(O1, "ann")))
    assert world.push.heard == {"ann": [b"snapshot 2"]}


def test_a_newcomer_hears_of_the_same_batch_only_what_the_snapshot_has_not() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("ann", "bob")
    world.announce(
        OrderChanged("1", an_order()),
        WatcherCame("2", Watcher(O1, "ann")),
        OrderChanged("3", ROUTING),
    )
    assert world.push.heard["ann"] == [b"snapshot 1", b"status 2"]
    assert world.push.heard["bob"] == [b"status 1", b"status 2"]


def test_a_watcher_of_no_order_is_told_so() -> None:
    world = World()
    world.announce(WatcherCame("1", Watcher(O1, "ann")))
    assert world.push.heard == {"ann": [b"unknown"]}


def test_a_watcher_who_left_is_forgotten_and_that_one_only() -> None:
    world = World()
    world.watch("ann", "bob")
    world.push.gone.add("ann")
    assert world.announce(OrderChanged("1", an_order())) == set()
    assert world.watchers.of(O1) == [Watcher(O1, "bob")]
    assert world.push.heard == {"bob": [b"status 1"]}


def test_any_other_failure_is_reported_from_where_it_began() -> None:
    world = World()
    world.watch("ann", "bob")
    world.push.broken["ann"] = PushFailed("refused")
    missed = world.announce(OrderChanged("1", an_order()), OrderChanged("2", ROUTING))
    assert missed == {"1", "2"}
    assert len(world.watchers.of(O1)) == 2
    assert world.push.heard == {"bob": [b"status 1", b"status 2"]}


def test_a_newcomer_whose_connection_is_still_being_made_is_waited_for() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("ann")
    world.push.arriving["ann"] = 3
    assert world.announce(WatcherCame("1", Watcher(O1, "ann", START, FAR))) == set()
    assert world.push.heard == {"ann": [b"snapshot 1"]}
    assert len(world.watchers.of(O1)) == 1


def test_a_newcomer_who_never_arrives_is_forgotten() -> None:
    world = World()
    world.watch("ann")
    world.push.gone.add("ann")
    world.announce(WatcherCame("1", Watcher(O1, "ann", START, FAR)))
    assert world.watchers.of(O1) == []
    assert sum(world.clock.slept) <= 1.1


def test_a_watcher_whose_time_is_over_hears_nothing() -> None:
    world = World()
    world.watch("ann")
    world.clock.time = FAR
    world.announce(OrderChanged("1", an_order()))
    assert world.push.heard == {}
