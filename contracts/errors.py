"""docs/errors.md: the catalogue of codes."""

from engine.api.catalogue import CHAPTERS, MEND, Chapter
from engine.api.problems import PROBLEMS
from local.door.problems import CODES

_DOORS = {
    "BAD_REQUEST": ("The request can't be read.", MEND),
    "FORBIDDEN": (
        "The cloud refused the request; or it came from a page of another origin, without keys.",
        MEND,
    ),
    "UPGRADE_REQUIRED": ("The address is the stream's.", "Connect with a WebSocket client."),
    "THROTTLED": ("The stage takes no more requests now.", "Try again in a second, then slower."),
    "HEADERS_TOO_LARGE": ("Request line and headers are above 10,240 bytes.", "Send less."),
    "BAD_GATEWAY": (
        "The cloud behind the front door is away, or answers what nobody expects.",
        "See whether `make up` runs.",
    ),
    "UNAVAILABLE": ("The function can't be run now.", "Try again in a moment."),
    "TIMEOUT": (
        "The function took longer than 30 s. What it was asked may have been done.",
        "Send the request again, with the same idempotency key.",
    ),
}

_HEAD = """\
# Errors and their codes

Made from the code by `make contracts`; do not edit it here.

An error of the HTTP API is a problem document (RFC 9457), `application/problem+json`: `type`,
`title`, `status`, `detail`, `code`, `requestId`, and for fields `errors: [{pointer, code,
detail}]`. Programs go by `code`: codes stay, and more may come; `title` and `detail` are for
people. `type` is `/docs#CODE`: relative to the API's own address it leads to what the page there
says of the code. `requestId` stands in the `X-Request-Id` header too, and in the log.
"""

_TAIL = """\
## What API Gateway answers by itself

HTTP APIs of API Gateway have no gateway responses to shape: what never reaches the engine is
answered as `{"message":"…"}` in `application/json`, without a code. Take any answer without a code
by its status.

| status | message | when |
|---|---|---|
| 400 | `Bad Request` | the request can't be read |
| 404 | `Not Found` | never: the `$default` route takes what no other does |
| 413 | `Request Entity Too Large` | the body is above 10 MB; the engine's own limit is far below |
| 429 | `Too Many Requests` | the stage is throttled (`ThrottleRate`, `ThrottleBurst`) |
| 431 | `Request Header Fields Too Large` | request line and headers above 10,240 bytes |
| 500 | `Internal Server Error` | the function crashed |
| 503 | `Service Unavailable` | the function can't be run, or took longer than 30 s |

On the WebSocket API a refused connection is the handshake's status, without a body to rely on; 429
also when the stage is throttled. A frame above 32 KB or a message above 128 KB closes the
connection with 1009, a binary one with 1003. The embedded cloud refuses a connection with 403,
whatever the reason; its front door asks the function for it, and answers that.

The front door of `make up` and `make demo` turns these into problem documents, with the codes of
the last table above, and bounds requests as API Gateway does. `Content-Type` sent twice it refuses
(400), where API Gateway joins the two by a comma and the engine refuses that (415). A compressed
body goes on as it came, here and there: nobody unpacks it, so it is no JSON. `OPTIONS`
reaches the engine on AWS, which tells the methods in `Allow`; the embedded cloud answers it by
itself, with 403. With `AllowedOrigins` API Gateway answers it, here and there: 204 to a page of
such an origin.
"""


def text() -> str:
    """Return the page."""
    doors = Chapter(
        "Before the engine",
        "`code` of what the local front door says in the cloud's stead",
        _DOORS,
        {code: int(status) for status, code in CODES.items() if code not in PROBLEMS},
    )
    return "\n".join([_HEAD, *map(_chapter, (*CHAPTERS, doors)), _TAIL])


def _chapter(chapter: Chapter) -> str:
    numbered = bool(chapter.statuses)
    lines = [f"## {chapter.title}", "", f"{chapter.where[0].upper()}{chapter.where[1:]}.", ""]
    lines.append(
        "| code | status | what it means | what to do |"
        if numbered
        else "| code | what it means | what to do |"
    )
    lines.append("|---|---|---|---|" if numbered else "|---|---|---|")
    for code, (meaning, advice) in chapter.said.items():
        status = f" {chapter.statuses[code]} |" if numbered else ""
        lines.append(f"| `{code}` |{status} {meaning} | {advice} |")
    return "\n".join([*lines, ""])
