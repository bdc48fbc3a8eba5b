"""Newman runs docs/postman.json against the running system, from the top, and finds it green."""

import json
import subprocess
from pathlib import Path

import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.ports.access import Role
from local.console import node
from local.errors import Refused
from local.ops.keys import create
from local.system import System
from tests.e2e.conftest import Accounts
from tests.postman.collection import ROOT, routes

#: Where npm installs newman, by the lock file; made once.
BUILD = ROOT / "build/postman"


def newman() -> Path:
    """Return newman. Skips the test where npm can't install it."""
    lock = (ROOT / "tests/postman/package-lock.json").read_text()
    kept, script = BUILD / "package-lock.json", BUILD / "node_modules/newman/bin/newman.js"
    if kept.exists() and kept.read_text() == lock and script.exists():
        return script
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "package.json").write_text((ROOT / "tests/postman/package.json").read_text())
    kept.write_text(lock)
    try:
        command = [*node("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            command, cwd=BUILD, capture_output=True, text=True, timeout=240, check=False
        )
    except (Refused, OSError, subprocess.TimeoutExpired) as reason:
        pytest.skip(f"npm is not there: {reason}")
    if done.returncode:
        pytest.skip(f"npm can't install newman: {done.stderr[-300:]}")
    return script


def test_newman_runs_the_collection_green(
    keyed: System, account: Accounts, access: DynamoAccess, tmp_path: Path
) -> None:
    script, report = newman(), tmp_path / "report.json"
    operator = create(access, "postman-ops", Role.OPERATOR)
    variables = {"baseUrl": keyed.url, "key": account("postman").key, "operatorKey": operator}
    command = [*node("node"), str(script), "run", str(ROOT / "docs/postman.json"), "--color", "off"]
    command += ["--reporters", "cli,json", "--reporter-json-export", str(report)]
    for name, value in variables.items():
        command += ["--env-var", f"{name}={value}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    stats = json.loads(report.read_text())["run"]["stats"]
    assert stats["requests"]["total"] >= len(routes())
    assert stats["assertions"]["total"] > 3 * len(routes())
    assert stats["assertions"]["failed"] == 0
