"""Programs of traders: requests over one connection, and WebSocket clients that note the time."""

import asyncio
import http.client
import json
import queue
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from local.cloud import HOST
from local.system import System

T = TypeVar("T")
BODY = json.dumps(
    {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": 1, "slippageBps": 50}
).encode()
_TIMEOUT = 60.0


class Failed(RuntimeError):
    """The system did not answer as it should; the part can't be measured."""


@dataclass
class Trader:
    """One client with one connection, kept alive."""

    system: System
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(HOST, self.system.port, timeout=_TIMEOUT)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[Any, float]:
        """Return the answer's document and the seconds it took. Raises Failed."""
        began = time.perf_counter()
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        if answer.status not in {http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED}:
            raise Failed(f"{method} {path}: {answer.status} {content[:200]!r}")
        return json.loads(content), took

    def place(self) -> tuple[str, float]:
        """Place an order; return its id and the seconds until the 202."""
        placed, took = self.ask("POST", "/api/orders/execute", BODY)
        return placed["orderId"], took


def burst(system: System, orders: int, clients: int) -> tuple[list[str], list[float]]:
    """Place orders as fast as so many clients can; return the ids and the seconds of each."""

    def place(count: int) -> list[tuple[str, float]]:
        trader = Trader(system)
        return [trader.place() for _ in range(count)]

    shares = [orders // clients + (n < orders % clients) for n in range(clients)]
    with ThreadPoolExecutor(clients) as at_once:
        placed = [one for share in at_once.map(place, shares) for one in share]
    return [order_id for order_id, _ in placed], [took for _, took in placed]


@dataclass
class Watch:
    """One WebSocket client; each message is counted, and kept with the time at which it came."""

    count: int = 0
    heard: "queue.SimpleQueue[tuple[float, dict[str, Any]]]" = field(
        default_factory=queue.SimpleQueue
    )

    def hear(self, timeout: float = 30.0) -> tuple[float, dict[str, Any]]:
        """Return the next message and when it came. Raises Failed if none comes in time."""
        try:
            return self.heard.get(timeout=timeout)
        except queue.Empty:
            raise Failed(f"nothing heard in {timeout:.0f} s") from None

    def until(self, status: str, timeout: float = 60.0) -> float:
        """Return when the order was first told to be in a status. Raises Failed."""
        deadline = time.monotonic() + timeout
        while True:
            at, message = self.hear(max(0.01, deadline - time.monotonic()))
            if message.get("status") == status:
                return at
            if message.get("status") in {"confirmed", "failed", "cancelled"}:
                raise Failed(f"the order is {message['status']}, not {status}")

    def until_seq(self, seq: int, timeout: float = 30.0) -> float:
        """Return when a `seq` was told. Raises Failed."""
        deadline = time.monotonic() + timeout
        while True:
            at, message = self.hear(max(0.01, deadline - time.monotonic()))
            if message.get("seq") == seq:
                return at


class Audience:
    """Any number of WebSocket clients, all in one thread."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._listening: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._session = self._run(self._opened())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.leave()
        self._run(self._session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def watch(self, order_id: str) -> Watch:
        """Connect one client to an order."""
        return self.watch_all(order_id, 1)[0]

    def watch_all(self, order_id: str, clients: int) -> list[Watch]:
        """Connect so many clients to one order."""
        return self._run(self._connected(order_id, clients))

    def leave(self) -> None:
        """Disconnect every client."""
        self._run(self._left())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    async def _opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def _connected(self, order_id: str, clients: int) -> list[Watch]:
        return await asyncio.gather(*(self._connect(order_id) for _ in range(clients)))

    async def _connect(self, order_id: str) -> Watch:
        url = f"{self._system.ws_url}/api/orders/status/{order_id}"
        socket = await self._session.ws_connect(url)
        self._sockets.append(socket)
        watch = Watch()
        task = self._loop.create_task(self._listen(socket, watch))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)
        return watch

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse, watch: Watch) -> None:
        async for message in socket:
            at = time.perf_counter()
            if message.type is aiohttp.WSMsgType.TEXT:
                watch.count += 1
                watch.heard.put((at, json.loads(message.data)))

    async def _left(self) -> None:
        sockets, self._sockets = self._sockets, []
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
