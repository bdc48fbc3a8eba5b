"""What a part runs on: the system with the parameters it wants, and a way to say how far it is."""

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.figures import Results
from bench.host import hosted
from local.system import System

#: Delays without chance, so that they can be taken off exactly: the means of the defaults' ranges.
FIXED = {
    "QuoteDelayMinMs": "300",
    "QuoteDelayMaxMs": "300",
    "ConfirmDelayMinMs": "600",
    "ConfirmDelayMaxMs": "600",
}
NONE = dict.fromkeys(FIXED, "0")


@dataclass
class Stage:
    """Keeps one system at a time: parts in a row that want the same one share it."""

    #: What was measured before, also by parts that ran another day.
    results: Results
    began: float = field(default_factory=time.monotonic)
    _open: ExitStack = field(default_factory=ExitStack)
    _running: tuple[dict[str, str], System, int] | None = None

    def system(self, parameters: dict[str, str]) -> System:
        """Return the running system with these parameters, started if it is not there."""
        return self._hosted(parameters)[1]

    def front_door(self, parameters: dict[str, str]) -> int:
        """Return the pid of the process that serves the front door of that system."""
        return self._hosted(parameters)[2]

    def _hosted(self, parameters: dict[str, str]) -> tuple[dict[str, str], System, int]:
        if self._running is None or self._running[0] != parameters:
            self.close()
            self._running = parameters, *self._open.enter_context(hosted(parameters))
        return self._running

    def tell(self, what: str) -> None:
        """Say what is being done now."""
        print(f"{time.monotonic() - self.began:5.0f} s  {what}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the running system, if there is one."""
        self._running = None
        self._open.close()
        self._open = ExitStack()
