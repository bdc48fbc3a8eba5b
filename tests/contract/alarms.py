"""CloudWatch's alarms, as far as the template has them, over datapoints of a minute each."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bench.figures import percentile
from tests.contract.transform import transformed

#: A series: namespace, metric, and its dimensions in order of their names.
Key = tuple[str, str, tuple[tuple[str, str], ...]]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    found = transformed().items()
    return {name: each["Properties"] for name, each in found if each["Type"] == kind}


def series(alarm: Mapping[str, Any]) -> Key:
    """Return what an alarm looks at; what belongs to the stack by its logical id."""
    dimensions = {each["Name"]: _name(each["Value"]) for each in alarm.get("Dimensions", ())}
    return _name(alarm["Namespace"]), alarm["MetricName"], tuple(sorted(dimensions.items()))


def fires(alarm: Mapping[str, Any], minutes: Sequence[Mapping[Key, Sequence[float]]]) -> bool:
    """Tell whether M of some N minutes in a row breach; a minute without data does not."""
    last, needed = alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
    breaches = [_breaches(alarm, minute.get(series(alarm), ())) for minute in minutes]
    ends = range(1, len(breaches) + 1)
    return any(sum(breaches[max(0, end - last) : end]) >= needed for end in ends)


def told(rule: str, firing: set[str]) -> bool:
    """Evaluate a composite alarm's rule: ORs, and ANDs in parentheses."""
    return any(
        all(name in firing for name in re.findall(r"\$\{(\w+)\}", clause))
        for clause in rule.split(" OR ")
    )


def _breaches(alarm: Mapping[str, Any], values: Sequence[float]) -> bool:
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    if not values:
        return False
    given = (alarm.get("Statistic"), alarm.get("ExtendedStatistic"))
    (statistic,) = (each for each in given if isinstance(each, str))
    found = {"Sum": sum(values), "Maximum": max(values), "p99": percentile(values, 99)}[statistic]
    return bool(found > alarm["Threshold"])


def _name(value: Any) -> str:
    match value:
        case {"Ref": "AWS::StackName"}:
            return "stack"
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
    return str(value)
