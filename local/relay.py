"""Join two WebSockets: what one side says, the other hears, to the closing code."""

import asyncio

from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType, web

Socket = web.WebSocketResponse | ClientWebSocketResponse
Closed = tuple[int | None, bytes]

_NO_CODE = 1005  # "no code was sent": it can't be sent itself


async def join(downstream: web.WebSocketResponse, upstream: Socket) -> None:
    """Carry messages both ways until one side closes; the other hears the same code."""
    from_client = asyncio.ensure_future(_carry(downstream, upstream))
    from_cloud = asyncio.ensure_future(_carry(upstream, downstream))
    try:
        await asyncio.wait({from_client, from_cloud}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        from_client.cancel()
        from_cloud.cancel()
        await asyncio.gather(from_client, from_cloud, return_exceptions=True)
    # The side that closed by itself has closed already: for it, this changes nothing.
    to_cloud, why_to_cloud = _close_of(from_client, lost=WSCloseCode.GOING_AWAY)
    to_client, why_to_client = _close_of(from_cloud, lost=WSCloseCode.BAD_GATEWAY)
    await asyncio.gather(
        upstream.close(code=to_cloud, message=why_to_cloud),
        downstream.close(code=to_client, message=why_to_client),
    )


async def _carry(source: Socket, sink: Socket) -> Closed:
    """Carry messages from one side to the other; return the code and reason it closed with."""
    while True:
        message = await source.receive()
        match message.type:
            case WSMsgType.TEXT:
                await sink.send_str(message.data)
            case WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            case WSMsgType.PING:
                await sink.ping(message.data)
            case WSMsgType.PONG:
                await sink.pong(message.data)
            case WSMsgType.CLOSE:
                return message.data, (message.extra or "").encode()
            case _:
                return source.close_code, b""


def _close_of(carried: "asyncio.Future[Closed]", *, lost: int) -> tuple[int, bytes]:
    """Return the code to pass on; some codes say that there was none, and can't be sent."""
    if carried.cancelled() or carried.exception() is not None:
        return lost, b""
    code, reason = carried.result()
    if code in (None, 0, WSCloseCode.ABNORMAL_CLOSURE):
        return lost, b""
    return (WSCloseCode.OK if code == _NO_CODE else code), reason
