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
from typing import Any

from bench.client import Failed
from bench.figures import ROOT
from bench.stub import answering, fresh_order
from engine.adapters.codec import encode
from local.cloud import scrubbed
from local.package import function_zip, layer_zip

FUNCTIONS = ("execute", "worker", "ws_connect", "ws_notify", "reconcile")
#: A real event of each source: what a cold process is woken by.
FIRST = {
    "execute": "http_place_order",
    "worker": "sqs_batch",
    "ws_connect": "ws_connect",
    "ws_notify": "stream_changes",
    "reconcile": "schedule",
}
_CHILD = ROOT / "bench" / "child.py"
_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Lambdas:
    """Unpacked functions and layer, and somebody who answers their AWS calls."""

    directory: Path
    endpoint: str

    def run(self, function: str | None, *words: str, options: Sequence[str] = ()) -> str:
        """Run `bench/child.py` as a process of a function; return what it wrote. Raises Failed."""
        ran = subprocess.run(
            [sys.executable, "-P", *options, str(_CHILD), *words],
            env=self.environment(function),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
        if ran.returncode:
            raise Failed(f"{words}: {ran.stderr[-500:]}")
        return ran.stderr if options else ran.stdout

    def seconds(self, function: str | None, *words: str) -> float:
        """Run a child and return the seconds that it found."""
        return float(self.run(function, *words).strip().rpartition("\n")[2])

    def profile(self, function: str, *words: str) -> dict[str, float]:
        """Run a child and return the milliseconds by package that it found."""
        taken: dict[str, float] = json.loads(self.run(function, *words).strip().rpartition("\n")[2])
        return taken

    def environment(self, function: str | None) -> dict[str, str]:
        """Return a function's environment: the path of its code, and what the template sets."""
        code = [str(self.directory / "layer" / "python")]
        if function:
            code.insert(0, str(self.directory / function))
        return scrubbed(os.environ) | settings(self.endpoint) | {"PYTHONPATH": ":".join(code)}

    def event(self, function: str) -> str:
        """Return the path of the event that a cold process of the function is woken by."""
        return str(ROOT / "events" / f"{FIRST[function]}.json")

    def keep(self, name: str, events: Any) -> str:
        """Write events to a file and return its path."""
        path = self.directory / f"{name}.json"
        path.write_text(json.dumps(events))
        return str(path)


def settings(endpoint: str | None) -> dict[str, str]:
    """Return what the functions' environment says, with nothing to wait for."""
    return {
        "TABLE_NAME": "orders",
        "ORDER_QUEUE_URL": f"{endpoint or 'https://sqs.us-east-1.amazonaws.com'}/1/orders",
        "DEAD_LETTER_QUEUE_URL": f"{endpoint or 'https://sqs.us-east-1.amazonaws.com'}/1/letters",
        "WEBSOCKET_API_ID": "f6g7h8i9j0",
        "WEBSOCKET_STAGE": "live",
        "QUOTE_DELAY_MIN_MS": "0",
        "QUOTE_DELAY_MAX_MS": "0",
        "CONFIRM_DELAY_MIN_MS": "0",
        "CONFIRM_DELAY_MAX_MS": "0",
        "AUTH": "none",
        "MAX_ORDER_USD": "10000000",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": "/var/task",
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}),
    }


@contextmanager
def unpacked() -> Iterator[Lambdas]:
    """Unpack functions and layer as Lambda would, and answer their calls meanwhile."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, answering() as endpoint:
        directory = Path(name)
        _unzip(layer_zip(ROOT / "layers" / "common"), directory / "layer")
        for function in FUNCTIONS:
            _unzip(function_zip(ROOT / "functions" / function), directory / function)
        yield Lambdas(directory, endpoint)


def _unzip(packed: bytes, into: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(into)


def an_event(name: str) -> dict[str, Any]:
    """Return one of `events/`."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def sqs_event(order_ids: Sequence[str]) -> dict[str, Any]:
    """Return a batch of orders just placed, each with what its sender knew of it."""
    record: Mapping[str, Any] = an_event("sqs_batch")["Records"][0]
    bodies = (
        json.dumps({"orderId": order_id, "order": encode(fresh_order(order_id))})
        for order_id in order_ids
    )
    return {"Records": [{**record, "messageId": str(n), "body": b} for n, b in enumerate(bodies)]}


def stream_event(order_ids: Sequence[str], number: int) -> dict[str, Any]:
    """Return a change of each order, as the table's stream tells of them from `number` on."""
    text = json.dumps(an_event("stream_changes")["Records"][2])
    standing = "11111111-1111-4111-8111-111111111111"
    records = [json.loads(text.replace(standing, order_id)) for order_id in order_ids]
    for n, record in enumerate(records, number):
        record["dynamodb"]["SequenceNumber"] = f"{n:021d}"
    return {"Records": records}
