"""What the template says that figures depend on: memory, logs, the table and its indexes."""

import json
import re
from functools import cache
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from bench.figures import ROOT

Document = dict[str, Any]


@cache
def template() -> Document:
    """Return the template as it stands, its intrinsics unresolved."""
    parsed: Document = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def properties(resource: str) -> Document:
    found: Document = template()["Resources"][resource]["Properties"]
    return found


def function(name: str) -> Document:
    """Return the properties of a function, by its directory, over the globals' own."""
    (own,) = (
        resource["Properties"]
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        and resource["Properties"]["CodeUri"].strip("/") == f"functions/{name}"
    )
    common: Document = template()["Globals"]["Function"]
    logging = common.get("LoggingConfig", {}) | own.get("LoggingConfig", {})
    return {**common, **own, "LoggingConfig": logging}


def count(kind: str) -> int:
    """Return how many resources of a type there are."""
    return sum(resource["Type"] == kind for resource in template()["Resources"].values())


def series() -> set[tuple[str, ...]]:
    """Return the engine's own metrics with their dimensions: the dashboards show all."""
    return {
        tuple(line)
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Dashboard"
        for widget in json.loads(resource["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
        for line in widget["properties"]["metrics"]
        if line[0] == "${AWS::StackName}"
    }


def memory_gb(name: str) -> float:
    return float(function(name)["MemorySize"]) / 1024


def lambda_logs(name: str) -> bool:
    """Tell whether Lambda logs START, END and REPORT of each of a function's runs."""
    level = function(name)["LoggingConfig"].get("SystemLogLevel", "INFO")
    if isinstance(level, dict):
        level = template()["Parameters"][level["Ref"]]["Default"]
    return bool(level != "WARN")


def access_log_bytes() -> int:
    """Return the size of a line of the HTTP API's access log, each value of twelve characters."""
    line = properties("HttpApi")["AccessLogSettings"]["Format"]
    return len(re.sub(r"\$context\.[\w.]+", "x" * 12, line))


@cache
def indexes() -> dict[str, tuple[str, ...]]:
    """Return the key of each of the table's indexes by its name; all project keys only."""
    described = properties("OrdersTable")["GlobalSecondaryIndexes"]
    if any(index["Projection"] != {"ProjectionType": "KEYS_ONLY"} for index in described):
        raise NotImplementedError("an index that projects more than keys")
    return {
        index["IndexName"]: tuple(part["AttributeName"] for part in index["KeySchema"])
        for index in described
    }


def create_table(dynamodb: Any, name: str) -> None:
    """Make the table as the template has it, paid by the request."""
    described = properties("OrdersTable")
    kept = "IndexName", "KeySchema", "Projection"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=described["AttributeDefinitions"],
        KeySchema=described["KeySchema"],
        GlobalSecondaryIndexes=[
            {part: index[part] for part in kept} for index in described["GlobalSecondaryIndexes"]
        ],
    )
