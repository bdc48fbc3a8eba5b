"""What the front door passes on, and where to."""

import pytest
from multidict import CIMultiDict

from local.front_door import end_to_end, watching


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
