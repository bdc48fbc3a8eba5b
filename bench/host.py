"""Run the whole system in a process of its own, so that measuring it does not slow it down."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from bench.figures import Failed
from local.cloud.embedded import Cloud
from local.system import System, running

_END_SECONDS = 120.0


@contextmanager
def hosted(parameters: Mapping[str, str]) -> Iterator[tuple[System, int]]:
    """Run the system elsewhere; yield it and the pid of its front door. Raises Failed."""
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_host, args=(dict(parameters), there))
    process.start()
    there.close()
    try:
        port, (cloud_port, group, log), stack = here.recv()
        with socket.socket() as tie:
            cloud = Cloud(cloud_port, group, log, tie)
            yield System(port, cloud, stack), process.pid or 0
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
