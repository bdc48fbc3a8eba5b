"""What a client asks for: orders of each type, and changes of them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from engine.api.base import KEY_EXAMPLES, Sent, left_out, plain, wrong
from engine.api.models import Amount, Bps, SentPrice, Wanted, whole
from engine.domain.errors import FieldCode
from engine.domain.launches import MINT, SYMBOL
from engine.domain.order import ID_PATTERN
from engine.domain.parts import MAX_PARTS
from engine.domain.terms import KINDS, Exit, IfTriggered, OrderType
from engine.service.changing import Changes, ExitChange
from engine.service.placing import NewOrder

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def _time(value: object) -> datetime:
    """Read RFC 3339, to the millisecond; what is finer is cut off."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            at = datetime.fromisoformat(value)
            return at.replace(microsecond=at.microsecond // 1000 * 1000).astimezone(UTC)
        except (ValueError, OverflowError):  # a 13th month, or an hour before the year 1
            pass
    raise wrong(FieldCode.TIME_TYPE, "must be RFC 3339 with an offset")


SlippageBps = Annotated[Bps, BeforeValidator(whole)]
Parts = Annotated[int, Field(ge=2, le=MAX_PARTS), BeforeValidator(whole)]
Interval = Annotated[int, Field(ge=1, le=86_400), BeforeValidator(whole)]
TrailingBps = Annotated[int, Field(ge=10, le=9_000), BeforeValidator(whole)]
MaxAge = Annotated[int, Field(ge=1, le=3_600), BeforeValidator(whole)]
LaunchSymbol = Annotated[str, Field(pattern=f"^{SYMBOL}$", examples=["MOON"])]
LaunchMint = Annotated[
    str, Field(pattern=f"^{MINT}$", examples=["4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R"])
]
SentTime = Annotated[
    datetime,
    BeforeValidator(_time),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-12-22T08:24:00+01:00"]}
    ),
]


def _slippage(kind: OrderType, description: str) -> Any:
    return Field(default=KINDS[kind].slippage_bps, description=description)


_TOLERANCE = "How much less than quoted may come out, in hundredths of a percent."
_NO_MATTER = "Of no effect: the limit is the least that is taken."
_BAND = "A part due at a reference price {} this is skipped; the last trades its amount too."
_STOP = "The trigger: a sell is due at this price or lower, a buy at this price or higher."
_LIMIT = "No worse price is taken: a sell gets this or more for one base token, a buy pays no more."


class _Placed(Sent):
    token_in: Wanted = Field(description="The token to sell, by its symbol.", examples=["SOL"])
    token_out: Wanted = Field(description="The token to buy, by its symbol.", examples=["USDC"])
    amount: Amount = Field(
        description="How much of tokenIn to sell, no finer than its decimals. A number is read as "
        "written, never as a float."
    )
    slippage_bps: SlippageBps = _slippage(OrderType.MARKET, _TOLERANCE)
    client_order_id: str | None = Field(
        default=None,
        pattern=ID_PATTERN,
        description="Makes the call idempotent, as the Idempotency-Key header does.",
        examples=KEY_EXAMPLES,
    )


class PlaceMarket(_Placed):
    """Trade now."""

    type: Literal["market"]


class _Waiting(_Placed):
    expires_at: SentTime = left_out(
        "When the order ends if it rests still: in the future, and at most 30 days "
        "from now, which it is if left out."
    )
    if_triggered: Literal["execute", "reject"] = Field(
        default="execute", description="What becomes of the order if it is due as it is placed."
    )


class PlaceLimit(_Waiting):
    """Trade at a price, or better."""

    type: Literal["limit"]
    limit_price: SentPrice = Field(description=_LIMIT)
    slippage_bps: SlippageBps = _slippage(OrderType.LIMIT, _NO_MATTER)


class PlaceStop(_Waiting):
    """Trade when the price has turned against the trader as far as this."""

    type: Literal["stop"]
    stop_price: SentPrice = Field(description=_STOP)
    slippage_bps: SlippageBps = _slippage(OrderType.STOP, _TOLERANCE)


