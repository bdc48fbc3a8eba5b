"""Count the AWS calls of whoever uses a botocore session, and what DynamoDB would bill for them.

The rows are kept beside the table, because an answer does not say how large an item was before.
"""

import threading
from typing import Any

from bench.capacity import Bill, Item, index_entry, read_units, write_units


class Counter:
    """Sees every call of the clients it is attached to."""

    def __init__(self) -> None:
        self.bill = Bill()
        #: Each write as the table's stream has it: the old item and the new one.
        self.changes: list[tuple[Item | None, Item | None]] = []
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

    def _asked(self, params: dict[str, Any], model: Any, context: Any, **_: Any) -> None:
        context["bench_params"] = params
        with self._lock:
            self.bill.add(f"{model.service_model.service_name}.{model.name}")

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
                self._read(found, asked.get("ConsistentRead", False), together=True)
            case "BatchGetItem":
                for rows in parsed.get("Responses", {}).values():
                    self._read(rows, consistent=True, together=False)
            case "Query":
                index = asked.get("IndexName")
                rows = parsed.get("Items", [])
                seen = [index_entry(self._whole(row), index) for row in rows] if index else rows
                self._read(seen, asked.get("ConsistentRead", False), together=True)

    def _whole(self, row: Item) -> Item:
        return self._rows.get((row["pk"]["S"], row["sk"]["S"]), row)

    def _wrote(self, key: Item, new: Item | None, refused: bool) -> None:
        place = key["pk"]["S"], key["sk"]["S"]
        old = self._rows.get(place)
        if refused:
            self.bill.wrote(write_units(old or key, old or key))  # as if it had been written
            return
        self.bill.wrote(write_units(old, new))
        self.changes.append((old, new))
        if new is None:
            self._rows.pop(place, None)
        else:
            self._rows[place] = new

    def _read(self, items: list[Item], consistent: bool, *, together: bool) -> None:
        self.bill.reads += read_units(items, consistent=consistent, together=together)
