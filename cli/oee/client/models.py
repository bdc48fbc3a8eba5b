"""The documents of the API, made from docs/openapi.json by `make contracts`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from oee.client.base import Amount, Digits, Open, Sent, Time, Told


class Result(Open):
    """What became of an act. It is `begun` before it is done: if it stays so, nobody knows."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


class Act(Told):
    """What an operator did, or a trader was refused."""

    id: str
    #: RFC 3339, in UTC, to the millisecond.
    at: Time
    account: str
    #: Null: somebody with a shell, by `make`.
    key_id: str | None
    #: halt, resume, redrive; of a refusal the call.
    act: str
    reason: str | None
    #: `begun` is written before an act: if it stays, its result is not known.
    result: Result


class Acts(Told):
    """A page of the audit, newest first."""

    acts: list[Act]
    #: Send it as `cursor`; null on the last page.
    next_cursor: str | None


class Breaker(Told):
    """Whether a venue is asked at present: `closed` is yes, `probing` by one order only."""

    venue: str
    #: One of closed, open, probing.
    state: str
    #: Until when it is left alone, or tried.
    until: Time | None


class CancelAll(Sent):
    """The body of `POST /api/orders/cancel-all`, which may also be empty."""

    #: Orders of this pair only: BASE/QUOTE, as /api/tokens lists it.
    pair: str | None = None


class Cancelled(Told):
    """What has been cancelled at once."""

    #: Orders of this pair; null: of all.
    pair: str | None
    #: Whatever rested then does not trade any more.
    cancelled_at: Time


class ChangeLeg(Sent):
    """What is to become of one leg of an oco; what is left out stays."""

    price: Amount | None = None
    slippage_bps: int | None = None


class ChangeOrder(Sent):
    """The body of `PATCH /api/orders/{orderId}`: what is left out stays."""

    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trailing_bps: int | None = None
    #: Begins anew: the price is followed from there on.
    activation_price: Amount | None = None
    take_profit: ChangeLeg | None = None
    stop_loss: ChangeLeg | None = None
    #: Of a twap; counts from its next part on.
    min_price: Amount | None = None
    #: Of a twap; counts from its next part on.
    max_price: Amount | None = None
    #: Of a sniper.
    max_age_seconds: int | None = None
    #: Of a sniper.
    min_liquidity_usd: Amount | None = None
    #: Not of an oco: each leg has one.
    slippage_bps: int | None = None
    #: In the future, and at most 30 days from now.
    expires_at: Time | None = None


class Status(Open):
    """pending, routing, building, submitted, confirmed; failed from any of the first four;
    cancelled from pending only. The last three are final.
    """

    PENDING = "pending"
    ROUTING = "routing"
    BUILDING = "building"
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RESTING = "resting"
    EXPIRED = "expired"


class Child(Told):
    """An order that was placed for a part of a twap."""

    #: Which part; one that failed has another order later.
    part: int
    order_id: str
    #: How much of tokenIn it is to sell.
    amount: Digits
    #: pending until it has ended, and how it ended then.
    status: Status


class LyingLetter(Told):
    """A message in the dead-letter queue."""

    message_id: str
    #: Null if the message can't be read.
    order_id: str | None
    #: How often it was received, this look included.
    receive_count: int
    #: RFC 3339, in UTC, to the millisecond.
    sent_at: Time
    #: The order's; null if there is none.
    status: Status | None
    #: Why it lies here, or else why its order failed.
    error: str | None


class DeadLetters(Told):
    """Letters, some of those there: one that somebody looks at right now is left out."""

    dead_letters: list[LyingLetter]
    #: How many there are, about.
    count: int


class Direction(Open):
    """The side of a level on which the price has to be, the level itself included."""

    ABOVE = "above"
    BELOW = "below"


class Exit(Told):
    """One leg of an oco."""

    #: A decimal number as text, exact.
    price: Digits
    slippage_bps: int


class Failure(Told):
    """Why an order failed."""

    #: Stable; see docs/errors.md.
    code: str
    #: For people.
    detail: str


class FieldProblem(Told):
    """What is wrong with one field."""

    #: Into the body (RFC 6901), or a slash and a parameter's name.
    pointer: str
    #: Stable; see docs/errors.md.
    code: str
    detail: str


class GatewayMessage(Told):
    """What API Gateway itself says in the engine's stead."""

    message: str


class Network(Open):
    """Whose venues and chain an order meets."""

    SIMULATED = "simulated"
    SOLANA = "solana"


class Settlement(Open):
    """How an order is settled: in a simulated market; on paper, by real pools as they stand when
    it would have landed; or live, with money.
    """

    SIMULATED = "simulated"
    PAPER = "paper"
    LIVE = "live"


