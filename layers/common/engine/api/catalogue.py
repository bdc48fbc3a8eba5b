"""Every code that a client may meet: where, what it means, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.api.problems import PROBLEMS
from engine.domain.order import LIMIT_NOT_MET, TRANSACTION_EXPIRED
from engine.domain.parts import PRICE_OUTSIDE_BAND

Said = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chapter:
    """Codes that are met in the same place; each with its meaning and an advice.

    `statuses` are there where the codes are answers of their own.
    """

    title: str
    where: str
    said: Said
    statuses: Mapping[str, int] = field(default_factory=dict)


MEND = "Mend the request; the same one will be refused again."
_PROBLEMS = {
    "MALFORMED_JSON": (
        "The body is not one JSON object in UTF-8, or a name stands in it twice.",
        MEND,
    ),
    "INVALID_IDEMPOTENCY_KEY": (
        "The `Idempotency-Key` header is not 1 to 64 of `A-Z a-z 0-9 . _ : -`.",
        MEND,
    ),
    "INVALID_CURSOR": (
        "The cursor is not of this list: another account's, another filter's, or changed.",
        "List from the start, without `cursor`.",
    ),
    "UNAUTHENTICATED": (
        "There is no API key in the request, or it is unknown, wrong or revoked.",
        "Send `Authorization: Bearer KEY`, or `X-Api-Key: KEY`.",
    ),
    "OPERATOR_ONLY": (
        "The key is a trader's. Nothing was done, and the attempt stands in the operators' audit.",
        "Use an operator's key: `make key ACCOUNT=... ROLE=operator`.",
    ),
    "SIGNATURE_INVALID": (
        "The signal is not signed by a good secret of its source, or not within five minutes.",
        "Sign the raw body; see docs/signals.md. Send it again with a new timestamp.",
    ),
    "UNKNOWN_SOURCE": (
        "No signals are taken from a source of this name.",
        "Ask the operator, who makes sources by `make signal-source`.",
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
    "ORDER_NOT_CHANGEABLE": (
        "The order rests no more, or never did; or it was changed 100 times. It was not changed.",
        "Read the order: its `trigger` says whether it has come due.",
    ),
    "PRECONDITION_FAILED": (
        "`If-Match` names another `seq` than the order has. It was not changed.",
        "Read the order, and send its `ETag`.",
    ),
    "BODY_TOO_LARGE": ("The body is larger than 16 KiB.", MEND),
    "UNSUPPORTED_MEDIA_TYPE": (
        "The body is not declared as JSON.",
        "Send `Content-Type: application/json`.",
    ),
    "INVALID_ORDER": ("Fields of the order can't be accepted.", "See `errors`, field by field."),
    "WOULD_TRIGGER_NOW": (
        "The order is due as it is placed, or by its change, and has `ifTriggered` `reject`.",
        "Take another price, or `execute`; `errors` names the price that is reached.",
    ),
    "TOO_MANY_RESTING_ORDERS": (
        "As many orders of the account rest as may.",
        "Cancel some, or let them end. Nothing was placed.",
    ),
    "INVALID_QUERY": (
        "Parameters of the query can't be accepted.",
        "See `errors`; `pointer` is a slash and the parameter's name.",
    ),
    "INVALID_BODY": (
        "Fields of the body can't be accepted, or the call takes none, or an empty object.",
        "See `errors`, field by field.",
    ),
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
    "PRICE_UNAVAILABLE": (
        "No venue tells a price, and a trailing stop has nothing to follow.",
        "Try again later, not before `Retry-After`, or say an `activationPrice`.",
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
    "UNSUPPORTED_PAIR": (
        "The two tokens do not trade against each other, or not in that order.",
        "See `pairs` there.",
    ),
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
    "PRICE_TYPE": (
        "The price is not a JSON number or a decimal string.",
        'Send `163.25` or `"163.25"`, without sign, exponent or blanks in a string.',
    ),
    "PRICE_OUT_OF_RANGE": (
        "The price is zero, negative, or beyond what it may be here.",
        "See `detail`.",
    ),
    "PRICE_TOO_PRECISE": ("The price has more than 12 significant digits.", "Round it."),
    "PRICES_CROSSED": (
        "An `oco` would lose where it is to gain: its two prices are on each other's side.",
        "For a sell `stopLoss` lies below `takeProfit`, for a buy above it.",
    ),
    "TIME_TYPE": (
        "The time is not RFC 3339 with an offset.",
        'Send `"2026-12-22T08:24:00Z"` or `"2026-12-22T09:24:00+01:00"`.',
    ),
    "EXPIRY_OUT_OF_RANGE": (
        "The end is not in the future, or more than 30 days away.",
        "Take another, or leave it out: then it is 30 days from now.",
    ),
    "WOULD_TRIGGER_NOW": ("The reference price has reached this price.", "See the problem's code."),
    "TOO_MANY_RESTING_ORDERS": ("An order of this type waits.", "See the problem's code."),
    "PARTS_TOO_SMALL": (
        "The amount has fewer base units than the order has parts.",
        "Sell more, or in fewer parts.",
    ),
    "SCHEDULE_TOO_LONG": (
        "The last part would begin after the order's end.",
        "Take fewer parts, a shorter interval, or a later `expiresAt`.",
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
    "LAUNCH_TOO_OLD": (
        "The token launched more than `maxAgeSeconds` before the order could trade. Nothing was.",
        "Allow more, or place another type of order.",
    ),
    "LIQUIDITY_TOO_LOW": (
        "The pools of the launched token held less than `minLiquidityUsd`. Nothing was traded.",
        "Demand less, or place another type of order.",
    ),
    "VENUES_UNAVAILABLE": (
        "No venue gave a quote in three attempts. Nothing was traded.",
        "Place a new order later.",
    ),
    "CHAIN_UNAVAILABLE": (
        "The chain or the key that signs did not answer. Nothing was signed, nothing traded.",
        "Place a new order later.",
    ),
    "INSUFFICIENT_FUNDS": (
        "The account that trades holds too little of what is sold, or of SOL for fees.",
        "Fund the account; docs/solana.md says what it needs.",
    ),
    "TRANSACTION_FAILED": (
        "The chain undid the trade for a reason without a code; `detail` has the program's.",
        "Look the number up at the program; place a new order.",
    ),
    "TRANSACTION_REFUSED": (
        "What was built was not what the order says, so it was not signed. Nothing was traded.",
        "Tell the operator: this is a defect, or an attack.",
    ),
    "SETTLEMENT_CHANGED": (
        "The order was placed for another `settlement` than the stack has now: nothing traded.",
        "Place a new order, if it is meant.",
    ),
    "PART_FAILED": (
        "Three orders for one part of a `twap` were not filled; `detail` has the last reason.",
        "See `filledAmount` for what was traded, and `children`; place a new order for the rest.",
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
    LIMIT_NOT_MET: (
        "The order came due, and the quotes did not meet its limit, net of fees. Nothing was sent.",
        "It rests again, at a price a little further on; change its limit if it has to trade.",
    ),
    PRICE_OUTSIDE_BAND: (
        "A part of a `twap` was due while the reference price was outside its band.",
        "Nothing: the last part trades its amount too; the last waits for a price inside.",
    ),
    TRANSACTION_EXPIRED: (
        "The transaction did not land while it could: it traded nothing, and never will.",
        "Nothing: the order signs another one if its deadline allows.",
    ),
}
_QUOTES = {
    "VENUE_TIMEOUT": ("The venue did not answer in time.", "Another may; the order tries again."),
    "VENUE_UNAVAILABLE": ("The venue gave no answer.", "Another may; the order tries again."),
    "VENUE_SUSPENDED": (
        "The venue failed five times in a row and is not asked for half a minute.",
        "Another may; the order tries again. `breakers` of /api/quotes says until when.",
    ),
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
    "SEQ_NOT_REACHED": (
        "`afterSeq` is above the `seq` that the order has; `detail` says which that is.",
        "Subscribe with the `seq` you have. The subscription stands: what goes above it is pushed.",
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

CHAPTERS = (
    Chapter(
        "Problems",
        "`code` of a problem document",
        _PROBLEMS,
        {code: kind.status for code, kind in PROBLEMS.items()},
    ),
    Chapter("Fields", "`errors[].code` of a 422", _FIELDS),
    Chapter("Failed orders", "`error.code` of an order", _FAILURES),
    Chapter("Tries", "`tries[].code` of an order, besides those of a failed order", _TRIES),
    Chapter("Quotes", "`quotes[].error`, of an order or of /api/quotes", _QUOTES),
    Chapter("Stream", "`code` of a message of type `error`", _STREAM),
    Chapter(
        "Refused connections",
        "the status of a WebSocket handshake; `code` where there is a body, as locally",
        _REFUSED,
        {
            "BAD_HANDSHAKE": 400,
            "UNAUTHENTICATED": 401,
            "CONNECT_RATE_EXCEEDED": 429,
            "STORE_UNAVAILABLE": 503,
        },
    ),
)
