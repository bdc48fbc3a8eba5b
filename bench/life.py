"""The life of an order with one watcher, function by function, and what each asks of AWS.

python -m bench.life ORDERS AUTH WATCH

ORDERS in one batch of the worker; AUTH: none or api-key; WATCH: `order`, a connection for each
order, or `mine`, one that was there before and hears of all.

The functions run in this process against moto, whose conditions are DynamoDB's; units are
counted by `bench.capacity`. Each change goes to `ws_notify` alone: a busy stream batches them.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from bench.capacity import TABLE_KEY, Bill, Item, item_bytes
from bench.child import Context
from bench.counting import Counter
from bench.figures import ROOT, Figures
from bench.lambdas import FUNCTIONS, an_event, settings
from bench.stage import Stage
from bench.template import access_log_bytes, indexes, lambda_logs
from engine.adapters.watchers import ROWS

#: What Lambda itself logs of an invocation (START, END, REPORT), and what CloudWatch adds a line.
PLATFORM_BYTES, LINE_BYTES = 420, 26
#: What the functions log. The logger keeps the output that it first finds, so there is one only.
_LOG = io.StringIO()


def life(stage: Stage) -> Figures:
    """Count calls, units and log bytes of an order: a worker with one order, and with ten."""
    stage.tell(0.1, "one order a worker")
    one = _ran("1", "none", "order")
    stage.tell(0.3, "ten orders a worker")
    ten = _ran("10", "none", "order")
    stage.tell(0.5, "with API keys")
    keyed = _ran("1", "api-key", "order")
    stage.tell(0.7, "one connection for all orders")
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
    ran = subprocess.run(
        [sys.executable, "-m", "bench.life", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-1000:])
    figures: Figures = json.loads(ran.stdout)
    return figures


@dataclass
class Play:
    """The functions on a stage of their own; `bills` and `log_bytes` are by function."""

    counter: Counter = field(default_factory=Counter)
    bills: dict[str, Bill] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    log_bytes: dict[str, int] = field(default_factory=dict)
    largest: int = 0

    def run(self, function: str, event: dict[str, Any]) -> Any:
        """Let a function answer an event; count what it asks for and what it logs."""
        said = _LOG.tell()
        answer = _handler(function)(event, Context())
        bill = self.bills.setdefault(function, Bill())
        taken = self.counter.taken()
        for operation, count in taken.calls.items():
            bill.calls[operation] = bill.calls.get(operation, 0) + count
        bill.wrote(taken.writes)
        bill.reads += taken.reads
        lines = _LOG.getvalue()[said:].splitlines()
        size = sum(len(line.encode()) + LINE_BYTES for line in lines)
        size += PLATFORM_BYTES * lambda_logs(function)
        self.runs[function] = self.runs.get(function, 0) + 1
        self.log_bytes[function] = self.log_bytes.get(function, 0) + size
        return answer

    def announce(self) -> None:
        """Show `ws_notify` what was written, change by change, as the mapping's filter lets it."""
        changes, self.counter.changes = self.counter.changes, []
        for old, new in changes:
            if new is None or not _passes(new):
                continue
            if new["sk"]["S"] == "ORDER":
                self.largest = max(self.largest, item_bytes(new))
            self.run("ws_notify", {"Records": [_record(old, new)]})


def _passes(new: Item) -> bool:
    sk: str = new["sk"]["S"]
    return sk == "ORDER" or sk.startswith(ROWS)


def _record(old: Item | None, new: Item) -> dict[str, Any]:
    record: dict[str, Any] = {
        "eventName": "MODIFY" if old else "INSERT",
        "dynamodb": {"SequenceNumber": "1", "NewImage": new},
    }
    if old:
        record["dynamodb"]["OldImage"] = old
    return record


def _handler(function: str) -> Any:
    spec = spec_from_file_location(f"app_{function}", ROOT / "functions" / function / "app.py")
    assert spec  # noqa: S101 - a file of ours
    assert spec.loader  # noqa: S101
    module = sys.modules.get(spec.name) or module_from_spec(spec)
    if spec.name not in sys.modules:
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return module.lambda_handler


@contextlib.contextmanager
def _clients_counted(counter: Counter) -> Iterator[None]:
    """Attach the counter to every client that is made meanwhile."""
    from botocore.session import Session

    made = Session.create_client

    def counted(*args: Any, **kwargs: Any) -> Any:
        client = made(*args, **kwargs)
        counter.attach(client)
        return client

    Session.create_client = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        Session.create_client = made  # type: ignore[method-assign]


def played(orders: int, auth: str, watch: str) -> Figures:
    """Play the life of so many orders at once; return what one of them took."""
    from moto import mock_aws

    os.environ.update(settings(None) | {"AUTH": auth})
    os.environ.update({"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"})
    os.environ.pop("AWS_ENDPOINT_URL", None)
    with mock_aws():
        _create()
        key = _key() if auth == "api-key" else None
        play = Play()
        boxes = _boxes()
        with _clients_counted(play.counter):
            before = Play(play.counter)
            if watch == "mine":
                _watch_all(before, key)
            _play(before, 1, key, boxes, watch)  # so that what is remembered is known
            _play(play, orders, key, boxes, watch)
    return _figures(play, orders)


