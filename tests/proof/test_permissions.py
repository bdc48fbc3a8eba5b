"""No call that a function makes lacks a permission of its role."""

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.terms import OrderType
from engine.service.reading import Wanted
from tests.contract.transform import ROOT, transformed
from tests.proof.aws import FakeClient
from tests.proof.border import Harm
from tests.proof.stories import STORIES
from tests.proof.world import DEAD, ORDERS, TICKS, World

ROLES = {
    "execute": "ExecuteRole",
    "worker": "WorkerRole",
    "ws_connect": "WsConnectRole",
    "ws_notify": "WsNotifyRole",
    "reconcile": "ReconcileRole",
    "trigger": "TriggerRole",
}
QUEUES = {ORDERS: "OrderQueue", DEAD: "DeadLetterQueue", TICKS: "TickQueue"}
#: What Lambda does in a function's name: its log, and what its event source mapping reads.
LAMBDAS = {
    "worker": {(f"sqs:{a}", "OrderQueue") for a in ("ReceiveMessage", "DeleteMessage")}
    | {("sqs:GetQueueAttributes", "OrderQueue")},
    "trigger": {(f"sqs:{a}", "TickQueue") for a in ("ReceiveMessage", "DeleteMessage")}
    | {("sqs:GetQueueAttributes", "TickQueue")},
    "ws_notify": {
        (f"dynamodb:{a}", "stream") for a in ("DescribeStream", "GetRecords", "GetShardIterator")
    }
    | {("dynamodb:ListStreams", "*"), ("sqs:SendMessage", "StreamFailureQueue")},
}
May = set[tuple[str, str]]
#: What the proof's world has other adapters for, and the tests that see these calls made.
ELSEWHERE: dict[str, May] = {
    "execute": {("ssm:GetParametersByPath", "signals")},  # tests/integration/test_sources.py
}


def granted(role: str) -> May:
    """Return what a role may do: action, and the resource by its name in the template."""
    may: May = set()
    for policy in transformed()[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            actions, resources = statement["Action"], statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                for resource in resources if isinstance(resources, list) else [resources]:
                    if not action.startswith("logs:"):
                        may.add((action, _resource(resource)))
    return may


def _resource(resource: Any) -> str:
    match resource:
        case {"Fn::GetAtt": ["OrdersTable", "Arn"]}:
            return "table"
        case {"Fn::GetAtt": ["OrdersTable", "StreamArn"]}:
            return "stream"
        case {"Fn::GetAtt": [name, _]}:
            return str(name)
        case {"Fn::Sub": str(text)} if "/index/" in text:
            return text.rpartition("/")[2]
        case {"Fn::Sub": str(text)} if "@connections" in text:
            return text.split("/")[2]
        case {"Fn::Sub": str(text)} if text.endswith("/signals"):
            return "signals"
    return str(resource)


@pytest.fixture(scope="module")
def used() -> dict[str, May]:
    """Let every story happen, and what no story has; return what each function did to what."""
    done: dict[str, May] = {function: set() for function in ROLES}
    with pytest.MonkeyPatch.context() as patch:
        made = FakeClient.__getattr__

        def watched(client: FakeClient, operation: str) -> Any:
            call = made(client, operation)

            def noted(**params: Any) -> Any:
                function = client._border.function
                if function in done:
                    done[function].add(_action(client.service, operation, params))
                return call(**params)

            return noted

        patch.setattr(FakeClient, "__getattr__", watched)
        for story in STORIES:
            world = story.world()
            story.tell(world)
            world.settle_down()
        beside_the_stories(World())
        a_letter_that_the_worker_did_not_send()
    return done


def _action(service: str, operation: str, params: dict[str, Any]) -> tuple[str, str]:
    if service == "connections":
        return "execute-api:ManageConnections", operation.partition("_")[0].upper()
    action = f"{service}:{''.join(word.title() for word in operation.split('_'))}"
    if service == "sqs":
        return action, QUEUES[params["QueueUrl"]]
    return action, params.get("IndexName", "table")


def beside_the_stories(world: World) -> None:
    """Do what no story does: a list, a frame that is none, a letter put back, a late sweep."""
    world.connect("ann")
    with world.border.process("execute"):
        world.engine.reading.page("ann", Wanted(), limit=10, cursor=None)
    frame = json.loads((ROOT / "events/ws_subscribe.json").read_text())
    frame["body"] = "no frame"
    frame["requestContext"]["connectionId"] = "ann"
    with world.border.process("ws_connect"):
        world.engine.sockets.handle(frame)
    world.connect("eve", by="k1")
    world.revoke("k1")
    world.clock.advance(30)
    frame["body"] = json.dumps({"action": "subscribe", "orders": "mine"})
    frame["requestContext"]["connectionId"] = "eve"
    with world.border.process("ws_connect"):  # before the stream has told of the key
        world.engine.sockets.handle(frame)
    world.place("XFAIL")
    world.settle_down()
    world.rest(OrderType.STOP, stop_price=Decimal(1))
    world.cancel_all()
    world.reconcile()


def a_letter_that_the_worker_did_not_send() -> None:
    """Let a worker die as it sends its order's letter: the reconciler does."""
    probe, world = World(), World()
    probe.place("XFAIL")
    probe.settle_down()
    *_, letter = (
        call.number
        for call in probe.border.calls
        if (call.function, call.operation) == ("worker", "sqs.send_message")
    )
    world.border.planned[letter] = Harm.DIES_BEFORE
    world.place("XFAIL")
    world.settle_down()


@pytest.mark.parametrize("function", ROLES)
def test_a_function_may_do_all_that_it_does(function: str, used: dict[str, May]) -> None:
    needed = used[function] | LAMBDAS.get(function, set())
    may = granted(ROLES[function])
    assert needed - may == set(), "calls that lack a permission"


@pytest.mark.parametrize("function", ROLES)
def test_a_function_may_do_nothing_that_it_never_does(function: str, used: dict[str, May]) -> None:
    beside = LAMBDAS.get(function, set()) | ELSEWHERE.get(function, set())
    assert granted(ROLES[function]) - used[function] - beside == set(), "nobody needs it"
