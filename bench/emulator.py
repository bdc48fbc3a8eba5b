"""The embedded cloud's own share: what one call of it costs, and how many it can do."""

import http.client
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from bench.figures import ROOT, Figures
from bench.processor import processor_seconds
from bench.stage import FIXED, Stage
from bench.store import call
from local.cloud import HOST
from local.system import System

CALLS, AT_ONCE, SECONDS = 300, 4, 3.0
PAUSED_CALLS, PAUSE = 60, 0.05


def emulator(stage: Stage) -> Figures:
    """Measure single calls from one client, with and without boto3; then as many as it takes."""
    system = stage.system(FIXED)
    stage.tell(0.1, "one client")
    figures = _one_client(system)
    stage.tell(0.4, f"{AT_ONCE} clients with boto3")
    figures["boto3_calls_per_s"] = _rate(system, plain=False)
    stage.tell(0.7, f"{AT_ONCE} clients without")
    before = processor_seconds([system.cloud.group])
    began = time.perf_counter()
    figures["plain_calls_per_s"] = _rate(system, plain=True)
    used = processor_seconds([system.cloud.group]) - before
    figures["plain_emulator_share"] = round(used / (time.perf_counter() - began), 2)
    return figures


def _one_client(system: System) -> Figures:
    client = system.client("dynamodb")
    item = {"pk": {"S": "BENCH"}, "sk": {"S": "BENCH"}, "text": {"S": "x" * 700}}
    took, own = [], []
    pids = [system.cloud.group]
    before = processor_seconds(pids)
    for _ in range(CALLS):
        began, cpu = time.perf_counter(), time.process_time()
        client.put_item(TableName=system.stack.table, Item=item)
        took.append(time.perf_counter() - began)
        own.append(time.process_time() - cpu)
    emulators = (processor_seconds(pids) - before) / CALLS
    paused = []
    for _ in range(PAUSED_CALLS):
        time.sleep(PAUSE)
        cpu = time.process_time()
        client.put_item(TableName=system.stack.table, Item=item)
        paused.append(time.process_time() - cpu)
    connection = http.client.HTTPConnection(HOST, system.cloud.port, timeout=30)
    body = json.dumps({"TableName": system.stack.table, "Item": item}).encode()
    plain = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call(connection, "PutItem", body)
        plain.append(time.perf_counter() - began)
    return {
        "call_ms": round(median(took) * 1000, 2),
        "call_client_cpu_ms": round(median(own) * 1000, 2),
        "call_paused_cpu_ms": round(median(paused) * 1000, 2),
        "call_emulator_cpu_ms": round(emulators * 1000, 2),
        "plain_call_ms": round(median(plain) * 1000, 2),
    }


def _rate(system: System, *, plain: bool) -> float:
    """Return the calls a second that several processes get answered together."""
    words = system.endpoint_url, system.stack.table, str(SECONDS), "plain" if plain else "boto3"

    def clients_own(_: int) -> float:
        ran = subprocess.run(
            [sys.executable, "-m", "bench.emulator", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return float(ran.stdout)

    with ThreadPoolExecutor(AT_ONCE) as at_once:
        return round(sum(at_once.map(clients_own, range(AT_ONCE))))


def main() -> None:
    """Read one row for some seconds; print the calls a second."""
    endpoint, table, seconds, kind = sys.argv[1:]
    key = {"pk": {"S": "BENCH"}, "sk": {"S": "BENCH"}}
    if kind == "plain":
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
        body = json.dumps({"TableName": table, "Key": key}).encode()

        def ask() -> None:
            call(connection, "GetItem", body)
    else:
        from local import aws

        client = aws.client("dynamodb", endpoint)

        def ask() -> None:
            client.get_item(TableName=table, Key=key)

    ask()
    time.sleep(0.5)  # so that all begin at about the same time
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < float(seconds):
        ask()
        count += 1
    print(count / (time.perf_counter() - began))


if __name__ == "__main__":
    main()