class Health(Told):
    """It is up, and what it trades with."""

    status: str
    #: Whose venues and chain these are.
    network: Network
    #: simulated; paper: real pools, fills that are made up from them, nothing is sent; live:
    #: with money.
    settlement: Settlement


class IfTriggered(Open):
    """What becomes of an order that is due as it is placed."""

    EXECUTE = "execute"
    REJECT = "reject"


class Instruction(Told):
    """One step of the transaction."""

    #: wrap-sol, a venue's name, or unwrap-sol.
    program: str
    pool: str | None = None
    #: A decimal number as text, exact.
    amount_in: Digits | None = None
    #: A decimal number as text, exact.
    min_amount_out: Digits | None = None


class Percentiles(Told):
    """Milliseconds, by nearest rank."""

    p50: int
    p95: int
    p99: int


class Steps(Told):
    """An order's time from when it is due to its end, and the parts of it; null: of no order."""

    total: Percentiles | None
    queue: Percentiles | None
    quotes: Percentiles | None
    build: Percentiles | None
    landing: Percentiles | None


class Latency(Told):
    """How long the orders took that ended last, the 1,000 last at most."""

    orders: int
    steps: Steps


class LaunchedToken(Sent):
    """The token that has launched."""

    mint: str
    symbol: str
    decimals: int


class LaunchSignal(Sent):
    """The body of `POST /api/signals/{source}`."""

    type: Literal["token.launched"] = "token.launched"
    #: When it launched.
    timestamp: Time
    data: LaunchedToken


class LaunchToken(Sent):
    """The body of `POST /api/simulation/launches`."""

    symbol: str
    #: USDC for one token, from 0.000001 to 1000000.
    price: Amount
    #: What both pools hold together, in US dollars from 100 to 10000000; cents are dropped.
    liquidity_usd: Amount


class Launched(Told):
    """A token that trades from now on."""

    #: A token's symbol.
    symbol: str
    #: Its address in the simulated market.
    mint: str
    #: Base and quote, as /api/tokens has them.
    pair: str
    #: RFC 3339, in UTC, to the millisecond.
    launched_at: Time


class Leg(Told):
    """One swap."""

    venue: str
    pool: str
    #: A decimal number as text, exact.
    amount_in: Digits
    #: What was quoted.
    amount_out: Digits
    #: The part of the order's amount, 0 to 1.
    share: Digits


class Level(Told):
    """A price, and the side of it on which the reference price has to be."""

    #: Of an oco: which of two.
    leg: str | None
    direction: Direction
    #: A decimal number as text, exact.
    price: Digits


class MovePrice(Sent):
    """The body of `POST /api/simulation/prices`."""

    #: BASE/QUOTE, as /api/tokens lists it.
    pair: str
    #: Quote tokens for one base token, of at most 12 significant digits, from a thousandth to a
    #: thousandfold of where the simulation began.
    price: Amount


class NoQuote(Told):
    """Why a venue offered nothing."""

    venue: str
    #: Stable; see docs/errors.md.
    error: str


class Quote(Told):
    """What one venue offered for the whole amount."""

    venue: str
    #: A decimal number as text, exact.
    amount_out: Digits
    #: A decimal number as text, exact.
    min_amount_out: Digits
    #: The venue's fee, in feeToken; amountOut is net of it.
    fee: Digits
    #: tokenIn, or tokenOut of a pool that charges there.
    fee_token: str
    price_impact_bps: int
    #: tokenOut for one tokenIn.
    price: Digits


class Route(Told):
    """The swaps of an order, all in one transaction."""

    legs: list[Leg]
    #: Why this way, for people.
    reason: str
    instructions: list[Instruction] | None = None


class Offer(Told):
    """What an order would do now."""

    #: Whose venues and chain these are.
    network: Network
    #: simulated; paper: real pools, fills that are made up from them, nothing is sent; live:
    #: with money.
    settlement: Settlement
    #: A token's symbol.
    token_in: str
    #: A token's symbol.
    token_out: str
    #: A decimal number as text, exact.
    amount: Digits
    slippage_bps: int
    #: RFC 3339, in UTC, to the millisecond.
    at: Time
    quotes: list[Annotated[Quote | NoQuote, Field(union_mode="left_to_right")]]
    #: What would be chosen; null if no venue can fill it.
    route: Route | None
    #: What is quoted for the route.
    amount_out: Digits | None
    #: The least that slippageBps tolerates.
    min_amount_out: Digits | None
    #: Each venue's breaker: open for 30 s after five failures in a row.
    breakers: list[Breaker]


