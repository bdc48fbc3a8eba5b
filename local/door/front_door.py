"""One address for both APIs: a reverse proxy for HTTP and WebSocket."""

import asyncio
import json
import logging
import socket
import threading
import traceback
import uuid
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

import aiohttp
from aiohttp import StreamReader, WSCloseCode, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_parser import RawRequestMessage
from multidict import CIMultiDict
from yarl import URL

from engine.api.handshake import PROTOCOL
from local.door.frames import FrameLimit
from local.door.origins import refusal
from local.door.problems import PROBLEM_JSON, heard, problem
from local.door.relay import Carrying, join

#: API Gateway's limits.
MAX_HEAD = 10_240
MAX_BODY = 10 * 1024 * 1024
MAX_MESSAGE, MAX_FRAME = 128 * 1024, 32 * 1024
TIMEOUT_SECONDS = 30.0

CLOSE_SECONDS = 2.0

#: The emulator starts a process for each request at once. Measured on 2 cores: 8 of them accept a
#: burst no faster than 4, take longer to start than they save, and hold 230 MB more.
#: So many of each `lane`.
AT_ONCE = 4
#: The console's files come one after another: one process has them all in memory.
PAGES_AT_ONCE = 1

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
_HEAD_TOO_LARGE = f"Request line and headers are above {MAX_HEAD} bytes."
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


def lane(method: str, path: str) -> str:
    """Return whom a request waits among: no order waits behind quotes, which wait for venues."""
    if method not in {"GET", "HEAD", "OPTIONS"}:
        return "orders"
    if path == "/" or path.startswith("/console/"):
        return "pages"
    return "quotes" if path == "/api/quotes" else "reads"


def unreadable(request: web.BaseRequest) -> tuple[HTTPStatus, str] | None:
    """Return how to refuse a request that goes no further than its head, None if it does."""
    line = len(request.method) + len(request.raw_path) + len(" HTTP/1.1\r\n ")
    head = line + sum(len(name) + len(value) + 4 for name, value in request.raw_headers)
    if head > MAX_HEAD:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _HEAD_TOO_LARGE
    if not request.rel_url.raw_path.startswith("/"):  # CONNECT, OPTIONS *
        return HTTPStatus.BAD_REQUEST, "The request names no path."
    try:
        for _, value in request.raw_headers:
            value.decode()
    except UnicodeDecodeError:
        return HTTPStatus.BAD_REQUEST, "A header is not in UTF-8."
    # The embedded cloud would take it for its own API, by which functions push to connections.
    if unquote(request.rel_url.raw_path).startswith("/@connections"):
        return HTTPStatus.NOT_FOUND, "There is nothing at this address."
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

    Without `keys` it takes none of a page of another origin, see `local.door.origins`. Where the
    cloud keeps to itself why it refused a handshake, `connect_url` is where to ask the function.
    """

    def __init__(
        self,
        http_url: str,
        ws_url: str,
        *,
        keys: bool = False,
        connect_url: str | None = None,
        at_once: int = AT_ONCE,
    ) -> None:
        self._keys = keys
        self._connect_url = connect_url
        self._http_url = http_url.rstrip("/")
        self._ws_url = ws_url
        self._connecting = asyncio.Semaphore(at_once)
        self._open: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()
        self._lanes = {name: _session(limit=at_once) for name in ("orders", "quotes", "reads")}
        self._lanes["pages"] = _session(limit=PAGES_AT_ONCE)
        self._sockets = _session(limit=0)
        server = _Server(self.answer, request_factory=_request)
        self._runner = web.ServerRunner(server, shutdown_timeout=CLOSE_SECONDS)

    async def open(self, listener: socket.socket) -> None:
        """Serve on a listening socket."""
        await self._runner.setup()
        await web.SockSite(self._runner, listener, backlog=1024).start()

    async def close(self) -> None:
        """Close the sockets of whoever watches (1001, going away), then everything else."""
        closing = [s.close(code=WSCloseCode.GOING_AWAY, message=b"stopping") for s in self._open]
        await asyncio.gather(*closing, return_exceptions=True)
        await self._runner.cleanup()
        for session in (*self._lanes.values(), self._sockets):
            await session.close()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request."""
        if refused := unreadable(request):
            return _problem(*refused)
        if not self._keys and (why := refusal(request.host, request.headers.get("Origin"))):
            return _problem(HTTPStatus.FORBIDDEN, why)
        query = watching(request.rel_url.raw_path, request.rel_url.query.items())
        if query is not None and request.method == "GET":
            return await self._watch(request, query)
        return await self._forward(request)

    async def _forward(self, request: web.BaseRequest) -> web.Response:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = await request.read()
        except web.RequestPayloadError:
            return _problem(HTTPStatus.BAD_REQUEST, "The body can't be read.")
        except web.HTTPRequestEntityTooLarge:
            return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MAX_BODY} bytes.")
        # Encoded: a path goes on as it came, or `..` would lead out of the API.
        url = URL(f"{self._http_url}{request.rel_url.raw_path_qs}", encoded=True)
        try:
            async with self._lanes[lane(request.method, request.path)].request(
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
            said = answer.decode(errors="replace")
            _LOG.warning("%s %s: %s", request.method, request.rel_url.raw_path, said)
            headers.popall("Content-Type", None)
            return _problem(document["status"], document["detail"], headers, request_id)
        return web.Response(status=heard_back.status, headers=headers, body=answer)

    async def _watch(
        self, request: web.BaseRequest, query: list[tuple[str, str]]
    ) -> web.StreamResponse:
        # Told of the protocol, or the library's log quotes what was offered, with the ticket.
        if not web.WebSocketResponse(protocols=[PROTOCOL]).can_prepare(request):
            return _problem(
                HTTPStatus.UPGRADE_REQUIRED,
                "Connect with a WebSocket client.",
                CIMultiDict({"Connection": "Upgrade", "Upgrade": "websocket"}),
            )
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
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
            refused_by = await self._ask_why(request, query) if self._connect_url else None
            return refused_by or _problem(error.status, "The WebSocket API refused the connection.")
        except (TimeoutError, aiohttp.ClientError) as error:
            return _unreachable(error)
        async with upstream:
            downstream = web.WebSocketResponse(
                timeout=CLOSE_SECONDS,
                autoping=False,
                autoclose=False,
                compress=False,
                max_msg_size=0,  # `limit_frames` holds it to less
                protocols=[PROTOCOL],  # chosen here if offered: the embedded cloud tells none
            )
            refused = limit_frames(request)
            await downstream.prepare(request)
            self._open.add(downstream)
            await join(downstream, upstream, refused)
        return downstream

    async def _ask_why(
        self, request: web.BaseRequest, query: list[tuple[str, str]]
    ) -> web.Response | None:
        """Return what the function says of a handshake that the embedded cloud only calls refused.

        It is asked once more, by itself: what it has refused it refuses again.
        """
        headers = {**_forwarded(request), "Host": request.host}
        event = {
            "requestContext": {
                "eventType": "CONNECT",
                "connectionId": "refused",
                "requestId": str(uuid.uuid4()),
            },
            "headers": headers,
            "multiValueQueryStringParameters": {
                name: [text for key, text in query if key == name] for name, _ in query
            },
        }
        try:
            async with (
                self._connecting,
                self._sockets.post(str(self._connect_url), json=event) as answer,
            ):
                said = json.loads(await answer.read())
        except (TimeoutError, aiohttp.ClientError, ValueError):
            return None
        if said.get("statusCode", 0) < HTTPStatus.BAD_REQUEST:
            return None
        return web.Response(status=said["statusCode"], headers=said["headers"], text=said["body"])


class _Connection(web.RequestHandler):
    """Answers what is no HTTP by a problem document, and keeps what was sent out of the log."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - may quote what was sent
    ) -> web.StreamResponse:
        """Return what to answer to a request that can't be read, or that the door fails at."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        detail = "The request can't be read."
        if isinstance(exc, LineTooLong):
            status, detail = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _HEAD_TOO_LARGE
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            detail = "The front door failed; its log tells where."
            where = "".join(traceback.format_tb(exc.__traceback__)) if exc else ""
            _LOG.error("%s %s\n%s", request.method, type(exc).__name__, where)
        answer = _problem(status, detail)
        answer.force_close()
        return answer


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            logger=_LOG,
            access_log=None,  # type: ignore[arg-type] # None is none
            auto_decompress=False,  # the body goes on as it came
            max_line_size=MAX_HEAD,
            max_field_size=MAX_HEAD,
            max_headers=MAX_HEAD,
        )


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)


