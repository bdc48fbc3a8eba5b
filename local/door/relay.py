"""Join two WebSockets: what one side says, the other hears, to the closing code."""

import asyncio

from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType, web

Socket = web.WebSocketResponse | ClientWebSocketResponse
Closed = tuple[int | None, bytes]
Carrying = asyncio.Future[Closed]

_CLIENT_LOST = WSCloseCode.GOING_AWAY
_CLOUD_LOST = WSCloseCode.BAD_GATEWAY

#: What a socket says of itself and can't be sent: no code came, or not even a close.
_NO_CODE, _ABNORMAL = 1005, 1006


async def join(downstream: Socket, upstream: Socket, refused: Carrying) -> None:
    """Carry messages both ways until one side closes; both hear its code.

    `refused` is done with a code and a reason if the client sends what is not taken. Neither socket
    may close by itself (`autoclose=False`): it would answer 1000 to any code.
    """
    from_client = asyncio.ensure_future(_carry(downstream, upstream, binary=False))
    from_cloud = asyncio.ensure_future(_carry(upstream, downstream))
    try:
        await asyncio.wait({from_client, from_cloud, refused}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        from_client.cancel()
        from_cloud.cancel()
        await asyncio.gather(from_client, from_cloud, return_exceptions=True)
    code, reason = _close_of(refused, from_client, from_cloud)
    await asyncio.gather(
        upstream.close(code=code, message=reason), downstream.close(code=code, message=reason)
    )


async def _carry(source: Socket, sink: Socket, *, binary: bool = True) -> Closed:
    """Carry messages from one side to the other; return the code and reason it closed with."""
    while True:
        message = await source.receive()
        match message.type:
            case WSMsgType.TEXT:
                await sink.send_str(message.data)
            case WSMsgType.BINARY if not binary:
                return WSCloseCode.UNSUPPORTED_DATA, b"frames are text"
            case WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            case WSMsgType.PING:
                await sink.ping(message.data)
            case WSMsgType.PONG:
                await sink.pong(message.data)
            case WSMsgType.CLOSE:
                return message.data or _NO_CODE, (message.extra or "").encode()
            case _:
                return source.close_code, b""


def _close_of(refused: Carrying, from_client: Carrying, from_cloud: Carrying) -> tuple[int, bytes]:
    """Return the code and reason to close with: those of the side that closed first.

    A side that is lost leaves none, and neither does one to which nothing could be sent.
    """
    if refused.done():
        from_client = refused
    for carried, lost in ((from_client, _CLIENT_LOST), (from_cloud, _CLOUD_LOST)):
        if not carried.cancelled() and carried.exception() is None:
            code, reason = carried.result()
            if code == _NO_CODE:
                return WSCloseCode.OK, b""
            return (code, reason) if code and code != _ABNORMAL else (lost, b"")
    return (_CLOUD_LOST if from_cloud.cancelled() else _CLIENT_LOST), b""