class PlaceStopLimit(_Waiting):
    """Become a limit order when the price has turned as far as the stop."""

    type: Literal["stopLimit"]
    stop_price: SentPrice = Field(description=_STOP)
    limit_price: SentPrice = Field(description=_LIMIT)
    slippage_bps: SlippageBps = _slippage(OrderType.STOP_LIMIT, _NO_MATTER)


class PlaceTakeProfit(_Waiting):
    """Trade when the price has come as far as was hoped."""

    type: Literal["takeProfit"]
    stop_price: SentPrice = Field(
        description="The trigger: a sell is due at this price or higher, a buy at this or lower."
    )


class PlaceTrailingStop(_Waiting):
    """Trade when the price has turned by so much from the best that it was."""

    type: Literal["trailingStop"]
    trailing_bps: TrailingBps = Field(
        description="How far behind the best price the stop is, in hundredths of a percent."
    )
    activation_price: SentPrice = left_out(
        "From when on the price is followed: a sell from this or higher, a buy from "
        "this or lower. Left out: from now on."
    )


class TakeProfitLeg(Sent):
    """The leg that gains."""

    price: SentPrice
    slippage_bps: SlippageBps = left_out("The order's slippageBps if that is said, else 50.")


class StopLossLeg(Sent):
    """The leg that stops a loss."""

    price: SentPrice
    slippage_bps: SlippageBps = left_out("The order's slippageBps if that is said, else 300.")


class PlaceOco(_Waiting):
    """Trade at one of two prices, whichever comes first; the other is cancelled by that."""

    type: Literal["oco"]
    take_profit: TakeProfitLeg
    stop_loss: StopLossLeg = Field(
        description="Its price is below takeProfit's for a sell, above it for a buy."
    )
    slippage_bps: SlippageBps = _slippage(OrderType.OCO, "Of a leg that does not say its own.")


class PlaceTwap(_Waiting):
    """Trade in equal parts over time; the parts are orders of their own."""

    type: Literal["twap"]
    parts: Parts = Field(description="In how many parts; they sum to the amount exactly.")
    interval_seconds: Interval = Field(
        description="From one part to the next. The first begins at once."
    )
    min_price: SentPrice = left_out(_BAND.format("below"))
    max_price: SentPrice = left_out(_BAND.format("above"))


def _one_of_two(schema: dict[str, Any]) -> None:
    plain(schema)
    schema["oneOf"] = [{"required": ["tokenOut"]}, {"required": ["mint"]}]


class PlaceSniper(_Waiting, json_schema_extra=_one_of_two):
    """Buy a token when it launches; name it by its mint, or by its symbol."""

    type: Literal["sniper"]
    token_in: Wanted = Field(description="What is spent: USDC.", examples=["USDC"])
    token_out: LaunchSymbol = left_out(
        "The symbol of the token that is to launch. Anybody may "
        "take any symbol: only the mint is sure."
    )
    mint: LaunchMint = left_out("The address of the token that is to launch.")
    max_age_seconds: MaxAge = Field(
        default=60, description="How long after the launch, by its signal's own time, it may trade."
    )
    min_liquidity_usd: SentPrice = left_out(
        "What the token's pools have to hold, both sides together, in US dollars."
    )
    slippage_bps: SlippageBps = _slippage(OrderType.SNIPER, _TOLERANCE)

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.token_out is None) == (self.mint is None):
            raise wrong(FieldCode.REQUIRED, "name tokenOut or mint, one of the two")
        return self


#: The body of `POST /api/orders/execute`: one of them, by its `type`.
PlaceOrder = (
    PlaceMarket
    | PlaceLimit
    | PlaceStop
    | PlaceStopLimit
    | PlaceTakeProfit
    | PlaceTrailingStop
    | PlaceOco
    | PlaceTwap
    | PlaceSniper
)


