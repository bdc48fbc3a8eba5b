"""The embedded cloud's own share: what one call of it costs, and how many it can do."""

import http.client
import json
import time
from collections.abc import Callable
from multiprocessing import get_context
from statistics import median
from typing import Any

from bench.client import timed
from bench.figures import Failed, Figures
from bench.processor import processor_seconds
from bench.stage import FIXED, Stage
from local.cloud import aws
from local.cloud.embedded import HOST
from local.system import System

CALLS, AT_ONCE, SECONDS = 300, 4, 3.0
PAUSED_CALLS, PAUSE = 60, 0.05
_KEY = {"pk": {"S": "BENCH"}, "sk": {"S": "BENCH"}}
#: What the embedded cloud takes for a signature: it reads the region and nothing else.
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def call(connection: http.client.HTTPConnection, operation: str, body: bytes) -> None:
    """Make one DynamoDB call with no more than HTTP. Raises Failed."""
    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": _SIGNED,
    }
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise Failed(f"{operation}: {answer.status} {content[:200]!r}")


def emulator(stage: Stage) -> Figures:
    """Measure single calls from one client, with and without boto3; then as many as it takes."""
    system = stage.system(FIXED)
    stage.tell("one client")
    figures = _one_client(system)
    stage.tell(f"{AT_ONCE} clients with boto3")
    figures["boto3_calls_per_s"] = _rate(system, plain=False)
    stage.tell(f"{AT_ONCE} clients without")
    return figures | {"plain_calls_per_s": _rate(system, plain=True)}


def _one_client(system: System) -> Figures:
    """Time and processor time of a call: in a row, after a pause, and without boto3."""
    client, pids = system.client("dynamodb"), [system.cloud.group]
    item = {**_KEY, "text": {"S": "x" * 700}}

    def put(pause: float = 0.0) -> tuple[float, float]:
        time.sleep(pause)
        cpu = time.process_time()
        took = timed(lambda: client.put_item(TableName=system.stack.table, Item=item))
        return took, time.process_time() - cpu

    before = processor_seconds(pids)
    took, own = zip(*(put() for _ in range(CALLS)), strict=True)
    emulators = (processor_seconds(pids) - before) / CALLS
    paused = [put(PAUSE)[1] for _ in range(PAUSED_CALLS)]
    connection = http.client.HTTPConnection(HOST, system.cloud.port, timeout=30)
    body = json.dumps({"TableName": system.stack.table, "Item": item}).encode()
    plain = [timed(lambda: call(connection, "PutItem", body)) for _ in range(CALLS)]
    return {
        "call_ms": round(median(took) * 1000, 2),
        "call_client_cpu_ms": round(median(own) * 1000, 2),
        "call_paused_cpu_ms": round(median(paused) * 1000, 2),
        "call_emulator_cpu_ms": round(emulators * 1000, 2),
        "plain_call_ms": round(median(plain) * 1000, 2),
    }


def _rate(system: System, *, plain: bool) -> float:
    """Return the calls a second that several processes get answered together."""
    words = system.endpoint_url, system.stack.table, plain
    with get_context("spawn").Pool(AT_ONCE) as processes:
        return round(sum(processes.starmap(_calls_a_second, [words] * AT_ONCE, chunksize=1)))


def _calls_a_second(endpoint: str, table: str, plain: bool) -> float:
    """Read one row for some seconds."""
    ask: Callable[[], Any]
    if plain:
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
        body = json.dumps({"TableName": table, "Key": _KEY}).encode()
        ask = lambda: call(connection, "GetItem", body)  # noqa: E731 - one of two
    else:
        client = aws.client("dynamodb", endpoint)
        ask = lambda: client.get_item(TableName=table, Key=_KEY)  # noqa: E731
    ask()
    time.sleep(0.5)  # so that all begin at about the same time
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        ask()
        count += 1
    return count / (time.perf_counter() - began)
