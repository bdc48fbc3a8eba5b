"""The page about security names tests that there are; no file has a secret; pins are exact."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.contract.transform import ROOT

PAGE = (ROOT / "docs/security.md").read_text()
PINS = sorted(ROOT.glob("**/requirements*.txt"))
#: What keys look like: AWS, private keys, GitHub, Slack, webhooks, our own, a Solana key pair.
SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bgh[pousr]_[A-Za-z0-9]{36}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{20,}"
    r"|\bwhsec_[A-Za-z0-9+/=]{24,}"
    r"|\boek_[a-f0-9]{16}_[A-Za-z0-9_-]{20,}"
    r"|\boet_[A-Za-z0-9_-]{32,}"
    r"|\[(?:\s*\d{1,3}\s*,){63}\s*\d{1,3}\s*,?\s*\]"
)
#: Examples of the specifications and of the docs, which open nothing.
KNOWN = frozenset({"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def secrets(text: str) -> set[str]:
    return set(SECRET.findall(text)) - KNOWN


def test_no_tracked_file_has_a_secret_in_it() -> None:
    files = tracked()
    assert len(files) > 300
    found = {
        str(file.relative_to(ROOT)): secrets(file.read_text(errors="ignore")) for file in files
    }
    assert {name: some for name, some in found.items() if some} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "-----BEGIN " + "EC PRIVATE KEY-----",
        "ghp_" + "a1" * 18,
        "whsec_" + "Zm9v" * 8,
        "oek_" + "0" * 16 + "_" + "a1" * 20,
        str(list(range(64))),
    ],
)
def test_a_planted_one_is_found(planted: str) -> None:
    assert secrets(f'key = "{planted}"')


@pytest.mark.parametrize("path", [p for p in PINS if ".venv" not in str(p)], ids=lambda p: p.stem)
def test_every_pin_is_one_exact_version(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and line.strip()[0] != "#"]
    assert lines
    for line in lines:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^\s;]+( ; .+)?$", line), line
    assert "://" not in path.read_text()


def test_every_threat_names_tests_that_there_are() -> None:
    rows = PAGE.split("| threat |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    assert len(rows) >= 15
    for row in rows:
        named = re.findall(r"`(tests/[\w/.]+)::(\w+)`", row)
        assert named, row
        for path, name in named:
            assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), name
