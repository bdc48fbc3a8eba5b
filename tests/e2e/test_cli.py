"""`oee` against the running system: every command, every exit code, and lines that are cut."""

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.ports.access import Role
from local.ops.keys import create
from local.system import System
from oee.client import AsyncEngine, Engine
from tests.e2e.client import Trader, until
from tests.e2e.conftest import Accounts
from tests.e2e.cutting import cutting

OEE = str(Path(sys.executable).with_name("oee"))
#: `OEE_RUNS=100` for as many orders as the longest run has.
RUNS = int(os.environ.get("OEE_RUNS", "20"))
MARKET = {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"}
LIVES = ["pending", "routing", "building", "submitted", "confirmed"]


def environment(system: System, key: str = "", **more: str) -> dict[str, str]:
    env = os.environ | {"ENGINE_URL": system.url, "ENGINE_KEY": key, "OEE_CONFIG": os.devnull}
    env.pop("ENGINE_WS_URL", None)
    return env | more


def oee(env: Mapping[str, str], *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    """Run a command in a pipe; see that it ends with `code`."""
    ran = subprocess.run(
        [OEE, *words], env=dict(env), capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return ran


def test_a_sale_that_is_watched_tells_each_of_the_five_states_every_time(system: System) -> None:
    env = environment(system)

    def sale(_: int) -> list[str]:
        first, *steps = oee(env, "sell", "SOL", "USDC", "1", "--watch").stdout.splitlines()
        assert "Sell 1 SOL for USDC" in first
        return [step.split()[1] for step in steps]

    with ThreadPoolExecutor(3) as at_once:
        told = list(at_once.map(sale, range(RUNS)))
    assert told == [LIVES] * RUNS


KINDS = {
    "limit": ("--limit", "900"),
    "stop": ("--stop", "20"),
    "stopLimit": ("--stop", "20", "--limit", "19"),
    "takeProfit": ("--take-profit", "900"),
    "trailingStop": ("--trail", "5%"),
    "oco": ("--take-profit", "900", "--stop", "20"),
    "twap": ("--twap", "2/1h", "--min-price", "900"),
}


def test_every_kind_rests_is_listed_shown_changed_and_cancelled(
    keyed: System, account: Accounts
) -> None:
    trader = account("oee")
    env = environment(keyed, trader.key)
    ids = {}
    for kind, options in KINDS.items():
        placed = oee(env, "sell", "SOL", "USDC", "1", *options, "--expires", "2h", "--json")
        order = json.loads(placed.stdout)
        assert (order["type"], order["status"]) == (kind, "resting")
        ids[kind] = order["orderId"]
    listed = oee(env, "orders", "--status", "resting", "--json").stdout.splitlines()
    assert [json.loads(each)["orderId"] for each in listed] == [*ids.values()][::-1]
    rows = oee(env, "orders", "--type", "limit", "--pair", "SOL/USDC").stdout.splitlines()
    assert [row.split("\t")[0] for row in rows] == [ids["limit"]]
    shown = oee(env, "show", ids["oco"]).stdout
    assert "above 900" in shown
    assert json.loads(oee(env, "show", ids["limit"], "--json").stdout) == trader.order(ids["limit"])
    changes = {
        "limit": ("--limit", "901"),
        "takeProfit": ("--take-profit", "901"),
        "oco": ("--stop", "21"),
        "trailingStop": ("--trail", "600"),
    }
    for kind, options in changes.items():
        oee(env, "change", ids[kind], *options, "--if-seq", "1")
    assert trader.order(ids["takeProfit"])["stopPrice"] == "901"
    assert trader.order(ids["oco"])["stopLoss"]["price"] == "21"
    assert trader.order(ids["trailingStop"])["trailingBps"] == 600
    refused = oee(env, "change", ids["limit"], "--limit", "902", "--if-seq", "1", code=4)
    assert "PRECONDITION_FAILED" in refused.stderr
    oee(env, "change", ids["limit"], "--trail", "5%", code=4)
    oee(env, "change", ids["stop"], "--take-profit", "5", code=2)
    assert "cancelled" in oee(env, "cancel", ids["limit"]).stdout
    oee(env, "cancel", ids["limit"])
    assert oee(env, "watch", ids["limit"], code=1).stdout.splitlines()[-1].split()[1] == "cancelled"
    oee(env, "cancel-all", "--pair", "JUP/USDC")
    assert trader.order(ids["stop"])["status"] == "resting"
    oee(env, "cancel-all")
    assert {trader.order(each)["status"] for each in ids.values()} == {"cancelled"}
    oee(env, "change", ids["stop"], "--stop", "22", code=4)


def test_the_same_id_is_the_same_order(keyed: System, account: Accounts) -> None:
    trader = account("twice")
    env = environment(keyed, trader.key)
    buy = ("buy", "SOL", "USDC", "150", "--id", "mine", "--slippage", "1%")
    first, second = (oee(env, *buy).stdout.split()[0] for _ in range(2))
    assert first == second
    assert len(trader.orders()) == 1
    oee(env, "watch", first)
    shown = oee(env, "show", "--id", "mine").stdout
    assert re.search(r"^status +confirmed", shown, re.MULTILINE)
    assert re.search(r"^got +\S+ SOL", shown, re.MULTILINE)
    last = oee(env, "watch", first, "--after", "4", "--json").stdout.splitlines()
    assert [json.loads(each)["seq"] for each in last] == [5]
    oee(env, "buy", "SOL", "USDC", "151", "--id", "mine", code=4)


def test_the_market_is_told(system: System) -> None:
    env = environment(system)
    assert "route" in oee(env, "quote", "SOL", "USDC", "1", "--slippage", "50").stdout
    assert json.loads(oee(env, "quote", "SOL", "USDC", "1", "--json").stdout)["tokenIn"] == "SOL"
    assert oee(env, "prices", "SOL/USDC").stdout.startswith("SOL/USDC\t")
    pairs = [json.loads(each)["pair"] for each in oee(env, "prices", "--json").stdout.splitlines()]
    assert "SOL/USDC" in pairs
    assert "SOL\t9\t" in oee(env, "tokens").stdout
    assert json.loads(oee(env, "tokens", "--json").stdout)["tokens"]
    looked = [json.loads(each) for each in oee(env, "doctor", "--json").stdout.splitlines()]
    assert [each["what"] for each in looked] == [
        "settings", "engine", "key", "market", "stream", "operator"
    ]  # fmt: skip
    assert all(each["good"] for each in looked)


def test_every_way_to_end_has_its_code(
    system: System, keyed: System, trader: Trader, tmp_path: Path
) -> None:
    env = environment(system)
    failed = oee(env, "sell", "XSLIP", "USDC", "1", "--watch", code=1)
    assert "SLIPPAGE_EXCEEDED" in failed.stdout
    oee(env, "sell", "SOL", "USDC", "1", "--limit", "x", code=2)
    refused = oee(env, "sell", "SOL", "NONE", "1", code=4)
    assert "UNSUPPORTED" in refused.stderr or "tokenOut" in refused.stderr
    told = json.loads(oee(env, "sell", "SOL", "NONE", "1", "--json", code=4).stderr)
    assert told["error"]["errors"][0]["pointer"] == "/tokenOut"
    oee(env, "show", "nothing", code=4)
    oee(env, "watch", "nothing", code=4)
    waiting = oee(env, "sell", "SOL", "USDC", "1", "--limit", "900", "-w", "--timeout", "1", code=5)
    order_id = waiting.stdout.split()[0]
    assert trader.order(order_id)["status"] == "resting"
    oee(env, "watch", "--timeout", "1", code=5)
    trader.cancel(order_id)
    nobody = environment(keyed, "oek_0000000000000000_" + "0" * 64)
    for asked in ("tokens", f"watch {order_id}", "doctor", "ops status"):
        oee(nobody, *asked.split(), code=4)
    config = tmp_path / "config.toml"
    config.write_text('url = "http://127.0.0.1:9"\npatience = 0.5\n')
    nowhere = environment(system, OEE_CONFIG=str(config), ENGINE_URL="")
    for asked in ("tokens", f"watch {order_id}", "doctor", "sell SOL USDC 1"):
        ran = oee(nowhere, *asked.split(), code=3)
        assert "127.0.0.1:9" in ran.stdout + ran.stderr


def test_operators_operate_and_traders_are_refused(
    keyed: System, account: Accounts, access: DynamoAccess
) -> None:
    trader = account("notops")
    env = environment(keyed, create(access, "cli-ops", Role.OPERATOR))
    acts = ("ops status", "ops dead-letters", "ops redrive", "ops halt why", "ops resume why")
    for asked in (*acts, "ops audit"):
        ran = oee(environment(keyed, trader.key), *asked.split(), code=4)
        assert "OPERATOR_ONLY" in ran.stderr
    resting = trader.place(type="limit", limitPrice="900")
    status = until(
        lambda: json.loads(oee(env, "ops", "status", "--json").stdout),
        lambda status: status["ticker"]["pairs"],
    )
    assert status["trading"]["state"] == "open"
    trader.cancel(resting)
    try:
        assert "halted" in oee(env, "ops", "halt", "a test").stdout
        until(trader.post, lambda answer: answer.status_code == 503)  # within two seconds
        halted = environment(keyed, trader.key)
        refused = oee(halted, "sell", "SOL", "USDC", "1", "--json", code=4)
        assert json.loads(refused.stderr)["error"]["code"] == "TRADING_HALTED"
    finally:
        oee(env, "ops", "resume", "it is over")
    until(trader.post, lambda answer: answer.status_code == 202)
    oee(env, "ops", "dead-letters", "-n", "5")
    assert "moved" in oee(env, "ops", "redrive", "a test").stdout
    done = json.loads(oee(env, "ops", "audit", "--json").stdout)["acts"]
    assert {"a test", "it is over"} <= {act["reason"] for act in done}
    order_id = trader.place()
    trader.wait_for(order_id, "confirmed")
    told = json.loads(oee(env, "show", order_id, "--story", "--json").stdout)
    assert told["orderId"] == order_id
    assert "yes; trading is open" in oee(env, "doctor").stdout


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes started here hear Ctrl-C, also if ours was started to ignore it, as by `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_the_order_alone_and_says_how_to_go_on(
    system: System, trader: Trader
) -> None:
    env = environment(system)
    words = [OEE, "sell", "SOL", "USDC", "1", "--limit", "900", "--watch"]
    with subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        order_id = running.stdout.readline().split()[0]
        assert running.stdout.readline().split()[1] == "resting"
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert running.returncode == 130, said
    assert trader.order(order_id)["status"] == "resting"
    assert re.search(rf"oee watch {order_id} --after [01]$", said, re.MULTILINE), said
    assert f"oee cancel {order_id}" in said
    trader.cancel(order_id)


def test_a_terminal_shows_it_live(system: System) -> None:
    ours, theirs = pty.openpty()
    env = environment(system, TERM="xterm-256color", COLUMNS="120")
    with subprocess.Popen(
        [OEE, "sell", "SOL", "USDC", "1", "--watch"], env=env, stdout=theirs, stderr=theirs
    ) as running:
        os.close(theirs)
        shown = b""
        try:
            while some := os.read(ours, 65_536):
                shown += some
        except OSError:  # the other end is closed
            pass
        assert running.wait(60) == 0
    os.close(ours)
    assert b"\x1b[" in shown
    for status in LIVES:
        assert status.encode() in shown


# The client


class LosesAnswers(httpx.HTTPTransport):
    """Loses the answer of the first placing, after it was taken."""

    lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.url.path == "/api/orders/execute" and not self.lost:
            answer.close()
            self.lost += 1
            raise httpx.ReadError("cut")
        return answer


def test_a_placing_whose_answer_is_lost_is_one_order_and_is_heard_of_over_a_cut_line(
    keyed: System, account: Accounts
) -> None:
    trader = account("cut")
    transport = LosesAnswers()
    with cutting(keyed, 2) as line:
        address = f"http://{line.address}", f"ws://{line.address}/live"
        with Engine(*address, trader.key, transport=transport) as engine:
            order = engine.place(MARKET)
            told = [(each.seq, each.status) for each in engine.watch(order.order_id, timeout=60)]
        assert line.made == 2
    assert told == [*zip(range(1, 6), LIVES, strict=True)]
    assert transport.lost == 1
    assert [each["orderId"] for each in trader.orders()] == [order.order_id]
    assert len(trader.landed(order.order_id)) == 1


async def _asynchronously(url: str, ws_url: str, key: str) -> list[tuple[str, int, str]]:
    body = MARKET
    async with AsyncEngine(url, ws_url, key) as engine:
        order = await engine.place(body, key="k")
        told = [
            (each.order_id, each.seq, str(each.status))
            async for each in engine.watch(order.order_id, timeout=60)
        ]
        await engine.ping()
        assert (await engine.place(body, key="k")).order_id == order.order_id
        assert (await engine.get(order.order_id)).status == "confirmed"
        assert (await engine.get_by_client_id("k")).order_id == order.order_id
        assert [each.order_id async for each in engine.list(type="market")] == [order.order_id]
        assert (await engine.quote("SOL", "USDC", "1")).route
        assert (await engine.prices("SOL/USDC"))[0].price
        assert (await engine.tokens()).pairs
        assert (await engine.health()).status == "ok"
        waits = await engine.place(body | {"type": "limit", "limitPrice": "900"})
        changed = await engine.change(waits.order_id, {"limitPrice": "901"}, if_seq=1)
        assert str(changed.limit_price) == "901"
        assert (await engine.cancel(waits.order_id)).status == "cancelled"
        await engine.cancel_all()
        waits = await engine.place(body | {"type": "limit", "limitPrice": "900"})
        async with aclosing(engine.watch_all(timeout=60)) as watching:
            seen = await anext(watching)
        assert (seen.order_id, seen.status) == (waits.order_id, "resting")
    return told


def test_the_client_for_asyncio_does_the_same(keyed: System, account: Accounts) -> None:
    trader = account("async")
    with cutting(keyed, 1) as line:
        address = f"http://{line.address}", f"ws://{line.address}/live"
        told = asyncio.run(_asynchronously(*address, trader.key))
    assert [each[1:] for each in told] == [*zip(range(1, 6), LIVES, strict=True)]


def test_all_orders_are_watched_at_once(keyed: System, account: Accounts) -> None:
    trader = account("all")
    with Engine(keyed.url, key=trader.key) as engine:
        watching = engine.watch_all(timeout=60)
        ids = {trader.place(limitPrice="900", type="limit") for _ in range(3)}
        seen = {next(watching).order_id for _ in range(3)}
        assert seen == ids
        engine.cancel(min(ids))
        update = next(watching)
        assert (update.order_id, update.status) == (min(ids), "cancelled")
        until(lambda: engine.get(min(ids)), lambda order: order.status == "cancelled")
