"""Two accounts: no way in shows or changes the other's order."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoOrders
from engine.service.identity import digest_of
from local.ops.keys import create, revoke
from tests.e2e.client import Trader, Watch, a_body, a_stored_order
from tests.e2e.conftest import Accounts

REFUSED = {400, 401, 403, 404, 405, 422}


@dataclass
class Scene:
    """Ann, whose pending order it is; Bob, who wants it; what he heard on the way."""

    ann: Trader
    bob: Trader
    access: DynamoAccess
    order_id: str
    cursor: str
    revoked: str
    ways: int = 0
    heard: list[ClientConnection] = field(default_factory=list)

    def ask(self, method: str, path: str, **request: object) -> httpx.Response:
        headers = request.pop("headers", {})
        with httpx.Client(base_url=self.bob.http.base_url, timeout=30) as client:
            return client.request(method, path, headers=headers, **request)  # type: ignore[arg-type]

    def refused(self, method: str, path: str, **request: object) -> None:
        """Ask, and see that nothing of Ann's order comes back."""
        answer = self.ask(method, path, **request)
        assert answer.status_code in REFUSED, (method, path, request, answer.text)
        self.hides(answer.text)

    def hides(self, text: str) -> None:
        assert '"slippageBps"' not in text
        assert self.ann.account not in text
        self.ways += 1

    def connected(self, path: str, **headers: str) -> ClientConnection:
        socket = self.bob.listen(path, headers).socket
        self.heard.append(socket)
        return socket

    def turned_away(self, path: str, **headers: str) -> None:
        """Connect, and be refused at the door."""
        with pytest.raises(InvalidStatus) as refused:
            self.connected(path, **headers)
        assert refused.value.response.status_code in {400, 401}, (path, headers)
        assert json.loads(refused.value.response.body or b"")["code"] in {
            "BAD_HANDSHAKE",
            "UNAUTHENTICATED",
        }
        self.ways += 1

    def bobs(self) -> dict[str, str]:
        return dict(self.bob.headers)


@pytest.fixture
def scene(account: Accounts, access: DynamoAccess, stored: DynamoOrders) -> Scene:
    ann, bob = account("ann"), account("bob")
    orders = [a_stored_order(ann.account) for _ in range(3)]
    for order in orders:
        stored.add(order)
    cursor = ann.http.get("/api/orders", params={"limit": 1}).json()["nextCursor"]
    revoked = create(access, ann.account)
    revoke(access, revoked)
    return Scene(ann, bob, access, orders[0].order_id, cursor, revoked)


def by_id(scene: Scene) -> None:
    mine = scene.order_id
    for spelt in (
        mine,
        mine.upper(),
        f"{mine}%20",
        f"ORDER%23{mine}",
        f"{mine}%00",
        f"..%2F{mine}",
    ):
        scene.refused("GET", f"/api/orders/{spelt}", headers=scene.bobs())
    scene.refused("POST", f"/api/orders/{mine}/cancel", headers=scene.bobs())
    claimed = scene.bobs() | {"X-Account": scene.ann.account, "X-Forwarded-User": scene.ann.account}
    scene.refused("GET", f"/api/orders/{mine}", headers=claimed)
    scene.refused("POST", f"/api/orders/{mine}/cancel", headers=claimed)
    scene.refused("GET", f"/api/orders/{mine}?account={scene.ann.account}", headers=scene.bobs())
    answer = scene.ask("HEAD", f"/api/orders/{mine}", headers=scene.bobs())
    assert answer.status_code == 404
    scene.hides(answer.text)


def by_list_and_cursor(scene: Scene) -> None:
    for query in ("", "?status=pending", "?limit=100"):
        answer = scene.ask("GET", f"/api/orders{query}", headers=scene.bobs())
        assert answer.json()["orders"] == []
        scene.hides(answer.text)
    scene.refused("GET", f"/api/orders?cursor={scene.cursor}", headers=scene.bobs())
    scene.refused("GET", f"/api/orders?cursor={scene.cursor}&status=pending", headers=scene.bobs())
    scene.refused("GET", f"/api/orders?account={scene.ann.account}", headers=scene.bobs())


def by_idempotency_key(scene: Scene) -> None:
    first = scene.ann.post(a_body(), **{"Idempotency-Key": "shared"}).json()["orderId"]
    for body, headers in (
        (a_body(), {"Idempotency-Key": "shared"}),
        (a_body(clientOrderId="shared"), {}),
    ):
        answer = scene.bob.post(body, **headers)
        assert answer.status_code == 202
        assert answer.json()["orderId"] != first
        scene.ways += 1


def by_wrong_keys(scene: Scene) -> None:
    key, other = scene.ann.key, scene.bob.key
    of_key, of_other = key.split("_"), other.split("_")
    for wrong in (
        "", "x", key[:-1], key + "0", key.upper(), of_key[2], of_key[1],
        f"oek_{of_key[1]}_{of_other[2]}", f"oek_{of_other[1]}_{of_key[2]}",
        digest_of(key), f"oek_{of_key[1]}_{digest_of(key)}", f"oek_{'0' * 16}_{of_key[2]}",
        hashlib.sha256(b"guess").hexdigest(), scene.revoked, "null", "*",
    ):  # fmt: skip
        for headers in ({"Authorization": f"Bearer {wrong}".rstrip()}, {"X-Api-Key": wrong}):
            scene.refused("GET", f"/api/orders/{scene.order_id}", headers=headers)
    scene.refused(
        "POST", f"/api/orders/{scene.order_id}/cancel", headers={"X-Api-Key": scene.revoked}
    )


