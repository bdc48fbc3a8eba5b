"""The pages say what bench/results.json says, and every part and target has been measured."""

import pytest

from bench.figures import ROOT, Results, load
from bench.markdown import between
from bench.page import PAGES, README, headline, rendered
from bench.parts import PARTS
from bench.targets import TARGETS


@pytest.mark.parametrize("name", PAGES)
def test_a_page_agrees_with_the_figures(name: str) -> None:
    page = (ROOT / "docs" / name).read_text()
    assert between(page, PAGES[name]) == rendered(name, load())


def test_the_line_under_the_title_agrees_with_the_figures() -> None:
    assert between(README.read_text(), "headline") == headline(load())
    assert "None" not in headline(Results({}))


def test_every_part_was_measured() -> None:
    parts = load().parts
    assert parts.keys() == PARTS.keys()
    assert [name for name, figures in parts.items() if "error" in figures] == []


def test_every_target_has_its_figure() -> None:
    results = load()
    assert [target.what for target in TARGETS if target.measured(results) is None] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_written_also_of_parts_that_failed(name: str) -> None:
    failed = {part: {**figures, "error": "no"} for part, figures in load().parts.items()}
    kept = {"error", "commit", "machine", "date", "boto3_ms", "took_s"}
    bare = {part: {n: figures[n] for n in kept} for part, figures in failed.items()}
    words = " ".join(rendered(name, Results(bare)).split())
    assert ("for an error: arithmetic" in words) == (name == "performance.md")
