"""What the template says that figures depend on: memory, logs, indexes."""

import re
from functools import cache
from typing import Any

from bench.figures import ROOT


@cache
def template() -> dict[str, Any]:
    """Return the template as it stands, its intrinsics unresolved."""
    from samtranslator.yaml_helper import yaml_parse

    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def function(name: str) -> dict[str, Any]:
    """Return the properties of a function, by its directory, over the globals' own."""
    found = [
        resource["Properties"]
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        and resource["Properties"]["CodeUri"].strip("/") == f"functions/{name}"
    ]
    return {**template()["Globals"]["Function"], **found[0]}


def memory_gb(name: str) -> float:
    return float(function(name)["MemorySize"]) / 1024


def lambda_logs(name: str) -> bool:
    """Tell whether Lambda logs START, END and REPORT of each of a function's runs."""
    logging = template()["Globals"]["Function"].get("LoggingConfig", {})
    own = {**logging, **function(name).get("LoggingConfig", {})}
    return bool(_default(own.get("SystemLogLevel", "INFO")) != "WARN")


def access_log_bytes() -> int:
    """Return the size of a line of the HTTP API's access log, each value of twelve characters."""
    api = template()["Resources"]["HttpApi"]["Properties"]
    return len(re.sub(r"\$context\.[\w.]+", "x" * 12, api["AccessLogSettings"]["Format"]))


def _default(value: Any) -> Any:
    """Return a value, or what the parameter is by default that it refers to."""
    if isinstance(value, dict) and "Ref" in value:
        return template()["Parameters"][value["Ref"]]["Default"]
    return value


@cache
def indexes() -> dict[str, tuple[str, ...]]:
    """Return the key of each of the table's indexes by its name; all project keys only."""
    described = template()["Resources"]["OrdersTable"]["Properties"]["GlobalSecondaryIndexes"]
    if any(index["Projection"] != {"ProjectionType": "KEYS_ONLY"} for index in described):
        raise NotImplementedError("an index that projects more than keys")
    return {
        index["IndexName"]: tuple(part["AttributeName"] for part in index["KeySchema"])
        for index in described
    }
