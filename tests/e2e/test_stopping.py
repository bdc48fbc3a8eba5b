"""Whoever ends `make`, in whatever way, ends all that it has started."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.client import FINAL, a_body, until

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Running:
    """A program that serves, and what it said until it was up."""

    process: subprocess.Popen[str]
    said: str

    @property
    def port(self) -> int:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.said)
        assert found
        return int(found[1])

    @property
    def started(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def make(*arguments: str, until: str) -> AbstractContextManager[Running]:
    """Run a target and wait until it says `until`; end what is left of it."""
    return running(["make", "--silent", *arguments], until)


@contextmanager
def running(command: list[str], until: str) -> Iterator[Running]:
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = ""
        while until not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        program = Running(process, said)
        started = program.started
        try:
            yield program
        finally:
            process.kill()
            for each in started:
                with suppress(psutil.NoSuchProcess):
                    each.kill()


def left_of(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Wait until they have ended; return those that have not after a minute."""
    return psutil.wait_procs(processes, timeout=60)[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(
    ("arguments", "until", "fewest"),
    [
        (("up", "PORT=0"), "Stop it with Ctrl-C", 4),  # server, emulator, functions
        (("cloud", "CLOUD_PORT=0"), "Stop it with Ctrl-C", 2),
        (("demo",), "Starting the embedded cloud", 1),
    ],
    ids=["up", "cloud", "demo"],
)
def test_a_signal_to_make_alone_leaves_nothing(arguments, until, fewest, how) -> None:
    with make(*arguments, until=until) as target:
        started = target.started
        assert len(started) >= fewest
        target.process.send_signal(how)
        assert left_of(started) == []
        assert target.process.wait(60) != 0


def test_a_program_that_is_run_ends_with_all_that_it_has_started() -> None:
    """As `make deploy` runs SAM, which runs make, which runs pip."""
    program = """
from pathlib import Path
from local import processes, signals
signals.stop_on_signals()
child = "echo up; sleep 600; :"
processes.run(["sh", "-c", f"sh -c '{child}' & wait"], cwd=Path(), env={})
"""
    with running([sys.executable, "-c", program], until="up") as target:
        started = target.started
        assert len(started) >= 2
        target.process.terminate()
        assert left_of(started) == []


def test_what_a_killed_server_leaves_is_not_taken_for_a_system() -> None:
    with make("up", "PORT=0", until="Stop it with Ctrl-C") as target:
        started = target.started
        (server,) = psutil.Process(target.process.pid).children()
        assert (ROOT / f".local/up-{target.port}.json").exists()
        server.send_signal(signal.SIGKILL)
        assert left_of(started) == []
    try:
        asked = subprocess.run(
            ["make", "--silent", "key", "ACCOUNT=ann", f"PORT={target.port}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"nothing is up at port {target.port}: run make up" in asked.stderr
    finally:
        for name in ("up", "sam"):
            (ROOT / f".local/{name}-{target.port}.json").unlink()


def test_what_is_kept_is_there_again_whatever_ended_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    up, until_up = ("up", f"PORT={port}", "KEEP=1"), "Stop it with Ctrl-C"
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def get(path: str) -> dict[str, Any]:
        read: dict[str, Any] = http.get(path).json()
        return read

    moved = {"pair": "SOL/USDC", "price": "150"}
    kept = ROOT / f".local/kept-{port}"
    try:
        with make(*up, until=until_up) as target:
            assert http.post("/api/simulation/prices", json=moved).is_success
            placed = http.post("/api/orders/execute", json=a_body()).json()
            waits = a_body(type="takeProfit", stopPrice="160")
            resting = http.post("/api/orders/execute", json=waits).json()
            assert resting["status"] == "resting"
            started = target.started
            target.process.kill()
            assert left_of(started) == []
        with make(*up, until=until_up) as target:
            assert http.get("/api/prices", params={"pair": "SOL/USDC"}).json()["price"] == "150"
            assert http.post("/api/simulation/prices", json=moved | {"price": "161"}).is_success
            for order_id in (placed["orderId"], resting["orderId"]):
                path = f"/api/orders/{order_id}"
                order = until(partial(get, path), lambda order: order["status"] in FINAL)
                assert order["status"] == "confirmed"
            started = target.started
            target.process.terminate()
            assert left_of(started) == []
    finally:
        http.close()
        shutil.rmtree(kept)


def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            ["make", "--silent", "up", f"PORT={port}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    why = "can't be used: address already in use; choose another with PORT=..."
    assert ran.stderr.splitlines()[0] == f"port {port} {why}"
