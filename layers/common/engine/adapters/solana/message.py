"""A transaction's bytes, read without any library: who pays, whom it calls, what it names."""

from dataclasses import dataclass

from engine.adapters.solana.addresses import encode
from engine.adapters.solana.instructions import Call, Meta

#: The most bytes that a transaction can have on the wire.
MAX_WIRE = 1_232
SIGNATURE_SIZE = 64
_VERSION_0 = 0x80


class BadMessage(ValueError):
    """Bytes are no message that is read here: of version 0, with one signer and no tables."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message: the first account pays, and it alone signs."""

    payer: str
    blockhash: str
    calls: tuple[Call, ...]


def signed(message: bytes, signature: bytes) -> bytes:
    """Return what is sent: a message with its one signature before it."""
    return b"\x01" + signature + message


def message_of(wire: bytes) -> bytes:
    """Return the message that a transaction of one signature carries. Raises BadMessage."""
    if not wire.startswith(b"\x01") or len(wire) <= 1 + SIGNATURE_SIZE:
        raise BadMessage("it has not one signature")
    return wire[1 + SIGNATURE_SIZE :]


def read(data: bytes) -> Message:
    """Read a message. Raises BadMessage, also for bytes that are left over."""
    reader = _Reader(data)
    if reader.byte() != _VERSION_0:
        raise BadMessage("it is not of version 0")
    signers, signers_read, others_read = reader.byte(), reader.byte(), reader.byte()
    if (signers, signers_read) != (1, 0):
        raise BadMessage(f"{signers} sign it, {signers_read} of them without writing")
    keys = [encode(reader.take(32)) for _ in range(reader.size())]
    if len(set(keys)) != len(keys) or len(keys) <= others_read:
        raise BadMessage("its accounts are not what they are said to be")
    writable = len(keys) - others_read
    metas = [Meta(key, n == 0, n < writable) for n, key in enumerate(keys)]
    blockhash = encode(reader.take(32))
    calls = tuple(_call(reader, metas) for _ in range(reader.size()))
    if reader.size():
        raise BadMessage("it looks accounts up in tables")
    if reader.at != len(data):
        raise BadMessage("something stands behind it")
    return Message(keys[0], blockhash, calls)


def _call(reader: "_Reader", metas: list[Meta]) -> Call:
    try:
        program = metas[reader.byte()].address
        accounts = tuple(metas[n] for n in reader.take(reader.size()))
    except IndexError:
        raise BadMessage("an instruction names an account that is not there") from None
    return Call(program, accounts, reader.take(reader.size()))


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) != size:
            raise BadMessage("it ends too early")
        self.at += size
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def size(self) -> int:
        """Read a length: seven bits a byte, the lowest first, three bytes at most."""
        value = 0
        for place in range(3):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value
        raise BadMessage("a length does not end")
