"""Find the stack that a command is for."""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.adapters.accounts import DynamoAccess
from engine.adapters.table import Table
from local.cloud import STATE


class NoTarget(Exception):
    """There is no such stack, or it can't be asked."""


@dataclass(frozen=True, slots=True)
class Target:
    """A running stack: its outputs, and clients for where it runs."""

    name: str
    outputs: Mapping[str, str]
    client: Callable[[str], Any]

    @property
    def access(self) -> DynamoAccess:
        """Keys, halts: what the stack's table holds besides orders."""
        return DynamoAccess(Table(self.client("dynamodb"), self.outputs["TableName"]))


def asked_for(parser: argparse.ArgumentParser) -> None:
    """Let a command be told which stack it is for."""
    parser.add_argument("--stack", default="", help="a stack on AWS, with the shell's credentials")
    parser.add_argument("--port", default="3000", help="where `make up` serves; default 3000")


def target(asked: argparse.Namespace) -> Target:
    """Return the stack asked for. Raises NoTarget."""
    return deployed(asked.stack) if asked.stack else embedded(asked.port)


def embedded(port: str, state: Path = STATE) -> Target:
    """Return the stack that `make up` serves at `port`. Raises NoTarget."""
    from local import aws

    path = state / f"up-{port}.json"
    if not path.exists():
        raise NoTarget(f"nothing is up at port {port}: run make up, or name a stack with STACK=...")
    told = json.loads(path.read_text())
    endpoint = told["AWS_ENDPOINT_URL"]
    return Target(told["stack"], told["outputs"], lambda service: aws.client(service, endpoint))


def deployed(stack: str) -> Target:
    """Return a stack by its name, asked with the shell's own credentials. Raises NoTarget."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    session = boto3.Session()
    try:
        described = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise NoTarget(f"stack {stack}: {error}") from error
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
    client: Any = session.client  # an overload for each service there is
    return Target(stack, outputs, client)
