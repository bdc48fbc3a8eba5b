"""Count the AWS calls of whoever uses a botocore session, and what DynamoDB would bill for them.

The rows are kept beside the table, because an answer does not say how large an item was before.
"""

import threading
import time
from typing import Any

from bench.capacity import Bill, Item, index_entry, read_units, write_units


class Counter:
    """Sees every call of the clients it is attached to."""

    def __init__(self) -> None:
        self.bill = Bill()
        #: Each write as the table's stream has it: the old item and the new one.
        self.changes: list[tuple[Item | None, Item | None]] = []
        #: Seconds by which every call is made slower.
        self.slow = 0.0
        self._rows: dict[tuple[str, str], Item] = {}
        self._lock = threading.Lock()

    def attach(self, client: Any) -> None:
        """Watch a client; its calls are counted from now on, retries once."""
        events = client.meta.events
        events.register("provide-client-params.*.*", self._asked)
        events.register("after-call.*.*", self._answered)

    def taken(self) -> Bill:
        """Return what was counted, and begin anew."""
        bill, self.bill = self.bill, Bill()
        return bill

    def _asked(self, params: dict[str, Any], model: Any, context: Any, **_: Any) -> dict[str, Any]:
        if model.name == "UpdateItem":
            params = {**params, "ReturnValues": "ALL_NEW"}  # or nobody knows what it made
        context["bench_params"] = params
        with self._lock:
            self.bill.calls[f"{model.service_model.service_name}.{model.name}"] += 1
        time.sleep(self.slow)
        return params

    def _answered(self, parsed: dict[str, Any], model: Any, context: Any, **_: Any) -> None:
        if model.service_model.service_name == "dynamodb":
            with self._lock:
                self._count(context["bench_params"], parsed, model)

    def _count(self, asked: dict[str, Any], parsed: dict[str, Any], model: Any) -> None:
        refused = "Error" in parsed
        match model.name:
            case "PutItem":
                self._wrote(asked["Item"], asked["Item"], refused)
            case "UpdateItem":
                self._wrote(asked["Key"], parsed.get("Attributes"), refused)
            case "DeleteItem":
                self._wrote(asked["Key"], None, refused)
            case "GetItem":
                found = [parsed["Item"]] if "Item" in parsed else []
                self._read(found, asked.get("ConsistentRead", False))
            case "BatchGetItem":
                for table, wanted in asked["RequestItems"].items():
                    rows = {_place(row): row for row in parsed["Responses"].get(table, [])}
                    for key in wanted["Keys"]:  # each is rounded up, also if it is not there
                        some = [rows[_place(key)]] if _place(key) in rows else []
                        self._read(some, wanted.get("ConsistentRead", False))
            case "Query":
                index = asked.get("IndexName")
                items = parsed.get("Items", [])
                if index:
                    items = [index_entry(self._rows.get(_place(i), i), index) for i in items]
                self._read(items, asked.get("ConsistentRead", False))

    def _wrote(self, key: Item, new: Item | None, refused: bool) -> None:
        place = _place(key)
        old = self._rows.get(place)
        if refused:  # as if it had been written
            self.bill.writes.update(write_units(old or key, old or key))
            return
        self.bill.writes.update(write_units(old, new))
        self.changes.append((old, new))
        if new is None:
            self._rows.pop(place, None)
        else:
            self._rows[place] = new

    def _read(self, items: list[Item], consistent: bool) -> None:
        self.bill.reads += read_units(items, consistent=consistent)


def _place(row: Item) -> tuple[str, str]:
    return row["pk"]["S"], row["sk"]["S"]
