"""Hold a WebSocket client to a size of frames, which aiohttp puts together before it shows them."""

import asyncio
from collections.abc import Callable

_CONTROL = 0x8  # opcodes from here on are no data and may come between the parts of a message
_LENGTHS = {126: 2, 127: 8}  # how many bytes hold the length, if seven bits don't (RFC 6455, 5.2)


class FrameLimit(asyncio.Protocol):
    """Passes what comes over a connection on to `inner`, up to the first that is too big.

    Calls `too_big` with the reason when a frame has more than `frame` bytes or a message more than
    `message`; from there on only control frames pass. The rest is read and dropped: a connection
    that is closed with bytes unread is reset, and the client never sees why. To be set as the
    protocol of a transport before the first frame comes.
    """

    def __init__(
        self, inner: asyncio.Protocol, frame: int, message: int, too_big: Callable[[str], None]
    ) -> None:
        self._frame, self._message, self._too_big = frame, message, too_big
        self._inner = inner
        self._head = b""
        self._left = 0  # of the payload of the frame that is coming
        self._sent = 0  # of the message that is coming
        self._refused = self._dropping = False

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
        opcode = head[0] & 0x0F
        if opcode < _CONTROL:
            self._sent = self._left + (0 if opcode else self._sent)
            if not self._refused:
                self._refuse()
        self._dropping = self._refused and opcode < _CONTROL
        return b"" if self._dropping else head

    def _refuse(self) -> None:
        for size, limit, what in (
            (self._left, self._frame, "frame"),
            (self._sent, self._message, "message"),
        ):
            if size > limit and not self._refused:
                self._refused = True
                self._too_big(f"a {what} has at most {limit // 1024} KB")


def _head_size(head: bytes) -> int:
    """Return how many bytes a head has that begins like this."""
    if len(head) < 2:
        return 2
    return 2 + _LENGTHS.get(head[1] & 0x7F, 0) + (4 if head[1] & 0x80 else 0)
