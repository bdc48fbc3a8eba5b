"""Where the engine is, and by whose right it is asked."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOCAL = "http://127.0.0.1:3000"


@dataclass(frozen=True, slots=True)
class Address:
    """`url` of the HTTP API, `ws_url` of the stream, `key` unless the stack asks for none.

    Without `ws_url` both have one host, as `make up` serves them, and the stream is at `/live`.
    Raises ValueError if `url` or `ws_url` is none.
    """

    url: str = LOCAL
    ws_url: str = ""
    key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/\s]+", self.url):
            raise ValueError(f"{self.url!r} is no address of an engine: http(s)://host")
        ws_url = self.ws_url or re.sub(r"^http", "ws", self.url.rstrip("/")) + "/live"
        if not re.match(r"wss?://[^/\s]+", ws_url):
            raise ValueError(f"{ws_url!r} is no address of a stream: ws(s)://host/live")
        object.__setattr__(self, "url", self.url.rstrip("/"))
        object.__setattr__(self, "ws_url", ws_url)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Api-Key": self.key} if self.key else {}

    @property
    def local(self) -> bool:
        """Whether it is this machine's: then no proxy is asked."""
        return urlsplit(self.url).hostname in {"127.0.0.1", "localhost", "::1"}
