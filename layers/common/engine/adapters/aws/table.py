"""The one table: the few calls we make of it, and what its errors mean."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from engine.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: A row as DynamoDB's low-level API has it: attribute name to {type: value}.
Item = dict[str, Any]
_MAX_AT_ONCE = 100  # BatchGetItem's bound


class Refused(Exception):
    """A condition did not hold; `standing` is the row as it is, None if there is none."""

    def __init__(self, standing: Item | None) -> None:
        super().__init__("the condition did not hold")
        self.standing = standing


@dataclass(slots=True, eq=False, repr=False)
class Table:
    """A DynamoDB table by its name; every read of a single row is strongly consistent.

    Every call raises StoreUnavailable if the table does not answer as it should; conditional
    writes raise Refused.
    """

    client: "DynamoDBClient"
    name: str
    sleep: Callable[[float], None] = time.sleep

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one row."""
        with _translated():
            answer = self.client.get_item(TableName=self.name, Key=key(pk, sk), ConsistentRead=True)
        return answer.get("Item")

    def get_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """Read rows at once, a hundred a call; return those that are there, by pk and sk."""
        found: dict[tuple[str, str], Item] = {}
        for n in range(0, len(keys), _MAX_AT_ONCE):
            self._get_some([key(pk, sk) for pk, sk in keys[n : n + _MAX_AT_ONCE]], found)
        return found

    def _get_some(self, wanted: list[Any], found: dict[tuple[str, str], Item]) -> None:
        for pause in (0.05, 0.1, 0.2, 0.4, 0.0):
            with _translated():
                answer = self.client.batch_get_item(
                    RequestItems={self.name: {"Keys": wanted, "ConsistentRead": True}}
                )
            for item in answer["Responses"].get(self.name, []):
                found[item["pk"]["S"], item["sk"]["S"]] = item
            left: Any = answer.get("UnprocessedKeys", {})
            wanted = left.get(self.name, {}).get("Keys", [])
            if not wanted:
                return
            self.sleep(pause)
        raise StoreUnavailable("the table kept leaving rows unread")

    def put(self, item: Item, condition: str | None = None, **values: str | int) -> None:
        """Write a whole row. Raises Refused if `condition` does not hold."""
        with _translated():
            self.client.put_item(TableName=self.name, Item=item, **_conditional(condition, values))

    def update(
        self,
        pk: str,
        sk: str,
        expression: str,
        condition: str | None = None,
        *,
        names: Mapping[str, str] | None = None,
        returning: bool = True,
        **values: Any,
    ) -> Item:
        """Change a row, or make it; return it as it now is if `returning`. Raises Refused.

        Values are named `:name`; a str becomes S, an int N, a set of str SS. `names` are of
        attributes that can't stand in an expression themselves.
        """
        request = _conditional(condition, values)
        if names:
            request["ExpressionAttributeNames"] = names
        with _translated():
            answer = self.client.update_item(
                TableName=self.name,
                Key=key(pk, sk),
                UpdateExpression=expression,
                ReturnValues="ALL_NEW" if returning else "NONE",
                **request,
            )
        return answer.get("Attributes", {})

    def delete(self, pk: str, sk: str, condition: str | None = None, **values: Any) -> Item | None:
        """Delete a row and return what it was. Raises Refused."""
        with _translated():
            answer = self.client.delete_item(
                TableName=self.name,
                Key=key(pk, sk),
                ReturnValues="ALL_OLD",
                **_conditional(condition, values),
            )
        return answer.get("Attributes")

    def rows(self, pk: str, *, before: str | None, limit: int) -> list[Item]:
        """Read up to `limit` rows of a partition, strongly consistent, the last first."""
        condition, values = "pk = :pk", {"pk": pk}
        if before is not None:
            condition, values = f"{condition} AND sk < :before", {**values, "before": before}
        found = self.walk(None, condition, page=limit, newest_first=True, **values)
        return list(islice(found, limit))

    def index(
        self,
        name: str,
        condition: str,
        *,
        limit: int,
        newest_first: bool = False,
        **values: str,
    ) -> list[Item]:
        """Read up to `limit` keys from an index, in its order; `#open` is the attribute `open`."""
        found = self.walk(name, condition, page=limit, newest_first=newest_first, **values)
        return list(islice(found, limit))

    def walk(
        self,
        name: str | None,
        condition: str,
        *,
        page: int,
        newest_first: bool = False,
        **values: str,
    ) -> Iterator[Item]:
        """Read keys from an index as `index` does, `page` at a time, as far as is asked for.

        Without a name it is the table itself that is read.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            **({"IndexName": name} if name else {"ConsistentRead": True}),
            "KeyConditionExpression": condition,
            "ScanIndexForward": not newest_first,
            "Limit": page,
            **_values(values),
        }
        if "#open" in condition:
            request["ExpressionAttributeNames"] = {"#open": "open"}
        while True:
            with _translated():
                answer = self.client.query(**request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def attribute(value: object) -> dict[str, Any]:
    """Return a value as DynamoDB's low-level API has it."""
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, set | frozenset):
        return {"SS": sorted(value)}
    return {"S": str(value)}


def _values(values: Mapping[str, Any]) -> dict[str, Any]:
    if not values:
        return {}
    attributes = {f":{name}": attribute(value) for name, value in values.items()}
    return {"ExpressionAttributeValues": attributes}


def _conditional(condition: str | None, values: Mapping[str, Any]) -> dict[str, Any]:
    if condition is None:
        return _values(values)
    return {
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **_values(values),
    }


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            item: Any = error.response.get("Item")
            raise Refused(item or None) from error
        raise StoreUnavailable("the table did not answer as it should") from error
    except BotoCoreError as error:
        raise StoreUnavailable("the table did not answer") from error
