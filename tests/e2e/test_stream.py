"""Watchers: before, during and after; one and twenty; frames good and bad."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from engine.adapters.aws.orders import DynamoOrders
from engine.api.views import message
from tests.e2e.client import Trader, Watch, until

HAPPY = ["pending", "routing", "building", "submitted", "confirmed"]


def _check(trader: Trader, order_id: str, watch: Watch, after_seq: int = 0) -> None:
    """A watcher was told every state above `after_seq` once, in order, as the table has it."""
    order = DynamoOrders(trader.system.table).get(order_id)
    assert order is not None
    told = [message for message in watch.all if message.get("orderId") == order_id]
    assert [m["seq"] for m in told] == list(range(after_seq + 1, order.seq + 1))
    assert [m["status"] for m in told] == HAPPY[after_seq:]
    assert [m["type"] for m in told].count("snapshot") <= 1
    for each in told:
        assert each == json.loads(message(each["type"], order.as_of(each["seq"])))


def test_a_watcher_who_comes_during_is_told_what_was_and_all_the_rest(trader: Trader) -> None:
    order_id = trader.place()
    watch = trader.watch(order_id)
    watch.to_the_end()
    _check(trader, order_id, watch)
    assert [message["type"] for message in watch.all].count("snapshot") == 1


def test_a_watcher_who_comes_after_is_told_all_that_was(trader: Trader) -> None:
    order_id = trader.place()
    trader.wait_for(order_id)
    watch = trader.watch(order_id)
    watch.to_the_end()
    _check(trader, order_id, watch)
    assert [message["type"] for message in watch.all] == ["status"] * 4 + ["snapshot"]


def test_a_watcher_who_comes_before_subscribes_and_hears_all(trader: Trader) -> None:
    watch = trader.listen()
    watch.socket.send(json.dumps({"action": "ping"}))
    assert watch.hear() == {"type": "pong"}
    order_id = trader.place()
    watch.socket.send(json.dumps({"action": "subscribe", "orderId": order_id}))
    watch.to_the_end()
    _check(trader, order_id, watch)


@pytest.mark.parametrize("after_seq", range(5))
def test_who_comes_back_is_told_what_is_above_its_seq(trader: Trader, after_seq: int) -> None:
    order_id = trader.place()
    trader.wait_for(order_id)
    for way in (f"/live?orderId={order_id}", f"/api/orders/status/{order_id}?"):
        watch = trader.listen(f"{way}&afterSeq={after_seq}")
        watch.to_the_end()
        _check(trader, order_id, watch, after_seq)


def test_who_claims_more_than_there_is_is_told_so(trader: Trader) -> None:
    order_id = trader.place()
    watch = trader.listen(f"/live?orderId={order_id}&afterSeq=9")
    message = watch.hear()
    assert (message["type"], message["code"]) == ("error", "SEQ_NOT_REACHED")
    assert message["orderId"] == order_id


def test_sixty_who_come_at_any_moment_are_told_what_the_table_has(trader: Trader) -> None:
    orders = [trader.place() for _ in range(3)]
    moments = Random(11)  # of an order's life, which takes a second and more
    asked = [
        (orders[n % 3], moments.uniform(0, 1.6), moments.choice((0, 0, 1, 3))) for n in range(60)
    ]

    def come(order_id: str, moment: float, after_seq: int) -> Watch:
        time.sleep(moment)
        watch = trader.listen(f"/live?orderId={order_id}&afterSeq={after_seq}")
        if watch.hear().get("code") == "SEQ_NOT_REACHED":
            watch.all.clear()  # then it is told what goes above that
        watch.to_the_end()
        return watch

    with ThreadPoolExecutor(60) as at_once:
        watches = list(at_once.map(lambda one: come(*one), asked))
    for (order_id, _, after_seq), watch in zip(asked, watches, strict=True):
        _check(trader, order_id, watch, after_seq)


def test_twenty_watchers_of_one_order_all_hear_it(trader: Trader) -> None:
    order_id = trader.place()
    with ThreadPoolExecutor(20) as at_once:
        watches = list(at_once.map(lambda _: trader.watch(order_id), range(20)))
        for watch, _ in zip(watches, at_once.map(Watch.to_the_end, watches), strict=True):
            _check(trader, order_id, watch)


def test_a_watcher_who_leaves_is_forgotten(trader: Trader) -> None:
    order_id = trader.a_pending_order()
    left, stays = trader.watch(order_id), trader.watch(order_id)
    assert [watch.hear()["status"] for watch in (left, stays)] == ["pending"] * 2
    left.socket.close()
    until(lambda: trader.watching(order_id) & trader.connected(), lambda ids: len(ids) == 1)
    trader.cancel(order_id)
    assert stays.hear()["status"] == "cancelled"
    until(lambda: trader.watching(order_id), lambda ids: len(ids) == 1)


def test_who_unsubscribes_hears_no_more(trader: Trader) -> None:
    order_id = trader.a_pending_order()
    leaves, stays = trader.watch(order_id), trader.watch(order_id)
    assert [watch.hear()["status"] for watch in (leaves, stays)] == ["pending"] * 2
    leaves.socket.send(json.dumps({"action": "unsubscribe", "orderId": order_id}))
    until(lambda: trader.watching(order_id), lambda ids: len(ids) == 1)
    trader.cancel(order_id)
    assert stays.hear()["status"] == "cancelled"
    leaves.socket.send(json.dumps({"action": "ping"}))
    assert leaves.hear() == {"type": "pong"}


@pytest.mark.parametrize(
    "frame",
    [
        "{", "[]", '{"action":"dance"}', '{"action":"subscribe"}', "[" * 3_000, "[" * 30_000,
        '{"action":"ping","action":"ping"}', '{"action":' + "[" * 3_000 + "]" * 3_000 + "}",
        '{"action":"$connect"}', '{"action":"$disconnect"}',
    ],
)  # fmt: skip
def test_a_bad_frame_is_answered_and_the_connection_lives_on(trader: Trader, frame: str) -> None:
    watch = trader.listen()
    watch.socket.send(frame)
    assert watch.hear()["type"] == "error"
    watch.socket.send(json.dumps({"action": "ping"}))
    assert watch.hear() == {"type": "pong"}


def test_an_order_that_is_not_there_is_said_to_be_unknown(trader: Trader) -> None:
    watch = trader.watch("11111111-1111-4111-8111-111111111111")
    message = watch.hear()
    assert (message["type"], message["code"]) == ("error", "ORDER_NOT_FOUND")


KB = 1024


def test_what_api_gateway_takes_of_a_client_is_taken_and_no_more(trader: Trader) -> None:
    """A frame of 32 KB and a message of 128 KB reach the engine, which has its own, lower limit."""
    watch = trader.listen()
    watch.socket.send("x" * 32 * KB)
    assert watch.hear()["code"] == "BAD_FRAME"
    watch.socket.send(["x" * 32 * KB] * 4)
    assert watch.hear()["code"] == "BAD_FRAME"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("x" * (32 * KB + 1), 1009),
        ("x" * 1024 * KB, 1009),
        (["x" * 32 * KB] * 4 + ["x"], 1009),
        (["x" * 32 * KB] * 40, 1009),
        (["x", "x" * (32 * KB + 1)], 1009),
        (b"{}", 1003),
        ([b"{", b"}"], 1003),
    ],
    ids=["frame", "large frame", "message", "large message", "fragment", "binary", "binary parts"],
)
def test_what_is_more_closes_the_connection_with_the_code_of_aws(
    trader: Trader, sent: Any, code: int
) -> None:
    socket = trader.listen().socket
    with suppress(ConnectionClosed):  # while the rest is still being sent
        socket.send(sent)
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=30)
    assert socket.close_code == code


@pytest.mark.parametrize(
    "query", ["orderId=a%20b", "orderid=o", "afterSeq=1", "orderId=o&orderId=o", "orders=mine&x=1"]
)
def test_a_query_that_is_not_known_is_refused_with_words(trader: Trader, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        trader.listen(f"/live?{query}")
    response = refused.value.response
    problem = json.loads(response.body or b"")
    assert response.status_code == problem["status"] == 400
    assert problem["code"] == "BAD_HANDSHAKE"
    assert any(name in problem["detail"] for name in ("orderId", "orderid", "x: not known"))


def test_of_the_subprotocols_that_are_offered_ours_is_chosen(trader: Trader) -> None:
    order_id = trader.place()
    offered = [Subprotocol(name) for name in ("ticket.oet_0", "orders.v1")]
    address = f"{trader.system.ws_url}/live?orderId={order_id}"
    with connect(address, subprotocols=offered[1:]) as socket:
        assert socket.subprotocol == "orders.v1"
        Watch(socket).to_the_end()
    with pytest.raises(InvalidStatus):
        connect(address, subprotocols=offered[:1])
