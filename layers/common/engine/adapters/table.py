"""The one table: the few calls we make of it, and what its errors mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from engine.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: A row as DynamoDB's low-level API has it: attribute name to {type: value}.
Item = dict[str, Any]


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

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one row."""
        with _translated():
            answer = self.client.get_item(TableName=self.name, Key=key(pk, sk), ConsistentRead=True)
        return answer.get("Item")

    def get_many(self, keys: list[tuple[str, str]]) -> dict[str, Item]:
        """Read up to 100 rows at once; return those that are there, by pk."""
        wanted: list[Any] = [key(pk, sk) for pk, sk in keys]
        found: dict[str, Item] = {}
        for _ in range(5):
            if not wanted:
                return found
            with _translated():
                answer = self.client.batch_get_item(
                    RequestItems={self.name: {"Keys": wanted, "ConsistentRead": True}}
                )
            for item in answer["Responses"].get(self.name, []):
                found[item["pk"]["S"]] = item
            left: Any = answer.get("UnprocessedKeys", {})
            wanted = left.get(self.name, {}).get("Keys", [])
        raise StoreUnavailable("the table kept leaving rows unread")

    def put(self, item: Item, condition: str | None = None, **values: str | int) -> None:
        """Write a whole row. Raises Refused if `condition` does not hold."""
        with _translated():
            self.client.put_item(TableName=self.name, Item=item, **_conditional(condition, values))

    def update(
        self, pk: str, sk: str, expression: str, condition: str | None = None, **values: Any
    ) -> Item:
        """Change a row and return it as it now is. Raises Refused.

        Values are named `:name`; a str becomes S, an int N, a set of str SS.
        """
        with _translated():
            answer = self.client.update_item(
                TableName=self.name,
                Key=key(pk, sk),
                UpdateExpression=expression,
                ReturnValues="ALL_NEW",
                **_conditional(condition, values),
            )
        return answer["Attributes"]

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

    def below(self, pk: str, prefix: str) -> list[Item]:
        """Read all rows of `pk` whose sk begins with `prefix`."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ConsistentRead": True,
            **_values({"pk": pk, "prefix": prefix}),
        }
        return self._pages(request)

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
        request: dict[str, Any] = {
            "TableName": self.name,
            "IndexName": name,
            "KeyConditionExpression": condition,
            "ScanIndexForward": not newest_first,
            **_values(values),
        }
        if "#open" in condition:
            request["ExpressionAttributeNames"] = {"#open": "open"}
        return self._pages(request, limit)

    def _pages(self, request: dict[str, Any], limit: int | None = None) -> list[Item]:
        found: list[Item] = []
        while limit is None or len(found) < limit:
            if limit is not None:
                request["Limit"] = limit - len(found)
            with _translated():
                answer = self.client.query(**request)
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found


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
