"""Sources in SSM's parameter store, a SecureString each, and the messages that were heard."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.adapters.aws.table import Table, attribute, key
from engine.adapters.codec import decoding, text
from engine.domain.errors import StoreUnavailable
from engine.ports.signals import Source

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

_SK = "SIGNAL"
#: For how many seconds a process believes what it has read: a revoked secret is good no longer.
BELIEVED_SECONDS = 5


@dataclass(slots=True, eq=False, repr=False)
class SsmSources:
    """The parameters below a path, all in one read: who asks for unknown names costs nothing."""

    client: Callable[[], Any]
    path: str | None
    _provider: "SSMProvider | None" = field(default=None)

    def find(self, name: str) -> Source | None:
        if self.path is None:
            return None
        from aws_lambda_powertools.utilities.parameters import SSMProvider
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        self._provider = self._provider or SSMProvider(boto3_client=self.client())
        try:
            found = self._provider.get_multiple(
                self.path, max_age=BELIEVED_SECONDS, decrypt=True, recursive=False
            )
        except GetParameterError as error:
            raise StoreUnavailable("the sources' secrets can't be read") from error
        written = (found or {}).get(name)
        return None if written is None else source_of(name, str(written))


@dataclass(slots=True, eq=False, repr=False)
class DynamoReplays:
    """A row a message, which ends by itself."""

    table: Table

    def heard(self, source: str, message_id: str) -> bool:
        return self.table.get(_pk(source, message_id), _SK) is not None

    def note(self, source: str, message_id: str, *, until: datetime) -> None:
        ends = int(until.timestamp())
        self.table.put({**key(_pk(source, message_id), _SK), "expiresAt": attribute(ends)})


def _pk(source: str, message_id: str) -> str:
    return f"SIGNAL#{source}#{message_id}"


def source_text(source: Source) -> str:
    """Return what a parameter says of a source."""
    return json.dumps({"secrets": source.secrets, "authorization": source.authorization})


def source_of(name: str, written: str) -> Source:
    """Return the source that a parameter tells of. Raises Undecodable, without a secret."""
    with decoding(f"the source {name}"):
        try:
            told = json.loads(written)
            secrets = tuple(text(secret) for secret in told["secrets"])
            echoed = told["authorization"]
            return Source(name, secrets, None if echoed is None else text(echoed))
        except (ValueError, KeyError, TypeError):
            raise ValueError("it is not as `make signal-source` wrote it") from None
