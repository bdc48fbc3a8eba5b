"""`make up WATCH=1`: what changes is deployed in a moment, and orders under way are not lost."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from local.cloud import aws
from local.cloud.embedded import ROOT
from tests.e2e.client import FINAL, a_body, landed, rows_of, until


@dataclass(frozen=True)
class Watched:
    """The system, serving sources of its own, and what it has said."""

    root: Path
    url: str
    endpoint_url: str
    said: list[str]

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def title(self) -> str:
        """Return what the API says of an address that it has not."""
        return str(httpx.get(f"{self.url}/nothing", timeout=60).json()["title"])

    def wait_for(self, good: Callable[[str], bool]) -> str:
        """Wait until something good was said; return it."""
        lines = until(lambda: [line for line in self.said if good(line)], bool, every=0.02)
        return lines[0]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    root = tmp_path_factory.mktemp("sources")
    shutil.copy(ROOT / "template.yaml", root)
    for name in ("functions", "layers"):
        shutil.copytree(ROOT / name, root / name)
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "local", "up", "--port", "0", "--watch", "--root", root],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "layers/common"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        reader = threading.Thread(target=said.extend, args=(process.stdout,))
        reader.start()
        try:
            until(lambda: "\n".join(said), lambda text: "Stop it with" in text)
            url = re.search(r"is up at (\S+)", "\n".join(said))
            endpoint = re.search(r"AWS_ENDPOINT_URL=(\S+)", "\n".join(said))
            assert url
            assert endpoint
            yield Watched(root, url[1], endpoint[1], said)
        finally:
            process.terminate()
            reader.join()
    assert process.returncode == 0


def test_every_change_is_served_without_a_new_start(watched: Watched) -> None:
    """It says how long each took; that is some two seconds on an idle machine."""
    for old, new in (("There is nothing here", "Nothing"), ("Nothing", "Changed")):
        watched.edit("layers/common/engine/api/problems.py", f'404, "{old}"', f'404, "{new}"')
        until(watched.title, lambda title, new=new: title == new, every=0.05)  # type: ignore[misc]
    watched.wait_for(lambda line: re.search(r"problems.py: deployed in \d", line) is not None)
    assert sum("is up at" in line for line in watched.said) == 1


def test_what_does_not_compile_is_said_and_what_runs_goes_on(watched: Watched) -> None:
    watched.edit("functions/worker/app.py", "def lambda_handler(", "def (lambda_handler")
    said = watched.wait_for(lambda line: "app.py: not deployed" in line)
    assert "SyntaxError" in said
    assert watched.title() == "Changed"
    watched.edit("functions/worker/app.py", "def (lambda_handler", "def lambda_handler(")
    watched.wait_for(lambda line: "app.py: deployed" in line)


def test_an_update_while_orders_run_loses_none_and_trades_none_twice(watched: Watched) -> None:
    with ThreadPoolExecutor(4) as traders, httpx.Client(base_url=watched.url, timeout=60) as http:

        def place(number: int) -> str:
            if number == 20:  # with orders in every state
                watched.edit("functions/worker/app.py", '"""The order', '"""Once more: the order')
            time.sleep(0.05)
            return str(http.post("/api/orders/execute", json=a_body()).json()["orderId"])

        placed = list(traders.map(place, range(80)))
        watched.wait_for(lambda line: line.startswith("functions/worker/app.py: deployed"))
        orders = [
            until(
                lambda order_id=order_id: http.get(f"/api/orders/{order_id}").json(),  # type: ignore[misc]
                lambda order: order["status"] in FINAL,
            )
            for order_id in placed
        ]
    assert Counter(order["status"] for order in orders) == {"confirmed": 80}
    dynamodb = aws.client("dynamodb", watched.endpoint_url)
    (table,) = dynamodb.list_tables()["TableNames"]
    trades = Counter(order_id for _, order_id in landed(rows_of(dynamodb, table)))
    assert trades == dict.fromkeys(placed, 1)
