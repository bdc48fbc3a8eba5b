"""Which stack an operator's command is for."""

import fcntl
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.__main__ import parser
from local.errors import Refused
from local.ops.target import embedded, target

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


def test_the_stack_of_make_up_is_found_by_its_port(tmp_path: Path) -> None:
    path = tmp_path / "up-3001.json"
    path.write_text(json.dumps(UP))
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = embedded(3001, tmp_path)
    assert (found.name, found.outputs["TableName"]) == ("orders", "the-table")
    assert found.client("dynamodb").meta.endpoint_url == "http://127.0.0.1:4566"
    with pytest.raises(Refused, match="nothing is up at port 3000: run make up"):
        embedded(3000, tmp_path)


def test_what_a_killed_make_up_has_left_behind_is_not_up(tmp_path: Path) -> None:
    (tmp_path / "up-3001.json").write_text(json.dumps(UP))
    with pytest.raises(Refused, match="nothing is up at port 3001"):
        embedded(3001, tmp_path)


def test_a_stack_on_aws_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "Session", Session)
    found = target(parser().parse_args(["halt", "--stack", "prod"]))
    assert (found.name, found.outputs["TableName"]) == ("prod", "prods-table")
    assert found.client("dynamodb") == "dynamodb of the account"
    with pytest.raises(Refused, match="staging"):
        target(parser().parse_args(["halt", "--stack", "staging"]))
