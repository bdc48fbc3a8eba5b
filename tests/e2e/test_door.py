"""What the front door passes on as API Gateway does, what it refuses, and who waits for whom."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.system import System
from tests.e2e.client import Trader, a_body
from tests.e2e.conftest import Accounts

QUOTE = "/api/quotes?tokenIn=SOL&tokenOut=USDC&amount=1"


@pytest.mark.parametrize("body", [json.dumps(a_body()).encode(), gzip.compress(b"{}", mtime=0)])
def test_nobody_unpacks_a_body_that_is_called_compressed(trader: Trader, body: bytes) -> None:
    """The plain one is an order; the other is no JSON."""
    answer = trader.http.post(
        "/api/orders/execute",
        content=body,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    plain = body.startswith(b"{")
    assert answer.status_code == (202 if plain else 400), answer.text
    assert plain or answer.json()["code"] == "MALFORMED_JSON"


def test_a_key_stands_in_no_log_whatever_is_sent_with_it(account: Accounts) -> None:
    trader = account("logged")
    assert trader.http.get(QUOTE).status_code == 200
    assert trader.http.get("/nothing", headers={"X-Api-Key": trader.key}).status_code == 404
    order_id = trader.place()
    trader.watch(order_id).to_the_end()
    for headers in ({"X-A": "\x01" + trader.key}, {"X-A": trader.key + 10_240 * "x"}):
        refused = trader.http.get("/api/tokens", headers=headers)
        assert refused.status_code in {400, 431}
        assert refused.headers["content-type"].startswith("application/problem+json")
    secret = trader.key.rpartition("_")[2]
    log = trader.system.cloud.log.read_text(errors="replace")
    assert order_id in log
    assert secret not in log


def test_an_order_does_not_wait_behind_the_quotes_of_others(system: System) -> None:
    """A hundred quotes are asked for; when the order is answered, most are still waiting."""
    answered: list[int] = []
    first = threading.Event()

    def quote(client: httpx.Client) -> None:
        answered.append(client.get(QUOTE).status_code)
        first.set()

    with (
        Trader(system) as trader,
        httpx.Client(base_url=system.url, timeout=120, limits=httpx.Limits()) as client,
        ThreadPoolExecutor(100) as crowd,
    ):
        trader.place()  # so that a process is there for it
        for _ in range(100):
            crowd.submit(quote, client)
        assert first.wait(60)
        trader.place()
        before = len(answered)
    assert before < 50
    assert answered == [200] * 100
