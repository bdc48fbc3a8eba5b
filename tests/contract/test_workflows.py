"""The workflows run what a developer runs, pin what they use, and keep no key."""

import re
from typing import Any

import pytest
import yaml

from tests.contract.transform import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def steps(path: Any) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_pins_its_actions_ends_in_time_and_reads_only(path: Any) -> None:
    workflow = yaml.safe_load(path.read_text())
    for step in steps(path):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))
    assert all(job["timeout-minutes"] <= 30 for job in workflow["jobs"].values())
    assert workflow["permissions"]["contents"] == "read"
    assert "secrets." not in path.read_text()
    assert not re.search(r"\$\{\{", " ".join(step.get("run", "") for step in steps(path)))


def test_checks_are_ci_and_a_deploy_takes_a_role_and_no_key() -> None:
    checks, deploy = ([step.get("run") for step in steps(path)] for path in WORKFLOWS)
    assert checks[-1] == "bash .ci/run"
    assert deploy[-1] == 'make deploy ENV="$ENVIRONMENT"'
    permissions = yaml.safe_load(WORKFLOWS[1].read_text())["permissions"]
    assert permissions == {"contents": "read", "id-token": "write"}
    (login,) = [s for s in steps(WORKFLOWS[1]) if "configure-aws" in s.get("uses", "")]
    assert set(login["with"]) == {"role-to-assume", "aws-region"}