def limit_frames(request: web.BaseRequest) -> Carrying:
    """Hold the client to API Gateway's frames; return what is done with how to close over one."""
    refused: Carrying = asyncio.get_running_loop().create_future()

    def too_big(reason: str) -> None:
        refused.set_result((WSCloseCode.MESSAGE_TOO_BIG, reason.encode()))

    if request.transport is not None:
        limited = FrameLimit(request.protocol, MAX_FRAME, MAX_MESSAGE, too_big)
        request.transport.set_protocol(limited)
    return refused


def _session(*, limit: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit, keepalive_timeout=300),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=TIMEOUT_SECONDS),
        skip_auto_headers=_AUTOMATIC,
        auto_decompress=False,
    )


def _forwarded(request: web.BaseRequest, *, drop: str = "") -> CIMultiDict[str]:
    headers = end_to_end(request.headers, drop=drop)
    headers["X-Forwarded-For"] = request.remote or ""
    headers["X-Forwarded-Host"] = request.host
    headers["X-Forwarded-Proto"] = "http"
    return headers


def _unreachable(error: Exception) -> web.Response:
    _LOG.error("the cloud can't be reached: %s", type(error).__name__)
    return _problem(HTTPStatus.BAD_GATEWAY, "The cloud behind this address can't be reached.")


def _problem(
    status: int,
    detail: str,
    headers: CIMultiDict[str] | None = None,
    request_id: str = "",
) -> web.Response:
    document = problem(status, detail, request_id=request_id)
    status = document["status"]
    answer = web.json_response(document, status=status, content_type=PROBLEM_JSON, headers=headers)
    answer.headers.setdefault("X-Request-Id", document["requestId"])
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


@contextmanager
def serving(
    listener: socket.socket,
    http_url: str,
    ws_url: str,
    *,
    keys: bool = False,
    connect_url: str | None = None,
    log: Path,
) -> Iterator[None]:
    """Serve a front door on a listening socket, from a thread of its own, complaining to `log`."""

    async def opened() -> FrontDoor:
        door = FrontDoor(http_url, ws_url, keys=keys, connect_url=connect_url)
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
