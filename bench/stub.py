"""Answers AWS calls at once and always well: DynamoDB, SQS, @connections; on a port, or inside.

It keeps the rows that are put, checks no conditions, and finds an order under every id, which one
connection watches.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine.adapters.aws.orders import order_item
from engine.adapters.aws.subscriptions import ROWS
from engine.adapters.codec import from_ms, to_ms
from engine.domain.order import Order, Settlement
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC

Document = dict[str, Any]


def an_order(
    order_id: str,
    account: str = "anyone",
    age: timedelta = timedelta(0),
    settlement: Settlement = Settlement.SIMULATED,
) -> Order:
    """Return a pending order of 1 SOL for USDC, placed now or some time ago."""
    at = from_ms(to_ms(datetime.now(UTC) - age))
    deadline = at + timedelta(seconds=120)
    terms = Terms(SOL, USDC, 10**9, 50)
    return Order.place(order_id, account, terms, at=at, deadline=deadline, settlement=settlement)


@dataclass
class Rows:
    """What was put, and what was never put and is there all the same."""

    put: dict[tuple[str, str], Document] = field(default_factory=dict)
    settlement: Settlement = Settlement.SIMULATED

    def answer(self, operation: str, asked: Document) -> Document:
        """Return the answer to one call."""
        match operation:
            case "PutItem":
                item = asked["Item"]
                self.put[item["pk"]["S"], item["sk"]["S"]] = item
            case "GetItem":
                found = self.get(asked["Key"])
                return {"Item": found} if found else {}
            case "BatchGetItem":
                ((table, wanted),) = asked["RequestItems"].items()
                rows = [row for key in wanted["Keys"] if (row := self.get(key))]
                return {"Responses": {table: rows}}
            case "Query":
                return {"Items": [], "Count": 0, "ScannedCount": 0}
            case "UpdateItem" if asked.get("ReturnValues") == "ALL_NEW":
                return {"Attributes": {**asked["Key"], "orders": {"N": "1"}}}
            case "SendMessage":
                return {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": ""}
        return {}

    def get(self, key: Document) -> Document | None:
        pk, sk = key["pk"]["S"], key["sk"]["S"]
        if (pk, sk) not in self.put and sk == "ORDER":
            order_id = pk.removeprefix("ORDER#")
            return order_item(an_order(order_id, settlement=self.settlement))
        if pk.startswith("ORDER#") and sk.startswith(ROWS):
            now = to_ms(datetime.now(UTC))
            entry = json.dumps([0, now - 60_000, now + 7_200_000, 1])  # there for a minute
            return {**key, "c:somebody": {"S": entry}}
        return self.put.get((pk, sk))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # head and body in one packet
    disable_nagle_algorithm = True
    rows: Rows

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = self.headers.get("X-Amz-Target", "").partition(".")[2]
        content = b""  # of a push
        if operation:
            content = json.dumps(self.rows.answer(operation, json.loads(body))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def answering(settlement: Settlement = Settlement.SIMULATED) -> Iterator[str]:
    """Answer on a loopback port, with orders of such a settlement; yield the address."""
    handler = type("Handler", (_Handler,), {"rows": Rows(settlement=settlement)})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Client:
    """Stands in for a boto3 client: a call is answered in the process, without botocore."""

    rows: Rows

    def __getattr__(self, method: str) -> Callable[..., Document]:
        operation = "".join(word.title() for word in method.split("_"))
        return partial(self._answered, operation)

    def _answered(self, operation: str, **asked: Any) -> Document:
        return self.rows.answer(operation, asked)


def answer_inside() -> None:
    """Let every client that is made in this process from now on be a `Client`."""
    import boto3

    client = Client(Rows())
    boto3.Session.client = lambda *_, **__: client  # type: ignore[assignment, method-assign]
