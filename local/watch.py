"""Redeploy what changes in the sources while the system runs (`make up WATCH=1`)."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from local import console
from local.cloud.deploy import deploying
from local.cloud.embedded import ROOT
from local.errors import CloudFailed, Refused
from local.system import WARM, System, warm_up

Seen = Mapping[str, tuple[int, int]]

_SOURCES = ("functions", "layers/common/engine", "console")
#: What is made of them.
_MADE = {"__pycache__", "static"}
_EVERY_SECONDS = 0.25


def look(root: Path) -> Seen:
    """Return time and size of every source by its path below `root`; no caches, no hidden files."""
    seen = {}
    files = [root / "template.yaml"]
    for source in _SOURCES:
        for directory, below, names in os.walk(root / source):
            below[:] = [name for name in below if name[0] != "." and name not in _MADE]
            files += [Path(directory, name) for name in names if name[0] != "."]
    for file in files:
        try:
            status = file.stat()
        except FileNotFoundError:  # an editor is just replacing it
            continue
        seen[file.relative_to(root).as_posix()] = (status.st_mtime_ns, status.st_size)
    return seen


def changed(before: Seen, after: Seen) -> list[str]:
    """Return what is new, gone or different."""
    return sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def redeploy(system: System, template: Path) -> None:
    """Update the stack and warm its functions up. Raises CloudFailed."""
    with deploying(system.cloud, template, system.parameters) as finished:
        stack = finished()
    warm_up(system.cloud, stack, WARM)


def watch(
    root: Path, act: Callable[[], None], stopping: threading.Event, say: Callable[[str], None]
) -> None:
    """Call `act` whenever the sources below `root` have changed and are quiet, until `stopping`."""
    known = seen = look(root)
    while not stopping.wait(_EVERY_SECONDS):
        last, seen = seen, look(root)
        if seen == known or seen != last:  # nothing new, or still being written
            continue
        what, known, began = changed(known, seen), seen, time.perf_counter()
        try:
            act()
        except CloudFailed as error:
            say(f"{', '.join(what)}: not deployed: {error}")
        else:
            say(f"{', '.join(what)}: deployed in {time.perf_counter() - began:.1f} s")


@contextmanager
def watching(system: System, root: Path = ROOT) -> Iterator[None]:
    """Watch the sources while the system runs; what it says goes to standard output."""
    stopping = threading.Event()

    def act() -> None:
        with suppress(Refused):  # as it was said at the start
            console.build()
        redeploy(system, root / "template.yaml")

    def say(line: str) -> None:
        print(line, flush=True)

    thread = threading.Thread(target=watch, args=(root, act, stopping, say), name="watch")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
