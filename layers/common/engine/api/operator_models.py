"""What operators send and are told."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from engine.api.base import Id, Sent, Time, Told, count, left_out
from engine.api.models import Breaker, OnNetwork, Pair, Settled
from engine.domain.order import Status
from engine.ports.operations import Result

Reason = Annotated[str, Field(min_length=1, max_length=200, examples=["a venue misbehaves"])]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[int, Field(ge=0)]
Letters = Annotated[int, Field(ge=1, le=100), BeforeValidator(count)]


class WithReason(Sent):
    """The body of a halt or of a resumption."""

    reason: Reason = Field(description="For whoever reads the audit.")


class Redrive(Sent):
    """The body of a redrive; there need be none."""

    reason: Reason = left_out("For whoever reads the audit.")


class TradingNow(Told):
    """Whether new orders are taken."""

    state: Literal["open", "halted"]
    reason: str | None = Field(description="As the last halt or resumption said.")
    since: Time | None = Field(description="Null if it was never halted.")


class TradingChanged(Told):
    """The trading state, as it is everywhere within two seconds."""

    trading: TradingNow


class QueueNow(Told):
    """The order queue; SQS counts approximately."""

    waiting: Count
    in_flight: Count
    delayed: Count
    oldest_seconds: float | None = Field(
        ge=0, description="For how long the oldest open order has been due; null: none is open."
    )


class PairTicked(Told):
    """When a pair's price was last looked at."""

    pair: Pair
    last_tick_at: Time | None
    age_seconds: float | None = Field(ge=0)


class TickerNow(Told):
    """The pairs of which something rests, or did a moment ago."""

    pairs: list[PairTicked]


class Percentiles(Told):
    """Milliseconds, by nearest rank."""

    p50: Milliseconds
    p95: Milliseconds
    p99: Milliseconds


class Steps(Told):
    """An order's time from when it is due to its end, and the parts of it; null: of no order."""

    total: Percentiles | None
    queue: Percentiles | None
    quotes: Percentiles | None
    build: Percentiles | None
    landing: Percentiles | None


class Latency(Told):
    """How long the orders took that ended last, the 1,000 last at most."""

    orders: Annotated[int, Field(ge=0, le=1_000)]
    steps: Steps


class SystemStatus(Told):
    """How the system stands."""

    at: Time
    network: OnNetwork
    settlement: Settled
    trading: TradingNow
    queue: QueueNow
    dead_letters: Count = Field(description="About.")
    ticker: TickerNow
    breakers: dict[str, Breaker] = Field(description="By venue.")
    latency: Latency


class LyingLetter(Told):
    """A message in the dead-letter queue."""

    message_id: str
    order_id: Id | None = Field(description="Null if the message can't be read.")
    receive_count: Count = Field(description="How often it was received, this look included.")
    sent_at: Time
    status: Status | None = Field(description="The order's; null if there is none.")
    error: str | None = Field(description="Why it lies here, or else why its order failed.")


class DeadLetters(Told):
    """Letters, some of those there: one that somebody looks at right now is left out."""

    dead_letters: list[LyingLetter] = Field(max_length=100)
    count: Count = Field(description="How many there are, about.")


class Redriven(Told):
    """What a redrive moved."""

    moved: Count
    remaining: Count = Field(description="Of those that lay there when it began: call again.")


class Act(Told):
    """What an operator did, or a trader was refused."""

    id: str = Field(pattern=r"^[0-9]{14}-[0-9a-f]{12}$")
    at: Time
    account: str
    key_id: str | None = Field(description="Null: somebody with a shell, by `make`.")
    act: str = Field(description="halt, resume, redrive; of a refusal the call.", examples=["halt"])
    reason: str | None
    result: Result = Field(
        description="`begun` is written before an act: if it stays, its result is not known."
    )


class Acts(Told):
    """A page of the audit, newest first."""

    acts: list[Act] = Field(max_length=100)
    next_cursor: str | None = Field(description="Send it as `cursor`; null on the last page.")


class StoryLine(Told):
    """One thing that happened to an order."""

    at: str = Field(description="As the log has it.")
    function: str = Field(examples=["worker"])
    what: str = Field(examples=["order routing"])
    facts: dict[str, Any]


class Story(Told):
    """What the functions' logs say of an order, oldest first."""

    order_id: Id
    lines: list[StoryLine]
