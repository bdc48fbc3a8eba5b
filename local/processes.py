"""Look at processes, run them, and end them with all that they have started."""

import resource
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `resident` is bytes."""

    pid: int
    resident: int
    command: str


def allow_open_files() -> None:
    """Let this process open as many files and sockets as the system grants: a watcher takes two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def family(pid: int) -> list[Process]:
    """Return a process and all that it has started, as far as they live."""
    living = []
    for each in _family(pid):
        with suppress(psutil.NoSuchProcess), each.oneshot():
            if each.status() != psutil.STATUS_ZOMBIE:
                command = " ".join(each.cmdline())
                living.append(Process(each.pid, each.memory_info().rss, command))
    return living


def _family(pid: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run a program and return its exit status.

    If this process is stopped meanwhile, the program ends, and whatever it has started.
    """
    with subprocess.Popen(command, cwd=cwd, env=env) as program:
        try:
            return program.wait()
        except BaseException:
            for each in _family(program.pid):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            raise
