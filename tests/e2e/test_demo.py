"""The demo, as anybody runs it: an order rests, the price is moved, it wakes and fills."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRADED = ["pending", "routing", "building", "submitted", "confirmed"]
_STATUS = re.compile(r" +\d+ ms  (\w+)")


def demo(kind: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "demo", f"TYPE={kind}", *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["market", "limit", "stop", "oco"])
def test_each_status_is_printed_as_it_comes_and_the_price_is_moved_for_who_waits(kind) -> None:
    ran = demo(kind)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = [line for line in ran.stdout.splitlines() if " is moved to " in line or " ms  " in line]
    statuses = [found[1] for line in told if (found := _STATUS.fullmatch(line))]
    if kind == "market":
        assert statuses == TRADED
        return
    assert statuses == ["resting", *TRADED]
    assert " is moved to " in "".join(told[1:])


def test_on_the_chain_of_this_machine_the_wallet_has_what_was_traded() -> None:
    ran = demo("market", "NETWORK=localnet")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert [found[1] for line in lines if (found := _STATUS.fullmatch(line))] == TRADED
    assert re.search(r"wallet +-1\.0\d+ SOL, \+[\d.]+ USDC, fees included", ran.stdout)


def test_a_type_that_is_none_is_said_in_one_line() -> None:
    ran = demo("iceberg")
    said = ran.stderr.splitlines()[0]
    assert (ran.returncode, said.startswith("TYPE: invalid choice: 'iceberg'")) == (2, True)
    assert "'limit'" in said
