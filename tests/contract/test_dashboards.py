"""What dashboards and alarms look at is what the engine emits, by the same names."""

import json
import re
from enum import StrEnum
from typing import Any

import pytest

from engine.adapters.metrics import EmbeddedMetrics
from engine.domain.errors import FailureCode
from engine.domain.terms import OrderType
from engine.ports.metrics import DIMENSIONS, TIMES, Metric
from tests.contract.transform import transformed

OWN = "${AWS::StackName}"
SERVICE = ["service", "order-engine"]


def of_type(kind: str) -> dict[str, Any]:
    found = transformed().items()
    return {name: each["Properties"] for name, each in found if each["Type"] == kind}


def widgets() -> list[dict[str, Any]]:
    boards = of_type("AWS::CloudWatch::Dashboard").values()
    return [
        each
        for board in boards
        for each in json.loads(board["DashboardBody"]["Fn::Sub"])["widgets"]
    ]


def own_series() -> list[tuple[str, list[str], str]]:
    """Return the engine's own series that are shown: metric, dimensions, statistic."""
    return [
        (line[1], line[2:], widget["properties"]["stat"])
        for widget in widgets()
        for line in widget["properties"]["metrics"]
        if line[0] == OWN
    ]


def test_every_widget_shows_what_is_emitted_and_every_metric_is_shown() -> None:
    for name, dimensions, statistic in own_series():
        metric = Metric(name)
        named = [DIMENSIONS[metric]] if metric in DIMENSIONS else []
        assert dimensions[:2] == SERVICE
        assert dimensions[2::2] == named, name
        assert (statistic == "p99") <= (metric in TIMES), name
    assert {name for name, _, _ in own_series()} == set(Metric)


@pytest.mark.parametrize(
    ("metric", "values"),
    [(Metric.ORDERS_ACCEPTED, OrderType), (Metric.ORDERS_FAILED, FailureCode)],
)
def test_every_value_of_a_dimension_is_shown(metric: Metric, values: type[StrEnum]) -> None:
    shown = {dimensions[-1] for name, dimensions, _ in own_series() if name == metric}
    assert shown >= {each.value for each in values}


def test_widgets_do_not_lie_over_each_other() -> None:
    for board in of_type("AWS::CloudWatch::Dashboard").values():
        body = json.loads(board["DashboardBody"]["Fn::Sub"])
        places = [(each["x"], each["y"]) for each in body["widgets"]]
        assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    "name", ["SlowOrdersAlarm", "StalePriceAlarm", "RaydiumAlarm", "MeteoraAlarm"]
)
def test_an_alarm_fires_on_what_a_fault_emits_and_not_on_what_is_well(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "stack")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "order-engine")
    alarm = of_type("AWS::CloudWatch::Alarm")[name]
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    metric = Metric(alarm["MetricName"])
    for value, fires in ((alarm["Threshold"] + 1, True), (alarm["Threshold"] * 0.2, False)):
        metrics = EmbeddedMetrics()
        metrics.record(metric, value, by=dimensions.get(DIMENSIONS.get(metric, "")))
        metrics.emit()
        line = json.loads(capsys.readouterr().out)
        (emitted,) = line["_aws"]["CloudWatchMetrics"]
        assert emitted["Namespace"] == "stack"
        assert [sorted(each) for each in emitted["Dimensions"]] == [sorted(dimensions)]
        assert {each: line[each] for each in dimensions} == dimensions
        assert (max(line[metric]) > alarm["Threshold"]) is fires
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
    assert alarm["TreatMissingData"] == "notBreaching"


def test_functions_and_queues_on_dashboards_are_the_templates() -> None:
    text = json.dumps(widgets())
    named = set(re.findall(r"\$\{(\w+)(?:\.\w+)?\}", text))
    assert named <= set(transformed())
