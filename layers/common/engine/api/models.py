"""What goes in and out over HTTP: it is validated by these models, and they are the contract."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from engine.api.base import (
    Code,
    Id,
    Sent,
    Seq,
    Time,
    Told,
    count,
    optional,
    wrong,
)
from engine.domain.errors import FieldCode
from engine.domain.money import decimal_of
from engine.domain.order import Network, Settlement, Status, TryOutcome
from engine.domain.prices import PriceOutOfRange, PriceTooPrecise, checked_price
from engine.domain.terms import IfTriggered, OrderType
from engine.domain.triggers import Direction, Side


def _amount(value: object) -> Decimal:
    return _decimal(value, FieldCode.AMOUNT_TYPE)


def _decimal(value: object, otherwise: FieldCode) -> Decimal:
    """Read a number, or digits with an optional point: no sign, blank, exponent or word."""
    if isinstance(value, str):
        digits = value.replace(".", "", 1)
        if len(value) <= 64 and digits.isascii() and digits.isdigit():
            return decimal_of(value)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    raise wrong(otherwise, "must be a number or a decimal string")


def _price(value: object) -> Decimal:
    """Read a price as an amount is read; its bounds are those of every price."""
    try:
        return checked_price(_decimal(value, FieldCode.PRICE_TYPE))
    except PriceOutOfRange as error:
        raise wrong(FieldCode.PRICE_OUT_OF_RANGE, str(error)) from None
    except PriceTooPrecise as error:
        raise wrong(FieldCode.PRICE_TOO_PRECISE, str(error)) from None


def whole(value: object) -> object:
    """Let `50.0` be the whole number that JSON says it is."""
    if isinstance(value, Decimal) and value.adjusted() < 10 and value == value.to_integral_value():
        return int(value)
    return value


_AMOUNT_TEXT: dict[str, Any] = {
    "type": "string",
    "maxLength": 64,
    "pattern": r"^(?=.*[1-9])([0-9]+\.?[0-9]*|\.[0-9]+)$",
}
_AMOUNT_NUMBER: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}

#: An amount as a body has it, and as a query does: what it looks like on paper, what reads it.
Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema({"anyOf": [_AMOUNT_TEXT, _AMOUNT_NUMBER], "examples": ["1.5", 1]}),
]
#: A price as a body has it: quote tokens for one base token.
SentPrice = Annotated[
    Decimal,
    BeforeValidator(_price),
    WithJsonSchema({"anyOf": [_AMOUNT_TEXT, _AMOUNT_NUMBER], "examples": ["163.25", 163.25]}),
]
QueryAmount = Annotated[
    Decimal, BeforeValidator(_amount), WithJsonSchema({**_AMOUNT_TEXT, "examples": ["1.5"]})
]
Pair = Annotated[
    str, Field(description="Base and quote, as /api/tokens has them.", examples=["SOL/USDC"])
]
Symbol = Annotated[str, Field(description="A token's symbol.", examples=["SOL"])]
Wanted = Annotated[str, Field(min_length=1, max_length=64)]
Bps = Annotated[int, Field(ge=0, le=10_000)]
QueryBps = Annotated[Bps, BeforeValidator(count)]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(count)]
Digits = Annotated[
    str,
    Field(
        pattern=r"^[0-9]+(\.[0-9]+)?$",
        description="A decimal number as text, exact.",
        examples=["163.05"],
    ),
]


#: Of every document that tells of a trade or a price.
OnNetwork = Annotated[Network, Field(description="Whose venues and chain these are.")]
Settled = Annotated[
    Settlement,
    Field(
        description="simulated; paper: real pools, fills that are made up from them, nothing is "
        "sent; live: with money."
    ),
]


class Quote(Told):
    """What one venue offered for the whole amount."""

    venue: str
    amount_out: Digits
    min_amount_out: Digits
    fee: Digits = Field(description="The venue's fee, in feeToken; amountOut is net of it.")
    fee_token: Symbol = Field(description="tokenIn, or tokenOut of a pool that charges there.")
    price_impact_bps: int
    price: Digits = Field(description="tokenOut for one tokenIn.")


class NoQuote(Told):
    """Why a venue offered nothing."""

    venue: str
    error: Code


class Leg(Told):
    """One swap."""

    venue: str
    pool: str
    amount_in: Digits
    amount_out: Digits = Field(description="What was quoted.")
    share: Digits = Field(description="The part of the order's amount, 0 to 1.")


class Instruction(Told):
    """One step of the transaction."""

    program: str = Field(description="wrap-sol, a venue's name, or unwrap-sol.")
    pool: str | SkipJsonSchema[None] = optional()
    amount_in: Digits | SkipJsonSchema[None] = optional()
    min_amount_out: Digits | SkipJsonSchema[None] = optional()


class Route(Told):
    """The swaps of an order, all in one transaction."""

    legs: list[Leg] = Field(min_length=1)
    reason: str = Field(description="Why this way, for people.")
    instructions: list[Instruction] | SkipJsonSchema[None] = optional()


class Step(Told):
    """One line of the history."""

    seq: Seq
    status: Status
    at: Time


class Failure(Told):
    """Why an order failed."""

    code: Code
    detail: str = Field(description="For people.")


class Try(Told):
    """What one attempt came to: every signature that was ever sent stands in one."""

    at: Time = Field(description="When it was signed, or found to have no route.")
    attempt: int = Field(ge=1, description="Which of the attempts it was.")
    tx_hash: str | None = Field(description="What was signed; null if it came to nothing before.")
    outcome: TryOutcome = Field(
        description="signed and stored, then sent; then landed, or reverted on the chain, or "
        "expired unlanded. noRoute: there was nothing to sign."
    )
    code: Code | None = Field(
        description="Why nothing was traded; null while it may be, and if it was."
    )
    price: Digits | None = Field(
        description="The reference price at which it came due; null if it waited for none."
    )
    quoted_out: Digits | None = Field(
        description="What of tokenOut was quoted; null if nothing was, or it is not kept."
    )
    bound: Digits | None = Field(
        description="The least of tokenOut that was taken; null if it is not known."
    )


class Level(Told):
    """A price, and the side of it on which the reference price has to be."""

    leg: Literal["takeProfit", "stopLoss"] | None = Field(description="Of an oco: which of two.")
    direction: Direction
    price: Digits


class Trigger(Told):
    """What an order waits for, and what has set it off last."""

    source: Literal["reference", "time", "launch"] = Field(
        description="reference: the price of GET /api/prices. time: the slots of a twap. launch: a "
        "token's launch, whatever its price."
    )
    launch: str | None = Field(description="The mint or the symbol whose launch is awaited.")
    launched_at: Time | None = Field(description="When it launched, by the signal's own time.")
    direction: Direction | None = Field(
        description="above: due at `price` or higher; below: or lower. Null while an oco waits."
    )
    price: Digits | None = Field(
        description="What it waits for now; once due, what it was due by. Of a trailing stop that "
        "is not yet active, what activates it. Null while an oco waits: see `levels`."
    )
    levels: list[Level] = Field(
        description="All prices it waits for now: a twap and a sniper have none."
    )
    due_at: Time | None = Field(
        description="Of a twap: when its next part may begin; null if none is left, or it is not "
        "kept."
    )
    watermark: Digits | None = Field(
        description="Of an active trailing stop: the best price that it has followed so far."
    )
    triggered_at: Time | None = Field(description="When it came due last; null before that.")
    triggered_price: Digits | None = Field(description="The reference price then.")


class Exit(Told):
    """One leg of an oco."""

    price: Digits
    slippage_bps: Bps


class Child(Told):
    """An order that was placed for a part of a twap."""

    part: int = Field(ge=1, description="Which part; one that failed has another order later.")
    order_id: Id
    amount: Digits = Field(description="How much of tokenIn it is to sell.")
    status: Status = Field(description="pending until it has ended, and how it ended then.")


class Order(Told, defer_build=False):  # whoever imports it needs it, and messages are made of it
    """An order, all of it. What its type does not have is null."""

    order_id: Id
    client_order_id: Id | None = Field(description="The idempotency key, if there was one.")
    network: OnNetwork
    settlement: Settled
    type: OrderType
    pair: Pair
    side: Side = Field(description="sell if tokenIn is the pair's base, buy if tokenOut is.")
    token_in: Symbol
    token_out: Symbol
    amount: Digits = Field(description="How much of tokenIn is sold.")
    slippage_bps: Bps
    limit_price: Digits | None
    stop_price: Digits | None
    trailing_bps: int | None
    activation_price: Digits | None
    take_profit: Exit | None
    stop_loss: Exit | None
    parts: int | None = Field(description="Of a twap: in how many parts it trades.")
    interval_seconds: int | None
    min_price: Digits | None
    max_price: Digits | None
    parent_id: Id | None = Field(description="The twap of which this order is a part.")
    mint: str | None = Field(description="Of a sniper: its token's address, if it is known yet.")
    max_age_seconds: int | None
    min_liquidity_usd: Digits | None
    if_triggered: IfTriggered | None
    expires_at: Time | None = Field(description="When it ends if it rests still.")
    summary: str = Field(description="What will happen, for people.")
    trigger: Trigger | None
    status: Status
    seq: Seq = Field(description="One more with every change; also the ETag, in quotes.")
    attempts: int = Field(ge=0, description="How often it was tried to trade.")
    created_at: Time
    updated_at: Time
    quotes: list[Quote | NoQuote]
    route: Route | None = Field(description="What was chosen, and why; null before that.")
    min_amount_out: Digits | None = Field(description="The least of tokenOut that is taken.")
    amount_out: Digits | None = Field(
        description="What came out; null unless confirmed. Of a twap: so far."
    )
    executed_price: Digits | None = Field(
        description="tokenOut for one tokenIn; null unless confirmed."
    )
    filled_amount: Digits | None = Field(
        description="Of a twap: how much of tokenIn its parts have sold so far."
    )
    average_price: Digits | None = Field(
        description="Of a twap: quote tokens for one base token over what is filled."
    )
    stopping: Status | None = Field(
        description="Of a twap that begins no more parts while some are under way: how it ends "
        "after them, unless they fill all of it."
    )
    children: list[Child] | None = Field(description="Of a twap: the orders of its parts.")
    tx_hash: str | None = Field(
        description="The signature that was sent last, whatever became of it."
    )
    error: Failure | None = Field(description="Why the order failed; null unless it has.")
    history: list[Step] = Field(min_length=1)
    tries: list[Try]


class Cancelled(Told):
    """What has been cancelled at once."""

    pair: Pair | None = Field(description="Orders of this pair; null: of all.")
    cancelled_at: Time = Field(description="Whatever rested then does not trade any more.")


class OrderPage(Told):
    """A page of orders, newest first."""

    orders: list[Order] = Field(max_length=100)
    next_cursor: Annotated[str, Field(max_length=256)] | None = Field(
        description="Send it as `cursor`; null on the last page."
    )


class Breaker(Told):
    """Whether a venue is asked at present: `closed` is yes, `probing` by one order only."""

    venue: str
    state: Literal["closed", "open", "probing"]
    until: Time | None = Field(description="Until when it is left alone, or tried.")


class Offer(Told):
    """What an order would do now."""

    network: OnNetwork
    settlement: Settled
    token_in: Symbol
    token_out: Symbol
    amount: Digits
    slippage_bps: Bps
    at: Time
    quotes: list[Quote | NoQuote]
    route: Route | None = Field(description="What would be chosen; null if no venue can fill it.")
    amount_out: Digits | None = Field(description="What is quoted for the route.")
    min_amount_out: Digits | None = Field(description="The least that slippageBps tolerates.")
    breakers: list[Breaker] = Field(
        description="Each venue's breaker: open for 30 s after five failures in a row."
    )


class MovePrice(Sent):
    """The body of `POST /api/simulation/prices`."""

    pair: Wanted = Field(description="BASE/QUOTE, as /api/tokens lists it.", examples=["SOL/USDC"])
    price: SentPrice = Field(
        description="Quote tokens for one base token, of at most 12 significant digits, from a "
        "thousandth to a thousandfold of where the simulation began."
    )


class VenuePrice(Told):
    """What one venue says of a pair."""

    venue: str
    price: Digits = Field(description="Between buying and selling: quote for one base token.")
    depth: Digits = Field(
        description="Quote tokens that trade within 1 % of it; the venue's weight."
    )


class Price(Told):
    """The reference price of a pair, by which triggers go."""

    network: OnNetwork
    settlement: Settled
    pair: Pair
    price: Digits | None = Field(
        description="Quote tokens for one base token; null if no venue ever told one."
    )
    at: Time | None = Field(description="When it was so; null without a price.")
    source: list[str] = Field(description="The venues that it is made of.")
    stale: bool = Field(description="It is too old to trigger anything: no venue answers.")
    venues: list[VenuePrice] = Field(description="What each venue says now.")


class Prices(Told):
    """The reference prices of all pairs."""

    prices: list[Price]


class Token(Told):
    """A token."""

    symbol: Symbol
    mint: str = Field(description="Its address on the chain.")
    decimals: int = Field(ge=0, le=18)


class Tokens(Told):
    """What trades here."""

    tokens: list[Token]
    pairs: list[
        Annotated[
            list[Symbol],
            Field(min_length=2, max_length=2, description="Either may be sold."),
        ]
    ]


class Ticket(Told):
    """A ticket for one WebSocket connection."""

    ticket: str = Field(pattern=r"^oet_[0-9a-f]{64}$")
    expires_at: Time


class Health(Told):
    """It is up, and what it trades with."""

    status: Literal["ok"]
    network: OnNetwork
    settlement: Settled


class FieldProblem(Told):
    """What is wrong with one field."""

    pointer: str = Field(
        json_schema_extra={"format": "json-pointer"},
        description="Into the body (RFC 6901), or a slash and a parameter's name.",
    )
    code: Code
    detail: str


class Problem(Told):
    """An error (RFC 9457)."""

    type: str = Field(
        pattern=r"^/docs#[A-Z][A-Z0-9_]+$",
        json_schema_extra={"format": "uri-reference"},
        description="Leads to what /docs says of the code; as stable as that.",
    )
    title: str = Field(description="The same for every problem of this code.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="For people.")
    code: Code
    request_id: str = Field(description="As in X-Request-Id, and in the log.")
    errors: Annotated[list[FieldProblem], Field(min_length=1)] | SkipJsonSchema[None] = optional()


class GatewayMessage(Told):
    """What API Gateway itself says in the engine's stead."""

    message: str = Field(examples=["Too Many Requests"])


class OfOrder(Told):
    """What the stream tells of an order."""

    type: str
    order_id: Id
    seq: Seq = Field(description="Drop what has a `seq` not above the one you have of this order.")
    status: Status
    at: Time
    order: Order


class Snapshot(OfOrder):
    """How an order stands: the newest of what was when the client subscribed."""

    type: Literal["snapshot"] = "snapshot"


class StatusChange(OfOrder):
    """A state of an order: one that was, or a new one."""

    type: Literal["status"] = "status"
