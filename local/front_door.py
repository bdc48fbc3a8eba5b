"""One address for both APIs: a reverse proxy for HTTP and WebSocket."""

import asyncio
import logging
import socket
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

import aiohttp
from aiohttp import WSCloseCode, web
from multidict import CIMultiDict
from yarl import URL

from engine.api.handshake import PROTOCOL, BadHandshake, read_handshake
from local.frames import FrameLimit
from local.origins import refusal
from local.problems import PROBLEM_JSON, heard, problem
from local.relay import Carrying, join

#: API Gateway's limits.
MAX_BODY = 10 * 1024 * 1024
MAX_MESSAGE, MAX_FRAME = 128 * 1024, 32 * 1024
TIMEOUT_SECONDS = 30.0

CLOSE_SECONDS = 2.0

#: The emulator starts a process for each request at once. Measured on 2 cores: 8 of them accept a
#: burst no faster than 4, take longer to start than they save, and hold 230 MB more.
AT_ONCE = 4

_STATUS_PATH = "/api/orders/status/"
_LIVE_PATH = "/live"
_HOP_BY_HOP = {
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_REFUSED: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Send a valid API key, or a ticket that was not used yet.",
    # The embedded cloud's only word.
    HTTPStatus.FORBIDDEN: "There is no valid key or ticket (on AWS a 401), or too many connections "
    "were made this minute (429).",
}
_LOG = logging.getLogger(__name__)
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


def watching(path: str, query: Iterable[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """Return the query with which the WebSocket API is to be asked, None for an HTTP path.

    `path` is the raw path; `/api/orders/status/{orderId}` names the order as `?orderId=` does.
    """
    if path.rstrip("/") == _LIVE_PATH:
        return list(query)
    order_id = path.removeprefix(_STATUS_PATH)
    if order_id != path and order_id and "/" not in order_id:
        return [("orderId", unquote(order_id)), *((k, v) for k, v in query if k != "orderId")]
    return None


def end_to_end(headers: Mapping[str, str], *, drop: str = "") -> CIMultiDict[str]:
    """Return the headers that a proxy passes on; `drop` names a prefix to leave out as well."""
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    kept = CIMultiDict[str]()
    for name, value in headers.items():
        lowered = name.lower()
        if lowered in _HOP_BY_HOP or lowered in named or (drop and lowered.startswith(drop)):
            continue
        kept.add(name, value)
    return kept


class FrontDoor:
    """Passes requests on to an HTTP API and a WebSocket API.

    Without `keys` it takes none of a page of another origin, see `local.origins`.
    """

    def __init__(
        self, http_url: str, ws_url: str, *, keys: bool = False, at_once: int = AT_ONCE
    ) -> None:
        self._keys = keys
        self._http_url = http_url.rstrip("/")
        self._ws_url = ws_url
        self._connecting = asyncio.Semaphore(at_once)
        self._open: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()
        self._http = _session(limit=at_once)
        self._sockets = _session(limit=0)
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:(?s:.*)}", self.answer)
        app.on_shutdown.append(self._close_sockets)
        self._runner = web.AppRunner(
            app, access_log=None, logger=_LOG, shutdown_timeout=CLOSE_SECONDS
        )

    async def open(self, listener: socket.socket) -> None:
        """Serve on a listening socket."""
        await self._runner.setup()
        await web.SockSite(self._runner, listener, backlog=1024).start()

    async def close(self) -> None:
        """Close the sockets of whoever watches (1001, going away), then everything else."""
        await self._runner.cleanup()
        await self._http.close()
        await self._sockets.close()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        if not self._keys and (why := refusal(request.host, request.headers.get("Origin"))):
            return _problem(HTTPStatus.FORBIDDEN, why)
        query = watching(request.rel_url.raw_path, request.rel_url.query.items())
        if query is not None and request.method == "GET":
            return await self._watch(request, query)
        return await self._forward(request)

    async def _forward(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MAX_BODY} bytes.")
        # Encoded: a path goes on as it came, or `..` would lead out of the API.
        url = URL(f"{self._http_url}{request.rel_url.raw_path_qs}", encoded=True)
        try:
            async with self._http.request(
                request.method,
                url,
                data=body or None,
                headers=_forwarded(request),
                allow_redirects=False,
            ) as heard_back:
                answer = await heard_back.read()
        except TimeoutError:
            return _problem(HTTPStatus.GATEWAY_TIMEOUT, "The function took too long.")
        except aiohttp.ClientError as error:
            return _unreachable(error)
        headers = end_to_end(heard_back.headers)
        request_id = headers.get("apigw-requestid", "")
        document = heard(heard_back.status, heard_back.content_type, answer, request_id=request_id)
        if document is not None:
            _LOG.warning("%s %s: %s", request.method, request.path, answer.decode(errors="replace"))
            headers.popall("Content-Type", None)
            return _problem(document["status"], document["detail"], headers, request_id)
        return web.Response(status=heard_back.status, headers=headers, body=answer)

    async def _watch(
        self, request: web.Request, query: list[tuple[str, str]]
    ) -> web.StreamResponse:
        if not web.WebSocketResponse().can_prepare(request):
            return _problem(
                HTTPStatus.UPGRADE_REQUIRED,
                "Connect with a WebSocket client.",
                CIMultiDict({"Connection": "Upgrade", "Upgrade": "websocket"}),
            )
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        try:  # as the function does, whose words the embedded cloud keeps to itself
            read_handshake({name: [v for n, v in query if n == name] for name, _ in query}, offered)
        except BadHandshake as error:
            return _problem(HTTPStatus.BAD_REQUEST, str(error), code=error.code)
        try:
            async with self._connecting:
                upstream = await self._sockets.ws_connect(
                    URL(self._ws_url).with_query(query),
                    headers=_forwarded(request, drop="sec-websocket-"),
                    protocols=[name.strip() for name in offered.split(",") if name.strip()],
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                    autoping=False,
                    autoclose=False,
                    max_msg_size=MAX_MESSAGE,
                )
        except aiohttp.WSServerHandshakeError as error:
            return _problem(error.status, _REFUSED.get(error.status, "Connect again in a moment."))
        except (TimeoutError, aiohttp.ClientError) as error:
            return _unreachable(error)
        async with upstream:
            downstream = web.WebSocketResponse(
                timeout=CLOSE_SECONDS,
                autoping=False,
                autoclose=False,
                compress=False,
                max_msg_size=MAX_MESSAGE + 1,  # the least that is refused
                protocols=[PROTOCOL],  # chosen here if offered: the embedded cloud tells none
            )
            refused = limit_frames(request)
            await downstream.prepare(request)
            self._open.add(downstream)
            await join(downstream, upstream, refused)
        return downstream

    async def _close_sockets(self, _: web.Application) -> None:
        closing = [s.close(code=WSCloseCode.GOING_AWAY, message=b"stopping") for s in self._open]
        await asyncio.gather(*closing, return_exceptions=True)


def limit_frames(request: web.Request) -> Carrying:
    """Hold the client to API Gateway's frames; return what is done with how to close over one."""
    refused: Carrying = asyncio.get_running_loop().create_future()

    def too_big() -> None:
        if not refused.done():
            refused.set_result((WSCloseCode.MESSAGE_TOO_BIG, b"a frame has at most 32 KB"))

    if request.transport is not None:
        request.transport.set_protocol(FrameLimit(request.protocol, MAX_FRAME, too_big))
    return refused


def _session(*, limit: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit, keepalive_timeout=300),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=TIMEOUT_SECONDS),
        skip_auto_headers=_AUTOMATIC,
        auto_decompress=False,
    )


