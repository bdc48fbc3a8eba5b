"""One botocore session and what its errors mean."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import DataNotFoundError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

#: Made by `python -m local.aws_data`.
_DATA = Path(__file__).parents[1] / "aws_data"
_SERVICES = {"*", "dynamodb", "sqs", "apigatewaymanagementapi"}
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=50,
    tcp_keepalive=True,
    # A fifth of a call's CPU: checks of our own arguments (the tests make them), and a text that
    # is put together anew for every request.
    parameter_validation=False,
    user_agent="order-execution-engine",
)


def is_ours(event: str) -> bool:
    """Tell whether a client of ours emits an event: `request-created`, `after-call.sqs.*`."""
    kind, *services = event.split(".")
    return kind != "docs" and (not services or services[0] in _SERVICES)


@cache
def _session() -> botocore.session.Session:
    """Return a session for a quick start.

    It knows our few calls from trimmed service data. Of botocore's handlers it has those that our
    calls can meet; nearly all are for other services, or for botocore's documentation.
    """
    session = botocore.session.Session(include_builtin_handlers=False)
    for event, handler, *_ in BUILTIN_HANDLERS:
        if is_ours(event):
            session.register(event, handler)
    loader = Loader([str(_DATA)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


@cache
def dynamodb() -> "DynamoDBClient":
    client: DynamoDBClient = _client("dynamodb")
    return client


@cache
def sqs() -> "SQSClient":
    client: SQSClient = _client("sqs")
    return client


@cache
def connections(endpoint: str) -> "ApiGatewayManagementApiClient":
    """Return the client that pushes to the WebSocket API whose connections are at `endpoint`."""
    client: ApiGatewayManagementApiClient = _client("apigatewaymanagementapi", endpoint)
    return client


def _client(service: str, endpoint: str | None = None) -> Any:
    try:
        return _session().create_client(service, endpoint_url=endpoint, config=_CONFIG)
    except DataNotFoundError:
        # The runtime's botocore is newer than our data and wants more: let it use its own.
        session = botocore.session.get_session()
        return session.create_client(service, endpoint_url=endpoint, config=_CONFIG)
