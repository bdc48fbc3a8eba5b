"""A line to the front door that is cut on purpose."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.system import System


@dataclass
class Line:
    """Carries bytes; of the first `cuts` WebSockets one message comes through, then it is cut."""

    system: System
    cuts: int
    made: int = 0
    listener: socket.socket = field(
        default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64)
    )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self.system.port)) as far:
            cut = threading.Event()
            back = threading.Thread(target=_pump, args=(far, near, cut), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := near.recv(65_536):
                    if b"upgrade: websocket" in data.lower() and self.made < self.cuts:
                        self.made += 1
                        cut.set()
                    far.sendall(data)
            _end(near, far)
            back.join()


def _pump(source: socket.socket, sink: socket.socket, cut: threading.Event) -> None:
    """Carry what comes; where it is to be cut, as far as the end of the first message."""
    told = b""
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            told += data
            if not cut.is_set():
                sink.sendall(data)
            elif end := _first_message_ends(told):
                sink.sendall(told[len(told) - len(data) : end])
                break
            else:
                sink.sendall(data)
    _end(source, sink)


def _first_message_ends(told: bytes) -> int | None:
    """Return where a server's first frame ends (RFC 6455, 5.2), after the answer to the upgrade."""
    _, answered, frame = told.partition(b"\r\n\r\n")
    if not answered or len(frame) < 10:
        return None
    size = frame[1] & 127
    head = {126: 4, 127: 10}.get(size, 2)
    size = int.from_bytes(frame[2:head]) if head > 2 else size
    end = len(told) - len(frame) + head + size
    return end if end <= len(told) else None


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(system: System, cuts: int) -> Iterator[Line]:
    """Serve a line that cuts the first `cuts` WebSockets."""
    line = Line(system, cuts)
    threading.Thread(target=line.serve, daemon=True).start()
    with line.listener:
        yield line
