"""Run built functions as Lambda does: the Runtime Interface Emulator and AWS's own runtime client.

The emulator is the binary that the SAM CLI puts into its containers; Python 3.13 and `awslambdaric`
are those of `.venv-lambda`.
"""

import json
import platform
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.embedded import HOST, ROOT

PYTHON = ROOT / ".venv-lambda/bin/python"
_PATIENCE_SECONDS = 30.0


def emulator() -> Path:
    """Return the Runtime Interface Emulator for this machine."""
    kind = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    (found,) = (ROOT / ".venv-sam").glob(
        f"lib/python3.*/site-packages/samcli/local/rapid/aws-lambda-rie-{kind}"
    )
    return found


@dataclass(frozen=True)
class Function:
    """A built function in a runtime of its own; `log` is what both wrote."""

    port: int
    log: Path

    def invoke(self, event: Any) -> Any:
        """Return the function's answer; it may be the description of an error."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}/2015-03-31/functions/function/invocations",
            data=json.dumps(event).encode(),
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")


@contextmanager
def running(
    code: Path, layer: Path, environment: Mapping[str, str], directory: Path
) -> Iterator[Function]:
    """Run the function built at `code` with the layer at `layer`, as Lambda lays them out."""
    log = directory / f"{code.name}.log"
    port, api = _free_port(), _free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                emulator(),
                "--log-level=error",
                f"--runtime-interface-emulator-address={HOST}:{port}",
                f"--runtime-api-address={HOST}:{api}",
                PYTHON,
                "-m",
                "awslambdaric",
                "app.lambda_handler",
            ],
            cwd=code,
            env={
                **environment,
                "PYTHONPATH": f"{code}:{layer / 'python'}",
                "LAMBDA_TASK_ROOT": str(code),
                "AWS_LAMBDA_FUNCTION_NAME": code.name,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port)
        yield Function(port, log)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the emulator does not listen"
            time.sleep(0.02)
        else:
            return
