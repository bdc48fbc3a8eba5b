"""Run functions by `sam local`, in Lambda's own container, against the embedded cloud."""

import http.client
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.cloud.embedded import HOST, ROOT, STATE, Cloud
from local.cloud.stack import Stack
from local.errors import Refused
from local.places import sam
from local.places.bridge import NAME, bridged
from local.system import System, call, running

TEMPLATE = STATE / "sam-template.json"
_BUILT = ROOT / ".aws-sam/containers/build/template.yaml"
#: Which function an event of `events/` is for, by the first word of its name.
FUNCTIONS = {
    "http": "ExecuteFunction",
    "sqs": "WorkerFunction",
    "ws": "WsConnectFunction",
    "stream": "WsNotifyFunction",
    "schedule": "ReconcileFunction",
}
_ARCHITECTURES = {"aarch64": "arm64", "x86_64": "x86_64"}
_PATIENCE_SECONDS = 120.0


class Skipped(Exception):
    """What `sam local` needs is not here; the message says what."""


def environments(cloud: Cloud, stack: Stack) -> dict[str, dict[str, str]]:
    """Return what each function's environment is, seen from a container, by logical id."""
    seen = {}
    for output, name in stack.outputs.items():
        if output.endswith("FunctionName"):
            path = f"/2015-03-31/functions/{name}/configuration"
            _, _, body = call(cloud, "GET", path)
            variables: dict[str, str] = json.loads(body)["Environment"]["Variables"]
            seen[output.removesuffix("Name")] = variables | {
                "AWS_ENDPOINT_URL": f"http://{NAME}:{cloud.port}"
            }
    return seen


def template(built: Path = _BUILT) -> str:
    """Return a built template for `sam local` on this machine.

    For its architecture, with paths that hold from anywhere, and with AWS_ENDPOINT_URL declared:
    `sam local` passes on no variable that the template does not name.
    """
    from samtranslator.yaml_helper import yaml_parse

    parsed = yaml_parse(built.read_text())
    architecture = _ARCHITECTURES[sam.machine()]
    function = parsed["Globals"]["Function"]
    function["Architectures"] = [architecture]
    function["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    for resource in parsed["Resources"].values():
        properties = resource.get("Properties", {})
        for path in {"CodeUri", "ContentUri"} & properties.keys():
            properties[path] = str(built.parent / properties[path])
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["CompatibleArchitectures"] = [architecture]
            resource["Metadata"]["BuildArchitecture"] = architecture
    return json.dumps(parsed, default=str, indent=1)


def write_template() -> Path:
    """Write the template of what `make build ENV=containers` has built; return where it is."""
    STATE.mkdir(exist_ok=True)
    TEMPLATE.write_text(template())
    return TEMPLATE


def image() -> str:
    """Return the image that `sam local` would run, which is never pulled here. Raises Skipped."""
    name = f"public.ecr.aws/lambda/python:3.13-{_ARCHITECTURES[sam.machine()]}"
    if not _docker("version"):
        raise Skipped("no Docker engine")
    if not _docker("image", "inspect", name):
        raise Skipped(f"no image {name}")
    return name


def _docker(*arguments: str) -> bool:
    try:
        ran = subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0


def options(environment_file: Path) -> list[str]:
    """Return what every `sam local` command needs to reach the embedded cloud."""
    return [
        "--template",
        str(TEMPLATE),
        "--env-vars",
        str(environment_file),
        "--add-host",
        f"{NAME}:host-gateway",
        "--skip-pull-image",
        "--region",
        "us-east-1",
    ]


def invoke(event: Path, common: Sequence[str], outside: Mapping[str, str]) -> Any:
    """Send an event to its function by `sam local invoke`; return the answer.

    Raises CalledProcessError; Refused if the function failed.
    """
    function = FUNCTIONS[event.stem.partition("_")[0]]
    ran = subprocess.run(
        [sam.SAM, "local", "invoke", function, "--event", event, *common],
        cwd=ROOT,
        env=outside,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer = json.loads(ran.stdout.strip().rpartition("\n")[2])
    if isinstance(answer, dict) and "errorType" in answer:
        raise Refused(f"sam local invoke, {event.name}: {answer}")
    return answer


@contextmanager
def serving(
    what: str, port: int, common: Sequence[str], outside: Mapping[str, str]
) -> Iterator[None]:
    """Run `sam local start-api` or `start-lambda` with warm containers."""
    command = [
        str(sam.SAM),
        "local",
        what,
        "--port",
        str(port),
        "--warm-containers",
        "LAZY",
        *common,
    ]
    with subprocess.Popen(command, cwd=ROOT, env=outside) as process:
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Refused(f"sam local {what} did not start")
                time.sleep(0.2)
            yield
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def ask(url: str, path: str, body: bytes | None = None) -> Any:
    """Ask an HTTP server on this machine; return the JSON it answers."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE_SECONDS)
    try:
        kind = {"Content-Type": "application/json"}
        connection.request("POST" if body else "GET", path, body, kind)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _ended(system: System, order_id: str) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (status := ask(system.url, f"/api/orders/{order_id}")["status"]) not in {
        "confirmed",
        "failed",
    }:
        if time.monotonic() > deadline:
            raise Refused(f"order {order_id} is still {status}")
        time.sleep(0.2)
    return str(status)


def demonstrate(outside: Mapping[str, str]) -> None:
    """Invoke, serve the HTTP API, serve Lambda's own API; each against the embedded cloud.

    Raises Skipped, Refused, CalledProcessError.
    """
    print(f"Running {image()}", flush=True)
    if sam.build("containers", outside) != 0:
        raise Refused("sam build failed")
    seen = {**outside, "SAM_CLI_TELEMETRY": "0"}
    with running() as system, bridged(system.cloud.port):
        write_template()
        variables = STATE / "sam-variables.json"
        variables.write_text(json.dumps(environments(system.cloud, system.stack), indent=2))
        common = options(variables)
        for path in sorted((ROOT / "events").glob("*.json")):
            answer = invoke(path, common, seen)
            print(f"sam local invoke, {path.name}: {json.dumps(answer)[:120]}", flush=True)
            if path.stem == "http_place_order":
                order_id = json.loads(answer["body"])["orderId"]
                print(f"  the order is {_ended(system, order_id)}")
        with serving("start-api", 3001, common, seen):
            body = json.loads((ROOT / "events/http_place_order.json").read_text())["body"]
            order = ask(f"http://{HOST}:3001", "/api/orders/execute", body.encode())
            print(
                f"sam local start-api: {order['status']}, then {_ended(system, order['orderId'])}"
            )
        with serving("start-lambda", 3002, common, seen):
            address = "/2015-03-31/functions/ReconcileFunction/invocations"
            event = (ROOT / "events/schedule.json").read_bytes()
            print(f"sam local start-lambda: {ask(f'http://{HOST}:3002', address, event)}")
