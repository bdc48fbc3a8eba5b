"""Where an API key stands in a request."""

from collections.abc import Mapping


def key_in(headers: Mapping[str, str]) -> str | None:
    """Return the API key that a request's headers (lower case) carry.

    `Authorization: Bearer KEY`, or `X-Api-Key: KEY`.
    """
    scheme, _, token = (headers.get("authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-api-key")
