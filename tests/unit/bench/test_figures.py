"""Percentiles, verdicts, profiles: what the tables are made of."""

import pytest

from bench.child import package_of
from bench.figures import Failed, Results, percentile, spread
from bench.markdown import laid_out
from bench.request import largest
from bench.stage import NONE
from bench.targets import BOTO3, Target


def of(**figures: float) -> Results:
    return Results({"part": dict(figures)})


def test_a_percentile_lies_within_what_was_measured() -> None:
    values = [float(n) for n in range(101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([3.0], 99)) == (50, 99, 3)


def test_a_spread_is_in_milliseconds() -> None:
    assert spread([0.001, 0.002, 0.003]) == {"p50_ms": 2.0, "p99_ms": 3.0, "n": 3}


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("x", "part", "a", maximum=2), "met"),
        (Target("x", "part", "a", maximum=1), "not met"),
        (Target("x", "part", "a", minimum=1), "met"),
        (Target("x", "part", "a", minimum=3), "not met"),
        (Target("x", "part", "b", maximum=1), "not measured"),
        (Target("x", "elsewhere", "a", maximum=1), "not measured"),
    ],
)
def test_a_target_is_met_missed_or_not_measured(target: Target, verdict: str) -> None:
    assert target.verdict(of(a=2)) == verdict


def test_a_time_is_a_multiple_of_the_import_before_its_own_part() -> None:
    results = Results({"fast": {"ms": 10, "boto3_ms": 100}, "slow": {"ms": 20, "boto3_ms": 200}})
    assert results.multiple("fast", "ms") == results.multiple("slow", "ms") == 0.1
    assert Target("x", "fast", "ms", BOTO3, maximum=0.1).verdict(results) == "met"
    assert Target("x", "slow", "ms", BOTO3, maximum=0.09).verdict(results) == "not met"


def test_a_part_that_failed_or_never_ran_serves_no_other() -> None:
    results = Results({"good": {"a": 1}, "bad": {"error": "no"}})
    assert results.needed("good") == [{"a": 1}]
    for part in ("bad", "absent"):
        with pytest.raises(Failed, match=part):
            results.needed("good", part)


def test_a_table_lines_up_and_a_paragraph_is_wrapped() -> None:
    table, words = laid_out("| name | ms |\n|---|--:|\n| a | 10.5 |\n\n" + "word " * 50).split(
        "\n\n"
    )
    assert table.splitlines() == ["| name |   ms |", "| ---- | ---: |", "| a    | 10.5 |"]
    assert max(map(len, words.splitlines())) <= 100


@pytest.mark.parametrize(
    ("file", "package"),
    [
        ("/venv/lib/python3.13/site-packages/botocore/client.py", "botocore"),
        ("/venv/lib/python3.13/site-packages/six.py", "six"),
        ("/opt/python/engine/market/router.py", "engine/market"),
        ("/opt/python/engine/settings.py", "engine"),
        ("/usr/lib/python3.13/json/decoder.py", "standard library"),
    ],
)
def test_a_source_file_belongs_to_a_package(file: str, package: str) -> None:
    assert package_of(file) == package


def test_the_small_ones_of_a_profile_are_added_up() -> None:
    assert largest({"a": 1.0, "b": 3.0, "c": 2.0}, maximum=2) == {"b": 3.0, "c": 2.0, "others": 1.0}
    assert largest({"a": 1.0}, maximum=2) == {"a": 1.0}


def test_nothing_to_wait_for_names_every_delay() -> None:
    assert len(NONE) == 4
    assert set(NONE.values()) == {"0"}
