"""Let the containers of this machine reach the embedded cloud, which listens on loopback only.

Docker Desktop's `host.docker.internal` leads to the machine's loopback by itself. On Linux it leads
to Docker's bridge, so what comes in there is passed on. The bridge is this machine's own: its
address is not one that others can reach.
"""

import json
import socket
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from ipaddress import ip_network
from threading import Thread
from urllib.parse import urlsplit

from local.cloud.embedded import HOST
from local.errors import Refused

#: How a container calls the machine it runs on.
NAME = "host.docker.internal"
_CHUNK = 64 * 1024


def gateway() -> str | None:
    """Return the address of Docker's bridge on this machine, None if Docker has none here."""
    ask = ["docker", "network", "inspect", "bridge", "-f", "{{json .IPAM.Config}}"]
    try:
        ran = subprocess.run(ask, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return address_of(ran.stdout) if ran.returncode == 0 else None


def address_of(configuration: str) -> str | None:
    """Return the machine's own address in a network; some engines name only the network."""
    for each in json.loads(configuration) or []:
        if each.get("Gateway"):
            return str(each["Gateway"])
        if each.get("Subnet"):
            return str(next(ip_network(each["Subnet"]).hosts()))
    return None


class Forwarder(socketserver.ThreadingTCPServer):
    """Passes on what comes to a port of `address` to the same port of loopback. Raises OSError."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        self.target = (HOST, port)
        super().__init__((address, port), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: Forwarder
    request: socket.socket

    def handle(self) -> None:
        with suppress(OSError), closing(socket.create_connection(self.server.target)) as inner:
            back = Thread(target=_pass_on, args=(inner, self.request), daemon=True)
            back.start()
            _pass_on(self.request, inner)
            back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def bridged(port: int) -> Iterator[None]:
    """Pass on from a thread of its own; do nothing where Docker needs no help. Raises OSError."""
    address = gateway()
    if not sys.platform.startswith("linux") or address is None:
        yield
        return
    with Forwarder(address, port) as server:
        thread = Thread(target=server.serve_forever, name="bridge", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def serve(endpoint_url: str) -> None:
    """Pass on to a cloud on loopback until stopped. Raises Refused."""
    address = gateway()
    if address is None:
        raise Refused("Docker has no bridge here; on Docker Desktop none is needed")
    port = urlsplit(endpoint_url).port or 0
    try:
        with Forwarder(address, port) as server:
            print(
                f"Containers reach the cloud at http://{NAME}:{port}. Stop it with Ctrl-C.",
                flush=True,
            )
            server.serve_forever()
    except OSError as error:
        raise Refused(f"{address}: {error}") from error
