"""Rows straight into a table, past the engine, and out of it again."""

import http.client
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from bench.client import Failed
from engine.adapters.dynamodb import item_order
from engine.domain.order import Order
from local.cloud import HOST
from local.system import System

#: What the embedded cloud takes for a signature: it reads the region and nothing else.
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def put(client: Any, table: str, item: dict[str, Any]) -> None:
    client.put_item(TableName=table, Item=item)


def fill(
    system: System, items: Iterable[dict[str, Any]], tell: Callable[[int], None] = lambda _: None
) -> None:
    """Write rows, 25 a call, without boto3's cost for each."""
    connection = http.client.HTTPConnection(HOST, system.cloud.port, timeout=60)
    written = 0
    rest = iter(items)
    while rows := list(islice(rest, 25)):
        puts = [{"PutRequest": {"Item": item}} for item in rows]
        body = json.dumps({"RequestItems": {system.stack.table: puts}}).encode()
        call(connection, "BatchWriteItem", body)
        written += len(rows)
        tell(written)
    connection.close()


def call(connection: http.client.HTTPConnection, operation: str, body: bytes) -> bytes:
    """Make one DynamoDB call with no more than HTTP. Raises Failed."""
    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": _SIGNED,
    }
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise Failed(f"{operation}: {answer.status} {content[:200]!r}")
    return content


def orders(system: System) -> Iterator[Order]:
    """Read every order of the table."""
    pages = system.client("dynamodb").get_paginator("scan").paginate(TableName=system.stack.table)
    for page in pages:
        for item in page["Items"]:
            if item["sk"]["S"] == "ORDER":
                yield item_order(item)
