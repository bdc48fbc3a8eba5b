"""Push to the clients of the WebSocket API."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from engine.domain.errors import ConnectionGone, PushFailed

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient


@dataclass(slots=True, eq=False, repr=False)
class WebSocketPush:
    """The `@connections` of one WebSocket API."""

    client: "ApiGatewayManagementApiClient"

    def __call__(self, connection_id: str, message: bytes) -> None:
        with _translated(connection_id):
            self.client.post_to_connection(ConnectionId=connection_id, Data=message)

    def close(self, connection_id: str) -> None:
        with _translated(connection_id):
            self.client.delete_connection(ConnectionId=connection_id)


@contextmanager
def _translated(connection_id: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in {"GoneException", "410"}:
            raise ConnectionGone(connection_id) from error
        raise PushFailed("the call was refused") from error
    except BotoCoreError as error:
        raise PushFailed("the call got no answer") from error
