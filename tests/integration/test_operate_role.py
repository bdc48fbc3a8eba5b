"""What the operators' function asks of AWS is what its role grants; the console's asks nothing."""

import json
from typing import Any

import boto3
import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.queue import SqsQueue
from engine.adapters.aws.table import Table
from engine.bootstrap import Aws, Engine
from engine.ports.access import Role
from engine.ports.queue import DeadLetter
from engine.settings import Settings
from local.ops.keys import create
from tests.contract.transform import transformed
from tests.fakes import an_order
from tests.integration.conftest import TABLE
from tests.unit.test_operating import CALLS


def granted(role: str) -> set[str]:
    """Return the actions that a role allows, but for its own log."""
    found: set[str] = set()
    for policy in transformed()[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow" and statement["Sid"] != "Log":
                actions = statement["Action"]
                found.update([actions] if isinstance(actions, str) else actions)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return what every boto3 client that is made from now on will have asked for."""
    calls: set[str] = set()
    made = boto3.Session.client

    def note(model: Any, **_: Any) -> None:
        calls.add(f"{model.service_model.service_name}:{model.name}")

    def watched(session: boto3.Session, *names: Any, **how: Any) -> Any:
        client = made(session, *names, **how)
        client.meta.events.register("before-call", note)
        return client

    monkeypatch.setattr(boto3.Session, "client", watched)
    return calls


def test_the_operators_function_needs_what_it_may_and_may_what_it_needs(
    dynamodb: Any, sqs: Any, asked: set[str]
) -> None:
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("orders", "dead")]
    logs = boto3.client("logs")
    for function in ("execute", "worker", "ws_connect", "ws_notify", "reconcile", "trigger"):
        logs.create_log_group(logGroupName=f"/aws/lambda/orders/{function}")
    table = Table(dynamodb, TABLE)
    key = create(DynamoAccess(table), "olga", Role.OPERATOR)
    DynamoOrders(table).add(an_order())
    SqsQueue(sqs, *urls).send_dead_letter(DeadLetter(an_order().order_id, "VENUES_UNAVAILABLE", 3))
    settings = Settings.of(
        {
            "TABLE_NAME": TABLE,
            "ORDER_QUEUE_URL": urls[0],
            "DEAD_LETTER_QUEUE_URL": urls[1],
            "LOG_GROUPS": "/aws/lambda/orders",
            "TICK_QUEUE_URL": urls[0],
            "AUTH": "api-key",
        }
    )
    asked.clear()
    api = Engine(settings, Aws(settings)).operator_api
    for method, path in CALLS:
        status = _ask(api, key, method, path.replace("o1", an_order().order_id))
        assert status == 200, path
    assert asked == granted("OperateRole")


def _ask(api: Any, key: str, method: str, path: str) -> int:
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"x-api-key": key, "content-type": "application/json"},
        "body": json.dumps({"reason": "a test"}) if method == "POST" else None,
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "r1",
            "stage": "$default",
            "http": {"method": method, "path": path},
        },
    }
    return int(api.handle(event)["statusCode"])


def test_the_console_may_do_nothing() -> None:
    assert granted("ConsoleRole") == set()
