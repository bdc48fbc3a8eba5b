"""LocalStack, as far as it goes without an account: what is refused, and where things are."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from local.cloud.embedded import ROOT
from local.errors import Refused
from local.places import localstack

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def a_docker(directory: Path, script: str) -> str:
    docker = directory / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    return str(directory)


def test_without_token_and_endpoint_both_are_named():
    with pytest.raises(Refused, match=r"LOCALSTACK_AUTH_TOKEN .* AWS_ENDPOINT_URL"):
        localstack.check({})


def test_without_docker_it_is_said(tmp_path):
    with pytest.raises(Refused, match="runs in Docker, which is not here"):
        localstack.check({"LOCALSTACK_AUTH_TOKEN": "a-token", "PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("script", "reason"),
    [("exit 1", "no Docker engine runs"), ('test "$1" = version', "no compose plugin")],
)
def test_without_engine_or_compose_it_is_said(script, reason, tmp_path):
    path = a_docker(tmp_path, script)
    with pytest.raises(Refused, match=reason):
        localstack.check({"LOCALSTACK_AUTH_TOKEN": "a-token", "PATH": path})


def test_with_all_of_it_one_can_be_started(tmp_path):
    path = a_docker(tmp_path, "exit 0")
    assert localstack.check({"LOCALSTACK_AUTH_TOKEN": "a-token", "PATH": path}) is None


def nobody(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def test_an_endpoint_where_nobody_answers_is_named(monkeypatch):
    silent = httpx.Client(transport=httpx.MockTransport(nobody))
    monkeypatch.setattr("local.places.localstack.http", lambda: silent)
    with pytest.raises(Refused, match=r"no LocalStack answers at .*http://127\.0\.0\.1:9"):
        localstack.check({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})


def test_an_endpoint_that_answers_is_used_and_needs_no_token(monkeypatch):
    monkeypatch.setattr("local.places.localstack.answers", lambda _: True)
    assert localstack.check({"AWS_ENDPOINT_URL": "http://a:1/"}) == "http://a:1"


class Gateway:
    """Answers as LocalStack does: one address with a scheme, one without."""

    def get_api(self, ApiId: str) -> dict[str, str]:  # noqa: N803
        return {"ApiEndpoint": {"h": "http://h.execute-api.test:4566", "w": "w.test:4566"}[ApiId]}


def test_the_apis_are_where_localstack_says_they_are():
    outputs = {"HttpApiId": "h", "WebSocketApiId": "w", "HttpApiUrl": "https://h.amazonaws.com"}
    assert localstack.addresses("http://127.0.0.1:4566", outputs, Gateway()) == (
        "http://h.execute-api.test:4566",
        "ws://w.test:4566/live",
    )


def test_the_compose_file_listens_on_loopback_only_and_names_no_token():
    (service,) = COMPOSE["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["environment"]["LOCALSTACK_AUTH_TOKEN"].startswith("${LOCALSTACK_AUTH_TOKEN:?")
    assert "/_localstack/health" in service["healthcheck"]["test"][-1]
