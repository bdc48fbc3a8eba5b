"""Deploy the same template to a LocalStack and serve it on one address until stopped.

It is the one at AWS_ENDPOINT_URL, or else one that `docker-compose.yml` starts, which takes Docker
and an account's LOCALSTACK_AUTH_TOKEN.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.cloud.embedded import HOST, ROOT, STATE, http, listening_at
from local.errors import Refused
from local.places import sam

CONFIG_ENV = "containers"
STACK = "order-engine"
_COMPOSE = ["docker", "compose", "--file", str(ROOT / "docker-compose.yml")]
_BANNER = """\
The order execution engine is up at {url}, on the LocalStack at {endpoint_url}

  export ENGINE_URL={url} ENGINE_WS_URL={ws_url}
  make smoke

Stop it with Ctrl-C."""


def check(outside: Mapping[str, str]) -> str | None:
    """Return the endpoint of a LocalStack that runs, None if one can be started.

    Raises Refused, saying what is missing.
    """
    if endpoint_url := outside.get("AWS_ENDPOINT_URL"):
        if not answers(endpoint_url):
            raise Refused(f"no LocalStack answers at AWS_ENDPOINT_URL={endpoint_url}")
        return endpoint_url.rstrip("/")
    if not outside.get("LOCALSTACK_AUTH_TOKEN"):
        raise Refused(
            "LocalStack needs an account: set LOCALSTACK_AUTH_TOKEN to its token, or "
            "AWS_ENDPOINT_URL to a LocalStack that runs. `make up` alone needs neither."
        )
    if shutil.which("docker", path=outside.get("PATH")) is None:
        raise Refused("LocalStack runs in Docker, which is not here. `make up` alone needs none.")
    for what, command in (
        ("no Docker engine runs", ["docker", "version"]),
        ("Docker has no compose plugin", ["docker", "compose", "version"]),
    ):
        if subprocess.run(command, env=dict(outside), capture_output=True, check=False).returncode:
            raise Refused(f"LocalStack can't be started: {what}. `make up` alone needs none.")
    return None


def answers(endpoint_url: str) -> bool:
    """Whether a LocalStack is there and well."""
    try:
        answer = http().get(f"{endpoint_url.rstrip('/')}/_localstack/health", timeout=10)
        return answer.is_success and "services" in answer.json()
    except (ValueError, httpx.HTTPError, httpx.InvalidURL):
        return False


@contextmanager
def started(outside: Mapping[str, str]) -> Iterator[str]:
    """Run a LocalStack by docker-compose.yml; yield its endpoint. Raises Refused."""
    up = subprocess.run([*_COMPOSE, "up", "--detach", "--wait"], env=dict(outside), check=False)
    try:
        if up.returncode:
            raise Refused("LocalStack did not start; `docker compose logs` tells why")
        yield f"http://{HOST}:{outside.get('LOCALSTACK_PORT', '4566')}"
    finally:
        subprocess.run([*_COMPOSE, "down", "--volumes"], env=dict(outside), check=False)


def addresses(endpoint_url: str, outputs: Mapping[str, str], gateway: Any) -> tuple[str, str]:
    """Return where the HTTP API and the WebSocket API of the stack are.

    LocalStack says so itself; the template's outputs name hosts of AWS.
    """
    http_api = gateway.get_api(ApiId=outputs["HttpApiId"])
    websocket_api = gateway.get_api(ApiId=outputs["WebSocketApiId"])
    secure = urlsplit(endpoint_url).scheme == "https"
    return (
        _absolute(http_api["ApiEndpoint"], "https" if secure else "http"),
        f"{_absolute(websocket_api['ApiEndpoint'], 'wss' if secure else 'ws')}/live",
    )


def _absolute(address: str, scheme: str) -> str:
    return (address if "://" in address else f"{scheme}://{address}").rstrip("/")


def deploy(endpoint_url: str, outside: Mapping[str, str]) -> tuple[str, str]:
    """Build and deploy; return the addresses of both APIs. Raises Refused."""
    from local.cloud import aws

    if sam.deploy(CONFIG_ENV, {**outside, "AWS_ENDPOINT_URL": endpoint_url}) != 0:
        raise Refused("the stack was not deployed; SAM says why above")
    described = aws.client("cloudformation", endpoint_url).describe_stacks(StackName=STACK)
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described["Stacks"][0]["Outputs"]}
    return addresses(endpoint_url, outputs, aws.client("apigatewayv2", endpoint_url))


def serve(at: int, outside: Mapping[str, str]) -> None:
    """Serve until stopped. Raises Refused, PortTaken."""
    running = check(outside)
    with listening_at(at) as listener:
        if running:
            _serve(listener.getsockname()[1], listener, running, outside)
            return
        with started(outside) as endpoint_url:
            _serve(listener.getsockname()[1], listener, endpoint_url, outside)


def _serve(at: int, listener: Any, endpoint_url: str, outside: Mapping[str, str]) -> None:
    from threading import Event

    from local.door.front_door import serving

    http_url, ws_url = deploy(endpoint_url, outside)
    STATE.mkdir(exist_ok=True)
    with serving(listener, http_url, ws_url, log=STATE / "localstack.log"):
        url = f"http://{HOST}:{at}"
        print(
            _BANNER.format(url=url, ws_url=f"ws://{HOST}:{at}/live", endpoint_url=endpoint_url),
            flush=True,
        )
        Event().wait()
