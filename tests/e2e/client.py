"""A trader's program: a real HTTP client and real WebSocket clients."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from websockets.sync.client import ClientConnection, connect

from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.subscriptions import ROWS, item_subscriptions
from engine.domain.order import Order
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC
from local.system import System

T = TypeVar("T")
FINAL = {"confirmed", "failed", "cancelled", "expired"}
Message = dict[str, Any]
Letter = dict[str, Any]
#: Seconds after which what was to come is held to be lost, on however busy a machine.
PATIENCE = 120.0


def a_body(**changes: object) -> dict[str, Any]:
    """Return the body of a market order of 1 SOL for USDC, with `changes`."""
    return {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": 1, **changes}


def a_stored_order(account: str) -> Order:
    """Return a pending order for the table alone: no message tells a worker of it.

    It is placed an hour from now, so the reconciler does not find it either.
    """
    at = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    deadline = at + timedelta(seconds=120)
    return Order.place(
        str(uuid.uuid4()), account, Terms(SOL, USDC, 10**9, 50), at=at, deadline=deadline
    )


@dataclass
class Watch:
    """A client of the stream that keeps what it is told and drops what it has, by `seq`."""

    socket: ClientConnection
    all: list[Message] = field(default_factory=list)
    kept: list[Message] = field(default_factory=list)

    def hear(self, timeout: float = 60) -> Message:
        """Return the next message, kept or not."""
        message: Message = json.loads(self.socket.recv(timeout=timeout))
        self.all.append(message)
        if message["type"] in {"snapshot", "status"} and message["seq"] > self.seq:
            self.kept.append(message)
        return message

    @property
    def seq(self) -> int:
        return self.kept[-1]["seq"] if self.kept else 0

    def to_the_end(self, timeout: float = 90) -> list[Message]:
        """Listen until the order is final; return the messages kept."""
        deadline = time.monotonic() + timeout
        while not (self.kept and self.kept[-1]["status"] in FINAL):
            self.hear(timeout=deadline - time.monotonic())
        return self.kept


class Trader:
    """Places, reads and watches orders through the front door, of `account` with its `key`."""

    def __init__(self, system: System, key: str = "", account: str = "anyone") -> None:
        self.system = system
        self.key = key
        self.account = account
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=system.url, timeout=60, headers=self.headers)
        self.open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.open.close()
        self.http.close()

    def post(self, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return self.http.post("/api/orders/execute", json=body or a_body(), headers=headers)

    def place(self, **changes: object) -> str:
        answer = self.post(a_body(**changes))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["orderId"])

    def order(self, order_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        read: dict[str, Any] = answer.json()
        return read

    def watch(self, order_id: str) -> Watch:
        return self.listen(f"/api/orders/status/{order_id}")

    def listen(self, path: str = "/live", headers: Mapping[str, str] | None = None) -> Watch:
        """Connect to the stream; the connection is closed with the trader at the latest."""
        sent = self.headers if headers is None else headers
        address = f"{self.system.ws_url}{path}"
        return Watch(self.open.enter_context(connect(address, additional_headers=sent)))

    def wait_for(self, order_id: str, *statuses: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """Poll an order until it is in one of `statuses`, or final."""
        wanted = set(statuses)
        return until(
            lambda: self.order(order_id),
            lambda order: order["status"] in wanted | FINAL,
            timeout,
        )

    def dead_letters(self) -> list[Letter]:
        """Take the dead letters out of their queue and return what they say."""
        sqs = self.system.client("sqs")
        url = self.system.stack.dead_letter_queue
        dead_letters = []
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", []):
            for message in messages:
                attributes = message.get("MessageAttributes", {})
                dead_letters.append({n: value["StringValue"] for n, value in attributes.items()})
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return dead_letters

    def a_pending_order(self) -> str:
        """Store an order that no worker hears of; return its id."""
        order = a_stored_order(self.account)
        DynamoOrders(self.system.table).add(order)
        return order.order_id

    def cancel(self, order_id: str) -> httpx.Response:
        return self.http.post(f"/api/orders/{order_id}/cancel")

    def change(self, order_id: str, **changes: object) -> httpx.Response:
        return self.http.patch(f"/api/orders/{order_id}", json=changes)

    def orders(self, **filters: str) -> list[dict[str, Any]]:
        """Return all orders of the account that a filter lets pass, page by page."""
        found: list[dict[str, Any]] = []
        query = {"limit": "100", **filters}
        while True:
            page = self.http.get("/api/orders", params=query).json()
            found += page["orders"]
            if not page["nextCursor"]:
                return found
            query["cursor"] = page["nextCursor"]

    def move(self, pair: str, price: object) -> None:
        """Move a pair's price; every process goes by it when this returns."""
        sent = {"pair": pair, "price": str(price)}
        answer = self.http.post("/api/simulation/prices", json=sent)
        assert answer.status_code == 200, answer.text

    def watching(self, order_id: str) -> set[str]:
        """Return the connections that the table has as watching an order."""
        rows = [row for row in self.rows() if row["sk"]["S"].startswith(ROWS)]
        mine = [row for row in rows if order_id in row["pk"]["S"]]
        return {
            subscription.connection_id for row in mine for subscription in item_subscriptions(row)
        }

    def connected(self) -> set[str]:
        """Return the connections that the table has as open."""
        return {r["pk"]["S"].removeprefix("CONN#") for r in self.rows() if r["sk"]["S"] == "CONN"}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Return every row of the table."""
        yield from rows_of(self.system.client("dynamodb"), self.system.stack.table)

    def landed(self, order_id: str) -> list[str]:
        """Return the signatures that landed for an order."""
        return [signature for signature, of in landed(self.rows()) if of == order_id]


def rows_of(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    """Return every row of a table."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def landed(rows: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the signatures that landed, each with its order."""
    entries = [row for row in rows if row["sk"]["S"] == "TX" and "out" in row]
    return [(row["pk"]["S"].removeprefix("TX#"), row["order"]["S"]) for row in entries]


def lying(sqs: Any, url: str) -> int:
    """Return how many messages a queue holds, those in hand included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def until(
    ask: Callable[[], T],
    good: Callable[[T], object],
    timeout: float = PATIENCE,
    every: float = 0.1,
) -> T:
    """Ask until the answer is good, at most `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not good(answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout} s"
        time.sleep(every)
    return answer
