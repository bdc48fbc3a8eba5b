"""The client: a few verbs that survive cuts and never double an order."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

import httpx
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from oee.client import calls, models
from oee.client.address import LOCAL, Address
from oee.client.calls import Body, Busy, Call, Number, Tries, turned_away
from oee.client.errors import EngineError, TimedOut, Unreachable
from oee.client.stream import PING, QUIET, Feed, Update, update_of

T = TypeVar("T")


class Engine:
    """The engine at an address. Use it in a `with`.

    A call that gets no answer, or a 429 or 5xx, is asked again for `patience` seconds (a placing
    under its idempotency key, so it is one order); then Unreachable, or RateLimited, is raised.
    """

    def __init__(
        self,
        url: str = LOCAL,
        ws_url: str = "",
        key: str | None = None,
        *,
        patience: float = 30.0,
        timeout: float = 15.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = Address(url, ws_url, key)
        self.ops = Ops(self)
        self._patience = patience
        self._http = httpx.Client(
            base_url=self.address.url,
            headers=self.address.headers,
            timeout=timeout,
            transport=transport,
            trust_env=not self.address.local,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def place(self, order: models.NewOrder | Body, *, key: str | None = None) -> models.Order:
        """Place an order under `key`, or its clientOrderId, or a key made here.

        Raises Refused, Halted, or Unreachable with the key: then it is not known whether there is
        an order, and placing it again under that key makes one at most.
        """
        return self.ask(calls.place(order, key))

    def get(self, order_id: str) -> models.Order:
        return self.ask(calls.get(order_id))

    def get_by_client_id(self, client_order_id: str) -> models.Order:
        """Read the order that was placed under a key."""
        return self.ask(calls.get_by_client_id(client_order_id))

    def page(
        self,
        *,
        status: str | None = None,
        type: str | None = None,  # noqa: A002
        pair: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> models.OrderPage:
        """Read a page of the account's orders, newest first."""
        found = calls.page(status=status, type=type, pair=pair, limit=limit, cursor=cursor)
        return self.ask(found)

    def list(
        self,
        *,
        status: str | None = None,
        type: str | None = None,  # noqa: A002
        pair: str | None = None,
    ) -> Iterator[models.Order]:
        """Yield the account's orders, newest first, page by page as they are wanted."""
        cursor: str | None = None
        while True:
            page = self.page(status=status, type=type, pair=pair, limit=100, cursor=cursor)
            yield from page.orders
            cursor = page.next_cursor
            if cursor is None:
                return

    def change(
        self, order_id: str, to: models.ChangeOrder | Body, *, if_seq: int | None = None
    ) -> models.Order:
        """Change an order that rests; with `if_seq` only if it is as you know it, else Conflict."""
        return self.ask(calls.change(order_id, to, if_seq))

    def cancel(self, order_id: str) -> models.Order:
        return self.ask(calls.cancel(order_id))

    def cancel_all(self, pair: str | None = None) -> models.Cancelled:
        """Cancel all that rest, or those of a pair, at once."""
        return self.ask(calls.cancel_all(pair))

    def quote(
        self, token_in: str, token_out: str, amount: Number, *, slippage_bps: int | None = None
    ) -> models.Offer:
        """Ask what an order would do now."""
        return self.ask(calls.offer(token_in, token_out, amount, slippage_bps))

    def prices(self, pair: str | None = None) -> Sequence[models.Price]:
        """Return the reference prices of all pairs, or of one."""
        return self.ask(calls.prices(pair))

    def tokens(self) -> models.Tokens:
        return self.ask(calls.tokens())

    def health(self) -> models.Health:
        return self.ask(calls.health())

    def move_price(self, pair: str, price: Number) -> models.Price:
        """Move a simulated price, where the stack is for trying out; elsewhere NotFound."""
        return self.ask(calls.move_price(pair, price))

    def watch(
        self, order_id: str, *, after_seq: int = 0, timeout: float | None = None
    ) -> Iterator[Update]:
        """Yield each state of an order once, in order of `seq`, to its end, over all cuts.

        Raises Refused, Unreachable; TimedOut after `timeout` seconds.
        """
        return self._listen(Feed(order_id, after_seq), timeout)

    def watch_all(self, *, timeout: float | None = None) -> Iterator[Update]:
        """Yield each new state of the account's orders, without end; see `watch`.

        After a cut, those that have ended meanwhile are told as they ended.
        """
        return self._listen(Feed(None), timeout)

    def ping(self) -> None:
        """Connect to the stream and be answered. Raises Refused, Unreachable."""
        try:
            with self._connected() as socket:
                socket.send(PING)
                socket.recv(timeout=10)
        except Busy as busy:
            raise busy.error from None
        except (OSError, WebSocketException) as cut:
            raise Unreachable(f"the stream can't be had: {cut or type(cut).__name__}") from cut

    def ask(self, call: Call[T]) -> T:
        """Send a call until it is answered. Raises EngineError."""
        tries = Tries(self._patience)
        while True:
            error: EngineError
            wait: float | None = None
            try:
                told = self._http.request(
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
            time.sleep(tries.pause(error, wait))

    def _listen(self, feed: Feed, timeout: float | None) -> Iterator[Update]:
        until = None if timeout is None else time.monotonic() + timeout
        tries = Tries(self._patience)
        while not feed.over():
            error = Unreachable("the stream was cut")
            try:
                with self._connected() as socket:
                    socket.send(feed.subscribe())
                    for order_id in feed.behind:
                        if news := feed.learn(update_of(self.get(order_id))):
                            yield news
                    for frame in _frames(socket, until):
                        tries.begin()
                        if news := feed.hear(frame):
                            yield news
                        if feed.over():
                            return
            except Busy as busy:
                time.sleep(tries.pause(busy.error))
                continue
            except (OSError, WebSocketException) as cut:
                error = Unreachable(f"the stream can't be had: {cut or type(cut).__name__}")
            wait = tries.pause(error)
            if until is not None and time.monotonic() + wait > until:
                raise TimedOut("it has not ended in time")
            time.sleep(wait)

    @contextmanager
    def _connected(self) -> Iterator[ClientConnection]:
        """Connect to the stream. Raises Busy, Refused, OSError, WebSocketException."""
        try:
            socket = connect(
                self.address.ws_url,
                additional_headers=self.address.headers,
                open_timeout=10,
                close_timeout=1,
                proxy=None if self.address.local else True,
            )
        except InvalidStatus as refused:
            answered = refused.response
            raise turned_away(answered.status_code, bytes(answered.body or b"")) from refused
        with socket:
            yield socket


def _frames(socket: ClientConnection, until: float | None) -> Iterator[str | bytes]:
    """Yield what comes. Raises TimedOut, and OSError if nothing does, not even a pong."""
    asked = False
    while True:
        left = QUIET if until is None else min(QUIET, until - time.monotonic())
        try:
            yield socket.recv(timeout=max(left, 0))
            asked = False
        except TimeoutError:
            if until is not None and time.monotonic() >= until:
                raise TimedOut("it has not ended in time") from None
            if asked:
                raise OSError("the stream is silent") from None
            socket.send(PING)
            asked = True


class Ops:
    """What operators do; it takes an operator's key, else Forbidden."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def status(self) -> models.SystemStatus:
        """Return how the engine is: trading, queue, dead letters, ticker, breakers, latency."""
        return self._engine.ask(calls.status())

    def dead_letters(self, limit: int | None = None) -> models.DeadLetters:
        return self._engine.ask(calls.dead_letters(limit))

    def redrive(self, reason: str | None = None) -> models.Redriven:
        """Send the dead letters back to the order queue."""
        return self._engine.ask(calls.redrive(reason))

    def halt(self, reason: str) -> models.TradingChanged:
        """Take no new orders; those under way are finished."""
        return self._engine.ask(calls.halt(reason))

    def resume(self, reason: str) -> models.TradingChanged:
        return self._engine.ask(calls.resume(reason))

    def audit(self, limit: int | None = None, cursor: str | None = None) -> models.Acts:
        """Return what operators did, newest first."""
        return self._engine.ask(calls.audit(limit, cursor))

    def story(self, order_id: str) -> models.Story:
        """Return what happened to an order, function by function."""
        return self._engine.ask(calls.story(order_id))
