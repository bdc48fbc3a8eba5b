"""What the front door passes on, and where to; what it answers to bytes that are no request."""

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from local.door.front_door import MAX_HEAD, FrontDoor, end_to_end, lane, watching
from local.door.problems import CODES


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("/api/orders/status/o-1", [], [("orderId", "o-1")]),
        ("/api/orders/status/a%3Ab", [], [("orderId", "a:b")]),
        (
            "/api/orders/status/o-1",
            [("ticket", "t"), ("orderId", "other"), ("afterSeq", "3")],
            [("orderId", "o-1"), ("ticket", "t"), ("afterSeq", "3")],
        ),
        ("/live", [("orderId", "o-1"), ("afterSeq", "3")], [("orderId", "o-1"), ("afterSeq", "3")]),
        ("/live/", [], []),
    ],
)
def test_both_addresses_of_the_stream_ask_the_websocket_api(path, query, asked):
    assert watching(path, query) == asked


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/orders/execute",
        "/api/orders/o-1",
        "/api/orders/status/",
        "/api/orders/status/a/b",
    ],
)
def test_everything_else_is_for_the_http_api(path):
    assert watching(path, []) is None


def test_headers_of_the_connection_stay_and_the_others_go_on():
    headers = CIMultiDict(
        [
            ("Host", "example.org"),
            ("Connection", "keep-alive, X-Mine"),
            ("X-Mine", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "3"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("X-Request-Id", "r-1"),
        ]
    )
    assert list(end_to_end(headers).items()) == [
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("X-Request-Id", "r-1"),
    ]


def test_the_handshake_of_one_side_is_not_the_other_sides():
    headers = CIMultiDict({"Sec-WebSocket-Key": "k", "Authorization": "Bearer t"})
    assert dict(end_to_end(headers, drop="sec-websocket-")) == {"Authorization": "Bearer t"}


def test_orders_reads_and_quotes_wait_apart():
    assert lane("POST", "/api/orders/execute") == lane("POST", "/api/orders/o-1/cancel")
    assert len({lane("POST", "/x"), lane("GET", "/api/orders"), lane("GET", "/api/quotes")}) == 3


KEY = "oek_0123456789abcdef_" + "5" * 64
HOST = f"Host: localhost\r\nAuthorization: Bearer {KEY}\r\n"
STATUSES = {code: status for status, code in CODES.items()}

#: Sends bytes to a front door and returns what comes back until it closes.
Send = Callable[[bytes], bytes]


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """Return what talks to a front door on a socket of its own, with nothing behind it."""

    def sent(data: bytes) -> bytes:
        return asyncio.run(asyncio.wait_for(_sent(tmp_path / "door", data), 20))

    return sent


async def _sent(path: Path, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        door = FrontDoor("http://127.0.0.1:9", "ws://127.0.0.1:9")
        await door.open(listener)
        try:
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(data)
            answer = await reader.read()
            writer.close()
            return answer
        finally:
            await door.close()


def problem_in(answer: bytes) -> dict[str, Any]:
    """Return the problem document of an HTTP answer, which has nothing beside it."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "content-type: application/problem+json; charset=utf-8" in lines
    document: dict[str, Any] = json.loads(body)
    assert document.keys() == {"type", "title", "status", "detail", "code", "requestId"}
    assert lines[0].split()[1] == str(document["status"])
    assert f"x-request-id: {document['requestId']}".lower() in lines
    assert STATUSES[document["code"]] == document["status"]
    return document


CLOSE = "Connection: close\r\n\r\n"
LONG = "x" * MAX_HEAD


@pytest.mark.parametrize(
    ("request_text", "code"),
    [
        ("FOO / HTTP/1.1\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("CONNECT a:1 HTTP/1.1\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("OPTIONS * HTTP/1.1\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("GET / HTTP/9.1\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("GET / nonsense\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("GET /\0 HTTP/1.1\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("\x16\x03\x01\x02\0\x01\0\x01\xfc", "BAD_REQUEST"),  # TLS
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "BAD_REQUEST"),
        ("GET / HTTP/1.1\r\nno colon in it\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("GET / HTTP/1.1\r\nAuthorization Bearer " + KEY + "\r\n" + CLOSE, "BAD_REQUEST"),
        ("GET / HTTP/1.1\r\nX-Api-Key: " + KEY + "\0\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        ("GET / HTTP/1.1\r\nX-Mine: \xff\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        (
            "POST / HTTP/1.1\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n" + HOST + CLOSE,
            "BAD_REQUEST",
        ),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n" + HOST + CLOSE, "BAD_REQUEST"),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" + HOST + CLOSE,
            "BAD_REQUEST",
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + CLOSE + "zz\r\n",
            "BAD_REQUEST",
        ),
        ("GET /" + LONG + " HTTP/1.1\r\n" + HOST + CLOSE, "HEADERS_TOO_LARGE"),
        ("GET /?a=" + 9 * LONG + " HTTP/1.1\r\n" + HOST + CLOSE, "HEADERS_TOO_LARGE"),
        ("GET / HTTP/1.1\r\nX-Mine: " + LONG + "\r\n" + HOST + CLOSE, "HEADERS_TOO_LARGE"),
        ("GET / HTTP/1.1\r\nX-" + LONG + ": 1\r\n" + HOST + CLOSE, "HEADERS_TOO_LARGE"),
        ("GET / HTTP/1.1\r\n" + 700 * "X-Mine: of many\r\n" + HOST + CLOSE, "HEADERS_TOO_LARGE"),
        ("GET /@connections/c-1 HTTP/1.1\r\n" + HOST + CLOSE, "NOT_FOUND"),
        ("POST /%40connection%73/c-1 HTTP/1.1\r\n" + HOST + CLOSE, "NOT_FOUND"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_goes_no_further_is_a_problem_and_not_in_the_log(
    send: Send, caplog: pytest.LogCaptureFixture, request_text: str, code: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        document = problem_in(send(request_text.encode("latin-1")))
    assert document["code"] == code
    assert KEY not in json.dumps(document)
    assert KEY not in caplog.text
