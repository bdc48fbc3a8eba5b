"""Percentiles, verdicts, profiles: what the tables are made of."""

import pytest

from bench.figures import Results, percentile, spread
from bench.parts import PARTS, wanted
from bench.profiles import imported
from bench.stage import NONE
from bench.targets import Target, markdown


def of(**figures: float) -> Results:
    return Results({}, "abc", "now", {"part": dict(figures)})


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([3.0], 99)) == (50, 99, 3)


def test_a_spread_is_in_milliseconds() -> None:
    assert spread([0.001, 0.002, 0.003]) == {"p50_ms": 2.0, "p99_ms": 3.0, "n": 3}


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("x", "part", "a", most=2), "met"),
        (Target("x", "part", "a", most=1), "not met"),
        (Target("x", "part", "a", least=1), "met"),
        (Target("x", "part", "a", least=3), "not met"),
        (Target("x", "part", "b", most=1), "not measured"),
        (Target("x", "elsewhere", "a", most=1), "not measured"),
    ],
)
def test_a_target_is_met_missed_or_not_measured(target: Target, verdict: str) -> None:
    assert target.verdict(of(a=2)) == verdict


def test_a_table_lines_up() -> None:
    lines = markdown([("name", "ms"), ("a", "10.5")], numbers=(1,)).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_parts_bring_what_they_need() -> None:
    assert [part.name for part in wanted(["cost"])] == ["request", "life", "overhead", "cost"]
    assert wanted([]) == list(PARTS)


def test_what_python_tells_of_imports_is_added_up_by_package() -> None:
    told = """import time: self [us] | cumulative | imported package
import time:      1500 |       1500 |   botocore.session
import time:       500 |       2000 | botocore
import time:       100 |        100 |     json.decoder
"""
    assert imported(told) == {"botocore": 2.0, "standard library": 0.1}


def test_nothing_to_wait_for_names_every_delay() -> None:
    assert len(NONE) == 4
    assert set(NONE.values()) == {"0"}
