"""The console's files, as `local/console.py` builds them: served as they are, and nothing else.

`index.html` is asked for again each time; every other file has a hash of its content in its name,
lies in the folder compressed, and may be kept for ever.
"""

import gzip
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from engine.api.problems import PROBLEM_JSON, Problem

INDEX = "index.html"
#: Below this path lies what the page is made of.
BELOW = "/console/"
#: No inline script or style, nothing from elsewhere, no frame around it; what is asked is our own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; "
    "connect-src 'self'{stream}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_UNBUILT = """<!doctype html><html lang="en"><title>Order execution engine</title>
<h1>The console is not built</h1>
<p>The engine is up. <code>make console</code> builds its console.</p>
<p><a href="docs">The API</a> works without.</p></html>
"""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it goes over the wire."""

    kind: str
    packed: bytes
    tag: str
    kept: str


@dataclass(eq=False, repr=False)
class Pages:
    """The files of a folder; `stream` is the WebSocket API's address, empty for the page's own."""

    folder: Path
    stream: str = ""

    @cached_property
    def files(self) -> Mapping[str, File]:
        """Every file by its path, read once a process."""
        index = self.folder / INDEX
        text = index.read_text() if index.is_file() else _UNBUILT
        page = gzip.compress(text.replace("{stream}", self.stream).encode(), mtime=0)
        files = {"/": _file(INDEX, page, "no-cache")}
        for path in sorted(self.folder.glob("*.gz")):
            kept = "public, max-age=31536000, immutable"
            files[BELOW + path.stem] = _file(path.stem, path.read_bytes(), kept)
        return files

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request of API Gateway's HTTP API: GET or HEAD of a file that is there."""
        asked = event["requestContext"]["http"]
        stage = event["requestContext"]["stage"]
        path = event["rawPath"].removeprefix("" if stage == "$default" else f"/{stage}") or "/"
        file = self.files.get(path)
        try:
            if file is None:
                raise Problem("NOT_FOUND", "The console has no such file; reload the page.")
            if asked["method"] not in {"GET", "HEAD"}:
                allowed = {"Allow": "GET, HEAD"}
                raise Problem("METHOD_NOT_ALLOWED", "Use GET or HEAD.", headers=allowed)
        except Problem as problem:
            body = problem.document(event["requestContext"]["requestId"])
            headers = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store"}
            return _answer(problem.status, headers | dict(problem.headers), body)
        heard = {name.lower(): text for name, text in (event.get("headers") or {}).items()}
        headers = {
            "Content-Type": file.kind,
            "Cache-Control": file.kept,
            "ETag": file.tag,
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": POLICY.format(
                stream=f" {self._host}" if self.stream else ""
            ),
            **_SAFETY,
        }
        if file.tag in heard.get("if-none-match", ""):
            return _answer(HTTPStatus.NOT_MODIFIED, headers)
        packed = "gzip" in heard.get("accept-encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        if asked["method"] == "HEAD":
            return _answer(HTTPStatus.OK, headers)
        data = file.packed if packed else gzip.decompress(file.packed)
        return _answer(HTTPStatus.OK, headers, b64encode(data).decode(), packed=True)

    @property
    def _host(self) -> str:
        """The stream's origin, as a policy names it."""
        return "/".join(self.stream.split("/")[:3])


def _file(name: str, packed: bytes, kept: str) -> File:
    tag = sha256(packed).hexdigest()[:16]
    return File(_TYPES[Path(name).suffix], packed, f'"{tag}"', kept)


def _answer(
    status: int, headers: Mapping[str, str], body: str = "", *, packed: bool = False
) -> dict[str, Any]:
    return {
        "statusCode": int(status),
        "headers": dict(headers),
        "body": body,
        "isBase64Encoded": packed,
    }
