"""Plain SAM on the embedded cloud: `make deploy`, `routes`, `smoke`, an update, `make destroy`.

The last of this directory that uses the stack: it takes it away.
"""

import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx

from local.cloud import aws
from local.cloud.embedded import ROOT
from local.places import sam
from tests.e2e.client import FINAL, a_body, until
from tests.places.conftest import STACK, Deployed, make


def place(http_url: str) -> str:
    return str(
        httpx.post(f"{http_url}/api/orders/execute", json=a_body(), timeout=60).json()["orderId"]
    )


def ended(http_url: str, order_id: str) -> str:
    """Wait for the end of an order; return its status."""
    return until(
        lambda: str(httpx.get(f"{http_url}/api/orders/{order_id}", timeout=60).json()["status"]),
        lambda status: status in FINAL,
    )


def test_the_pages_tell_to_type_what_is_typed_here() -> None:
    for page in ("README.md", "docs/local.md"):
        blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        (block,) = [each for each in blocks if "ENV=local" in each]
        assert block.splitlines() == [
            "export AWS_ENDPOINT_URL=http://127.0.0.1:4566",
            "make deploy ENV=local",
            'eval "$(make -s routes)"',
            "make smoke",
            "make destroy ENV=local",
        ]


def test_smoke_places_an_order_and_watches_it_to_the_end(deployed: Deployed) -> None:
    said = make("smoke", environment=deployed.environment)
    assert "confirmed" in said
    assert "txHash" in said


def test_smoke_says_that_nobody_is_there(deployed: Deployed) -> None:
    nowhere = deployed.environment | {"ENGINE_URL": "http://127.0.0.1:9"}
    assert "can't be reached" in make("smoke", environment=nowhere, good=False)


def test_an_update_by_sam_while_orders_run_loses_none(deployed: Deployed) -> None:
    """New settings are new versions of all functions; the old ones finish what they began."""
    placed: list[str] = []
    updated = threading.Event()

    def trade() -> None:
        while not updated.is_set():
            placed.append(place(deployed.http_url))
            time.sleep(0.1)

    def version() -> str:
        functions = aws.client("lambda", deployed.endpoint_url)
        name = next(
            each["FunctionName"]
            for each in functions.list_functions()["Functions"]
            if "WorkerFunction" in each["FunctionName"]
        )
        return str(functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"])

    before = version()
    trading = threading.Thread(target=trade)
    trading.start()
    try:
        until(lambda: len(placed), lambda orders: orders >= 5)
        seen = sam.environment("local", deployed.environment)
        overrides = ["SimulatedFaults=on", "Auth=none", "LogLevel=INFO"]
        arguments = ["deploy", "--config-env", "local", "--parameter-overrides", *overrides]
        assert sam.sam(arguments, seen) == 0
        make("routes", environment=deployed.environment)
        served = len(placed)
        until(lambda: len(placed), lambda orders: orders >= served + 5)
    finally:
        updated.set()
        trading.join()
    assert version() != before
    with ThreadPoolExecutor(10) as at_once:
        ends = at_once.map(lambda order_id: ended(deployed.http_url, order_id), placed)
        assert Counter(ends) == {"confirmed": len(placed)}


def log_groups(url: str) -> set[tuple[str, int]]:
    """Return the name and the time of creation of each log group of the stack."""
    groups = aws.client("logs", url).describe_log_groups()["logGroups"]
    return {
        (group["logGroupName"], group["creationTime"])
        for group in groups
        if f"/{STACK}/" in group["logGroupName"]
    }


def test_what_sam_deletes_is_gone(deployed: Deployed) -> None:
    """A call under way logs its end into a new group of the old name, as on AWS."""
    url = deployed.endpoint_url
    before = log_groups(url)
    assert before
    make("destroy", "ENV=local", environment=deployed.environment)
    assert aws.client("lambda", url).list_functions()["Functions"] == []
    assert aws.client("dynamodb", url).list_tables()["TableNames"] == []
    assert aws.client("apigatewayv2", url).get_apis()["Items"] == []
    assert aws.client("scheduler", url).list_schedules()["Schedules"] == []
    assert aws.client("lambda", url).list_event_source_mappings()["EventSourceMappings"] == []
    queues = aws.client("sqs", url).list_queues().get("QueueUrls", [])
    assert [queue for queue in queues if STACK in queue] == []
    assert log_groups(url).isdisjoint(before)
