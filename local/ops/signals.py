"""Make, rotate and revoke the sources that signals are taken from; their secrets are in SSM."""

from typing import TYPE_CHECKING, Any

from engine.adapters.aws.signals import source_of, source_text
from engine.adapters.system import SystemChance
from engine.ports.signals import Source
from engine.service.signalling import NAME, SIMULATION, new_secret
from local.errors import Refused

if TYPE_CHECKING:
    from local.ops.target import Target


class SourceBook:
    """The sources of a stack, a SecureString each below its path."""

    def __init__(self, client: Any, stack: str) -> None:
        self._client, self._path = client, f"/{stack}/signals"

    @classmethod
    def of(cls, found: "Target") -> "SourceBook":
        return cls(found.client("ssm"), found.name)

    def create(self, name: str, *, echoes: bool = False) -> Source:
        """Make a source; one that `echoes` may send a fixed `Authorization` instead of signing.

        Raises Refused for a bad name, or one that is taken.
        """
        if not NAME.fullmatch(name) or name == SIMULATION:
            raise Refused("NAME is 1 to 32 of a-z 0-9 -, and not `simulation`")
        chance = SystemChance()
        echoed = f"Bearer oes_{chance.token_bytes().hex()}" if echoes else None
        source = Source(name, (new_secret(chance),), echoed)
        try:
            self._put(source, Overwrite=False)
        except self._client.exceptions.ParameterAlreadyExists as error:
            raise Refused(f"there is a source {name}; ROTATE=1 gives it a new secret") from error
        return source

    def rotate(self, name: str) -> Source:
        """Give a source a new secret; the last one is good as well, until it is retired."""
        source = self._get(name)
        rotated = Source(
            name, (new_secret(SystemChance()), *source.secrets[:1]), source.authorization
        )
        self._put(rotated, Overwrite=True)
        return rotated

    def retire(self, name: str) -> None:
        """Let only a source's newest secret be good."""
        source = self._get(name)
        self._put(Source(name, source.secrets[:1], source.authorization), Overwrite=True)

    def revoke(self, name: str) -> None:
        """Take no more signals from a source."""
        self._get(name)
        self._client.delete_parameter(Name=f"{self._path}/{name}")

    def _get(self, name: str) -> Source:
        try:
            found = self._client.get_parameter(Name=f"{self._path}/{name}", WithDecryption=True)
        except self._client.exceptions.ParameterNotFound as error:
            raise Refused(f"there is no source {name}") from error
        return source_of(name, found["Parameter"]["Value"])

    def _put(self, source: Source, **how: bool) -> None:
        self._client.put_parameter(
            Name=f"{self._path}/{source.name}",
            Value=source_text(source),
            Type="SecureString",
            **how,
        )
