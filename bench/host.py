"""Run the whole system in a process of its own, so that measuring it does not slow it down.

python -m bench.host < parameters.json    prints where it is; runs until standard input ends
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.figures import ROOT
from local.cloud import Cloud
from local.errors import CloudFailed
from local.stack import Stack
from local.system import System, running

_START_SECONDS = 120.0


@contextmanager
def hosted(parameters: Mapping[str, str]) -> Iterator[tuple[System, int]]:
    """Run the system elsewhere; yield it and the pid of its front door. Raises CloudFailed."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.host"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin  # noqa: S101 - they are pipes
        assert child.stdout  # noqa: S101
        try:
            child.stdin.write(json.dumps(dict(parameters)) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
            if not line:
                raise CloudFailed("the system did not start", Path(os.devnull))
            told = json.loads(line)
            tie = socket.socket()
            cloud = Cloud(told["cloud_port"], told["group"], Path(told["log"]), tie)
            with tie:
                yield System(told["port"], cloud, Stack(**told["stack"])), child.pid
        finally:
            child.stdin.close()
            try:
                child.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def main() -> None:
    parameters = json.loads(sys.stdin.readline())
    with running(parameters, log_level="WARNING") as system:
        told = {
            "port": system.port,
            "cloud_port": system.cloud.port,
            "group": system.cloud.group,
            "log": str(system.cloud.log),
            "stack": asdict(system.stack),
        }
        print(json.dumps(told), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
