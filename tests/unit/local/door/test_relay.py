"""Two sockets joined: messages, pings and closing codes go both ways."""

import asyncio
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from local.door.relay import join

CLOSED = WSMessage(WSMsgType.CLOSED, None, None)


class FakeSocket:
    """Says what it is given, then waits until it is closed; remembers what it heard."""

    def __init__(self, *says: WSMessage, close_code: int | None = None, broken: bool = False):
        self.says = list(says)
        self.close_code = close_code
        self.broken = broken
        self.heard: list[Any] = []
        self.closed_with: tuple[int, bytes] | None = None
        self._silent = asyncio.Event()

    async def receive(self) -> WSMessage:
        if not self.says:
            await self._silent.wait()
        return self.says.pop(0)

    async def _hear(self, data: Any) -> None:
        if self.broken:
            raise ConnectionResetError
        self.heard.append(data)

    send_str = send_bytes = ping = pong = _hear

    async def close(self, *, code: int, message: bytes) -> None:
        self.closed_with = (code, message)


def joined(client: FakeSocket, cloud: FakeSocket) -> tuple[FakeSocket, FakeSocket]:
    async def run() -> None:
        refused = asyncio.get_running_loop().create_future()
        await asyncio.wait_for(join(client, cloud, refused), 5)  # type: ignore[arg-type]

    asyncio.run(run())
    return client, cloud


def close(code: int, reason: str = "") -> WSMessage:
    return WSMessage(WSMsgType.CLOSE, code, reason)


def test_messages_and_pings_are_carried_in_order():
    says = [
        WSMessage(WSMsgType.TEXT, "hello", None),
        WSMessage(WSMsgType.PING, b"p", None),
        WSMessage(WSMsgType.PONG, b"q", None),
    ]
    _, cloud = joined(FakeSocket(*says, close(1000)), FakeSocket())
    assert cloud.heard == ["hello", b"p", b"q"]


def test_a_binary_message_of_a_client_closes_both_with_1003():
    client, cloud = joined(FakeSocket(WSMessage(WSMsgType.BINARY, b"x", None)), FakeSocket())
    assert (client.closed_with, cloud.closed_with) == ((1003, b"frames are text"),) * 2
    assert cloud.heard == []


def test_what_is_refused_of_a_client_closes_both():
    async def run(client: FakeSocket, cloud: FakeSocket) -> None:
        refused = asyncio.get_running_loop().create_future()
        refused.set_result((1009, b"too big"))
        await asyncio.wait_for(join(client, cloud, refused), 5)  # type: ignore[arg-type]

    client, cloud = FakeSocket(), FakeSocket()
    asyncio.run(run(client, cloud))
    assert client.closed_with == cloud.closed_with == (1009, b"too big")


@pytest.mark.parametrize("client_first", [True, False])
def test_the_code_of_whoever_closes_reaches_both(client_first):
    closing, other = FakeSocket(close(4001, "bye")), FakeSocket()
    joined(closing, other) if client_first else joined(other, closing)
    assert closing.closed_with == other.closed_with == (4001, b"bye")


@pytest.mark.parametrize("said", [0, 1005])  # a close frame without a code is 0 to aiohttp
def test_closing_without_a_code_is_a_normal_end(said):
    client, cloud = joined(FakeSocket(close(said)), FakeSocket())
    assert client.closed_with == cloud.closed_with == (1000, b"")


def test_a_client_that_is_lost_has_gone_away():
    _, cloud = joined(FakeSocket(CLOSED, close_code=1006), FakeSocket())
    assert cloud.closed_with == (1001, b"")


def test_a_cloud_that_is_lost_is_a_bad_gateway():
    client, _ = joined(FakeSocket(), FakeSocket(CLOSED, close_code=1006))
    assert client.closed_with == (1014, b"")


def test_a_message_that_is_too_big_closes_both_with_1009():
    too_big = WSMessage(WSMsgType.ERROR, None, None)
    _, cloud = joined(FakeSocket(too_big, close_code=1009), FakeSocket())
    assert cloud.closed_with == (1009, b"")


def test_a_cloud_that_can_not_be_written_to_is_lost():
    says = WSMessage(WSMsgType.TEXT, "hello", None)
    client, _ = joined(FakeSocket(says), FakeSocket(broken=True))
    assert client.closed_with == (1014, b"")


def test_a_client_that_can_not_be_written_to_is_lost():
    says = WSMessage(WSMsgType.TEXT, "hello", None)
    _, cloud = joined(FakeSocket(broken=True), FakeSocket(says))
    assert cloud.closed_with == (1001, b"")
