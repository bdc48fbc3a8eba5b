"""Start the embedded cloud (MiniStack) on a loopback port of its own, and end it again."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from local import processes
from local.errors import CloudFailed, PortTaken, Refused
from local.processes import Process

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local"
HOST = "127.0.0.1"
REGION = "us-east-1"

_PATIENCE_SECONDS = 60.0
_END_SECONDS = 5.0
#: The same for one that is kept, which stores everything then.
_KEEP_SECONDS = 60.0
#: What the processes started here see of the caller's environment.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TZ")
_WORKER = re.compile(r"/ministack-lambda-(?P<function>.+)-[^-/]+/_worker\.py")


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running embedded cloud; `group` is its process group, whose leader is the emulator."""

    port: int
    group: int
    log: Path
    tie: socket.socket = field(repr=False)

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """Return what the emulator answers. Raises CloudFailed if it does not."""
        try:
            return http().request(method, f"{self.endpoint_url}{path}", **how)
        except httpx.HTTPError as error:
            raise CloudFailed(f"{method} {path}: {error}", self.log) from error

    def wait(self) -> None:
        """Return when the emulator has ended by itself, which it should not."""
        self.tie.recv(1)

    def processes(self) -> list[Process]:
        """Return the emulator and the function processes it runs."""
        return processes.family(self.group)

    def workers(self, function_name: str) -> list[int]:
        """Return the pids of a function's processes, by the function's full name."""
        return [p.pid for p in self.processes() if function_of(p.command) == function_name]

    def kill_worker(self, pid: int) -> None:
        """End one function process as a crash would. Raises LookupError if it is none of ours."""
        if not any(p.pid == pid and function_of(p.command) for p in self.processes()):
            raise LookupError(f"{pid} is no function process of this cloud")
        os.kill(pid, signal.SIGKILL)


def function_of(command: str) -> str | None:
    """Return the name of the function that a command line runs, or None."""
    found = _WORKER.search(command)
    return found["function"] if found else None


@contextmanager
def running_cloud(
    *,
    port: int = 0,
    log_level: str = "INFO",
    concurrency: int = 40,
    kept: Path | None = None,
) -> Iterator[Cloud]:
    """Run an embedded cloud; it answers once `wait_until_healthy` returns.

    `port` may be 0, for a free one. `concurrency` bounds the function processes that run at once in
    all. What is in a cloud that has a directory, `kept`, is there again the next time, at the port
    that it had then. The log stays after a failure only. Raises PortTaken.
    """
    STATE.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=STATE))
    scratch = directory / "tmp"
    scratch.mkdir()
    log = directory / "cloud.log"
    failed = True
    try:
        patience = _KEEP_SECONDS if kept else _END_SECONDS
        with (
            _listening_for(port, kept) as listener,
            closing(_Child(scratch, patience)) as child,
        ):
            at = int(listener.getsockname()[1])
            environment = environment_for(at, scratch, os.environ, log_level, concurrency)
            if kept:
                environment |= {"PERSIST_STATE": "1", "STATE_DIR": str(kept)}
            group = child.start(listener, log, environment)
            listener.close()  # so that nobody waits at it if the emulator dies
            yield Cloud(port=at, group=group, log=log, tie=child.tie)
            failed = False
    except KeyboardInterrupt:
        failed = False
        raise
    finally:
        shutil.rmtree(scratch if failed else directory, ignore_errors=True)


@cache
def http() -> httpx.Client:
    """Return a client for what listens on this machine: no proxy, no connection left open."""
    closing = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(trust_env=False, timeout=_PATIENCE_SECONDS, limits=closing)


def wait_until_healthy(endpoint_url: str) -> None:
    """Return once the cloud answers. Raises httpx.HTTPError if it won't.

    Its socket listens from the start, so the first request waits there: nothing is polled.
    """
    http().get(f"{endpoint_url}/_ministack/health")


def scrubbed(outside: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the caller's AWS account, proxies and Python settings."""
    return {name: outside[name] for name in _PASSED_ON if name in outside} | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def environment_for(
    port: int,
    scratch: Path,
    outside: Mapping[str, str],
    log_level: str,
    concurrency: int,
) -> dict[str, str]:
    """Return the environment of the emulator, which its functions inherit."""
    return scrubbed(outside) | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": log_level,
        "LAMBDA_ACCOUNT_CONCURRENCY": str(concurrency),
        "LAMBDA_WARM_TTL_SECONDS": "60",  # then the processes of a burst go, but one a function
        "TMPDIR": str(scratch),
        # Off: listeners on fixed ports, and a Docker daemon that may serve someone else too.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
        "MALLOC_ARENA_MAX": "2",  # a thread an invocation: glibc would keep an arena for each
    }


def _listening_for(port: int, kept: Path | None) -> socket.socket:
    """Return what the cloud listens at. One that is kept keeps its port: its queues have it in
    their names. Raises PortTaken, Refused.
    """
    if kept is None:
        return listening_at(port)
    kept.mkdir(parents=True, exist_ok=True)
    file = kept / "port"
    former = int(file.read_text()) if file.exists() else 0
    try:
        listener = listening_at(port or former)
    except PortTaken as error:
        raise Refused(f"the cloud kept in {os.path.relpath(kept)}: {error}") from error
    file.write_text(str(listener.getsockname()[1]))
    _read_streams_anew(kept)
    return listener


def _read_streams_anew(kept: Path) -> None:
    """Let the mappings of a kept cloud begin anew with its streams.

    MiniStack keeps how far each has read, but not what: all up to there would be passed over.
    """
    path = kept / "lambda.json"
    if path.exists():
        state = json.loads(path.read_text())
        state["payload"].pop("dynamodb_stream_positions", None)
        path.write_text(json.dumps(state))


def listening_at(port: int) -> socket.socket:
    """Return a listening loopback socket. Raises PortTaken."""
    try:
        listener = socket.create_server((HOST, port), backlog=1024)
    except OSError as error:
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        raise PortTaken(f"port {port} can't be used: {why}") from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Child:
    """The emulator's process, tied to this one by a socket pair that is its standard input."""

    def __init__(self, scratch: Path, patience: float) -> None:
        self._scratch, self._patience = scratch, patience
        self.tie, self._its_tie = socket.socketpair()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, listener: socket.socket, log: Path, environment: dict[str, str]) -> int:
        """Start the emulator in a session, so in a process group, of its own; return its pid."""
        with log.open("ab") as output, self._its_tie as its_tie:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "local.cloud.emulator",
                    str(listener.fileno()),
                    str(self._scratch),
                ],
                cwd=ROOT,
                env=environment,
                stdin=its_tie.fileno(),
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        return self._process.pid

    def close(self) -> None:
        """End the emulator and its workers: politely by closing the tie, then for certain."""
        if self._process is None:
            return
        try:
            self.tie.shutdown(socket.SHUT_WR)
            self.tie.settimeout(self._patience)
            with suppress(OSError):
                self.tie.recv(1)  # ends when the emulator has
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # not reaped yet: the pid is ours
            self._process.wait()
            self.tie.close()
