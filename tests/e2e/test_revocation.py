"""A key that is revoked, and an account that connects too often, on the running system."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoOrders
from local.ops.keys import create, revoke
from local.system import System
from tests.e2e.client import Trader, Watch, a_stored_order
from tests.e2e.conftest import Accounts


def last_words(watch: Watch) -> str:
    """Listen until the connection is closed; return the code of what was heard last."""
    try:
        while True:
            watch.hear()
    except ConnectionClosed:
        return str(watch.all[-1].get("code"))


def connect_until_refused(trader: Trader, limit: int) -> tuple[int, InvalidStatus]:
    """Connect and drop again; return how often that went well, and how it ended."""
    for opened in range(limit):
        try:
            trader.listen().socket.close()
        except InvalidStatus as refused:
            return opened, refused
    raise AssertionError(f"{limit} connections were let in")


def test_a_revoked_key_is_out_of_the_stream_and_its_accounts_other_key_stays(
    account: Accounts, access: DynamoAccess, stored: DynamoOrders, keyed: System
) -> None:
    """How soon is the unit tests' to say, by a clock that no busy machine holds up."""
    ann = account("ann")
    order = a_stored_order(ann.account)
    stored.add(order)
    ticket, spare = (ann.http.post("/api/stream-tickets").json()["ticket"] for _ in range(2))
    watching = [
        ann.watch(order.order_id),
        ann.listen("/live?orders=mine"),
        ann.listen(),  # quiet: it watches nothing
        ann.listen(f"/live?ticket={ticket}", headers={}),
    ]
    for watch in watching[:2]:
        assert watch.hear()["type"] == "snapshot"
    with Trader(keyed, create(access, ann.account), ann.account) as other:
        stays = other.watch(order.order_id)
        assert stays.hear()["type"] == "snapshot"
        revoke(access, ann.key)
        assert [last_words(watch) for watch in watching] == ["KEY_REVOKED"] * 4
        with pytest.raises(InvalidStatus):  # a ticket drawn before
            ann.listen(f"/live?ticket={spare}", headers={})
        assert other.http.post(f"/api/orders/{order.order_id}/cancel").status_code == 200
        assert stays.hear()["status"] == "cancelled"


def test_who_connects_too_often_is_refused_and_keeps_what_is_open(account: Accounts) -> None:
    ann, bob = account("ann"), account("bob")
    first = ann.listen()
    opened, refused = connect_until_refused(ann, 1_000)
    assert opened + 1 >= 60  # in one minute of the clock, or two
    problem = json.loads(refused.response.body or b"")
    assert (problem["status"], problem["code"]) == (429, "CONNECT_RATE_EXCEEDED")
    assert 0 < int(refused.response.headers["Retry-After"]) <= 60
    first.socket.send(json.dumps({"action": "ping"}))
    assert first.hear() == {"type": "pong"}
    bob.listen().socket.send(json.dumps({"action": "ping"}))
