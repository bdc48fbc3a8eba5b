"""What a process makes of AWS's clients: one session, each client once, only those it needs."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from engine import bootstrap


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The clients as they are made, by one session, with the settings of a function."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "WEBSOCKET_API_ID"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "eu-west-1")
    monkeypatch.setenv("TABLE_NAME", "orders")
    monkeypatch.setenv("ORDER_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/orders")
    monkeypatch.setenv("WEBSOCKET_STAGE", "live")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    clients: list[Any] = []

    class Session(boto3.Session):
        def client(self, *args: Any, **kwargs: Any) -> Any:
            client: Any = super().client(*args, **kwargs)
            clients.append(client)
            return client

    monkeypatch.setattr(boto3, "Session", Session)
    forget()
    yield clients
    forget()


def forget() -> None:
    for name, each in vars(bootstrap).items():
        if hasattr(each, "cache_clear") and name != "cache":
            each.cache_clear()


@pytest.mark.parametrize(
    ("function", "services"),
    [
        (bootstrap.http_api, ["dynamodb", "sqs"]),
        (bootstrap.work, ["dynamodb", "sqs"]),
        (bootstrap.sockets, ["dynamodb"]),
        (bootstrap.stream, ["apigatewaymanagementapi", "dynamodb"]),
        (bootstrap.reconciliation, ["dynamodb", "sqs"]),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_function_makes_the_clients_it_needs_once(
    made: list[Any], function: Callable[[], object], services: list[str]
) -> None:
    assert function() is function()
    assert sorted(client.meta.service_model.service_name for client in made) == services


def test_no_call_waits_longer_or_is_tried_more_often_than_a_function_can_afford(
    made: list[Any],
) -> None:
    bootstrap.http_api()
    for client in made:
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (1, 3)
        assert config.retries == {"total_max_attempts": 3, "mode": "standard"}


def test_frames_are_answered_by_one_client_an_address(made: list[Any]) -> None:
    sockets = bootstrap.sockets()
    assert sockets.push_to("abc", "live") is sockets.push_to("abc", "live")
    (_, push) = made
    assert push.meta.endpoint_url == "https://abc.execute-api.eu-west-1.amazonaws.com/live"
