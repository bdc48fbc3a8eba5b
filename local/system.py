"""The whole system at once: embedded cloud, stack and front door. For tests, demo and `make up`.

with running({"QuoteDelayMinMs": "0"}) as system:
    requests.post(f"{system.url}/api/orders/execute", ...)
    system.client("sqs").receive_message(QueueUrl=system.stack.dead_letter_queue)
    system.cloud.kill_worker(system.workers("worker")[0])
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

from local import processes
from local.cloud.deploy import deploying
from local.cloud.embedded import HOST, ROOT, Cloud, listening_at, running_cloud
from local.cloud.stack import Stack
from local.errors import CloudFailed, Refused

if TYPE_CHECKING:
    from engine.adapters.aws.table import Table
    from engine.domain.order import Settlement
    from local.solana.localnet import Localnet

#: What is other here than in the template's defaults. After a run that logs nothing the embedded
#: cloud waits 50 ms for its log, so every run is to log something.
PARAMETERS = {"SimulatedFaults": "on", "Auth": "none", "LogLevel": "DEBUG"}

#: Processes to start beforehand, by function. Each is some 50 MB.
WARM = {"execute": 1, "worker": 1, "ws_connect": 1, "ws_notify": 1}

#: Functions that take batches: one of nothing does nothing.
_BATCHES = {"worker", "ws_notify"}
_WATCH_SECONDS = 30.0

#: What the template calls the version in service; other calls would get processes of their own.
ALIAS = "live"


@dataclass(frozen=True, slots=True)
class System:
    """The running system; `url` and `ws_url` are the front door's.

    `parameters` are what the stack was deployed with, `localnet` is the chain that it trades on.
    """

    port: int
    cloud: Cloud
    stack: Stack
    parameters: Mapping[str, str]
    localnet: "Localnet | None" = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    @property
    def endpoint_url(self) -> str:
        """What `AWS_ENDPOINT_URL` is to the functions."""
        return self.cloud.endpoint_url

    def client(self, service: str) -> Any:
        """Return a boto3 client of the embedded cloud."""
        from local.cloud import aws

        return aws.client(service, self.endpoint_url)

    @property
    def table(self) -> "Table":
        """The stack's table, by the engine's own adapter."""
        from engine.adapters.aws.table import Table

        return Table(self.client("dynamodb"), self.stack.table)

    def workers(self, function: str) -> list[int]:
        """Return the pids of a function's processes; `function` is its directory's name."""
        return self.cloud.workers(self.stack.functions[function])

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function and return its answer. Raises CloudFailed if it raised."""
        return invoke(self.cloud, self.stack.functions[function], event)

    def resident(self) -> int:
        """Return the resident memory of cloud, functions and front door together, in bytes."""
        own = psutil.Process().memory_info().rss
        return own + sum(p.resident for p in self.cloud.processes())


@contextmanager
def running(
    parameters: Mapping[str, str] | None = None,
    *,
    port: int = 0,
    warm: Mapping[str, int] | None = None,
    template: Path = ROOT / "template.yaml",
    log_level: str = "INFO",
    kept: Path | None = None,
    settlement: "Settlement | None" = None,
) -> Iterator[System]:
    """Run the whole system with its front door on `port`, 0 for a free one.

    What is in it outlasts it in the directory `kept`, if there is one. With a `settlement`, live or
    on paper, it trades on a chain of this machine, not simulated. Raises PortTaken before
    anything is started, CloudFailed if something does not start.
    """
    processes.allow_open_files()
    with (
        listening_at(port) as listener,
        running_cloud(log_level=log_level, kept=kept) as cloud,
        _chain(cloud, settlement) as chain,
    ):
        asked = PARAMETERS | dict(chain.parameters if chain else {}) | dict(parameters or {})
        with deploying(cloud, template, asked) as finished:
            from local.door.front_door import serving  # takes a while: meanwhile

            stack = finished()
        warm_up(cloud, stack, WARM if warm is None else warm)
        with serving(
            listener,
            stack.http_url,
            stack.ws_url,
            keys=asked["Auth"] != "none",
            connect_url=cloud.endpoint_url + invocations(stack.functions["ws_connect"]),
            log=cloud.log,
        ):
            yield System(int(listener.getsockname()[1]), cloud, stack, asked, chain)


def _chain(
    cloud: Cloud, settlement: "Settlement | None"
) -> "AbstractContextManager[Localnet | None]":
    if settlement is None:
        return nullcontext()
    try:
        from local.solana.localnet import localnet
    except ImportError as error:
        raise Refused(f"the local chain needs what `make test` installs: {error}") from error
    return localnet(cloud.endpoint_url, settlement)


def warm_up(cloud: Cloud, stack: Stack, processes_of: Mapping[str, int]) -> None:
    """Start that many processes of each function by harmless calls. Raises CloudFailed.

    WebSocket clients are let in by processes of their own, whatever was invoked by the alias.
    """
    calls = [name for name, count in processes_of.items() for _ in range(count)]
    with ThreadPoolExecutor(max(len(calls), 1)) as at_once:
        for _ in at_once.map(lambda name: _warm(cloud, stack, name), calls):
            pass


def _warm(cloud: Cloud, stack: Stack, name: str) -> None:
    if name in _BATCHES:
        invoke(cloud, stack.functions[name], {"Records": []})
        return
    if name == "ws_connect":
        asyncio.run(_watch_nothing(cloud, stack.ws_url))
        return
    path = "/" if name == "console" else "/healthz"
    answer = cloud.ask("GET", f"{urlsplit(stack.http_url).path}{path}")
    if not answer.is_success:
        raise CloudFailed(f"{path} says {answer.status_code}: {answer.text}", cloud.log)


async def _watch_nothing(cloud: Cloud, ws_url: str) -> None:
    """Go the way of a watcher, of an order that is not there, to the first message."""
    import aiohttp

    query = {"orderId": "warm-up"}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(ws_url, params=query) as s,
        ):
            await s.receive(timeout=_WATCH_SECONDS)
    except aiohttp.WSServerHandshakeError:
        return  # where a key is needed it is as far as one comes without
    except (TimeoutError, aiohttp.ClientError) as error:
        raise CloudFailed(f"watching {ws_url}: {error}", cloud.log) from error


def invoke(cloud: Cloud, function_name: str, event: Mapping[str, Any]) -> Any:
    """Invoke a function by its full name and return its answer. Raises CloudFailed."""
    answer = cloud.ask("POST", invocations(function_name), content=json.dumps(event))
    if not answer.is_success or "X-Amz-Function-Error" in answer.headers:
        raise CloudFailed(f"{function_name}: {answer.text}", cloud.log)
    return json.loads(answer.content or b"null")


def invocations(function_name: str) -> str:
    """Return the path of Lambda's API where the function's version in service is invoked."""
    return f"/2015-03-31/functions/{function_name}:{ALIAS}/invocations"
