"""Answers AWS calls on a loopback port, at once and always well: DynamoDB, SQS, @connections.

It keeps the rows that are put, checks no conditions, and finds an order under every id, which one
connection watches.
"""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine.adapters.codec import from_ms, to_ms
from engine.adapters.dynamodb import order_item
from engine.adapters.watchers import ROWS
from engine.domain.order import Order
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC

_ORDER_LIFETIME = timedelta(seconds=120)


def fresh_order(order_id: str) -> Order:
    """Return a pending order of 1 SOL for USDC, placed now."""
    now = from_ms(to_ms(datetime.now(UTC)))
    return Order.place(
        order_id, "anyone", Terms(SOL, USDC, 10**9, 50), at=now, deadline=now + _ORDER_LIFETIME
    )


@dataclass
class Rows:
    """What was put, and what was never put and is there all the same."""

    put: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one DynamoDB call."""
        match operation:
            case "PutItem":
                item = asked["Item"]
                self.put[item["pk"]["S"], item["sk"]["S"]] = item
            case "GetItem":
                found = self.get(asked["Key"]["pk"]["S"], asked["Key"]["sk"]["S"])
                return {"Item": found} if found else {}
            case "BatchGetItem":
                ((table, wanted),) = asked["RequestItems"].items()
                found_all = [self.get(k["pk"]["S"], k["sk"]["S"]) for k in wanted["Keys"]]
                return {"Responses": {table: [row for row in found_all if row]}}
            case "Query":
                return {"Items": [], "Count": 0, "ScannedCount": 0}
            case "UpdateItem" if asked.get("ReturnValues") == "ALL_NEW":
                return {"Attributes": {**asked["Key"], "orders": {"N": "1"}}}
        return {}

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        if (pk, sk) not in self.put and sk == "ORDER":
            return order_item(fresh_order(pk.removeprefix("ORDER#")))
        if pk.startswith("ORDER#") and sk.startswith(ROWS):
            now = to_ms(datetime.now(UTC))
            entry = json.dumps([0, now - 60_000, now + 7_200_000, 0])  # there for a minute
            return {"pk": {"S": pk}, "sk": {"S": sk}, "c:somebody": {"S": entry}}
        return self.put.get((pk, sk))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # head and body in one packet
    disable_nagle_algorithm = True
    rows = Rows()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer: dict[str, Any] = {}
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        if service.startswith("DynamoDB"):
            answer = self.rows.answer(operation, json.loads(body))
        elif operation == "SendMessage":
            answer = {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": ""}
        content = b"" if re.search("/@connections/", self.path) else json.dumps(answer).encode()
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
def answering() -> Iterator[str]:
    """Answer on a loopback port; yield the address."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