def wish_of(order: PlaceOrder, key: str | None) -> NewOrder:
    """Return what a request asks for, as the service takes it."""
    asked = dict(order)
    del asked["client_order_id"]
    kind = OrderType(asked.pop("type"))
    if "if_triggered" in asked:
        asked["if_triggered"] = IfTriggered(asked["if_triggered"])
    if isinstance(order, PlaceSniper):
        asked["launch"] = asked["token_out"] = asked.pop("mint") or asked["token_out"]
    if isinstance(order, PlaceOco):
        said = order.slippage_bps if "slippage_bps" in order.model_fields_set else None
        asked["take_profit"] = _exit(order.take_profit, said, OrderType.TAKE_PROFIT)
        asked["stop_loss"] = _exit(order.stop_loss, said, OrderType.STOP)
    return NewOrder(**asked, kind=kind, key=key)


def _exit(leg: TakeProfitLeg | StopLossLeg, said: int | None, like: OrderType) -> Exit:
    bps = (leg.slippage_bps, said, KINDS[like].slippage_bps)
    return Exit(leg.price, next(each for each in bps if each is not None))


class ChangeLeg(Sent):
    """What is to become of one leg of an oco; what is left out stays."""

    price: SentPrice = left_out()
    slippage_bps: SlippageBps = left_out()


def _changes_something(schema: dict[str, Any]) -> None:
    plain(schema)
    schema["minProperties"] = 1


class ChangeOrder(Sent, json_schema_extra=_changes_something):
    """The body of `PATCH /api/orders/{orderId}`: what is left out stays."""

    limit_price: SentPrice = left_out()
    stop_price: SentPrice = left_out()
    trailing_bps: TrailingBps = left_out()
    activation_price: SentPrice = left_out("Begins anew: the price is followed from there on.")
    take_profit: ChangeLeg = left_out()
    stop_loss: ChangeLeg = left_out()
    min_price: SentPrice = left_out("Of a twap; counts from its next part on.")
    max_price: SentPrice = left_out("Of a twap; counts from its next part on.")
    max_age_seconds: MaxAge = left_out("Of a sniper.")
    min_liquidity_usd: SentPrice = left_out("Of a sniper.")
    slippage_bps: SlippageBps = left_out("Not of an oco: each leg has one.")
    expires_at: SentTime = left_out("In the future, and at most 30 days from now.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise wrong(FieldCode.INVALID, "name what is to change")
        return self

    @property
    def changes(self) -> Changes:
        """What is to change, and to what."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        return {
            name: ExitChange(to.price, to.slippage_bps) if isinstance(to, ChangeLeg) else to
            for name, to in named.items()
        }


class CancelAll(Sent):
    """The body of `POST /api/orders/cancel-all`, which may also be empty."""

    pair: Wanted = left_out("Orders of this pair only: BASE/QUOTE, as /api/tokens lists it.")


class LaunchedToken(Sent):
    """The token that has launched."""

    mint: LaunchMint
    symbol: LaunchSymbol
    decimals: Annotated[int, Field(ge=0, le=18), BeforeValidator(whole)]


class LaunchSignal(Sent):
    """The body of `POST /api/signals/{source}`."""

    type: Literal["token.launched"]
    timestamp: SentTime = Field(description="When it launched.")
    data: LaunchedToken


class LaunchToken(Sent):
    """The body of `POST /api/simulation/launches`."""

    symbol: Annotated[str, Field(pattern="^[A-Z][A-Z0-9]{1,11}$", examples=["MOON"])]
    price: Annotated[SentPrice, Field(ge=Decimal("0.000001"), le=1_000_000)] = Field(
        description="USDC for one token, from 0.000001 to 1000000."
    )
    liquidity_usd: Annotated[SentPrice, Field(ge=100, le=10_000_000)] = Field(
        description="What both pools hold together, in US dollars from 100 to 10000000; cents are "
        "dropped.",
        examples=[100_000],
    )
