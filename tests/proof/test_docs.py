"""The pages about guarantees say what is so."""

import json
import re
from pathlib import Path

from engine.adapters.codec import _STATUSES
from tests.contract.alarms import of_type
from tests.proof.history import PROMISES

ROOT = Path(__file__).parents[2]
GUARANTEES = (ROOT / "docs/guarantees.md").read_text()
RUNBOOK = (ROOT / "docs/runbook.md").read_text()


def _rows(page: str, head: str) -> list[str]:
    """Return the first cells of the table that begins with `head`."""
    table = page.split(head, 1)[1].split("\n\n", 1)[0]
    return [row.split("|")[1].strip().strip("`") for row in table.splitlines()[2:]]


def test_every_promise_is_on_the_page_and_checked() -> None:
    checked = [promise.__name__.replace("_", " ") for promise in PROMISES]
    assert _rows(GUARANTEES, "| promise |") == checked


def test_every_place_that_is_named_is_there() -> None:
    for path in re.findall(r"`(tests/[a-z0-9_/.]+|engine/[a-z_/.]+)`", GUARANTEES + RUNBOOK):
        places = [ROOT / path, ROOT / "layers/common" / path]
        assert any(place.exists() for place in places), path


def test_every_alarm_has_its_line_in_the_runbook() -> None:
    template = (ROOT / "template.yaml").read_text()
    alarms = re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", template, re.MULTILINE)
    assert len(alarms) >= 10
    assert set(alarms) <= {
        name for row in _rows(RUNBOOK, "| alarm |") for name in row.split("`, `")
    }


def test_every_alarm_leads_to_a_widget_that_is_there() -> None:
    rows = RUNBOOK.split("| alarm |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    for row in rows:
        board, title = re.fullmatch(r"`(\w+)`: (.*)", row.split(" | ")[2]).groups()  # type: ignore[union-attr]
        shown = of_type("AWS::CloudWatch::Dashboard")[board]["DashboardBody"]["Fn::Sub"]
        assert title in {each["properties"]["title"] for each in json.loads(shown)["widgets"]}


def test_the_statuses_are_numbered_as_they_are_stored() -> None:
    numbered = ", ".join(f"{n} {status}" for n, status in enumerate(_STATUSES))
    assert numbered in RUNBOOK
