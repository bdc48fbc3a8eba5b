"""Find the stack that a command is for."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.operations import DynamoAudit
from engine.adapters.aws.table import Table
from engine.adapters.system import SystemChance, SystemClock
from engine.service.acting import Acting
from local import up
from local.cloud.embedded import STATE
from local.errors import Refused


@dataclass(frozen=True, slots=True)
class Target:
    """A running stack: its outputs, and clients for where it runs."""

    name: str
    outputs: Mapping[str, str]
    client: Callable[[str], Any]

    @property
    def access(self) -> DynamoAccess:
        """Keys, halts: what the stack's table holds besides orders."""
        return DynamoAccess(self._table)

    @property
    def acting(self) -> Acting:
        """What is done here, with its rows in the audit."""
        return Acting(self.access, DynamoAudit(self._table), SystemClock(), SystemChance())

    @property
    def _table(self) -> Table:
        return Table(self.client("dynamodb"), self.outputs["TableName"])


def target(asked: argparse.Namespace) -> Target:
    """Return the stack asked for. Raises Refused."""
    return deployed(asked.stack) if asked.stack else embedded(asked.port)


def embedded(port: int, state: Path = STATE) -> Target:
    """Return the stack that `make up` serves at `port`. Raises Refused."""
    from local.cloud import aws

    told = up.found(port, state)
    endpoint = told["AWS_ENDPOINT_URL"]
    return Target(told["stack"], told["outputs"], lambda service: aws.client(service, endpoint))


def deployed(stack: str) -> Target:
    """Return a stack by its name, asked with the shell's own credentials. Raises Refused."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    session = boto3.Session()
    try:
        described = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise Refused(f"stack {stack}: {error}") from error
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
    client: Any = session.client  # an overload for each service there is
    return Target(stack, outputs, client)
