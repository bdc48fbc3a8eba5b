"""The docs say what is so."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from engine.domain.order import TRANSITIONS
from engine.domain.terms import OrderType
from tests.unit.test_http import World

ROOT = Path(__file__).parents[2]
DOCS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
MAKEFILE = (ROOT / "Makefile").read_text()


def test_the_picture_of_the_life_cycle_is_the_table() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    picture = text.split("stateDiagram-v2")[1].split("```")[0]
    drawn = set(re.findall(r"(\w+|\[\*\]) --> (\w+|\[\*\])", picture))
    table = {(str(a), str(b)) for a, following in TRANSITIONS.items() for b in following}
    ends = {(str(a), "[*]") for a, following in TRANSITIONS.items() if not following}
    assert drawn == table | ends | {("[*]", "pending"), ("[*]", "resting")}


def test_the_map_names_every_room() -> None:
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    rooms = {str(Path(file).parent) + "/" for file in files if (ROOT / file).exists()} - {"./"}
    text = (ROOT / "docs/architecture.md").read_text()
    named = re.findall(r"^\| `(\S+/)` \| \S", text, re.MULTILINE)
    of_a_piece = {f"tests/unit/{room.removeprefix('layers/common/engine/')}" for room in named}
    assert sorted(named) == sorted(rooms - (of_a_piece - set(named)))


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_that_a_doc_names_is_there(doc: Path) -> None:
    code = " ".join(re.findall(r"`[^`]+`|```sh.*?```", doc.read_text(), re.DOTALL))
    for target in re.findall(r"\bmake ([a-z][a-z-]*)", code):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(doc: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", doc.read_text()):
        assert (doc.parent / target).exists(), target


def test_make_help_has_a_line_of_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make (\S+) +\S", said.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(phony[1].split())


EXAMPLE = re.compile(r"```json\n(\{.*\})\n```\n> (.*)\n")


@pytest.mark.parametrize(
    ("body", "summary"), EXAMPLE.findall((ROOT / "docs/orders.md").read_text()), ids=lambda _: ""
)
def test_an_order_of_the_page_of_orders_is_taken_and_says_what_the_page_says(
    body: str, summary: str
) -> None:
    answer = World().post(json.loads(body, parse_float=str))
    assert (answer.status, answer.body["summary"]) == (202, summary)


def test_the_page_of_orders_has_every_kind() -> None:
    text = (ROOT / "docs/orders.md").read_text()
    bodies = [json.loads(body) for body, _ in EXAMPLE.findall(text)]
    assert [body["type"] for body in bodies] == list(OrderType)
    assert re.findall(r"^## ([a-zA-Z]+)$", text, re.MULTILINE) == list(OrderType)
