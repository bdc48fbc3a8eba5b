"""The life of an order with one watcher, function by function, and what each asks of AWS.

python -m bench.life ORDERS AUTH WATCH

ORDERS in one batch of the worker; AUTH: none or api-key; WATCH: `order`, a connection for each
order, or `mine`, one that was there before and hears of all.

The functions run in this process against moto, whose conditions are DynamoDB's; units are
counted by `bench.capacity`. Each change goes to `ws_notify` alone: a busy stream batches them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter as Tally
from dataclasses import dataclass, field
from functools import cache
from runpy import run_path
from typing import Any

from bench.capacity import Bill, Item, item_bytes
from bench.child import Context
from bench.counting import Counter
from bench.figures import ROOT, Figures
from bench.lambdas import FUNCTIONS, an_event, settings, sqs_batch
from bench.stage import Stage
from bench.template import access_log_bytes, create_table, indexes, lambda_logs
from engine.adapters.aws.watchers import ROWS
from local.cloud.embedded import scrubbed

#: What Lambda itself logs of an invocation (START, END, REPORT), and what CloudWatch adds a line.
PLATFORM_BYTES, LINE_BYTES = 420, 26
#: Long enough for calls to hide behind, and what a call is made to take then, in seconds.
_DELAYS = {"QUOTE": "400", "CONFIRM": "800"}
_SLOW_CALL = 0.2


def life(stage: Stage) -> Figures:
    """Count calls, units and log bytes of an order: a worker with one order, and with ten."""
    stage.tell("one order a worker")
    one = _ran("1", "none", "order")
    stage.tell("ten orders a worker")
    ten = _ran("10", "none", "order")
    stage.tell("with API keys")
    keyed = _ran("1", "api-key", "order")
    stage.tell("one connection for all orders")
    mine = _ran("1", "none", "mine")
    return {
        **one,
        "access_log_bytes": access_log_bytes() + LINE_BYTES,
        "mine": {**mine, "ten_worker_log_bytes": ten["worker_log_bytes"]},
        "ten_worker_calls": ten["worker_calls"],
        "ten_worker_log_bytes": ten["worker_log_bytes"],
        "keyed_execute_calls": keyed["execute_calls"],
    }


def _ran(*words: str) -> Figures:
    """Run this module in a process of its own, whose clients nobody else uses."""
    delays = {f"{of}_DELAY_{end}_MS": ms for of, ms in _DELAYS.items() for end in ("MIN", "MAX")}
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    ran = subprocess.run(
        [sys.executable, "-m", "bench.life", *words],
        cwd=ROOT,
        env=scrubbed(os.environ) | settings(None) | delays | keys | {"AUTH": words[1]},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-1000:])
    figures: Figures = json.loads(ran.stdout)
    return figures


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
    key: str | None
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

    def connect(self, connection_id: str, query: dict[str, str]) -> None:
        connecting = _from(connection_id, "ws_connect")
        connecting["queryStringParameters"] = query
        if self.key:
            connecting["headers"] = {"x-api-key": self.key}
        self.run("ws_connect", connecting)
        self.announce()

    def watch_all(self) -> None:
        """Let a client connect that hears of all orders of its account."""
        self.connect("everything", {})
        subscribing = _from("everything", "ws_subscribe")
        subscribing["body"] = json.dumps({"action": "subscribe", "orders": "mine"})
        self.run("ws_connect", subscribing)
        self.announce()

    def orders(self, count: int, *, watched: bool) -> None:
        """Play the life of so many orders at once."""
        placing = an_event("http_place_order")
        if self.key:
            placing["headers"]["x-api-key"] = self.key
        messages, watchers = [], []
        for _ in range(count):
            order_id = json.loads(self.run("execute", placing)["body"])["orderId"]
            messages.append(self._message())
            self.announce()
            if watched:
                watchers.append(f"watcher-{order_id}")
                self.connect(watchers[-1], {"orderId": order_id})
        if again := self.run("worker", sqs_batch(messages))["batchItemFailures"]:
            raise RuntimeError(f"not settled: {again}")
        self.announce()
        for connection_id in watchers:
            self.run("ws_connect", _from(connection_id, "ws_disconnect"))
        self.run("reconcile", an_event("schedule"))

    def _message(self) -> str:
        """Take the message that was just enqueued."""
        url = os.environ["ORDER_QUEUE_URL"]
        (message,) = self.sqs.receive_message(QueueUrl=url)["Messages"]
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return str(message["Body"])


def _from(connection_id: str, event: str) -> dict[str, Any]:
    coming = an_event(event)
    coming["requestContext"]["connectionId"] = connection_id
    return coming


def _record(old: Item | None, new: Item) -> dict[str, Any]:
    images = {"NewImage": new} | ({"OldImage": old} if old else {})
    return {
        "eventName": "MODIFY" if old else "INSERT",
        "dynamodb": {"SequenceNumber": "1", **images},
    }


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


def played(log: int, orders: int, auth: str, watch: str) -> Figures:
    """Play the life of so many orders at once; return what one of them took."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        create_table(dynamodb, "orders")
        for name, variable in (("orders", "ORDER_QUEUE_URL"), ("letters", "DEAD_LETTER_QUEUE_URL")):
            os.environ[variable] = sqs.create_queue(QueueName=name)["QueueUrl"]
        key = _key(dynamodb) if auth == "api-key" else None
        counter = Counter()
        before, play, slow = (Play(log, counter, sqs, key) for _ in range(3))
        _count_clients(counter)
        if watch == "mine":
            before.watch_all()
        before.orders(1, watched=watch == "order")  # so that what is remembered is known
        play.orders(orders, watched=watch == "order")
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
    own = [play.functions[name].bill for name in ("execute", "worker")]
    writes = sum((bill.writes for bill in own), Tally[str]())
    pushes = play.functions["ws_notify"].bill.calls["apigatewaymanagementapi.PostToConnection"]
    return {
        **figures,
        "order_write_units": writes.total() / orders,
        "order_read_units": sum(bill.reads for bill in own) / orders,
        "order_writes_by_place": {
            place: writes[place] / orders for place in ("table", "chain", *indexes())
        },
        "pushes": pushes / orders,
    }


def _key(dynamodb: Any) -> str:
    """Store an API key and return its text."""
    from engine.adapters.aws.keys import DynamoAccess
    from engine.adapters.aws.table import Table
    from local.ops.keys import create

    return create(DynamoAccess(Table(dynamodb, "orders")), "trader")


if __name__ == "__main__":
    with tempfile.TemporaryFile() as file:  # what is logged goes to standard output
        asked = os.dup(1)
        os.dup2(file.fileno(), 1)
        found = played(file.fileno(), int(sys.argv[1]), *sys.argv[2:])
        os.write(asked, json.dumps(found).encode())
