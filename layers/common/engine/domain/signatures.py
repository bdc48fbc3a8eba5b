"""Signed messages from outside: Standard Webhooks' symmetric signatures (`v1`), HMAC-SHA256."""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

#: How far a message's time may be from ours, either way.
TOLERANCE = timedelta(minutes=5)
_PREFIX = "whsec_"
#: The least bytes of a secret; a shorter one verifies nothing.
_MIN_SECRET = 24
#: No full stop, which parts what is signed, and nothing that could end a line of a header.
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECONDS = re.compile(r"[0-9]{1,11}")
_MAX_SIGNATURES = 1_024  # characters


def signed_headers(message_id: str, at: datetime, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers with which a message of these raw bytes is sent. Raises ValueError."""
    key = _key(secret)
    if key is None:
        raise ValueError(f"a secret is {_PREFIX} and {_MIN_SECRET} bytes or more in base64")
    seconds = str(int(at.timestamp()))
    signature = b64encode(_digest(key, message_id, seconds, body)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }


def signed_at(
    headers: Mapping[str, str], body: bytes, secrets: Iterable[str], *, now: datetime
) -> datetime | None:
    """Return when a message was sent; None if it is not signed by one of `secrets`, or not now.

    `headers` have lower-case names; `body` is the raw bytes as they came. Two secrets are good
    while one is rotated. Every signature is held against every secret, in constant time.
    """
    message_id, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    told = headers.get("webhook-signature", "")
    if not _MESSAGE_ID.fullmatch(message_id) or not _SECONDS.fullmatch(seconds):
        return None
    at = datetime.fromtimestamp(int(seconds), UTC)
    if abs(now - at) > TOLERANCE or len(told) > _MAX_SIGNATURES:
        return None
    versioned = (each.partition(",") for each in told.split(" "))
    signatures = [_decoded(text) or b"" for version, _, text in versioned if version == "v1"]
    good = False
    for key in filter(None, map(_key, secrets)):
        expected = _digest(key, message_id, seconds, body)
        for signature in signatures:
            good |= hmac.compare_digest(signature, expected)
    return at if good else None


def _digest(key: bytes, message_id: str, seconds: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, "sha256")


def _key(secret: str) -> bytes | None:
    """Return the bytes of a secret, with or without its prefix; None if it can't be one."""
    key = _decoded(secret.removeprefix(_PREFIX))
    return key if key is not None and len(key) >= _MIN_SECRET else None


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
