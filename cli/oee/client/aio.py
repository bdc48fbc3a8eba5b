"""The client for asyncio: the verbs of `oee.client.sync`, awaited."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from oee.client import calls, models
from oee.client.address import LOCAL, Address
from oee.client.calls import Body, Busy, Call, Number, Tries, turned_away
from oee.client.errors import EngineError, TimedOut, Unreachable
from oee.client.stream import PING, QUIET, Feed, Update, update_of

T = TypeVar("T")


class AsyncEngine:
    """The engine at an address. Use it in an `async with`; see `Engine` for each verb."""

    def __init__(
        self,
        url: str = LOCAL,
        ws_url: str = "",
        key: str | None = None,
        *,
        patience: float = 30.0,
        timeout: float = 15.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.address = Address(url, ws_url, key)
        self.ops = AsyncOps(self)
        self._patience = patience
        self._http = httpx.AsyncClient(
            base_url=self.address.url,
            headers=self.address.headers,
            timeout=timeout,
            transport=transport,
            trust_env=not self.address.local,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def place(self, order: models.NewOrder | Body, *, key: str | None = None) -> models.Order:
        return await self.ask(calls.place(order, key))

    async def get(self, order_id: str) -> models.Order:
        return await self.ask(calls.get(order_id))

    async def get_by_client_id(self, client_order_id: str) -> models.Order:
        return await self.ask(calls.get_by_client_id(client_order_id))

    async def page(
        self,
        *,
        status: str | None = None,
        type: str | None = None,  # noqa: A002
        pair: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.OrderPage:
        found = calls.page(status=status, type=type, pair=pair, limit=limit, cursor=cursor)
        return await self.ask(found)

    async def list(
        self,
        *,
        status: str | None = None,
        type: str | None = None,  # noqa: A002
        pair: str | None = None,
    ) -> AsyncIterator[models.Order]:
        cursor: str | None = None
        while True:
            page = await self.page(status=status, type=type, pair=pair, limit=100, cursor=cursor)
            for order in page.orders:
                yield order
            cursor = page.next_cursor
            if cursor is None:
                return

    async def change(
        self, order_id: str, to: models.ChangeOrder | Body, *, if_seq: int | None = None
    ) -> models.Order:
        return await self.ask(calls.change(order_id, to, if_seq))

    async def cancel(self, order_id: str) -> models.Order:
        return await self.ask(calls.cancel(order_id))

    async def cancel_all(self, pair: str | None = None) -> models.Cancelled:
        return await self.ask(calls.cancel_all(pair))

    async def quote(
        self, token_in: str, token_out: str, amount: Number, *, slippage_bps: int | None = None
    ) -> models.Offer:
        return await self.ask(calls.offer(token_in, token_out, amount, slippage_bps))

    async def prices(self, pair: str | None = None) -> Sequence[models.Price]:
        return await self.ask(calls.prices(pair))

    async def tokens(self) -> models.Tokens:
        return await self.ask(calls.tokens())

    async def health(self) -> models.Health:
        return await self.ask(calls.health())

    async def move_price(self, pair: str, price: Number) -> models.Price:
        return await self.ask(calls.move_price(pair, price))

    def watch(
        self,
        order_id: str,
        *,
        after_seq: int = 0,
        timeout: float | None = None,
    ) -> AsyncGenerator[Update, None]:
        return self._listen(Feed(order_id, after_seq), timeout)

    def watch_all(self, *, timeout: float | None = None) -> AsyncGenerator[Update, None]:
        return self._listen(Feed(None), timeout)

    async def ping(self) -> None:
        """Connect to the stream and be answered. Raises Refused, Unreachable."""
        try:
            async with self._connected() as socket:
                await socket.send(PING)
                async with asyncio.timeout(10):
                    await socket.recv()
        except Busy as busy:
            raise busy.error from None
        except (OSError, WebSocketException) as cut:
            raise Unreachable(f"the stream can't be had: {cut or type(cut).__name__}") from cut

    async def ask(self, call: Call[T]) -> T:
        """Send a call until it is answered. Raises EngineError."""
        tries = Tries(self._patience)
        while True:
            error: EngineError
            wait: float | None = None
            try:
                told = await self._http.request(
                    call.method,
                    call.path,
                    params=dict(call.query) or None,
                    content=call.body,
                    headers=call.all_headers,
                )
                return calls.answer(call, told.status_code, told.headers, told.content)
            except Busy as busy:
                error, wait = busy.error, busy.retry_after
                if isinstance(error, Unreachable):
                    error.key = call.key
            except httpx.TransportError as cut:
                sent = not isinstance(cut, httpx.ConnectError | httpx.ConnectTimeout)
                error = calls.lost(call, cut, sent=sent)
            await asyncio.sleep(tries.pause(error, wait))

    async def _listen(self, feed: Feed, timeout: float | None) -> AsyncGenerator[Update, None]:  # noqa: ASYNC109
        until = None if timeout is None else time.monotonic() + timeout
        tries = Tries(self._patience)
        while not feed.over():
            error = Unreachable("the stream was cut")
            try:
                async with self._connected() as socket:
                    await socket.send(feed.subscribe())
                    for order_id in feed.behind:
                        if news := feed.learn(update_of(await self.get(order_id))):
                            yield news
                    async for frame in _frames(socket, until):
                        tries.begin()
                        if news := feed.hear(frame):
                            yield news
                        if feed.over():
                            return
            except Busy as busy:
                await asyncio.sleep(tries.pause(busy.error))
                continue
            except (OSError, WebSocketException) as cut:
                error = Unreachable(f"the stream can't be had: {cut or type(cut).__name__}")
            wait = tries.pause(error)
            if until is not None and time.monotonic() + wait > until:
                raise TimedOut("it has not ended in time")
            await asyncio.sleep(wait)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        try:
            socket = await connect(
                self.address.ws_url,
                additional_headers=self.address.headers,
                open_timeout=10,
                close_timeout=1,
                proxy=None if self.address.local else True,
            )
        except InvalidStatus as refused:
            answered = refused.response
            raise turned_away(answered.status_code, bytes(answered.body or b"")) from refused
        async with socket:
            yield socket


async def _frames(socket: ClientConnection, until: float | None) -> AsyncIterator[str | bytes]:
    asked = False
    while True:
        left = QUIET if until is None else min(QUIET, until - time.monotonic())
        try:
            async with asyncio.timeout(max(left, 0)):
                frame = await socket.recv()
        except TimeoutError:
            if until is not None and time.monotonic() >= until:
                raise TimedOut("it has not ended in time") from None
            if asked:
                raise OSError("the stream is silent") from None
            await socket.send(PING)
            asked = True
        else:
            asked = False
            yield frame


class AsyncOps:
    """What operators do; see `Ops`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def status(self) -> models.SystemStatus:
        return await self._engine.ask(calls.status())

    async def dead_letters(self, limit: int | None = None) -> models.DeadLetters:
        return await self._engine.ask(calls.dead_letters(limit))

    async def redrive(self, reason: str | None = None) -> models.Redriven:
        return await self._engine.ask(calls.redrive(reason))

    async def halt(self, reason: str) -> models.TradingChanged:
        return await self._engine.ask(calls.halt(reason))

    async def resume(self, reason: str) -> models.TradingChanged:
        return await self._engine.ask(calls.resume(reason))

    async def audit(self, limit: int | None = None, cursor: str | None = None) -> models.Acts:
        return await self._engine.ask(calls.audit(limit, cursor))

    async def story(self, order_id: str) -> models.Story:
        return await self._engine.ask(calls.story(order_id))