class OrderType(Open):
    """How an order says when and at what price it trades."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stopLimit"
    TAKE_PROFIT = "takeProfit"
    TRAILING_STOP = "trailingStop"
    OCO = "oco"
    TWAP = "twap"
    SNIPER = "sniper"


class Side(Open):
    """Whether the base token of a pair is sold or bought."""

    SELL = "sell"
    BUY = "buy"


class Trigger(Told):
    """What an order waits for, and what has set it off last."""

    #: reference: the price of GET /api/prices. time: the slots of a twap. launch: a token's
    #: launch, whatever its price. One of reference, time, launch.
    source: str
    #: The mint or the symbol whose launch is awaited.
    launch: str | None
    #: When it launched, by the signal's own time.
    launched_at: Time | None
    #: above: due at `price` or higher; below: or lower. Null while an oco waits.
    direction: Direction | None
    #: What it waits for now; once due, what it was due by. Of a trailing stop that is not yet
    #: active, what activates it. Null while an oco waits: see `levels`.
    price: Digits | None
    #: All prices it waits for now: a twap and a sniper have none.
    levels: list[Level]
    #: Of a twap: when its next part may begin; null if none is left, or it is not kept.
    due_at: Time | None
    #: Of an active trailing stop: the best price that it has followed so far.
    watermark: Digits | None
    #: When it came due last; null before that.
    triggered_at: Time | None
    #: The reference price then.
    triggered_price: Digits | None


class Step(Told):
    """One line of the history."""

    seq: int
    status: Status
    #: RFC 3339, in UTC, to the millisecond.
    at: Time


class TryOutcome(Open):
    """How far a try to trade has come, or how it ended."""

    SIGNED = "signed"
    SENT = "sent"
    LANDED = "landed"
    REVERTED = "reverted"
    EXPIRED = "expired"
    NO_ROUTE = "noRoute"


class Try(Told):
    """What one attempt came to: every signature that was ever sent stands in one."""

    #: When it was signed, or found to have no route.
    at: Time
    #: Which of the attempts it was.
    attempt: int
    #: What was signed; null if it came to nothing before.
    tx_hash: str | None
    #: signed and stored, then sent; then landed, or reverted on the chain, or expired unlanded.
    #: noRoute: there was nothing to sign.
    outcome: TryOutcome
    #: Why nothing was traded; null while it may be, and if it was.
    code: str | None
    #: The reference price at which it came due; null if it waited for none.
    price: Digits | None
    #: What of tokenOut was quoted; null if nothing was, or it is not kept.
    quoted_out: Digits | None
    #: The least of tokenOut that was taken; null if it is not known.
    bound: Digits | None


class Order(Told):
    """An order, all of it. What its type does not have is null."""

    order_id: str
    #: The idempotency key, if there was one.
    client_order_id: str | None
    #: Whose venues and chain these are.
    network: Network
    #: simulated; paper: real pools, fills that are made up from them, nothing is sent; live:
    #: with money.
    settlement: Settlement
    type: OrderType
    #: Base and quote, as /api/tokens has them.
    pair: str
    #: sell if tokenIn is the pair's base, buy if tokenOut is.
    side: Side
    #: A token's symbol.
    token_in: str
    #: A token's symbol.
    token_out: str
    #: How much of tokenIn is sold.
    amount: Digits
    slippage_bps: int
    limit_price: Digits | None
    stop_price: Digits | None
    trailing_bps: int | None
    activation_price: Digits | None
    take_profit: Exit | None
    stop_loss: Exit | None
    #: Of a twap: in how many parts it trades.
    parts: int | None
    interval_seconds: int | None
    min_price: Digits | None
    max_price: Digits | None
    #: The twap of which this order is a part.
    parent_id: str | None
    #: Of a sniper: its token's address, if it is known yet.
    mint: str | None
    max_age_seconds: int | None
    min_liquidity_usd: Digits | None
    if_triggered: IfTriggered | None
    #: When it ends if it rests still.
    expires_at: Time | None
    #: What will happen, for people.
    summary: str
    trigger: Trigger | None
    status: Status
    #: One more with every change; also the ETag, in quotes.
    seq: int
    #: How often it was tried to trade.
    attempts: int
    #: RFC 3339, in UTC, to the millisecond.
    created_at: Time
    #: RFC 3339, in UTC, to the millisecond.
    updated_at: Time
    quotes: list[Annotated[Quote | NoQuote, Field(union_mode="left_to_right")]]
    #: What was chosen, and why; null before that.
    route: Route | None
    #: The least of tokenOut that is taken.
    min_amount_out: Digits | None
    #: What came out; null unless confirmed. Of a twap: so far.
    amount_out: Digits | None
    #: tokenOut for one tokenIn; null unless confirmed.
    executed_price: Digits | None
    #: Of a twap: how much of tokenIn its parts have sold so far.
    filled_amount: Digits | None
    #: Of a twap: quote tokens for one base token over what is filled.
    average_price: Digits | None
    #: Of a twap that begins no more parts while some are under way: how it ends after them,
    #: unless they fill all of it.
    stopping: Status | None
    #: Of a twap: the orders of its parts.
    children: list[Child] | None
    #: The signature that was sent last, whatever became of it.
    tx_hash: str | None
    #: Why the order failed; null unless it has.
    error: Failure | None
    history: list[Step]
    tries: list[Try]


class OrderPage(Told):
    """A page of orders, newest first."""

    orders: list[Order]
    #: Send it as `cursor`; null on the last page.
    next_cursor: str | None


class PairTicked(Told):
    """When a pair's price was last looked at."""

    #: Base and quote, as /api/tokens has them.
    pair: str
    last_tick_at: Time | None
    age_seconds: float | None


