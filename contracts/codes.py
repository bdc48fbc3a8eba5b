"""Every code that a client may meet, as the sources have it, and what to do about it."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.api.handshake import BadFrame
from engine.api.problems import PROBLEMS
from engine.api.sockets import REFUSED
from engine.domain.errors import (
    EngineError,
    KeyRevoked,
    MarketError,
    OrderNotFound,
    StoreUnavailable,
    TooManySubscriptions,
    VenueError,
)
from engine.domain.order import TRANSACTION_EXPIRED
from local.problems import CODES as DOORS

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "layers/common/engine"

#: Which argument of which call holds a code.
_CALLS = {
    "FieldProblem": ("field", 1),
    "Wrong": ("field", 0),
    "_fail": ("failure", 1),
}
#: Codes that reach their call by a variable.
_BY_VARIABLE = {
    "field": {"REQUIRED", "UNKNOWN_FIELD", "INVALID"},
    "failure": {"NO_ROUTE", "SLIPPAGE_EXCEEDED"},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A code, what it means, and what its reader should do."""

    code: str
    meaning: str
    advice: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """Codes that are met in the same place; `statuses` where they are answers of their own."""

    title: str
    where: str
    entries: tuple[Entry, ...]
    statuses: Mapping[str, int]


def in_sources(kind: str) -> set[str]:
    """Return the codes of `kind`, `field` or `failure`, that stand in the engine's sources."""
    literals = set(_BY_VARIABLE[kind])
    for path in ENGINE.rglob("*.py"):
        literals |= {code for found, code in _literals(path) if found == kind}
    return literals | (leaves(MarketError) if kind == "failure" else set())


def leaves(root: type[EngineError]) -> set[str]:
    """Return the codes of the errors below `root` that nothing is below."""
    below = root.__subclasses__()
    return {root.code} if not below else set[str]().union(*map(leaves, below))