def _connect(play: Play, connection_id: str, key: str | None, query: dict[str, str]) -> None:
    connecting = an_event("ws_connect")
    connecting["queryStringParameters"] = query
    connecting["requestContext"]["connectionId"] = connection_id
    if key:
        connecting["headers"] = {"x-api-key": key}
    play.run("ws_connect", connecting)
    play.announce()


def _watch_all(play: Play, key: str | None) -> None:
    """Let a client connect that hears of all orders of its account."""
    _connect(play, "everything", key, {})
    subscribing = an_event("ws_subscribe")
    subscribing["requestContext"]["connectionId"] = "everything"
    subscribing["body"] = json.dumps({"action": "subscribe", "orders": "mine"})
    play.run("ws_connect", subscribing)
    play.announce()


def _play(play: Play, orders: int, key: str | None, sqs: Any, watch: str) -> None:
    placing = an_event("http_place_order")
    if key:
        placing["headers"]["x-api-key"] = key
    bodies = []
    for _ in range(orders):
        answer = play.run("execute", placing)
        order_id = json.loads(answer["body"])["orderId"]
        bodies.append(_message(sqs))
        play.announce()
        if watch == "order":
            _connect(play, f"watcher-{order_id}", key, {"orderId": order_id})
    record = an_event("sqs_batch")["Records"][0]
    records = [{**record, "messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    again = play.run("worker", {"Records": records})["batchItemFailures"]
    if again:
        raise RuntimeError(f"not settled: {again}")
    play.announce()
    for body in bodies if watch == "order" else []:
        leaving = an_event("ws_disconnect")
        leaving["requestContext"]["connectionId"] = f"watcher-{json.loads(body)['orderId']}"
        play.run("ws_connect", leaving)
    play.run("reconcile", an_event("schedule"))


def _figures(play: Play, orders: int) -> Figures:
    figures: Figures = {"largest_item_bytes": play.largest}
    for function in FUNCTIONS:
        bill = play.bills.get(function, Bill())
        of = 1 if function == "reconcile" else orders
        figures |= {
            f"{function}_calls": round(bill.call_count / of, 2),
            f"{function}_write_units": round(bill.write_units / of, 2),
            f"{function}_read_units": round(bill.reads / of, 2),
            f"{function}_log_bytes": round(play.log_bytes.get(function, 0) / of),
            f"{function}_runs": round(play.runs.get(function, 0) / of, 2),
            f"{function}_operations": {name: n / of for name, n in sorted(bill.calls.items())},
        }
    life = "execute", "worker"
    writes = sum((play.bills[f].write_units for f in life), 0)
    figures["order_write_units"] = writes / orders
    figures["order_read_units"] = sum(play.bills[f].reads for f in life) / orders
    figures["order_writes_by_place"] = {
        place: sum(play.bills[f].writes.get(place, 0) for f in life) / orders
        for place in ("table", "chain", *indexes())
    }
    notify = play.bills["ws_notify"].calls
    figures["pushes"] = notify.get("apigatewaymanagementapi.PostToConnection", 0) / orders
    return figures


def _create() -> None:
    import boto3

    names = sorted({*TABLE_KEY, *(name for key in indexes().values() for name in key)})
    boto3.client("dynamodb").create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
        KeySchema=_schema(TABLE_KEY),
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": _schema(key),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for name, key in indexes().items()
        ],
    )


def _boxes() -> Any:
    """Make the queues; return a client of them that nobody counts."""
    import boto3

    sqs = boto3.client("sqs")
    for name, variable in (("orders", "ORDER_QUEUE_URL"), ("letters", "DEAD_LETTER_QUEUE_URL")):
        os.environ[variable] = sqs.create_queue(QueueName=name)["QueueUrl"]
    return sqs


def _schema(key: tuple[str, ...]) -> Any:
    kinds = "HASH", "RANGE"
    return [{"AttributeName": n, "KeyType": kind} for n, kind in zip(key, kinds, strict=True)]


def _key() -> str:
    """Store an API key and return its text."""
    import boto3

    from engine.adapters.accounts import DynamoAccess
    from engine.adapters.system import SystemChance
    from engine.adapters.table import Table
    from engine.service.identity import new_key

    text, key = new_key("trader", SystemChance())
    DynamoAccess(Table(boto3.client("dynamodb"), "orders")).add_key(key)
    return text


def _message(sqs: Any) -> str:
    """Take the message that was just enqueued."""
    url = os.environ["ORDER_QUEUE_URL"]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return str(message["Body"])


if __name__ == "__main__":
    with contextlib.redirect_stdout(_LOG):
        found = played(int(sys.argv[1]), *sys.argv[2:])
    print(json.dumps(found))
