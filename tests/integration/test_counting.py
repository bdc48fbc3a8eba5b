"""The benchmark's counter sees every call, and what DynamoDB would bill for it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.counting import Counter
from tests.integration.conftest import TABLE

KEY = {"pk": {"S": "ORDER#1"}, "sk": {"S": "ORDER"}}
OPEN = {"open": {"S": "0"}, "account": {"S": "a"}, "placed": {"S": "1"}}


@pytest.fixture
def counter(dynamodb: Any) -> Counter:
    counter = Counter()
    counter.attach(dynamodb)
    return counter


def test_a_write_counts_the_table_and_the_indexes_it_enters(
    dynamodb: Any, counter: Counter
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=KEY | OPEN)
    bill = counter.taken()
    assert bill.calls == {"dynamodb.PutItem": 1}
    assert bill.writes == {"table": 1, "open-orders": 1, "by-account": 1}


def test_what_a_row_was_before_decides_what_its_next_write_costs(
    dynamodb: Any, counter: Counter
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=KEY | OPEN | {"doc": {"S": "x" * 3000}})
    counter.taken()
    dynamodb.put_item(TableName=TABLE, Item=KEY | {"account": {"S": "a"}, "placed": {"S": "1"}})
    assert counter.taken().writes == {"table": 3, "open-orders": 1}


def test_a_refused_write_is_paid_and_changes_nothing(dynamodb: Any, counter: Counter) -> None:
    dynamodb.put_item(TableName=TABLE, Item=KEY)
    with pytest.raises(ClientError):
        dynamodb.put_item(TableName=TABLE, Item=KEY, ConditionExpression="attribute_not_exists(pk)")
    bill = counter.taken()
    assert bill.writes.total() == 2
    assert len(counter.changes) == 1


def test_reads_are_counted_by_what_they_found(dynamodb: Any, counter: Counter) -> None:
    dynamodb.put_item(TableName=TABLE, Item=KEY | {"doc": {"S": "x" * 5000}})
    counter.taken()
    dynamodb.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True)
    assert counter.taken().reads == 2
    dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "ORDER#1"}},
    )
    assert counter.taken().reads == 1


def test_a_batch_of_reads_costs_each_row_by_itself_also_those_that_are_not_there(
    dynamodb: Any, counter: Counter
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=KEY | {"doc": {"S": "x" * 5000}})
    counter.taken()
    keys = [KEY, {**KEY, "sk": {"S": "not there"}}]
    dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
    assert counter.taken().reads == 3
    dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys}})
    assert counter.taken().reads == 1.5


def test_an_update_is_kept_though_it_returns_nothing(dynamodb: Any, counter: Counter) -> None:
    dynamodb.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET t = :t",
        ExpressionAttributeValues={":t": {"S": "x" * 1500}},
    )
    assert counter.taken().writes == {"table": 2}
    assert counter.changes == [(None, KEY | {"t": {"S": "x" * 1500}})]


def test_changes_are_kept_as_the_stream_would_tell_them(dynamodb: Any, counter: Counter) -> None:
    dynamodb.put_item(TableName=TABLE, Item=KEY)
    dynamodb.delete_item(TableName=TABLE, Key=KEY)
    assert counter.changes == [(None, KEY), (KEY, None)]
