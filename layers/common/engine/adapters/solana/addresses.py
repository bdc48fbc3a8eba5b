"""Addresses in base 58 and the ones that programs derive, without any library."""

from functools import lru_cache
from hashlib import sha256

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {letter: digit for digit, letter in enumerate(_ALPHABET)}
#: The field and the constant of curve 25519 in Edwards' form.
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def encode(data: bytes) -> str:
    """Return bytes in base 58, as addresses, blockhashes and signatures are written."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def decode(text: str, size: int = 32) -> bytes:
    """Return the `size` bytes that `text` writes in base 58. Raises ValueError."""
    number = 0
    try:
        for letter in text:
            number = number * 58 + _DIGITS[letter]
        data = number.to_bytes(size)
    except (KeyError, OverflowError):
        raise ValueError(f"{text!r:.100} is not {size} bytes in base 58") from None
    if encode(data) != text:
        raise ValueError(f"{text!r:.100} is not {size} bytes in base 58")
    return data


@lru_cache(maxsize=4_096)
def derived(program: str, *seeds: bytes) -> str:
    """Return the address that a program derives of `seeds`: the first that is no public key."""
    for bump in range(255, -1, -1):
        digest = sha256(
            b"".join(seeds) + bytes([bump]) + decode(program) + b"ProgramDerivedAddress"
        ).digest()
        if not _on_curve(digest):
            return encode(digest)
    raise ValueError("no address can be derived of these seeds")


@lru_cache(maxsize=1_024)
def with_seed(base: str, seed: str, owner: str) -> str:
    """Return the address that the system program derives of a key and a text (<= 32 bytes)."""
    return encode(sha256(decode(base) + seed.encode() + decode(owner)).digest())


def _on_curve(data: bytes) -> bool:
    """Tell whether 32 bytes are a point of the curve: x**2 = (y**2 - 1) / (d * y**2 + 1)."""
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    numerator, denominator = (y * y - 1) % _P, (_D * y * y + 1) % _P
    square = numerator * denominator % _P  # the quotient is a square if the product is
    return square == 0 or pow(square, (_P - 1) // 2, _P) == 1
