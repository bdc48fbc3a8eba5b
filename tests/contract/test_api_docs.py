"""The table of routes, the OpenAPI document and the end-to-end tests name the same answers."""

import json
import re
from pathlib import Path

from engine.adapters.aws.subscriptions import MAX_SUBSCRIPTIONS
from engine.api.doorway import MAX_BODY
from engine.api.frames import MAX_FRAME
from engine.service.identity import BELIEVED, TICKET_LIFETIME
from engine.service.notification import NEWEST
from engine.service.reading import MAX_LOOKED_AT
from tests.e2e.cases import covered

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/api.md").read_text()
OPENAPI = json.loads((ROOT / "docs/openapi.json").read_text())
ROW = re.compile(r"^\| `([A-Z]+ /[^`]*)` \| ([0-9, ]+) \|$", re.MULTILINE)


def in_table() -> set[tuple[str, int]]:
    rows = ROW.findall(TEXT)
    return {(route, int(status)) for route, statuses in rows for status in statuses.split(", ")}


def in_contract() -> set[tuple[str, int]]:
    """Return what the engine answers; 429 from API Gateway alone is said beside the table."""
    return {
        (f"{method.upper()} {path}", int(status))
        for path, operations in OPENAPI["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        if int(status) < 400 or "application/problem+json" in answer["content"]
    }


def test_the_table_and_the_contract_name_the_same_answers() -> None:
    assert in_table() == in_contract()


def test_every_answer_of_the_table_is_asked_for_end_to_end() -> None:
    assert in_table() == covered()


def test_the_page_tells_the_limits_as_they_are() -> None:
    assert f"{MAX_BODY // 1024} KiB" in TEXT
    assert f"| subscriptions of a connection | {MAX_SUBSCRIPTIONS} |" in TEXT
    assert f"{MAX_FRAME:,} characters" in TEXT
    assert f"within {BELIEVED.seconds} seconds" in TEXT
    assert f"for {TICKET_LIFETIME.seconds} seconds" in TEXT
    assert f"newest {NEWEST}," in TEXT
    assert f"{MAX_LOOKED_AT} orders" in TEXT
    template = (ROOT / "template.yaml").read_text()
    for name, default in (("OrdersPerMinute", 100), ("ThrottleRate", 500), ("ThrottleBurst", 1000)):
        assert re.search(rf"  {name}:\n(    .*\n)*    Default: {default}\n", template)
        assert f"{default:,}" in TEXT
