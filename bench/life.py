"""The life of an order with one watcher, function by function, and what each asks of AWS.

The functions run in a process of their own against moto, whose conditions are DynamoDB's; units
are counted by `bench.capacity`. Each change goes to `ws_notify` alone: a busy stream batches them.
"""

import json
import os
import tempfile
import time
from collections import Counter as Tally
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from runpy import run_path
from typing import Any
from unittest.mock import patch

from bench.capacity import Bill, Item, item_bytes
from bench.child import Context
from bench.counting import Counter
from bench.figures import ROOT, Figures
from bench.lambdas import FUNCTIONS, an_event, settings, sqs_batch
from bench.stage import Stage
from bench.template import access_log_bytes, create_table, indexes, lambda_logs
from engine.adapters.aws.subscriptions import ROWS
from local.cloud.embedded import scrubbed

#: What Lambda itself logs of an invocation (START, END, REPORT), and what CloudWatch adds a line.
PLATFORM_BYTES, LINE_BYTES = 420, 26
#: Long enough for calls to hide behind, and what a call is made to take then, in seconds.
_DELAYS = {"QUOTE": "400", "CONFIRM": "800"}
_SLOW_CALL = 0.2


def life(stage: Stage) -> Figures:
    """Count calls, units and log bytes of an order: a worker with one order, and with ten."""
    stage.tell("one order a worker")
    one = _played(1)
    stage.tell("ten orders a worker")
    ten = _played(10)
    stage.tell("with API keys")
    keyed = _played(1, auth="api-key")
    stage.tell("one connection for all orders")
    mine = _played(1, mine=True)
    of_ten = {"ten_worker_log_bytes": ten["worker_log_bytes"]}
    return {
        **one,
        **of_ten,
        "access_log_bytes": access_log_bytes() + LINE_BYTES,
        "mine": mine | of_ten,
        "keyed_execute_calls": keyed["execute_calls"],
    }


def _played(orders: int, auth: str = "none", mine: bool = False) -> Figures:
    """Play in a process of its own, whose clients nobody else uses."""
    delays = {f"{of}_DELAY_{end}_MS": ms for of, ms in _DELAYS.items() for end in ("MIN", "MAX")}
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AUTH": auth}
    with (
        patch.dict(os.environ, scrubbed(os.environ) | settings(None) | delays | keys, clear=True),
        get_context("spawn").Pool(1) as process,
    ):
        return process.apply(_play, (orders, auth, mine))


@dataclass
class Function:
    """What the runs of one function came to."""

    bill: Bill = field(default_factory=Bill)
    runs: int = 0
    log_bytes: int = 0
    seconds: float = 0.0


@dataclass
class Play:
    """The functions on a stage of their own, and the file of what they log; `changes` of orders."""

    log: int
    counter: Counter
    sqs: Any
    headers: dict[str, str]
    functions: dict[str, Function] = field(
        default_factory=lambda: {name: Function() for name in FUNCTIONS}
    )
    slow_call: float = 0.0
    changes: int = 0
    largest: int = 0

    def run(self, function: str, event: dict[str, Any]) -> Any:
        """Let a function answer an event; count what it asks for and what it logs."""
        so_far, said = self.functions[function], os.fstat(self.log).st_size
        began = time.monotonic()
        self.counter.slow = self.slow_call if function == "worker" else 0.0
        answer = _handler(function)(event, Context())
        so_far.seconds += time.monotonic() - began
        so_far.bill.include(self.counter.taken())
        so_far.runs += 1
        written = os.pread(self.log, 1_000_000, said)
        so_far.log_bytes += len(written) + (LINE_BYTES - 1) * written.count(b"\n")
        so_far.log_bytes += PLATFORM_BYTES * lambda_logs(function)
        return answer

    def announce(self) -> None:
        """Show `ws_notify` what was written, change by change, as the mapping's filter lets it."""
        changes, self.counter.changes = self.counter.changes, []
        for old, new in changes:
            if new is None:
                continue
            of_order = new["sk"]["S"] == "ORDER"
            if of_order:
                self.changes += 1
                self.largest = max(self.largest, item_bytes(new))
            if of_order or new["sk"]["S"].startswith(ROWS):
                self.run("ws_notify", {"Records": [_record(old, new)]})

    def stream(self, connection_id: str, event: str, **parts: Any) -> None:
        """Let a client of the stream connect, say something, or go."""
        coming = an_event(event) | parts
        coming["requestContext"]["connectionId"] = connection_id
        self.run("ws_connect", coming)
        self.announce()

    def connect(self, connection_id: str, **query: str) -> None:
        headers = {"headers": self.headers} if self.headers else {}
        self.stream(connection_id, "ws_connect", queryStringParameters=query, **headers)

    def watch_all(self) -> None:
        """Let a client connect that hears of all orders of its account."""
        self.connect("everything")
        asked = json.dumps({"action": "subscribe", "orders": "mine"})
        self.stream("everything", "ws_subscribe", body=asked)

    def orders(self, count: int, *, watched: bool) -> None:
        """Play the life of so many orders at once."""
        placing = an_event("http_place_order")
        placing["headers"] |= self.headers
        messages, watchers = [], []
        for _ in range(count):
            order_id = json.loads(self.run("execute", placing)["body"])["orderId"]
            messages.append(self._message())
            self.announce()
            if watched:
                watchers.append(f"watcher-{order_id}")
                self.connect(watchers[-1], orderId=order_id)
        if again := self.run("worker", sqs_batch(messages))["batchItemFailures"]:
            raise RuntimeError(f"not settled: {again}")
        self.announce()
        for connection_id in watchers:
            self.stream(connection_id, "ws_disconnect")
        self.run("reconcile", an_event("schedule"))

    def _message(self) -> str:
        """Take the message that was just enqueued."""
        url = os.environ["ORDER_QUEUE_URL"]
        (message,) = self.sqs.receive_message(QueueUrl=url)["Messages"]
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return str(message["Body"])


