"""docs/performance.md says what bench/results.json says, and the targets are the issue's."""

from bench.figures import load
from bench.page import MARKER, PAGE, SCALE_MARKER, SCALE_PAGE, rendered
from bench.parts import PARTS
from bench.routing import between
from bench.scale import table
from bench.targets import TARGETS


def test_the_page_agrees_with_the_figures() -> None:
    assert between(PAGE.read_text(), MARKER) == rendered(load())


def test_the_page_on_scale_agrees_with_the_simulated_runs() -> None:
    assert between(SCALE_PAGE.read_text(), SCALE_MARKER) == table(load())


def test_every_part_was_measured() -> None:
    parts = load().parts
    assert [part.name for part in PARTS if "error" in parts.get(part.name, {"error": ""})] == []


def test_every_target_has_its_figure() -> None:
    results = load()
    assert [target.what for target in TARGETS if target.measured(results) is None] == []
