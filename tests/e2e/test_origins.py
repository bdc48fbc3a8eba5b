"""Pages in the developer's browser: without keys they reach nothing, with keys a key decides."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from local.cloud.embedded import HOST
from local.system import System
from tests.e2e.client import Trader, a_body
from tests.e2e.conftest import Accounts

EVIL = Origin("http://evil.example")


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "FORBIDDEN"
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_another_origin_changes_and_reads_nothing(trader: Trader) -> None:
    order_id = trader.place()
    orders = trader.http.get("/api/orders").json()["orders"]
    for strange in ({"Origin": EVIL}, {"Origin": "null"}, {"Host": "evil.example:80"}):
        refused(trader.http.get(f"/api/orders/{order_id}", headers=strange))
        refused(trader.http.post(f"/api/orders/{order_id}/cancel", headers=strange))
        refused(trader.post(a_body(), **strange))
        refused(trader.http.options("/api/orders/execute", headers=strange))
    for path in ("/live?orders=mine", f"/api/orders/status/{order_id}"):
        for host, origin in ((urlsplit(trader.system.url).netloc, EVIL), ("evil.example", None)):
            line = socket.create_connection((HOST, trader.system.port))
            with pytest.raises(InvalidStatus) as handshake:
                connect(f"ws://{host}{path}", sock=line, origin=origin)
            assert handshake.value.response.status_code == 403
    assert len(trader.http.get("/api/orders").json()["orders"]) == len(orders)


def test_a_page_that_was_served_here_is_served(trader: Trader) -> None:
    own = {"Origin": trader.system.url}
    assert trader.http.get("/api/orders", headers=own).status_code == 200
    trader.listen("/live", own).socket.ping().wait(10)


def test_the_cloud_behind_it_serves_no_page(system: System) -> None:
    with httpx.Client() as browser:
        for origin in (EVIL, Origin(system.url)):
            for method in ("OPTIONS", "POST", "GET"):
                answer = browser.request(method, system.endpoint_url, headers={"Origin": origin})
                assert answer.status_code == 403
            with pytest.raises(InvalidStatus):
                connect(system.stack.ws_url, origin=origin)


def test_with_keys_the_key_decides_and_not_the_page(account: Accounts) -> None:
    ann = account("ann")
    assert ann.http.get("/api/orders", headers={"Origin": EVIL}).status_code == 200
    ann.listen("/live", ann.headers | {"Origin": EVIL}).socket.ping().wait(10)
    assert httpx.get(f"{ann.system.url}/api/orders", headers={"Origin": EVIL}).status_code == 401


def test_a_page_of_an_allowed_origin_is_let_in_and_reads_what_the_contract_tells(
    account: Accounts,
) -> None:
    ann, page = account("ann"), {"Origin": "https://desk.example"}
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    leave = httpx.options(f"{ann.system.url}/api/orders/execute", headers=page | asked)
    assert leave.status_code == 204
    assert leave.headers["access-control-allow-origin"] == page["Origin"]
    assert "POST" in leave.headers["access-control-allow-methods"]
    granted = leave.headers["access-control-allow-headers"].split(",")
    assert set(asked["Access-Control-Request-Headers"].split(",")) <= set(granted)
    for answer in (ann.post(a_body(), **page), ann.http.get("/api/orders/none", headers=page)):
        assert answer.headers["access-control-allow-origin"] == page["Origin"]
        exposed = answer.headers["access-control-expose-headers"].split(",")
        told = {"location", "ratelimit", "ratelimit-policy", "x-request-id"}
        assert told <= set(exposed)
        assert "access-control-allow-credentials" not in answer.headers


def test_a_page_of_another_origin_is_let_nowhere(account: Accounts) -> None:
    ann, page = account("ann"), {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    leave = httpx.options(f"{ann.system.url}/api/orders/execute", headers=page)
    answer = ann.http.get("/api/orders", headers={"Origin": EVIL})
    for each in (leave, answer):
        assert "access-control-allow-origin" not in each.headers