def _record(old: Item | None, new: Item) -> dict[str, Any]:
    images = {"NewImage": new} | ({"OldImage": old} if old else {})
    event = "MODIFY" if old else "INSERT"
    return {"eventName": event, "dynamodb": {"SequenceNumber": "1", **images}}


@cache
def _handler(function: str) -> Any:
    return run_path(str(ROOT / "functions" / function / "app.py"))["lambda_handler"]


def _count_clients(counter: Counter) -> None:
    """Attach the counter to every client that is made from now on."""
    from boto3 import Session

    made = Session.client

    def counted(*args: Any, **kwargs: Any) -> Any:
        client = made(*args, **kwargs)
        counter.attach(client)
        return client

    Session.client = counted  # type: ignore[method-assign]


def _play(orders: int, auth: str, mine: bool) -> Figures:
    """Play the life of so many orders at once; return what one of them took."""
    import boto3
    from moto import mock_aws

    with mock_aws(), tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 1)  # what is logged goes to standard output
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        create_table(dynamodb, "orders")
        for kind in ("ORDER", "DEAD_LETTER", "TICK"):
            os.environ[f"{kind}_QUEUE_URL"] = sqs.create_queue(QueueName=kind)["QueueUrl"]
        headers = {"x-api-key": _key(dynamodb)} if auth == "api-key" else {}
        counter = Counter()
        before, play, slow = (Play(log.fileno(), counter, sqs, headers) for _ in range(3))
        _count_clients(counter)
        if mine:
            before.watch_all()
        before.orders(1, watched=not mine)  # so that what is remembered is known
        play.orders(orders, watched=not mine)
        slow.slow_call = _SLOW_CALL
        slow.orders(1, watched=False)
    waited = slow.functions["worker"].seconds - play.functions["worker"].seconds
    return {**_figures(play, orders), "worker_waits": round(waited / _SLOW_CALL)}


def _figures(play: Play, orders: int) -> Figures:
    figures: Figures = {"largest_item_bytes": play.largest, "changes": play.changes / orders}
    for name, function in play.functions.items():
        of = 1 if name == "reconcile" else orders
        bill = function.bill
        figures |= {
            f"{name}_calls": round(bill.calls.total() / of, 2),
            f"{name}_write_units": round(bill.writes.total() / of, 2),
            f"{name}_read_units": round(bill.reads / of, 2),
            f"{name}_log_bytes": round(function.log_bytes / of),
            f"{name}_runs": round(function.runs / of, 2),
            f"{name}_operations": {what: n / of for what, n in sorted(bill.calls.items())},
        }
    writes = sum((play.functions[f].bill.writes for f in ("execute", "worker")), Tally[str]())
    pushes = play.functions["ws_notify"].bill.calls["apigatewaymanagementapi.PostToConnection"]
    places = ("table", "chain", *indexes())
    return {
        **figures,
        "order_write_units": writes.total() / orders,
        "order_writes_by_place": {place: writes[place] / orders for place in places},
        "pushes": pushes / orders,
    }


def _key(dynamodb: Any) -> str:
    """Store an API key and return its text."""
    from engine.adapters.aws.keys import DynamoAccess
    from engine.adapters.aws.table import Table
    from local.ops.keys import create

    return create(DynamoAccess(Table(dynamodb, "orders")), "trader")