def _forwarded(request: web.Request, *, drop: str = "") -> CIMultiDict[str]:
    headers = end_to_end(request.headers, drop=drop)
    headers["X-Forwarded-For"] = request.remote or ""
    headers["X-Forwarded-Host"] = request.host
    headers["X-Forwarded-Proto"] = "http"
    return headers


def _unreachable(error: Exception) -> web.Response:
    _LOG.error("the cloud can't be reached: %s", error)
    return _problem(HTTPStatus.BAD_GATEWAY, "The cloud behind this address can't be reached.")


def _problem(
    status: int,
    detail: str,
    headers: CIMultiDict[str] | None = None,
    request_id: str = "",
    code: str | None = None,
) -> web.Response:
    document = problem(status, detail, request_id=request_id, code=code)
    answer = web.json_response(document, status=status, content_type=PROBLEM_JSON, headers=headers)
    answer.headers.setdefault("X-Request-Id", document["requestId"])
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


@contextmanager
def serving(
    listener: socket.socket, http_url: str, ws_url: str, *, keys: bool = False, log: Path
) -> Iterator[None]:
    """Serve a front door on a listening socket, from a thread of its own, complaining to `log`."""

    async def opened() -> FrontDoor:
        door = FrontDoor(http_url, ws_url, keys=keys)
        await door.open(listener)
        return door

    handler = logging.FileHandler(log)
    _LOG.addHandler(handler)
    _LOG.propagate = False
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="front-door", daemon=True)
    thread.start()
    try:
        door = asyncio.run_coroutine_threadsafe(opened(), loop).result()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(door.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        _LOG.removeHandler(handler)
        handler.close()
