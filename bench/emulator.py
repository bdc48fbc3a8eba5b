"""The embedded cloud's own share: what one call of it costs, and how many it can do."""

import http.client
import json
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from statistics import median
from typing import Any

from bench.client import timed
from bench.figures import Failed, Figures
from bench.processor import processor_seconds
from bench.stage import FIXED, Stage
from local.cloud import aws
from local.cloud.embedded import HOST

CALLS, AT_ONCE, SECONDS = 300, 4, 3.0
PAUSED_CALLS, PAUSE = 60, 0.05
_KEY = {"pk": {"S": "BENCH"}, "sk": {"S": "BENCH"}}
#: What the embedded cloud takes for a signature: it reads the region and nothing else.
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def plain(port: int, operation: str) -> Callable[..., None]:
    """Return what makes a DynamoDB call with no more than HTTP; it raises Failed."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": _SIGNED,
    }

    def call(**asked: Any) -> None:
        connection.request("POST", "/", json.dumps(asked), headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise Failed(f"{operation}: {answer.status} {content[:200]!r}")

    return call


def emulator(stage: Stage) -> Figures:
    """Measure single calls from one client, with and without boto3; then as many as it takes."""
    system = stage.system(FIXED)
    port, table = system.cloud.port, system.stack.table
    stage.tell("one client")
    put = partial(
        system.client("dynamodb").put_item, TableName=table, Item={**_KEY, "t": {"S": "x" * 700}}
    )

    def measured(pause: float) -> tuple[float, float]:
        time.sleep(pause)
        cpu = time.process_time()
        return timed(put), time.process_time() - cpu

    before = processor_seconds([system.cloud.group])
    took, own = zip(*(measured(0) for _ in range(CALLS)), strict=True)
    emulators = (processor_seconds([system.cloud.group]) - before) / CALLS
    paused = [measured(PAUSE)[1] for _ in range(PAUSED_CALLS)]
    plainly = partial(plain(port, "PutItem"), **put.keywords)
    seconds = {
        "call_ms": median(took),
        "call_client_cpu_ms": median(own),
        "call_paused_cpu_ms": median(paused),
        "call_emulator_cpu_ms": emulators,
        "plain_call_ms": median(timed(plainly) for _ in range(CALLS)),
    }
    figures: Figures = {name: round(each * 1000, 2) for name, each in seconds.items()}
    for kind in ("boto3", "plain"):
        stage.tell(f"{AT_ONCE} clients, {kind}")
        with get_context("spawn").Pool(AT_ONCE) as processes:
            rates = processes.starmap(_rate, [(port, table, kind)] * AT_ONCE, chunksize=1)
        figures[f"{kind}_calls_per_s"] = round(sum(rates))
    return figures


def _rate(port: int, table: str, kind: str) -> float:
    """Read one row for some seconds; return how often in one of them."""
    by_boto3 = aws.client("dynamodb", f"http://{HOST}:{port}").get_item
    get = by_boto3 if kind == "boto3" else plain(port, "GetItem")
    get(TableName=table, Key=_KEY)
    time.sleep(0.5)  # so that all begin at about the same time
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        get(TableName=table, Key=_KEY)
        count += 1
    return count / (time.perf_counter() - began)
