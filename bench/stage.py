"""What a part runs on: the system with the parameters it wants, and a way to say how far it is."""

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

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
_WIDTH = 30


@dataclass
class Progress:
    """A bar on a terminal; elsewhere a line for each thing begun."""

    whole: float
    done: float = 0.0
    part: str = ""
    share: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def begin(self, part: str, share: float) -> None:
        """Begin a part that makes up `share` of the whole."""
        self.done += self.share
        self.part, self.share = part, share
        self.tell(0.0, "")

    def tell(self, fraction: float, what: str) -> None:
        """Show that a `fraction` (0 to 1) of the present part is done."""
        of_whole = min(1.0, (self.done + self.share * fraction) / self.whole)
        passed = time.monotonic() - self.began
        if sys.stderr.isatty():
            bar = "#" * round(of_whole * _WIDTH)
            text = f"[{bar:.<{_WIDTH}}] {of_whole:4.0%} {passed:4.0f} s  {self.part} {what}"
            print(f"\r{text[:100]:100}", end="", file=sys.stderr, flush=True)
        elif fraction == 0.0:
            print(f"{of_whole:4.0%} {passed:4.0f} s  {self.part} {what}", file=sys.stderr)

    def end(self) -> None:
        if sys.stderr.isatty():
            print(f"\r{'':100}\r", end="", file=sys.stderr, flush=True)


@dataclass
class Stage:
    """Keeps one system at a time: parts in a row that want the same one share it."""

    progress: Progress
    _open: ExitStack = field(default_factory=ExitStack)
    _running: tuple[dict[str, str], System, int] | None = None

    def system(self, parameters: dict[str, str]) -> System:
        """Return the running system with these parameters, started if it is not there."""
        return self._hosted(parameters)[0]

    def front_door(self, parameters: dict[str, str]) -> int:
        """Return the pid of the process that serves the front door of that system."""
        return self._hosted(parameters)[1]

    def _hosted(self, parameters: dict[str, str]) -> tuple[System, int]:
        if self._running is None or self._running[0] != parameters:
            self.close()
            self.progress.tell(0.0, "(starting the embedded cloud)")
            system, pid = self._open.enter_context(hosted(parameters))
            self._running = parameters, system, pid
        return self._running[1], self._running[2]

    def tell(self, fraction: float, what: str = "") -> None:
        self.progress.tell(fraction, what)

    def close(self) -> None:
        """End the running system, if there is one."""
        self._running = None
        self._open.close()
        self._open = ExitStack()