def by_keys_in_the_wrong_place(scene: Scene) -> None:
    key, path = scene.ann.key, f"/api/orders/{scene.order_id}"
    for query in ("apiKey", "api_key", "key", "authorization", "X-Api-Key", "ticket"):
        scene.refused("GET", f"{path}?{query}={quote(key)}")
    scene.refused("GET", path, headers={"Cookie": f"key={key}"})
    scene.refused("GET", path, headers={"Authorization": key})
    scene.refused("GET", path, headers={"Authorization": f"Token {key}"})
    scene.refused("GET", path, auth=("ann", key))
    scene.refused("POST", f"{path}/cancel", json={"key": key})
    ticket = scene.ann.http.post("/api/stream-tickets").json()["ticket"]
    for headers in ({"Authorization": f"Bearer {ticket}"}, {"X-Api-Key": ticket}):
        scene.refused("GET", path, headers=headers)
    scene.refused("GET", f"{path}?ticket={ticket}")


def by_the_stream(scene: Scene) -> None:
    order_id = scene.order_id
    bearer = {"Authorization": f"Bearer {scene.bob.key}"}
    ticket = scene.bob.http.post("/api/stream-tickets").json()["ticket"]
    watching = [
        scene.connected(f"/live?orderId={order_id}", **bearer),
        scene.connected(f"/live?orderId={order_id}&afterSeq=0", **bearer),
        scene.connected(f"/api/orders/status/{order_id}", **bearer),
        scene.connected(f"/live?orderId={order_id}&ticket={ticket}"),
        scene.connected("/live", **bearer),
    ]
    watching[-1].send(json.dumps({"action": "subscribe", "orderId": order_id}))
    for socket in watching:
        assert json.loads(socket.recv(timeout=60))["code"] == "ORDER_NOT_FOUND"
        scene.ways += 1
    mine = scene.connected("/live?orders=mine", **bearer)
    mine.send(json.dumps({"action": "unsubscribe", "orderId": order_id}))
    frames = (
        {"action": "subscribe", "orders": scene.ann.account},
        {"action": "subscribe", "orders": "mine", "account": scene.ann.account},
        {"action": "subscribe", "orderId": f"ACCOUNT#{scene.ann.account}"},
        {"action": "subscribe", "orderId": order_id, "key": scene.ann.key},
    )
    for frame in frames:
        mine.send(json.dumps(frame))
        assert json.loads(mine.recv(timeout=60))["type"] == "error"
        scene.ways += 1


def by_wrong_ways_into_the_stream(scene: Scene) -> None:
    asked = f"/live?orderId={scene.order_id}"
    used = scene.ann.http.post("/api/stream-tickets").json()["ticket"]
    scene.ann.listen(f"/live?ticket={used}", headers={})
    old = scene.ann.http.post("/api/stream-tickets").json()["ticket"]
    row = f"TICKET#{digest_of(old)}"
    scene.access.table.update(row, "TICKET", "SET ends = :then", then=int(time.time() * 1000) - 1)
    fresh = scene.ann.http.post("/api/stream-tickets").json()["ticket"]
    scene.turned_away(asked)
    scene.turned_away(asked, Authorization=f"Bearer {scene.revoked}")
    scene.turned_away(asked, Authorization=f"Bearer {used}")
    for wrong in (
        used,
        old,
        fresh.upper(),
        fresh[:-1],
        "",
        "oet_",
        scene.ann.key,
        digest_of(fresh),
    ):
        scene.turned_away(f"{asked}&ticket={wrong}")
    scene.turned_away(f"{asked}&apiKey={scene.ann.key}")
    scene.turned_away(f"{asked}&token={fresh}")
    scene.turned_away(f"{asked}&orders=mine", Authorization=f"Bearer {scene.bob.key}")


WAYS: list[Callable[[Scene], None]] = [
    by_id,
    by_list_and_cursor,
    by_idempotency_key,
    by_wrong_keys,
    by_keys_in_the_wrong_place,
    by_the_stream,
    by_wrong_ways_into_the_stream,
]


def test_none_of_many_ways_in_shows_or_changes_anothers_order(scene: Scene) -> None:
    before = scene.ann.order(scene.order_id)
    watch = scene.ann.watch(scene.order_id)
    assert watch.hear()["order"] == before
    for way in WAYS:
        way(scene)
    print(f"{scene.ways} ways in")
    assert scene.ways >= 30
    assert scene.ann.order(scene.order_id) == before
    cancelled = scene.ann.http.post(f"/api/orders/{scene.order_id}/cancel").json()
    assert watch.hear()["order"] == cancelled  # Bob's unsubscribing took nothing from Ann
    for socket in scene.heard:
        socket.send(json.dumps({"action": "ping"}))
        listener = Watch(socket)
        while listener.hear()["type"] != "pong":
            pass
        assert not any(m.get("orderId") == scene.order_id for m in listener.all if "order" in m)