class PlaceLimit(Sent):
    """Trade at a price, or better."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: Of no effect: the limit is the least that is taken.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["limit"] = "limit"
    #: No worse price is taken: a sell gets this or more for one base token, a buy pays no more.
    limit_price: Amount


class PlaceMarket(Sent):
    """Trade now."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: How much less than quoted may come out, in hundredths of a percent.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    type: Literal["market"] = "market"


class TakeProfitLeg(Sent):
    """The leg that gains."""

    price: Amount
    #: The order's slippageBps if that is said, else 50.
    slippage_bps: int | None = None


class StopLossLeg(Sent):
    """The leg that stops a loss."""

    price: Amount
    #: The order's slippageBps if that is said, else 300.
    slippage_bps: int | None = None


class PlaceOco(Sent):
    """Trade at one of two prices, whichever comes first; the other is cancelled by that."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: Of a leg that does not say its own.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["oco"] = "oco"
    take_profit: TakeProfitLeg
    #: Its price is below takeProfit's for a sell, above it for a buy.
    stop_loss: StopLossLeg


class PlaceSniper(Sent):
    """Buy a token when it launches; name it by its mint, or by its symbol."""

    #: What is spent: USDC.
    token_in: str
    #: The symbol of the token that is to launch. Anybody may take any symbol: only the mint is
    #: sure.
    token_out: str | None = None
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: How much less than quoted may come out, in hundredths of a percent.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["sniper"] = "sniper"
    #: The address of the token that is to launch.
    mint: str | None = None
    #: How long after the launch, by its signal's own time, it may trade.
    max_age_seconds: int | None = None
    #: What the token's pools have to hold, both sides together, in US dollars.
    min_liquidity_usd: Amount | None = None


class PlaceStop(Sent):
    """Trade when the price has turned against the trader as far as this."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: How much less than quoted may come out, in hundredths of a percent.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["stop"] = "stop"
    #: The trigger: a sell is due at this price or lower, a buy at this price or higher.
    stop_price: Amount


class PlaceStopLimit(Sent):
    """Become a limit order when the price has turned as far as the stop."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: Of no effect: the limit is the least that is taken.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["stopLimit"] = "stopLimit"
    #: The trigger: a sell is due at this price or lower, a buy at this price or higher.
    stop_price: Amount
    #: No worse price is taken: a sell gets this or more for one base token, a buy pays no more.
    limit_price: Amount


class PlaceTakeProfit(Sent):
    """Trade when the price has come as far as was hoped."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: How much less than quoted may come out, in hundredths of a percent.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["takeProfit"] = "takeProfit"
    #: The trigger: a sell is due at this price or higher, a buy at this or lower.
    stop_price: Amount


