"""Hold a WebSocket client to a size of frames, which aiohttp puts together before it shows them."""

import asyncio
from collections.abc import Callable

_LENGTHS = {126: 2, 127: 8}  # how many bytes hold the length, if seven bits don't (RFC 6455, 5.2)


class FrameLimit(asyncio.Protocol):
    """Passes what comes over a connection on to `inner`, except frames above `limit` bytes.

    Calls `too_big` for each of those. To be set as the protocol of a transport before the first
    frame comes.
    """

    def __init__(self, inner: asyncio.Protocol, limit: int, too_big: Callable[[], None]) -> None:
        self._limit, self._too_big = limit, too_big
        self._inner = inner
        self._head = b""
        self._left = 0  # of the payload of the frame that is coming
        self._dropping = False

    def data_received(self, data: bytes) -> None:
        passed = []
        while data:
            if not self._left:
                missing = _head_size(self._head) - len(self._head)
                self._head, data = self._head + data[:missing], data[missing:]
                if len(self._head) == _head_size(self._head):
                    passed.append(self._begin())
            else:
                part, data = data[: self._left], data[self._left :]
                self._left -= len(part)
                if not self._dropping:
                    passed.append(part)
        if any(passed):
            self._inner.data_received(b"".join(passed))

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._inner.connection_lost(error)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _begin(self) -> bytes:
        """Begin a frame whose head is there; return what is to be passed on of it."""
        head, self._head = self._head, b""
        short = head[1] & 0x7F
        size = _LENGTHS.get(short, 0)
        self._left = int.from_bytes(head[2 : 2 + size], "big") if size else short
        self._dropping = self._left > self._limit
        if self._dropping:
            self._too_big()
        return b"" if self._dropping else head


def _head_size(head: bytes) -> int:
    """Return how many bytes a head has that begins like this."""
    if len(head) < 2:
        return 2
    return 2 + _LENGTHS.get(head[1] & 0x7F, 0) + (4 if head[1] & 0x80 else 0)
