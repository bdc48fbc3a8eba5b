"""Every event of `events/`, through Lambda's own runtime, against a stack that SAM deployed."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from engine.adapters.aws.subscriptions import DynamoSubscriptions
from engine.adapters.aws.table import Table
from engine.ports.subscriptions import order_topic
from engine.service.identity import ANYONE
from local.cloud import aws
from local.cloud.embedded import ROOT, scrubbed
from local.places.sam_local import FUNCTIONS
from tests.e2e.client import Watch, until
from tests.places import lambda_runtime
from tests.places.conftest import STACK, Deployed

EVENTS = {path.stem: path.read_text() for path in sorted((ROOT / "events").glob("*.json"))}
#: What the events call the order, the connection and the WebSocket API.
ORDER_ID, CONNECTION_ID, API_ID = (
    "11111111-1111-4111-8111-111111111111",
    "VQZxmfXUoAMCJlw=",
    "f6g7h8i9j0",
)


@dataclass(frozen=True)
class Place:
    """The deployed stack, with each of its functions once more, in Lambda's runtime.

    `queue` is the order queue of these, which no one but the test takes from.
    """

    deployed: Deployed
    outputs: dict[str, str]
    functions: dict[str, lambda_runtime.Function]
    queue: str

    def client(self, service: str) -> Any:
        return aws.client(service, self.deployed.endpoint_url)

    def invoke(self, name: str, **renamed: str) -> Any:
        """Send an event of `events/` to its function, with some of what it names renamed."""
        text = EVENTS[name]
        for old, new in renamed.items():
            text = text.replace(globals()[old], new)
        return self.functions[FUNCTIONS[name.partition("_")[0]]].invoke(json.loads(text))

    def place(self) -> str:
        """Place the order of the event; return its id."""
        answer = self.invoke("http_place_order")
        assert answer["statusCode"] == 202, answer
        return str(json.loads(answer["body"])["orderId"])

    def order(self, order_id: str) -> dict[str, Any]:
        answer = self.invoke("http_get_order", ORDER_ID=order_id)
        assert answer["statusCode"] == 200, answer
        order: dict[str, Any] = json.loads(answer["body"])
        return order

    def subscriptions(self, order_id: str) -> list[str]:
        """Return the connections that the table has as watching an order."""
        table = Table(self.client("dynamodb"), self.outputs["TableName"])
        topic = order_topic(order_id)
        return [
            w.connection_id for w in DynamoSubscriptions(table).of([(topic, ANYONE)])[topic, ANYONE]
        ]

    def connected(self, connection_id: str) -> bool:
        """Tell whether the table has a connection."""
        table = Table(self.client("dynamodb"), self.outputs["TableName"])
        return DynamoSubscriptions(table).caller_of(connection_id) is not None


@pytest.fixture(scope="module")
def place(
    deployed: Deployed, built: Path, host_layer: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    if not lambda_runtime.PYTHON.exists():
        pytest.fail("no .venv-lambda: `make test` makes it")
    directory = tmp_path_factory.mktemp("lambda")
    url = deployed.endpoint_url
    described = aws.client("cloudformation", url).describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    queue = aws.client("sqs", url).create_queue(QueueName="taken-by-hand")["QueueUrl"]
    functions = {}
    with ExitStack() as running:
        for name in FUNCTIONS.values():
            configuration = aws.client("lambda", url).get_function_configuration(
                FunctionName=outputs[f"{name}Name"]
            )
            environment = scrubbed({}) | configuration["Environment"]["Variables"]
            if "ORDER_QUEUE_URL" in environment:
                environment["ORDER_QUEUE_URL"] = queue
            environment |= {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1"}
            functions[name] = running.enter_context(
                lambda_runtime.running(built / name, host_layer, environment, directory)
            )
        yield Place(deployed, outputs, functions, queue)


@pytest.fixture
def subscription(place: Place) -> Iterator[Callable[[str], tuple[Watch, str]]]:
    """Return a way to watch an order by a real connection, whose id comes with it."""
    with ExitStack() as connections:

        def watch(order_id: str) -> tuple[Watch, str]:
            before = set(place.subscriptions(order_id))
            address = f"{place.deployed.ws_url}?orderId={order_id}"
            watching = Watch(connections.enter_context(connect(address)))
            assert watching.hear()["type"] == "snapshot"
            (connection_id,) = set(place.subscriptions(order_id)) - before
            return watching, connection_id

        yield watch


def test_every_function_has_an_event_and_every_event_a_function():
    assert {name.partition("_")[0] for name in EVENTS} == set(FUNCTIONS)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_as_it_stands_is_answered(place, name):
    answer = place.invoke(name)
    assert "errorType" not in (answer or {}), answer


def test_the_runtime_is_lambdas_own(place):
    place.invoke("http_get_order")
    log = place.functions["ExecuteFunction"].log.read_text()
    assert "START RequestId" in log
    assert "REPORT RequestId" in log


def test_an_order_placed_is_stored_and_queued(place):
    order_id = place.place()
    assert place.order(order_id)["status"] == "pending"
    messages = place.client("sqs").receive_message(QueueUrl=place.queue, MaxNumberOfMessages=10)
    assert any(order_id in message["Body"] for message in messages["Messages"])


def test_a_batch_settles_its_order_and_gives_back_what_it_can_not_read(place):
    order_id = place.place()
    answer = place.invoke("sqs_batch", ORDER_ID=order_id)
    unreadable = json.loads(EVENTS["sqs_batch"])["Records"][1]["messageId"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": unreadable}]}
    order = place.order(order_id)
    assert (order["status"], order["attempts"]) == ("confirmed", 1)
    assert [step["status"] for step in order["history"]][-1] == "confirmed"


def test_a_connection_that_subscribes_is_shown_the_order_and_forgotten_when_it_goes(
    place, subscription
):
    first, second = place.place(), place.place()
    watching, connection_id = subscription(first)
    real = {"CONNECTION_ID": connection_id, "API_ID": place.outputs["WebSocketApiId"]}
    place.invoke("ws_subscribe", ORDER_ID=second, **real)
    assert place.subscriptions(second) == [connection_id]
    assert watching.hear()["orderId"] == second
    place.invoke("ws_disconnect", **real)
    assert place.connected(connection_id) is False


def test_a_connection_that_names_an_order_watches_it(place, subscription):
    _, connection_id = subscription(place.place())
    order_id = place.place()
    answer = place.invoke("ws_connect", ORDER_ID=order_id, CONNECTION_ID=connection_id)
    assert answer["statusCode"] == 200
    assert place.subscriptions(order_id) == [connection_id]


def test_a_change_in_the_stream_is_pushed_to_who_watches(place, subscription):
    order_id = place.place()
    watching, _ = subscription(order_id)
    assert place.invoke("stream_changes", ORDER_ID=order_id) == {"batchItemFailures": []}
    assert watching.hear()["orderId"] == order_id


def test_the_schedule_repairs_and_says_what_it_found(place):
    found = until(lambda: place.invoke("schedule"), lambda answer: isinstance(answer, dict), 5)
    assert all(isinstance(count, int) for count in found.values())
    assert found
