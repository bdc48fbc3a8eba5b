"""The functions as they are deployed, to be run one by one in processes of their own."""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from bench.figures import ROOT, Failed
from bench.stub import an_order, answering
from engine.adapters.codec import encode
from engine.domain.order import Settlement
from local.cloud.embedded import scrubbed
from local.cloud.package import function_zip, layer_zip

#: The functions, and a real event of each source: what a cold process is woken by.
FIRST = {
    "execute": "http_place_order",
    "worker": "sqs_batch",
    "ws_connect": "ws_connect",
    "ws_notify": "stream_changes",
    "reconcile": "schedule",
}
FUNCTIONS = tuple(FIRST)
_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Lambdas:
    """Unpacked functions and layer, and somebody who answers their AWS calls."""

    directory: Path
    endpoint: str
    environment: Mapping[str, str]

    def run(self, function: str, *words: str) -> Any:
        """Run `bench/child.py` as a process of a function; return what it found. Raises Failed."""
        code = [str(self.directory / function), str(self.directory / "layer" / "python")]
        if "answered" in words:
            code.append(str(ROOT))
        environment = settings(self.endpoint) | dict(self.environment)
        return child(*words, environment=environment | {"PYTHONPATH": ":".join(code)})

    def first(self, function: str, mode: str = "first") -> Any:
        """Run a process of a function that is woken by one event."""
        return self.run(function, mode, str(ROOT / "events" / f"{FIRST[function]}.json"))

    def keep(self, name: str, events: Any) -> str:
        """Write events to a file and return its path."""
        path = self.directory / f"{name}.json"
        path.write_text(json.dumps(events))
        return str(path)


def child(*words: str, environment: Mapping[str, str] = MappingProxyType({})) -> Any:
    """Run `bench/child.py`; return what it found. Raises Failed."""
    ran = subprocess.run(
        [sys.executable, "-P", str(ROOT / "bench" / "child.py"), *words],
        env=scrubbed(os.environ) | dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if ran.returncode:
        raise Failed(f"{words}: {ran.stderr[-500:]}")
    return json.loads(ran.stdout.strip().rpartition("\n")[2])


def import_boto3(times: int = 5) -> float:
    """Return the CPU seconds of `import boto3` on this machine, now: what times are divided by."""
    whole = [child("import", "boto3") for _ in range(times + 1)]
    return float(median(whole[1:]) - median(child("bare") for _ in range(times)))


def settings(endpoint: str | None) -> dict[str, str]:
    """Return what the functions' environment says, with nothing to wait for."""
    queues = endpoint or "https://sqs.us-east-1.amazonaws.com"
    return {
        "TABLE_NAME": "orders",
        "ORDER_QUEUE_URL": f"{queues}/1/orders",
        "DEAD_LETTER_QUEUE_URL": f"{queues}/1/letters",
        "TICK_QUEUE_URL": f"{queues}/1/ticks",
        "WEBSOCKET_API_ID": "f6g7h8i9j0",
        "WEBSOCKET_STAGE": "live",
        "QUOTE_DELAY_MIN_MS": "0",
        "QUOTE_DELAY_MAX_MS": "0",
        "CONFIRM_DELAY_MIN_MS": "0",
        "CONFIRM_DELAY_MAX_MS": "0",
        "AUTH": "none",
        "MAX_ORDER_USD": "10000000",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": "/var/task",
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}),
    }


@contextmanager
def unpacked(
    settlement: Settlement = Settlement.SIMULATED,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Lambdas]:
    """Unpack functions and layer as Lambda would, and answer their calls meanwhile.

    Orders are of this settlement; `environment` is told to the functions besides.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name, answering(settlement) as endpoint:
        directory = Path(name)
        packed = {"layer": layer_zip(ROOT / "layers" / "common")}
        packed |= {f: function_zip(ROOT / "functions" / f) for f in FUNCTIONS}
        for each, content in packed.items():
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(directory / each)
        yield Lambdas(directory, endpoint, environment)


def an_event(name: str) -> dict[str, Any]:
    """Return one of `events/`."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def sqs_batch(bodies: Sequence[str]) -> dict[str, Any]:
    """Return a batch of messages as a worker gets it."""
    record = an_event("sqs_batch")["Records"][0]
    return {"Records": [{**record, "messageId": str(n), "body": b} for n, b in enumerate(bodies)]}


def of_orders(order_ids: Sequence[str]) -> dict[str, Any]:
    """Return a batch of orders just placed, each with what its sender knew of it."""
    return sqs_batch([json.dumps({"orderId": i, "order": encode(an_order(i))}) for i in order_ids])


def stream_batch(order_ids: Sequence[str], number: int) -> dict[str, Any]:
    """Return a change of each order, as the table's stream tells of them from `number` on."""
    text = json.dumps(an_event("stream_changes")["Records"][2])
    standing = "11111111-1111-4111-8111-111111111111"
    records = [json.loads(text.replace(standing, order_id)) for order_id in order_ids]
    for n, record in enumerate(records, number):
        record["dynamodb"]["SequenceNumber"] = f"{n:021d}"
    return {"Records": records}
