"""Which stack an operator's command is for."""

import argparse
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.ops.target import NoTarget, asked_for, embedded, target

UP = {
    "stack": "orders",
    "outputs": {"TableName": "the-table"},
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
}


class Session:
    """An AWS account with one stack, `prod`."""

    def client(self, service: str) -> Any:
        return self if service == "cloudformation" else f"{service} of the account"

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        if StackName != "prod":
            answer: Any = {"Error": {"Code": "ValidationError", "Message": "does not exist"}}
            raise ClientError(answer, "DescribeStacks")
        output = {"OutputKey": "TableName", "OutputValue": "prods-table"}
        return {"Stacks": [{"Outputs": [output]}]}


def asked(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    asked_for(parser)
    return parser.parse_args(words)


def test_the_stack_of_make_up_is_found_by_its_port(tmp_path: Path) -> None:
    (tmp_path / "up-3001.json").write_text(json.dumps(UP))
    found = embedded("3001", tmp_path)
    assert (found.name, found.outputs["TableName"]) == ("orders", "the-table")
    assert found.client("dynamodb").meta.endpoint_url == "http://127.0.0.1:4566"
    with pytest.raises(NoTarget, match="make up"):
        embedded("3000", tmp_path)


def test_a_stack_on_aws_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "Session", Session)
    found = target(asked("--stack", "prod"))
    assert (found.name, found.outputs["TableName"]) == ("prod", "prods-table")
    assert found.client("dynamodb") == "dynamodb of the account"
    with pytest.raises(NoTarget, match="staging"):
        target(asked("--stack", "staging"))
