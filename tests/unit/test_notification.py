"""Who hears what, and when."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from engine.domain.errors import PushFailed, StoreUnavailable
from engine.domain.order import Order, Status
from engine.ports import Caller, Watcher, account_topic, order_topic
from engine.service.notification import Change, Notification, OrderChanged, WatcherCame
from tests.fakes import (
    START,
    FakeClock,
    FakePush,
    Inline,
    MemoryOrders,
    MemoryWatchers,
    a_life,
    an_order,
)

TOPIC = order_topic(an_order().order_id)
LATER = START + timedelta(seconds=1)
LIFE = a_life(an_order(), at=LATER)
ROUTING = LIFE[1]
FAR = START + timedelta(hours=2)


def _watcher(connection_id: str, account: str = "anyone", after_seq: int = 0) -> Watcher:
    return Watcher(TOPIC, connection_id, account, after_seq, START, FAR)


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
    revoked: set[str] = field(default_factory=set)

    def watch(self, *connection_ids: str) -> None:
        for connection_id in connection_ids:
            self.watchers.connect(connection_id, Caller("anyone"), until=FAR)
            self.watchers.watch(_watcher(connection_id))

    @property
    def watching(self) -> list[Watcher]:
        return self.watchers.of({TOPIC: "anyone"})[TOPIC]

    def announce(self, *changes: Change) -> set[str]:
        return Notification(
            self.orders,
            self.watchers,
            self.push,
            Inline(),
            self.clock,
            _render,
            _unknown,
            lambda key_id: key_id not in self.revoked,
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
    world.announce(WatcherCame("1", _watcher("ann")))
    assert world.push.heard == {"ann": [b"snapshot 2"]}


def test_a_newcomer_hears_of_the_same_batch_only_what_the_snapshot_has_not() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("ann", "bob")
    world.announce(
        OrderChanged("1", an_order()),
        WatcherCame("2", _watcher("ann")),
        OrderChanged("3", ROUTING),
    )
    assert world.push.heard["ann"] == [b"snapshot 1", b"status 2"]
    assert world.push.heard["bob"] == [b"status 1", b"status 2"]


def test_a_watcher_of_no_order_is_told_so() -> None:
    world = World()
    world.announce(WatcherCame("1", _watcher("ann")))
    assert world.push.heard == {"ann": [b"unknown"]}


def test_a_watcher_who_left_is_forgotten_and_that_one_only() -> None:
    world = World()
    world.watch("ann", "bob")
    world.push.gone.add("ann")
    assert world.announce(OrderChanged("1", an_order())) == set()
    assert world.watching == [_watcher("bob")]
    assert world.push.heard == {"bob": [b"status 1"]}


@dataclass
class DeafWatchers(MemoryWatchers):
    """Reads who watches, and answers nothing else."""

    def caller_of(self, connection_id: str) -> Caller | None:
        raise StoreUnavailable("deaf")

    def forget_gone(self, gone: Iterable[str], subscriptions: Iterable[Watcher]) -> None:
        raise StoreUnavailable("deaf")


def test_who_can_not_be_forgotten_keeps_nobody_from_hearing() -> None:
    world = World(watchers=DeafWatchers())
    world.watch("ann", "bob", "carol")
    world.push.gone.add("ann")
    world.watchers.rows[_watcher("carol")] = replace(_watcher("carol"), until=START)
    assert world.announce(OrderChanged("1", an_order())) == set()
    assert world.push.heard == {"bob": [b"status 1"]}


def test_whether_a_newcomer_has_left_need_not_be_known() -> None:
    world = World(watchers=DeafWatchers())
    world.orders.add(an_order())
    world.watch("ann")
    world.push.arriving["ann"] = 3
    assert world.announce(WatcherCame("1", _watcher("ann"))) == set()
    assert world.push.heard == {"ann": [b"snapshot 1"]}


def test_who_is_gone_is_forgotten_in_all_that_was_looked_at() -> None:
    world = World()
    world.watch("ann")
    world.watchers.watch(Watcher(account_topic("anyone"), "ann"))
    world.push.gone.add("ann")
    world.announce(OrderChanged("1", an_order()))
    assert (world.watchers.rows, world.watchers.connections) == ({}, {})


def test_any_other_failure_is_reported_from_where_it_began() -> None:
    world = World()
    world.watch("ann", "bob")
    world.push.broken["ann"] = PushFailed("refused")
    missed = world.announce(OrderChanged("1", an_order()), OrderChanged("2", ROUTING))
    assert missed == {"1", "2"}
    assert len(world.watching) == 2
    assert world.push.heard == {"bob": [b"status 1", b"status 2"]}


def test_a_newcomer_whose_connection_is_still_being_made_is_waited_for() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("ann")
    world.push.arriving["ann"] = 3
    assert world.announce(WatcherCame("1", _watcher("ann"))) == set()
    assert world.push.heard == {"ann": [b"snapshot 1"]}
    assert len(world.watching) == 1


def test_who_is_only_just_connecting_is_not_pushed_to_in_vain() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("ann")
    world.announce(WatcherCame("1", _watcher("ann")))
    assert world.clock.slept == [0.025]
    world.announce(OrderChanged("2", ROUTING))
    assert world.clock.slept == [0.025]


def test_clocks_that_differ_keep_nobody_waiting_for_longer() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("ann")
    world.clock.time = START - timedelta(seconds=5)
    world.announce(WatcherCame("1", _watcher("ann")))
    assert world.clock.slept == [0.025]


def test_a_newcomer_who_has_left_already_is_not_waited_for() -> None:
    world = World()
    world.watch("ann")
    world.watchers.forget_connection("ann")
    world.push.gone.add("ann")
    world.announce(WatcherCame("1", _watcher("ann")))
    assert world.watching == []
    assert world.clock.slept == [0.025]


def test_of_a_crowd_who_is_over_is_forgotten_when_somebody_comes() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("ann", "bob", "carol")
    over = replace(_watcher("bob"), until=START)
    world.announce(WatcherCame("1", _watcher("ann"), (over, _watcher("carol"))))
    assert world.watching == [_watcher("ann"), _watcher("carol")]


def test_who_is_over_is_forgotten_when_seen() -> None:
    world = World()
    world.watch("ann", "bob")
    world.watchers.rows[_watcher("ann")] = replace(_watcher("ann"), until=START)
    world.announce(OrderChanged("1", an_order()))
    assert world.watching == [_watcher("bob")]
    assert list(world.push.heard) == ["bob"]


def test_who_connected_by_a_key_that_is_revoked_hears_nothing_and_is_forgotten() -> None:
    world = World()
    world.orders.add(an_order())
    world.watch("bob")
    world.watchers.connect("ann", Caller("anyone", "k1"), until=FAR)
    ann = world.watchers.watch(_watcher("ann"))
    world.announce(OrderChanged("1", an_order()))
    assert list(world.push.heard) == ["bob", "ann"]
    world.revoked.add("k1")
    world.announce(OrderChanged("2", ROUTING))
    assert [len(heard) for heard in world.push.heard.values()] == [2, 1]
    assert world.watching == [_watcher("bob")]
    world.announce(WatcherCame("3", ann))
    assert len(world.push.heard["ann"]) == 1


def test_a_newcomer_who_never_arrives_is_forgotten() -> None:
    world = World()
    world.watch("ann")
    world.push.gone.add("ann")
    world.announce(WatcherCame("1", _watcher("ann")))
    assert world.watching == []
    assert sum(world.clock.slept) <= 1.1


def test_a_watcher_whose_time_is_over_hears_nothing() -> None:
    world = World()
    world.watch("ann")
    world.clock.time = FAR
    world.announce(OrderChanged("1", an_order()))
    assert world.push.heard == {}


def _carried() -> Order:
    return LIFE[3]


def _back(world: World, after_seq: int) -> Watcher:
    """Return a watcher who comes back with `after_seq`."""
    world.watchers.connect("ann", Caller("anyone"), until=FAR)
    return world.watchers.watch(_watcher("ann", after_seq=after_seq))


def test_who_comes_back_hears_each_state_that_was_missed() -> None:
    world = World()
    world.orders.add(_carried())
    world.announce(WatcherCame("1", _back(world, 1)))
    assert world.push.heard == {"ann": [b"status 2", b"status 3", b"snapshot 4"]}


def test_who_comes_back_and_missed_nothing_hears_nothing() -> None:
    world = World()
    world.orders.add(ROUTING)
    world.announce(WatcherCame("1", _back(world, 2)))
    assert world.push.heard == {}


def test_no_change_overtakes_what_a_watcher_who_comes_back_has_missed() -> None:
    world = World()
    world.orders.add(_carried())
    came = _back(world, 1)
    world.announce(OrderChanged("1", _carried()))  # written before she came, seen after
    assert world.push.heard == {}
    world.announce(WatcherCame("2", came))
    assert world.push.heard == {"ann": [b"status 2", b"status 3", b"snapshot 4"]}
    world.announce(OrderChanged("3", LIFE[4]))
    assert world.push.heard["ann"][3:] == [b"status 5"]


def test_a_welcome_that_never_comes_is_not_waited_for_for_ever() -> None:
    world = World()
    _back(world, 1)
    world.clock.advance(10)
    world.announce(OrderChanged("1", _carried()))
    assert world.push.heard == {"ann": [b"status 4"]}


def test_who_left_before_the_welcome_hears_nothing() -> None:
    world = World()
    world.orders.add(_carried())
    came = _back(world, 1)
    world.watchers.forget(came)
    world.announce(WatcherCame("1", came))
    assert world.push.heard == {}


def test_nobody_hears_of_another_accounts_order() -> None:
    world = World()
    world.orders.add(an_order())
    for connection_id, account in (("eve", "eves"), ("ann", "anyone")):
        world.watchers.connect(connection_id, Caller(account), until=FAR)
        world.watchers.watch(_watcher(connection_id, account))
    world.announce(
        WatcherCame("1", _watcher("eve", "eves")),
        OrderChanged("2", ROUTING),
    )
    assert world.push.heard == {"eve": [b"unknown"], "ann": [b"status 2"]}


def test_who_watches_an_account_hears_of_all_its_orders_and_of_each_change_once() -> None:
    world = World()
    world.watch("ann")
    world.watchers.watch(Watcher(account_topic("anyone"), "ann"))
    world.announce(
        OrderChanged("1", an_order()),
        OrderChanged("2", an_order(order_id="o2")),
        OrderChanged("3", an_order(order_id="o3", account="somebody")),
    )
    assert world.push.heard == {"ann": [b"status 1", b"status 1"]}


def test_who_begins_to_watch_an_account_is_shown_its_open_orders() -> None:
    world = World()
    for n, status in enumerate((Status.ROUTING, Status.CONFIRMED, Status.PENDING)):
        at = START + timedelta(seconds=n)
        world.orders.add(an_order(order_id=f"o{n}", status=status, at=at))
    watcher = Watcher(account_topic("anyone"), "ann", "anyone")
    world.announce(WatcherCame("1", watcher))
    assert world.push.heard == {"ann": [b"snapshot 2", b"snapshot 1"]}
