"""Run functions by `sam local`, in Lambda's own container, against the embedded cloud."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.cloud.embedded import HOST, REGION, ROOT, STATE, Cloud, http
from local.cloud.stack import Stack
from local.errors import Refused
from local.places import sam
from local.places.bridge import NAME, bridged
from local.smoke import FINAL
from local.system import System, running

TEMPLATE = STATE / "sam-template.json"
_BUILT = ROOT / ".aws-sam/containers/build/template.yaml"
#: Which function an event of `events/` is for, by the first word of its name.
FUNCTIONS = {
    "http": "ExecuteFunction",
    "sqs": "WorkerFunction",
    "ws": "WsConnectFunction",
    "stream": "WsNotifyFunction",
    "schedule": "ReconcileFunction",
    "tick": "TriggerFunction",
}
_ARCHITECTURES = {"aarch64": "arm64", "x86_64": "x86_64"}


class Skipped(Exception):
    """What `sam local` needs is not here; the message says what."""


def environments(cloud: Cloud, stack: Stack) -> dict[str, dict[str, str]]:
    """Return what each function's environment is, seen from a container, by logical id."""
    seen = {}
    for output, name in stack.outputs.items():
        if output.endswith("FunctionName"):
            path = f"/2015-03-31/functions/{name}/configuration"
            configuration = cloud.ask("GET", path).json()
            variables: dict[str, str] = configuration["Environment"]["Variables"]
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
        *("--template", str(TEMPLATE), "--env-vars", str(environment_file)),
        *("--add-host", f"{NAME}:host-gateway", "--skip-pull-image", "--region", REGION),
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
    arguments = ["--port", str(port), "--warm-containers", "LAZY", *common]
    command = [str(sam.SAM), "local", what, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=outside) as process:
        try:
            _until(lambda: _listens(port) or process.poll() is not None, f"sam local {what}")
            if process.returncode is not None:
                raise Refused(f"sam local {what} did not start")
            yield
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _until(done: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if done():
            return
        time.sleep(0.2)
    raise Refused(f"{what} takes more than two minutes")


def ask(url: str, body: str | bytes | None = None) -> Any:
    """Ask an HTTP server on this machine; return the JSON it answers."""
    kind = {"Content-Type": "application/json"}
    return http().request("POST" if body else "GET", url, content=body, headers=kind).json()


def _ended(system: System, order_id: str) -> str:
    """Wait for the end of an order; return its status."""

    def status() -> str:
        return str(ask(f"{system.url}/api/orders/{order_id}")["status"])

    _until(lambda: status() in FINAL, f"order {order_id}")
    return status()


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
            order = ask(f"http://{HOST}:3001/api/orders/execute", body)
            print(
                f"sam local start-api: {order['status']}, then {_ended(system, order['orderId'])}"
            )
        with serving("start-lambda", 3002, common, seen):
            address = f"http://{HOST}:3002/2015-03-31/functions/ReconcileFunction/invocations"
            event = (ROOT / "events/schedule.json").read_bytes()
            print(f"sam local start-lambda: {ask(address, event)}")
