"""What a part runs on: the system with the parameters it wants, and a way to say how far it is."""

import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection

from bench.figures import Failed, Results
from local.cloud.embedded import Cloud
from local.system import System, running

#: Delays without chance, so that they can be taken off exactly: the means of the defaults' ranges.
FIXED = {
    "QuoteDelayMinMs": "300",
    "QuoteDelayMaxMs": "300",
    "ConfirmDelayMinMs": "600",
    "ConfirmDelayMaxMs": "600",
}
NONE = dict.fromkeys(FIXED, "0")
_END_SECONDS = 120.0


@dataclass
class Stage:
    """Keeps one system at a time: parts in a row that want the same one share it."""

    #: What was measured before, also by parts that ran another day.
    results: Results
    #: The pid of the process that serves the system's front door.
    door: int = 0
    began: float = field(default_factory=time.monotonic)
    _open: ExitStack = field(default_factory=ExitStack)
    _running: tuple[dict[str, str], System] | None = None

    def system(self, parameters: dict[str, str]) -> System:
        """Return the running system with these parameters, started if it is not there."""
        if self._running is None or self._running[0] != parameters:
            self.close()
            system, self.door = self._open.enter_context(_hosted(parameters))
            self._running = parameters, system
        return self._running[1]

    def tell(self, what: str) -> None:
        """Say what is being done now."""
        print(f"{time.monotonic() - self.began:5.0f} s  {what}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the running system, if there is one."""
        self._running = None
        self._open.close()


@contextmanager
def _hosted(parameters: Mapping[str, str]) -> Iterator[tuple[System, int]]:
    """Run the system in a process of its own, so that measuring does not slow it down; yield its
    pid with it. Raises Failed.
    """
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_host, args=(dict(parameters), there))
    process.start()
    there.close()
    try:
        port, (cloud_port, group, log), stack = here.recv()
        with socket.socket() as tie:
            cloud = Cloud(cloud_port, group, log, tie)
            yield System(port, cloud, stack, parameters), process.pid or 0
    except EOFError:
        raise Failed("the system did not start") from None
    finally:
        here.close()  # and that ends it
        process.join(_END_SECONDS)
        process.kill()


def _host(parameters: dict[str, str], there: Connection) -> None:
    """Run the system until nobody wants it any more."""
    with running(parameters, log_level="WARNING") as system:
        cloud = system.cloud
        there.send((system.port, (cloud.port, cloud.group, cloud.log), system.stack))
        there.poll(None)
