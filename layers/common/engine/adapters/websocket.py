"""Push to the clients of the WebSocket API."""

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
        try:
            self.client.post_to_connection(ConnectionId=connection_id, Data=message)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"GoneException", "410"}:
                raise ConnectionGone(connection_id) from error
            raise PushFailed("the push was refused") from error
        except BotoCoreError as error:
            raise PushFailed("the push got no answer") from error
