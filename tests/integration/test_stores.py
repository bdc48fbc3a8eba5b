"""One suite for the table's adapters and for the fakes, so that a fake can't lie."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bench.counting import Counter
from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoLedger, DynamoOrders, place_in_time
from engine.adapters.aws.subscriptions import MAX_SUBSCRIPTIONS, DynamoSubscriptions
from engine.adapters.aws.table import Table
from engine.adapters.aws.table import key as row_key
from engine.adapters.simulated.chain import Ledger
from engine.domain.errors import (
    Conflict,
    ConnectionGone,
    StoreUnavailable,
    TooManySubscriptions,
)
from engine.domain.order import Failure, Status
from engine.ports.access import ApiKey, Caller, Trading, TradingState
from engine.ports.orders import OrderRepository
from engine.ports.subscriptions import Subscription, Subscriptions, account_topic, order_topic
from tests.fakes import (
    START,
    MemoryAccess,
    MemoryLedger,
    MemoryOrders,
    MemorySubscriptions,
    an_order,
)

TABLE = "orders"
LATER = START + timedelta(seconds=1)
both = pytest.mark.parametrize("kind", ["memory", "dynamodb"])


@pytest.fixture
def orders(kind: str, request: pytest.FixtureRequest) -> OrderRepository:
    if kind == "memory":
        return MemoryOrders()
    return DynamoOrders(Table(request.getfixturevalue("dynamodb"), TABLE))


@pytest.fixture
def subscriptions(kind: str, request: pytest.FixtureRequest) -> Subscriptions:
    if kind == "memory":
        return MemorySubscriptions()
    return DynamoSubscriptions(Table(request.getfixturevalue("dynamodb"), TABLE))


@pytest.fixture
def access(kind: str, request: pytest.FixtureRequest) -> Any:
    if kind == "memory":
        return MemoryAccess()
    return DynamoAccess(Table(request.getfixturevalue("dynamodb"), TABLE))


@pytest.fixture
def ledger(kind: str, request: pytest.FixtureRequest) -> Ledger:
    if kind == "memory":
        return MemoryLedger()
    return DynamoLedger(Table(request.getfixturevalue("dynamodb"), TABLE))


@both
def test_an_order_is_stored_and_read(orders: OrderRepository) -> None:
    orders.add(an_order())
    assert orders.get(an_order().order_id) == an_order()


@both
def test_what_was_never_stored_is_not_there(orders: OrderRepository) -> None:
    assert orders.get("nothing") is None


@both
def test_a_second_order_under_an_id_loses_and_sees_the_first(orders: OrderRepository) -> None:
    orders.add(an_order())
    with pytest.raises(Conflict) as conflict:
        orders.add(an_order(account="bob"))
    assert conflict.value.current == an_order()


@both
def test_a_write_that_was_made_but_not_answered_may_be_sent_again(orders: OrderRepository) -> None:
    orders.add(an_order())
    orders.add(an_order())
    routed = an_order(status=Status.ROUTING)
    orders.save(routed, expected_seq=1)
    orders.save(routed, expected_seq=1)
    assert orders.get(routed.order_id) == routed


@both
def test_of_two_claims_at_one_moment_one_loses(orders: OrderRepository) -> None:
    orders.add(an_order())
    first, second = (an_order().claim(at=LATER, until=LATER, by=by) for by in "ab")
    orders.save(first, expected_seq=1)
    with pytest.raises(Conflict) as conflict:
        orders.save(second, expected_seq=1)
    assert conflict.value.current == first


@both
def test_a_change_of_an_order_that_is_not_there_is_a_conflict(orders: OrderRepository) -> None:
    with pytest.raises(Conflict) as conflict:
        orders.save(an_order(), expected_seq=1)
    assert conflict.value.current is None


@both
def test_open_orders_are_found_by_age_until_nothing_is_left_to_do(orders: OrderRepository) -> None:
    for n in range(9):
        at = START + timedelta(seconds=n)
        orders.add(an_order(order_id=f"o{n}", at=at))
    done = an_order(order_id="o1", at=START + timedelta(seconds=1))
    orders.save(done.cancel(at=LATER), expected_seq=1)
    owing = an_order(order_id="o2", at=START + timedelta(seconds=2))
    failed = owing.fail(Failure("EXPIRED", "x"), at=LATER, dead_letter=True)
    orders.save(failed, expected_seq=1)
    found = [o.order_id for o in orders.open_before(START + timedelta(seconds=6), limit=4)]
    assert found == ["o0", "o2", "o3", "o4"]
    orders.save(replace(failed, dead_letter_due=False), expected_seq=2)
    found = [o.order_id for o in orders.open_before(START + timedelta(seconds=6), limit=4)]
    assert found == ["o0", "o3", "o4", "o5"]


def test_open_orders_that_cant_be_read_keep_no_others_from_being_found(dynamodb: Any) -> None:
    orders = DynamoOrders(Table(dynamodb, TABLE))
    for n in range(9):
        orders.add(an_order(order_id=f"o{n}", at=START + timedelta(seconds=n)))
    for n in range(7):
        dynamodb.update_item(
            TableName=TABLE,
            Key=row_key(f"ORDER#o{n}", "ORDER"),
            UpdateExpression="SET v = :v",
            ExpressionAttributeValues={":v": {"N": "99"}},
        )
    found = orders.open_before(START + timedelta(minutes=1), limit=2)
    assert [order.order_id for order in found] == ["o7", "o8"]


@both
def test_an_accounts_orders_are_read_newest_first_from_where_one_left_off(
    orders: OrderRepository,
) -> None:
    for n in range(7):
        at = START + timedelta(seconds=n // 2)
        orders.add(an_order(order_id=f"o{n}", account="ann", at=at))
    orders.add(an_order(order_id="bobs", account="bob"))
    first = orders.of_account("ann", before=None, limit=3)
    assert [order and order.order_id for _, order in first] == ["o6", "o5", "o4"]
    rest = orders.of_account("ann", before=first[-1][0], limit=100)
    assert [order and order.order_id for _, order in rest] == ["o3", "o2", "o1", "o0"]
    assert [place for place, _ in rest] == [place_in_time(order) for _, order in rest if order]
    assert orders.of_account("nobody", before=None, limit=1) == []


def _of(subscriptions: Subscriptions, topic: str, account: str) -> list[Subscription]:
    return subscriptions.of([(topic, account)])[topic, account]


@both
def test_watchers_come_and_go(subscriptions: Subscriptions) -> None:
    for connection in ("ann", "bob"):
        subscriptions.connect(connection, Caller("x"), until=LATER)
    topic, all_orders = order_topic("o1"), account_topic("x")
    ann, bob = Subscription(topic, "ann", since=START), Subscription(topic, "bob", after_seq=3)
    for subscription in (ann, bob, Subscription(all_orders, "ann"), ann):
        subscriptions.watch(subscription)
    wanted = [(topic, "x"), (all_orders, "x"), ("ORDER#o2", "x"), (topic, "y")]
    of_topic, of_account, *others = (subscriptions.of(wanted)[each] for each in wanted)
    found = {(w, w.account, w.after_seq, w.since, w.until) for w in of_topic}
    assert found == {(ann, "x", 0, START, LATER), (bob, "x", 3, None, LATER)}
    assert [w.connection_id for w in of_account] == ["ann"]
    assert others == [[], []]
    assert subscriptions.caller_of("bob") == Caller("x")
    (bob,) = (w for w in of_topic if w.connection_id == "bob")
    subscriptions.forget(bob)
    subscriptions.forget(bob)
    assert _of(subscriptions, topic, "x") == [ann]
    subscriptions.forget_connection("ann")
    subscriptions.forget_connection("ann")
    assert _of(subscriptions, all_orders, "x") == []
    assert subscriptions.caller_of("ann") is None
    for left in _of(subscriptions, topic, "x"):  # which a push finds gone
        subscriptions.forget(left)
    assert _of(subscriptions, topic, "x") == []


@both
def test_who_watches_for_one_account_is_not_found_for_another(subscriptions: Subscriptions) -> None:
    subscriptions.connect("eve", Caller("eves"), until=LATER)
    subscriptions.watch(Subscription(order_topic("anns"), "eve"))
    assert _of(subscriptions, order_topic("anns"), "ann") == []
    assert len(_of(subscriptions, order_topic("anns"), "eves")) == 1


@both
def test_how_far_a_watcher_has_come_is_kept_until_it_begins_anew_or_leaves(
    subscriptions: Subscriptions,
) -> None:
    subscriptions.connect("ann", Caller("x", "k1"), until=LATER)
    topic = order_topic("o1")

    def stands() -> list[tuple[int, bool, int, str | None]]:
        found = _of(subscriptions, topic, "x")
        return [(w.after_seq, w.caught_up, w.deferred, w.key_id) for w in found]

    ann = subscriptions.watch(Subscription(topic, "ann", after_seq=1, since=START))
    deferred = replace(ann, deferred=2)
    subscriptions.change(ann, deferred)
    assert stands() == [(1, False, 2, "k1")]
    subscriptions.change(ann, replace(ann, after_seq=9))  # it is not as it stood
    assert stands() == [(1, False, 2, "k1")]
    subscriptions.change(deferred, replace(deferred, after_seq=4, caught_up=True))
    assert [each[:2] for each in stands()] == [(4, True)]
    anew = subscriptions.watch(replace(ann, since=LATER))
    assert stands() == [(1, False, 0, "k1")]
    subscriptions.forget(anew)
    subscriptions.change(anew, replace(anew, caught_up=True))
    assert stands() == []


@both
def test_a_connection_may_watch_from_the_start(subscriptions: Subscriptions) -> None:
    first = Subscription(order_topic("o1"), "ann", "x", since=START)
    subscriptions.connect("ann", Caller("x"), until=LATER, first=first)
    (found,) = _of(subscriptions, order_topic("o1"), "x")
    assert (found, found.account, found.until) == (first, "x", LATER)
    subscriptions.forget(found)
    assert _of(subscriptions, order_topic("o1"), "x") == []


@both
def test_a_watcher_of_hundreds_of_topics_is_found_in_each(subscriptions: Subscriptions) -> None:
    for n in range(5):
        subscriptions.connect(f"c{n}", Caller("x"), until=LATER)
        for m in range(50):
            subscriptions.watch(Subscription(order_topic(f"{n}-{m}"), f"c{n}"))
    topics = [(order_topic(f"{n}-{m}"), "x") for n in range(5) for m in range(50)]
    found = subscriptions.of(topics)
    assert {topic: len(some) for topic, some in found.items()} == dict.fromkeys(topics, 1)


@both
def test_who_is_gone_is_dropped_with_all_that_is_known_of_it(subscriptions: Subscriptions) -> None:
    topic, mine = order_topic("o1"), account_topic("x")
    for n in range(120):
        subscriptions.connect(f"c{n}", Caller("x"), until=LATER)
        subscriptions.watch(Subscription(topic, f"c{n}"))
    subscriptions.watch(Subscription(mine, "c0"))
    gone = [w for w in _of(subscriptions, topic, "x") if w.connection_id != "c7"]
    subscriptions.forget_gone({w.connection_id for w in gone}, gone)
    subscriptions.forget_gone({w.connection_id for w in gone}, gone)
    assert _of(subscriptions, topic, "x") == [Subscription(topic, "c7")]
    assert _of(subscriptions, mine, "x") == []
    assert [subscriptions.caller_of(c) for c in ("c0", "c7")] == [None, Caller("x")]


def test_forgetting_many_of_one_topic_writes_its_row_once(dynamodb: Any) -> None:
    subscriptions = DynamoSubscriptions(Table(dynamodb, TABLE))
    for n in range(60):
        subscriptions.connect(f"c{n}", Caller("x"), until=LATER)
        subscriptions.watch(Subscription(order_topic("o1"), f"c{n}"))
    counter = Counter()
    counter.attach(dynamodb)
    subscriptions.forget_gone((), _of(subscriptions, order_topic("o1"), "x"))
    assert counter.taken().calls == {"dynamodb.BatchGetItem": 1, "dynamodb.UpdateItem": 1}


@both
def test_who_is_not_connected_watches_nothing(subscriptions: Subscriptions) -> None:
    with pytest.raises(ConnectionGone):
        subscriptions.watch(Subscription(order_topic("o1"), "ann", "x"))
    assert _of(subscriptions, order_topic("o1"), "x") == []


@both
def test_a_watcher_knows_the_key_by_which_it_connected(subscriptions: Subscriptions) -> None:
    ann = Caller("x", "k1")
    subscriptions.connect("c1", ann, until=LATER, first=Subscription(order_topic("o1"), "c1", "x"))
    subscriptions.watch(Subscription(account_topic("x"), "c1"))
    assert subscriptions.caller_of("c1") == ann
    for topic in (order_topic("o1"), account_topic("x")):
        assert [w.key_id for w in _of(subscriptions, topic, "x")] == ["k1"]


@both
def test_connects_are_counted_by_account_and_found_by_key(subscriptions: Subscriptions) -> None:
    ann, other, bob = Caller("x", "k1"), Caller("x", "k2"), Caller("y", "k3")

    def count(caller: Caller, name: str, seconds: int, limit: int = 2) -> bool:
        at = START + timedelta(seconds=seconds)
        return subscriptions.count_connect(name, caller, at=at, limit=limit)

    assert [count(ann, "c0", 0), count(other, "c1", 1), count(ann, "c2", 59)] == [True, True, False]
    assert [count(ann, "c3", 60), count(bob, "c4", 60), count(ann, "c5", 60, limit=0)] == [True] * 3
    assert [count(ann, "c6", 61), count(ann, "c7", 7260)] == [False, True]
    minutes = [
        subscriptions.connected_by(ann, at=START + timedelta(minutes=m)) for m in (1, 121, 242)
    ]
    found = [sorted(name for name, _ in some) for some in minutes]
    assert found == [["c0", "c3", "c5"], ["c3", "c5", "c7"], []]
    assert ("c3", START + timedelta(seconds=60)) in minutes[0]
    assert subscriptions.connected_by(Caller("y", "k1"), at=START) == []


def test_what_a_newer_version_wrote_is_set_aside_and_its_neighbours_go_on(
    dynamodb: Any, caplog: pytest.LogCaptureFixture
) -> None:
    subscriptions = DynamoSubscriptions(Table(dynamodb, TABLE))
    for name in ("old", "new"):
        subscriptions.connect(name, Caller("x"), until=LATER)
        subscriptions.watch(Subscription(order_topic("o1"), name))
    for entry in ("[" * 3_000, "{}", "[1]", "", "[0,1e400,1,0]", "[0,1,2,3,4,5,6,7]", "null"):
        dynamodb.update_item(
            TableName=TABLE,
            Key=row_key("ORDER#o1", "WATCHERS#x"),
            UpdateExpression="SET #e = :e",
            ExpressionAttributeNames={"#e": "c:new"},
            ExpressionAttributeValues={":e": {"S": entry}},
        )
        assert [w.connection_id for w in _of(subscriptions, order_topic("o1"), "x")] == ["old"], (
            entry
        )
    dynamodb.put_item(TableName=TABLE, Item={**row_key("CONN#new", "CONN"), "who": {"S": "x"}})
    with pytest.raises(StoreUnavailable):
        subscriptions.caller_of("new")


def test_a_topics_row_outlives_every_connection_that_watches_it(dynamodb: Any) -> None:
    subscriptions = DynamoSubscriptions(Table(dynamodb, TABLE))
    for connection, began in (("new", 7000), ("old", 0)):  # the older one subscribes last
        at = START + timedelta(seconds=began)
        subscriptions.connect(connection, Caller("x"), until=at + timedelta(hours=2))
    for n, connection in enumerate(("new", "old")):
        at = START + timedelta(seconds=7000 + n)
        subscriptions.watch(Subscription(order_topic("o1"), connection, since=at))
    row = dynamodb.get_item(
        TableName=TABLE, Key={"pk": {"S": "ORDER#o1"}, "sk": {"S": "WATCHERS#x"}}
    )["Item"]
    ends = [w.until for w in _of(subscriptions, order_topic("o1"), "x") if w.until]
    assert int(row["expiresAt"]["N"]) >= max(ends).timestamp()


@both
def test_a_connection_watches_so_much_and_no_more(subscriptions: Subscriptions) -> None:
    subscriptions.connect("ann", Caller("ann's"), until=LATER)
    for n in range(MAX_SUBSCRIPTIONS):
        subscriptions.watch(Subscription(order_topic(f"o{n}"), "ann"))
    with pytest.raises(TooManySubscriptions):
        subscriptions.watch(Subscription(order_topic("one more"), "ann"))
    subscriptions.watch(Subscription(order_topic("o7"), "ann"))
    subscriptions.forget(Subscription(order_topic("o7"), "ann"))
    subscriptions.watch(Subscription(order_topic("one more"), "ann"))


@both
def test_keys_are_found_until_they_are_revoked(access: Any) -> None:
    key = ApiKey("k1", "ann", "digest")
    access.add_key(key)
    assert access.key("k1") == key
    assert access.key("k2") is None
    assert access.revoke_key("k1")
    assert not access.revoke_key("k2")
    assert access.key("k1") is None


@both
def test_a_ticket_is_good_once_and_for_a_time(access: Any) -> None:
    ann = Caller("ann", "k1")
    for name, caller in (("used", ann), ("late", ann), ("keyless", Caller("ann"))):
        access.add_ticket(name, caller, until=LATER)
    assert access.ticket("keyless", now=START) == Caller("ann")
    assert access.ticket("used", now=START) == ann
    assert [access.use_ticket("used", now=START) for _ in range(2)] == [True, False]
    assert access.ticket("used", now=START) is None
    assert (access.ticket("late", now=LATER), access.use_ticket("late", now=LATER)) == (None, False)
    assert access.ticket("unheard of", now=START) is None
    assert not access.use_ticket("unheard of", now=START)


@both
def test_orders_are_counted_up_to_the_most(access: Any) -> None:
    def count(account: str, window: int) -> int | None:
        counted: int | None = access.count_order(account, window, maximum=2, until=LATER)
        return counted

    assert [count("ann", 1) for _ in range(3)] == [1, 2, None]
    assert (count("bob", 1), count("ann", 2)) == (1, 1)


@both
def test_trading_is_active_until_it_is_halted(access: Any) -> None:
    assert access.trading() == Trading()
    access.set_trading(halted := Trading(TradingState.HALTED, "why", START))
    assert access.trading() == halted


@both
def test_the_secret_of_the_cursors_stays_the_same(access: Any) -> None:
    secret = access.cursor_secret()
    assert len(secret) == 32
    assert access.cursor_secret() == secret


@both
def test_the_ledger_writes_a_signature_once(ledger: Ledger) -> None:
    assert ledger.read("sig") is None
    assert ledger.record("sig", {"out": "1"}) == {"out": "1"}
    assert ledger.record("sig", {"expired": "2"}) == {"out": "1"}
    assert ledger.read("sig") == {"out": "1"}


@dataclass
class Grudging:
    """Reads one row of a batch at a time, as long as it is asked `maximum` times at most."""

    client: Any
    maximum: int
    asked: int = 0

    def batch_get_item(self, **request: Any) -> Any:
        self.asked += 1
        ((table, wanted),) = request["RequestItems"].items()
        first, rest = wanted["Keys"][:1], wanted["Keys"][1:]
        if self.asked > self.maximum:
            first, rest = [], wanted["Keys"]
        answer: dict[str, Any] = {"Responses": {table: []}}
        if first:
            answer = self.client.batch_get_item(RequestItems={table: {**wanted, "Keys": first}})
        return {**answer, "UnprocessedKeys": {table: {**wanted, "Keys": rest}} if rest else {}}


def test_rows_that_a_batch_left_are_asked_for_again_after_a_while(dynamodb: Any) -> None:
    keys = [("ORDER#1", sk) for sk in ("a", "b", "c")]
    for pk, sk in keys:
        dynamodb.put_item(TableName=TABLE, Item=row_key(pk, sk))
    slept: list[float] = []
    found = Table(Grudging(dynamodb, 9), TABLE, slept.append).get_many(keys)  # type: ignore[arg-type]
    assert sorted(found) == keys
    assert slept == sorted(slept)
    assert len(slept) == 2
    with pytest.raises(StoreUnavailable):
        Table(Grudging(dynamodb, 1), TABLE, slept.append).get_many(keys)  # type: ignore[arg-type]


def test_a_table_that_does_not_answer_is_said_to_be_unavailable(dynamodb: Any) -> None:
    elsewhere = Table(dynamodb, "no-such-table")
    calls: list[Callable[[], object]] = [
        lambda: DynamoOrders(elsewhere).get("o1"),
        lambda: DynamoOrders(elsewhere).add(an_order()),
        lambda: list(DynamoOrders(elsewhere).open_before(LATER, limit=1)),
        lambda: DynamoSubscriptions(elsewhere).of([("ORDER#o1", "x")]),
        lambda: DynamoSubscriptions(elsewhere).connect("c", Caller("a"), until=LATER),
        lambda: DynamoLedger(elsewhere).record("sig", {}),
        lambda: DynamoLedger(elsewhere).read("sig"),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable):
            call()
