"""Trim botocore's service data to what the engine calls, for a quick start.

    python -m local.aws_data          write layers/common/engine/aws_data
    python -m local.aws_data --check  exit 1 if it is not what botocore's data gives

A client is made from JSON files that describe a whole service in every region; parsing them and
looking for them among four hundred others is most of what a cold start spends on it.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import botocore.loaders

from local.cloud import ROOT

TARGET = ROOT / "layers/common/engine/aws_data"

#: The operations that the adapters call, by service.
CALLS = {
    "dynamodb": ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
    "sqs": ("ChangeMessageVisibility", "DeleteMessage", "ReceiveMessage", "SendMessage"),
    "apigatewaymanagementapi": ("PostToConnection",),
}
#: What these services are called in the list of endpoints.
ENDPOINTS = ("dynamodb", "sqs", "execute-api")


def trimmed() -> dict[str, Any]:
    """Return the trimmed files: path below the data directory to content."""
    loader = botocore.loaders.Loader()
    files: dict[str, Any] = {
        "endpoints.json": _endpoints(loader.load_data("endpoints")),
        "partitions.json": loader.load_data("partitions"),
        "_retry.json": loader.load_data("_retry"),
        "sdk-default-configuration.json": loader.load_data("sdk-default-configuration"),
    }
    for service, calls in CALLS.items():
        version = loader.determine_latest_version(service, "service-2")
        model = loader.load_service_model(service, "service-2", version)
        rules = loader.load_service_model(service, "endpoint-rule-set-1", version)
        files[f"{service}/{version}/service-2.json"] = _service(model, calls)
        files[f"{service}/{version}/endpoint-rule-set-1.json"] = rules
    return files


def _endpoints(endpoints: dict[str, Any]) -> dict[str, Any]:
    partitions = [
        partition
        | {
            "services": {
                name: service
                for name, service in partition["services"].items()
                if name in ENDPOINTS
            }
        }
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _service(model: dict[str, Any], calls: tuple[str, ...]) -> dict[str, Any]:
    """Return the model with `calls` and the shapes that they need, without its documentation."""
    operations = {name: model["operations"][name] for name in calls}
    shapes: dict[str, Any] = {}
    wanted = [shape for operation in operations.values() for shape in _named(operation)]
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            wanted += _named(shapes[name])
    whole = {**model, "operations": operations, "shapes": shapes}
    plain: dict[str, Any] = _without_documentation(whole)
    return plain


def _named(part: Any) -> list[str]:
    """Return the names of the shapes that a part of a model names."""
    if isinstance(part, dict):
        named = [part["shape"]] if isinstance(part.get("shape"), str) else []
        return named + [name for value in part.values() for name in _named(value)]
    if isinstance(part, list):
        return [name for value in part for name in _named(value)]
    return []


def _without_documentation(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _without_documentation(value)
            for name, value in part.items()
            if name not in {"documentation", "documentationUrl", "examples"}
            or not isinstance(value, str)
        }
    if isinstance(part, list):
        return [_without_documentation(value) for value in part]
    return part


def texts() -> dict[Path, str]:
    """Return what the files should hold, by path."""
    return {
        TARGET / name: json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n"
        for name, content in trimmed().items()
    }


def drift() -> list[str]:
    """Return the files that are not what botocore's data gives."""
    wanted = texts()
    there = set(TARGET.rglob("*.json"))
    wrong = {path for path, text in wanted.items() if path not in there or path.read_text() != text}
    return sorted(str(path.relative_to(ROOT)) for path in wrong | (there - wanted.keys()))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing, say what differs")
    if parser.parse_args().check:
        wrong = drift()
        if wrong:
            print("not what botocore's data gives:", *wrong, sep="\n  ", file=sys.stderr)
        return 1 if wrong else 0
    for path, text in texts().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
