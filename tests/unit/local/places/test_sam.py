"""Which Python builds, what `sam` gets to see, and what is refused."""

import os
from pathlib import Path

import pytest

from local.errors import Refused
from local.places import lambda_python, sam


def a_python(path: Path, version: str) -> Path:
    """Make a program that answers as a Python of that version would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ok = 0 if version == "3.13" else 1
    path.write_text(f"#!/bin/sh\necho {path}\nexit {ok}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_is_named_is_taken(tmp_path):
    named = a_python(tmp_path / "mine", "3.13")
    a_python(tmp_path / "bin/python3.13", "3.13")
    assert lambda_python.find({"PYTHON313": str(named), "PATH": str(tmp_path / "bin")}) == named


def test_a_shim_that_leads_nowhere_is_passed_over_for_pyenvs_own(tmp_path):
    a_python(tmp_path / "shims/python3.13", "none")
    real = a_python(tmp_path / ".pyenv/versions/3.13.0/bin/python3.13", "3.13")
    environment = {"PATH": str(tmp_path / "shims"), "HOME": str(tmp_path)}
    assert lambda_python.find(environment) == real


def test_no_python_3_13_is_said(tmp_path, monkeypatch):
    nowhere = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    assert lambda_python.find(nowhere) is None
    with pytest.raises(Refused, match="no Python 3"):
        sam.build_environment("none", nowhere)


def test_sam_build_sees_python_3_13_first_and_for_what_the_wheels_are(tmp_path):
    python = a_python(tmp_path / "python3.13", "3.13")
    seen = sam.build_environment("aarch64", {"PYTHON313": str(python), "PATH": "/bin"})
    assert seen["PATH"] == f"{tmp_path}{os.pathsep}/bin"
    assert (seen["WHEELS"], seen["SAM_CLI_TELEMETRY"]) == ("aarch64", "0")


def test_only_what_runs_elsewhere_gets_other_wheels():
    assert {env: sam.wheels(env) for env in ("default", "prod", "local", "containers")} == {
        "default": "aarch64",
        "prod": "aarch64",
        "local": "none",
        "containers": sam.machine(),
    }


@pytest.mark.parametrize("config_env", ["local", "containers"])
def test_a_layer_that_is_not_for_lambda_does_not_go_to_aws(config_env):
    account = {"AWS_PROFILE": "mine", "AWS_ACCESS_KEY_ID": "AKIA", "PATH": "/bin"}
    with pytest.raises(Refused, match="AWS_ENDPOINT_URL"):
        sam.environment(config_env, account)
    seen = sam.environment(config_env, account | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert seen["AWS_ACCESS_KEY_ID"] == "test"
    assert "AWS_PROFILE" not in seen


def test_a_deployment_to_aws_sees_the_shells_account():
    assert sam.environment("prod", {"AWS_PROFILE": "mine"})["AWS_PROFILE"] == "mine"


class Sam:
    """Stands in for the SAM CLI: keeps what it was asked, and ends as it is told."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked: list[list[str]] = []

    def __call__(self, arguments: list[str], _: object) -> int:
        self.asked.append(arguments)
        return self.status


@pytest.mark.parametrize(("status", "asked"), [(0, ["build", "deploy"]), (1, ["build"])])
def test_a_deployment_builds_first_and_stops_if_that_fails(status, asked, tmp_path, monkeypatch):
    python = a_python(tmp_path / "python3.13", "3.13")
    monkeypatch.setattr(sam, "sam", cli := Sam(status))
    assert sam.deploy("prod", {"PYTHON313": str(python)}) == status
    assert cli.asked == [[what, "--config-env", "prod"] for what in asked]


@pytest.mark.parametrize(("config_env", "sure"), [("default", ["--no-prompts"]), ("prod", [])])
def test_only_prod_is_asked_before_it_is_destroyed(config_env, sure, monkeypatch):
    monkeypatch.setattr(sam, "sam", cli := Sam(0))
    assert sam.destroy(config_env, {}) == 0
    assert cli.asked == [["delete", "--config-env", config_env, *sure]]