class PlaceTrailingStop(Sent):
    """Trade when the price has turned by so much from the best that it was."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: How much less than quoted may come out, in hundredths of a percent.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["trailingStop"] = "trailingStop"
    #: How far behind the best price the stop is, in hundredths of a percent.
    trailing_bps: int
    #: From when on the price is followed: a sell from this or higher, a buy from this or lower.
    #: Left out: from now on.
    activation_price: Amount | None = None


class PlaceTwap(Sent):
    """Trade in equal parts over time; the parts are orders of their own."""

    #: The token to sell, by its symbol.
    token_in: str
    #: The token to buy, by its symbol.
    token_out: str
    #: How much of tokenIn to sell, no finer than its decimals. A number is read as written,
    #: never as a float.
    amount: Amount
    #: How much less than quoted may come out, in hundredths of a percent.
    slippage_bps: int | None = None
    #: Makes the call idempotent, as the Idempotency-Key header does.
    client_order_id: str | None = None
    #: When the order ends if it rests still: in the future, and at most 30 days from now, which
    #: it is if left out.
    expires_at: Time | None = None
    #: What becomes of the order if it is due as it is placed. One of execute, reject.
    if_triggered: Literal["execute", "reject"] | None = None
    type: Literal["twap"] = "twap"
    #: In how many parts; they sum to the amount exactly.
    parts: int
    #: From one part to the next. The first begins at once.
    interval_seconds: int
    #: A part due at a reference price below this is skipped; the last trades its amount too.
    min_price: Amount | None = None
    #: A part due at a reference price above this is skipped; the last trades its amount too.
    max_price: Amount | None = None


class VenuePrice(Told):
    """What one venue says of a pair."""

    venue: str
    #: Between buying and selling: quote for one base token.
    price: Digits
    #: Quote tokens that trade within 1 % of it; the venue's weight.
    depth: Digits


class Price(Told):
    """The reference price of a pair, by which triggers go."""

    #: Whose venues and chain these are.
    network: Network
    #: simulated; paper: real pools, fills that are made up from them, nothing is sent; live:
    #: with money.
    settlement: Settlement
    #: Base and quote, as /api/tokens has them.
    pair: str
    #: Quote tokens for one base token; null if no venue ever told one.
    price: Digits | None
    #: When it was so; null without a price.
    at: Time | None
    #: The venues that it is made of.
    source: list[str]
    #: It is too old to trigger anything: no venue answers.
    stale: bool
    #: What each venue says now.
    venues: list[VenuePrice]


class Prices(Told):
    """The reference prices of all pairs."""

    prices: list[Price]


class Problem(Told):
    """An error (RFC 9457)."""

    #: Leads to what /docs says of the code; as stable as that.
    type: str
    #: The same for every problem of this code.
    title: str
    status: int
    #: For people.
    detail: str
    #: Stable; see docs/errors.md.
    code: str
    #: As in X-Request-Id, and in the log.
    request_id: str
    errors: list[FieldProblem] | None = None


class QueueNow(Told):
    """The order queue; SQS counts approximately."""

    waiting: int
    in_flight: int
    delayed: int
    #: For how long the oldest open order has been due; null: none is open.
    oldest_seconds: float | None


class Redrive(Sent):
    """The body of a redrive; there need be none."""

    #: For whoever reads the audit.
    reason: str | None = None


class Redriven(Told):
    """What a redrive moved."""

    moved: int
    #: Of those that lay there when it began: call again.
    remaining: int


class SignalTaken(Told):
    """The signal was taken."""

    #: It was taken before, and has had no effect now.
    replayed: bool


class StoryLine(Told):
    """One thing that happened to an order."""

    #: As the log has it.
    at: str
    function: str
    what: str
    facts: dict[str, Any]


class Story(Told):
    """What the functions' logs say of an order, oldest first."""

    order_id: str
    lines: list[StoryLine]


class TradingNow(Told):
    """Whether new orders are taken."""

    #: One of open, halted.
    state: str
    #: As the last halt or resumption said.
    reason: str | None
    #: Null if it was never halted.
    since: Time | None


class TickerNow(Told):
    """The pairs of which something rests, or did a moment ago."""

    pairs: list[PairTicked]


class SystemStatus(Told):
    """How the system stands."""

    #: RFC 3339, in UTC, to the millisecond.
    at: Time
    #: Whose venues and chain these are.
    network: Network
    #: simulated; paper: real pools, fills that are made up from them, nothing is sent; live:
    #: with money.
    settlement: Settlement
    trading: TradingNow
    queue: QueueNow
    #: About.
    dead_letters: int
    ticker: TickerNow
    #: By venue.
    breakers: dict[str, Breaker]
    latency: Latency


class Ticket(Told):
    """A ticket for one WebSocket connection."""

    ticket: str
    #: RFC 3339, in UTC, to the millisecond.
    expires_at: Time


class Token(Told):
    """A token."""

    #: A token's symbol.
    symbol: str
    #: Its address on the chain.
    mint: str
    decimals: int


class Tokens(Told):
    """What trades here."""

    tokens: list[Token]
    pairs: list[list[str]]


class TradingChanged(Told):
    """The trading state, as it is everywhere within two seconds."""

    trading: TradingNow


class WithReason(Sent):
    """The body of a halt or of a resumption."""

    #: For whoever reads the audit.
    reason: str


#: An order to place, of any kind.
NewOrder = (
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
