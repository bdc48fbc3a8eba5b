"""Look at the processes of a group: what they run and what they hold in memory."""

import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path


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


def of_pid(pid: int) -> list[Process]:
    """Return the process as a list of one; an empty one if it has ended."""
    return [process for process in of_group(os.getpgid(pid)) if process.pid == pid]


def of_group(group: int) -> list[Process]:
    """Return the living processes of a process group, oldest pid first."""
    if Path("/proc/self/stat").exists():
        found = [p for p in Path("/proc").iterdir() if p.name.isdecimal()]
        listed = [process for p in found if (process := _from_proc(p, group))]
    else:
        listed = _from_ps(group)
    return sorted(listed, key=lambda process: process.pid)


def _from_proc(directory: Path, group: int) -> Process | None:
    try:
        state, _parent, its_group = parse_stat(directory.joinpath("stat").read_text())
        if its_group != group or state == "Z":
            return None
        pages = int(directory.joinpath("statm").read_text().split()[1])
        command = directory.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):  # it ended while it was being read
        return None
    return Process(int(directory.name), pages * os.sysconf("SC_PAGE_SIZE"), command)


def parse_stat(text: str) -> tuple[str, int, int]:
    """Return state, parent and group out of `/proc/PID/stat`, whatever the program is called."""
    state, parent, group = text.rpartition(")")[2].split()[:3]
    return state, int(parent), int(group)


def _from_ps(group: int) -> list[Process]:
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,rss=,state=,command="],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return parse_ps(listing, group)


def parse_ps(listing: str, group: int) -> list[Process]:
    """Return the living processes of a group out of `pid pgid rss state command` lines."""
    rows = [line.split(maxsplit=4) for line in listing.splitlines()]
    return [
        Process(int(row[0]), int(row[2]) * 1024, row[4] if len(row) > 4 else "")
        for row in rows
        if int(row[1]) == group and not row[3].startswith("Z")
    ]
