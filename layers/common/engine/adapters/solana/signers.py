"""Who signs: a key that KMS keeps, or one of a test's own."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from engine.adapters.solana.addresses import encode
from engine.domain.errors import ChainUnavailable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from solders.keypair import Keypair

_KEY_SIZE = 32


class Signer(Protocol):
    """An Ed25519 key that is not shown."""

    @property
    def address(self) -> str:
        """The account that it signs for. Raises ChainUnavailable."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes. Raises ChainUnavailable."""
        ...


@dataclass(eq=False, repr=False)
class KmsSigner:
    """A key of KMS (ECC_NIST_EDWARDS25519), which never leaves it."""

    kms: "KMSClient"
    key_id: str

    @cached_property
    def address(self) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            der = self.kms.get_public_key(KeyId=self.key_id)["PublicKey"]
        except (BotoCoreError, ClientError) as error:
            raise ChainUnavailable(f"KMS did not tell the key: {type(error).__name__}") from error
        return encode(der[-_KEY_SIZE:])

    def sign(self, message: bytes) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self.kms.sign(
                KeyId=self.key_id,
                Message=message,
                MessageType="RAW",
                SigningAlgorithm="ED25519_SHA_512",
            )["Signature"]
        except (BotoCoreError, ClientError) as error:
            raise ChainUnavailable(f"KMS did not sign: {type(error).__name__}") from error


@dataclass(frozen=True)
class LocalSigner:
    """A key in this process, for tests."""

    keypair: "Keypair"

    @property
    def address(self) -> str:
        return str(self.keypair.pubkey())

    def sign(self, message: bytes) -> bytes:
        return bytes(self.keypair.sign_message(message))
