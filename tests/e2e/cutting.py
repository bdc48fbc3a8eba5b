"""A line to the front door that is cut on purpose."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.system import System


@dataclass
class Line:
    """Carries bytes; the first `cuts` WebSockets end after a moment, as a lost network's do."""

    system: System
    cuts: int
    after: float = 0.06
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
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := near.recv(65_536):
                    if b"upgrade: websocket" in data.lower() and self.made < self.cuts:
                        self.made += 1
                        threading.Timer(self.after, _end, (near, far)).start()
                    far.sendall(data)
            _end(near, far)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    _end(source, sink)


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