def _literals(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        kind, place = _CALLS.get(name, ("", 0))
        if kind and len(node.args) > place:
            argument = node.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield kind, argument.value


def chapters() -> list[Chapter]:
    """Return the catalogue. Raises KeyError for a code that nothing is said about."""
    statuses = {code: kind.status for code, kind in PROBLEMS.items()}
    doors = {code: int(status) for status, code in DOORS.items() if code not in PROBLEMS}
    stream = {
        BadFrame.code,
        TooManySubscriptions.code,
        KeyRevoked.code,
        StoreUnavailable.code,
        OrderNotFound.code,
    }
    return [
        _chapter("Problems", "`code` of a problem document", statuses, _PROBLEMS, statuses),
        _chapter("Fields", "`errors[].code` of a 422", in_sources("field"), _FIELDS),
        _chapter("Failed orders", "`error.code` of an order", in_sources("failure"), _FAILURES),
        _chapter(
            "Tries",
            "`tries[].code` of an order, besides those of a failed order",
            {TRANSACTION_EXPIRED},
            _TRIES,
        ),
        _chapter(
            "Quotes",
            "`quotes[].error`, of an order or of /api/quotes",
            leaves(VenueError) | leaves(MarketError),
            _QUOTES,
        ),
        _chapter("Stream", "`code` of a message of type `error`", stream, _STREAM),
        _chapter(
            "Refused connections",
            "the status of a WebSocket handshake; `code` where there is a body, as locally",
            {code: int(status) for code, status in REFUSED.items()},
            _REFUSED,
            {code: int(status) for code, status in REFUSED.items()},
        ),
        _chapter(
            "Before the engine",
            "`code` of what the local front door says in the cloud's stead",
            doors,
            _DOORS,
            doors,
        ),
    ]


def _chapter(
    title: str,
    where: str,
    codes: set[str] | Mapping[str, int],
    said: Mapping[str, tuple[str, str]],
    statuses: Mapping[str, int] | None = None,
) -> Chapter:
    unsaid, unknown = set(codes) - said.keys(), said.keys() - set(codes)
    if unsaid or unknown:
        raise KeyError(f"{title}: nothing is said of {unsaid}, nothing is known of {unknown}")
    return Chapter(title, where, tuple(Entry(c, *said[c]) for c in said), statuses or {})


_MEND = "Mend the request; the same one will be refused again."
_PROBLEMS = {
    "MALFORMED_JSON": (
        "The body is not one JSON object in UTF-8, or a name stands in it twice.",
        _MEND,
    ),
    "INVALID_IDEMPOTENCY_KEY": (
        "The `Idempotency-Key` header is not 1 to 64 of `A-Z a-z 0-9 . _ : -`.",
        _MEND,
    ),
    "INVALID_CURSOR": (
        "The cursor is not of this list: another account's, another `status`'s, or changed.",
        "List from the start, without `cursor`.",
    ),
    "UNAUTHENTICATED": (
        "There is no API key in the request, or it is unknown, wrong or revoked.",
        "Send `Authorization: Bearer KEY`, or `X-Api-Key: KEY`.",
    ),
    "NOT_FOUND": ("No route has this path.", "See /docs."),
    "ORDER_NOT_FOUND": (
        "There is no such order among those of your account.",
        "Check the id, and whose key it was placed with.",
    ),
    "METHOD_NOT_ALLOWED": (
        "The path exists, the method does not.",
        "Use one of those in `Allow`.",
    ),
    "IDEMPOTENCY_KEY_REUSED": (
        "An order that differs stands under this key.",
        "Take a new key for a new order; to repeat one, send the same body.",
    ),
    "ORDER_NOT_CANCELLABLE": (
        "A worker has begun, or the order has ended otherwise. It was not cancelled.",
        "Read the order, or watch it to its end.",
    ),
    "BODY_TOO_LARGE": ("The body is larger than 16 KiB.", _MEND),
    "UNSUPPORTED_MEDIA_TYPE": (
        "The body is not declared as JSON.",
        "Send `Content-Type: application/json`.",
    ),
    "INVALID_ORDER": ("Fields of the order can't be accepted.", "See `errors`, field by field."),
    "INVALID_QUERY": (
        "Parameters of the query can't be accepted.",
        "See `errors`; `pointer` is a slash and the parameter's name.",
    ),
    "INVALID_BODY": ("The call takes no body, or an empty object.", "Send none."),
    "ORDER_RATE_EXCEEDED": (
        "The account has placed as many orders this minute as it may.",
        "Wait for `Retry-After` seconds. Nothing was placed.",
    ),
    "INTERNAL_ERROR": (
        "Something failed that should not have; the log has it under `requestId`.",
        "Send the request again, with the same idempotency key; tell the operator if it stays.",
    ),
    "TRADING_HALTED": (
        "The operator takes no new orders at present. Orders under way are finished.",
        "Try again later, not before `Retry-After`.",
    ),
    "STORE_UNAVAILABLE": (
        "The table did not answer. A new order may have been stored all the same.",
        "Send the request again after `Retry-After`, with the same idempotency key.",
    ),
}
_FIELDS = {
    "REQUIRED": ("The field is missing.", "Send it."),
    "UNKNOWN_FIELD": ("No such field, or parameter, is known.", "Leave it out."),
    "INVALID": ("Another type or value is wanted; `detail` says which.", "See `detail`."),
    "AMOUNT_TYPE": (
        "The amount is not a JSON number or a decimal string.",
        'Send `1.5` or `"1.5"`, without sign, exponent or blanks in a string.',
    ),
    "AMOUNT_OUT_OF_RANGE": (
        "The amount is zero, negative, not finite, or above 2^64-1 base units.",
        "Send less, or more than nothing.",
    ),
    "TOO_MANY_DECIMALS": (
        "The amount has more decimals than the token.",
        "Round it; `GET /api/tokens` tells the decimals.",
    ),
    "NOT_A_COUNT": ("The parameter is not a whole number in digits.", "Send digits."),
    "UNKNOWN_TOKEN": ("The token is not traded here.", "See `GET /api/tokens`."),
    "SAME_TOKEN": ("Both tokens are the same.", "Name two."),
    "UNSUPPORTED_PAIR": ("The two tokens do not trade against each other.", "See `pairs` there."),
    "KEY_MISMATCH": (
        "`clientOrderId` and the `Idempotency-Key` header differ.",
        "Send one of them, or both alike.",
    ),
    "NOTIONAL_TOO_SMALL": (
        "The order is worth less than this stack takes.",
        "Sell more; `detail` says how much it takes.",
    ),
    "NOTIONAL_TOO_LARGE": (
        "The order is worth more than this stack takes.",
        "Sell less, or in parts.",
    ),
}
_MARKET = {
    "UNSUPPORTED_PAIR": ("No pool trades the two tokens.", "Trade another pair."),
    "UNSUPPORTED_POOL": ("The pool is of a kind that is not traded here.", "Trade another pair."),
    "POOL_DISABLED": ("The pool is switched off, or not open yet.", "Place a new order later."),
    "INSUFFICIENT_LIQUIDITY": ("The pools can't fill the amount.", "Sell less."),
    "AMOUNT_TOO_SMALL": ("The trade would give less than one base unit.", "Sell more."),
    "AMOUNT_TOO_LARGE": ("The amount is beyond a program's integers.", "Sell less."),
}
_FAILURES = {
    "VENUES_UNAVAILABLE": (
        "No venue gave a quote in three attempts. Nothing was traded.",
        "Place a new order later.",
    ),
    "SLIPPAGE_EXCEEDED": (
        "The price moved past `slippageBps` and the chain undid the trade.",
        "Place a new order; allow more, or sell less.",
    ),
    "EXPIRED": (
        "The deadline passed before the order could trade. Nothing was traded.",
        "Place a new order if it is still wanted.",
    ),
    "NO_ROUTE": ("Each venue refused for a reason of its own.", "See `quotes[].error`."),
    **_MARKET,
    "ATTEMPTS_EXHAUSTED": (
        "Every attempt ended without a result. Nothing was traded.",
        "Place a new order later.",
    ),
}
_TRIES = {
    TRANSACTION_EXPIRED: (
        "The transaction did not land while it could: it traded nothing, and never will.",
        "Nothing: the order signs another one if its deadline allows.",
    ),
}
_QUOTES = {
    "VENUE_TIMEOUT": ("The venue did not answer in time.", "Another may; the order tries again."),
    "VENUE_UNAVAILABLE": ("The venue gave no answer.", "Another may; the order tries again."),
    **_MARKET,
}
_STREAM = {
    "BAD_FRAME": (
        "The frame is no JSON object, too long, has a name twice, or asks for the unknown.",
        "Mend it. The connection lives on.",
    ),
    "ORDER_NOT_FOUND": (
        "There is no such order among those of your account; the message names it.",
        "Check the id. The subscription stands: an order that comes later is pushed.",
    ),
    "TOO_MANY_SUBSCRIPTIONS": (
        "The connection has its 50 subscriptions.",
        'Unsubscribe, open another connection, or subscribe to `{"orders":"mine"}`.',
    ),
    "KEY_REVOKED": (
        "The key by which the client connected is revoked. A close follows.",
        "Connect with another key.",
    ),
    "STORE_UNAVAILABLE": ("The table did not answer.", "Send the frame again in a moment."),
}
_REFUSED = {
    "BAD_HANDSHAKE": (
        "The query asks for the unknown, or a name twice; or a ticket is without `orders.v1`.",
        "Mend the address; `detail` says what is wrong.",
    ),
    "UNAUTHENTICATED": (
        "There is no good key; or the ticket was used, is too old, or its key was revoked.",
        "Send `Authorization: Bearer KEY`, or take a new ticket.",
    ),
    "CONNECT_RATE_EXCEEDED": (
        "The account has made as many connections this minute as it may.",
        "Wait for `Retry-After` seconds; keep a connection, and subscribe on it.",
    ),
    "STORE_UNAVAILABLE": ("The table did not answer.", "Connect again in a moment."),
}
_DOORS = {
    "BAD_REQUEST": ("The request can't be read.", _MEND),
    "FORBIDDEN": (
        "The cloud refused the request; or it came from a page of another origin, without keys.",
        _MEND,
    ),
    "UPGRADE_REQUIRED": ("The address is the stream's.", "Connect with a WebSocket client."),
    "THROTTLED": ("The stage takes no more requests now.", "Try again in a second, then slower."),
    "BAD_GATEWAY": ("The cloud behind the front door is away.", "See whether `make up` runs."),
    "UNAVAILABLE": ("The function can't be run now.", "Try again in a moment."),
    "TIMEOUT": (
        "The function took longer than 30 s. What it was asked may have been done.",
        "Send the request again, with the same idempotency key.",
    ),
}
