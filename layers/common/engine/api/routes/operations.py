"""What operators see and do."""

from typing import TYPE_CHECKING, Annotated, Any, cast

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from engine.api import operator_models as models
from engine.api.base import ID_EXAMPLES
from engine.api.contract import NO_BODY, answers
from engine.api.resolver import Resolver
from engine.api.views import breaker_view, timestamp
from engine.domain.errors import FieldCode
from engine.domain.order import ID_PATTERN
from engine.ports.access import Trading, TradingState
from engine.ports.metrics import Metric

if TYPE_CHECKING:
    from engine.service.operating import Operating, Standing

_TAG: dict[str, Any] = {"tags": ["Operations"]}
_BODY = (*NO_BODY, "UNSUPPORTED_MEDIA_TYPE", "OPERATOR_ONLY")
_FIELDS = {FieldCode.REQUIRED, FieldCode.UNKNOWN_FIELD}
_NOTHING = cast("Any", None)


def add_operations(app: Resolver, operating: "Operating" = _NOTHING) -> None:
    """Add the operators' calls; without a use case for the contract only."""

    @app.get(
        "/api/ops/status",
        operation_id="getStatus",
        summary="See how the system stands",
        description="Trading, queues, ticker, breakers, and how long the last 1,000 orders took.",
        responses=answers(200, "OPERATOR_ONLY"),
        **_TAG,
    )
    def get_status() -> models.SystemStatus:
        return _status(operating.standing())

    @app.get(
        "/api/ops/dead-letters",
        operation_id="listDeadLetters",
        summary="Look at the dead letters",
        description="Some of those there, which stay. Looking counts as receiving.",
        responses=answers(200, "OPERATOR_ONLY", "INVALID_QUERY"),
        **_TAG,
    )
    def list_dead_letters(
        limit: Annotated[models.Letters, Query(description="The most letters.")] = 20,
    ) -> models.DeadLetters:
        found, count = operating.dead_letters(limit=limit)
        letters = [
            models.LyingLetter(
                message_id=letter.message_id,
                order_id=letter.order_id,
                receive_count=letter.receive_count,
                sent_at=timestamp(letter.sent_at),
                status=order.status if order else None,
                error=letter.reason or (order.error.code if order and order.error else None),
            )
            for letter, order in found
        ]
        return models.DeadLetters(dead_letters=letters, count=max(count, len(letters)))

    @app.post(
        "/api/ops/redrive",
        operation_id="redriveDeadLetters",
        summary="Move the dead letters back",
        description="To the order queue, for some eight seconds; call again while some remain. An "
        "order that has ended stays as it is.",
        responses=answers(200, *_BODY, fields=_FIELDS),
        **_TAG,
    )
    def redrive_dead_letters(why: Annotated[models.Redrive, Body()]) -> models.Redriven:
        done = operating.redrive(why.reason, by=app.caller)
        return models.Redriven(moved=done.moved, remaining=done.remaining)

    @app.post(
        "/api/ops/halt",
        operation_id="haltTrading",
        summary="Take no new orders",
        description="Those under way are finished. It is felt everywhere within two seconds.",
        responses=answers(200, *_BODY, fields=_FIELDS),
        **_TAG,
    )
    def halt_trading(why: Annotated[models.WithReason, Body()]) -> models.TradingChanged:
        return changed(TradingState.HALTED, why.reason)

    @app.post(
        "/api/ops/resume",
        operation_id="resumeTrading",
        summary="Take new orders again",
        description="It is felt everywhere within two seconds.",
        responses=answers(200, *_BODY, fields=_FIELDS),
        **_TAG,
    )
    def resume_trading(why: Annotated[models.WithReason, Body()]) -> models.TradingChanged:
        return changed(TradingState.ACTIVE, why.reason)

    def changed(state: TradingState, reason: str) -> models.TradingChanged:
        trading = operating.acting.set_trading(state, reason, by=app.caller)
        return models.TradingChanged(trading=_trading(trading))

    @app.get(
        "/api/ops/audit",
        operation_id="listActs",
        summary="Read the audit",
        description="Every act of an operator, and every attempt of a trader (once a key, call and "
        "minute, kept for 90 days), newest first.",
        responses=answers(200, "OPERATOR_ONLY", "INVALID_QUERY"),
        **_TAG,
    )
    def list_acts(
        limit: Annotated[models.Letters, Query(description="The most acts in a page.")] = 50,
        cursor: Annotated[
            str | None,
            Query(
                pattern="^[0-9]{14}-[0-9a-f]{12}$", description="`nextCursor` of the page before."
            ),
        ] = None,
    ) -> models.Acts:
        found = operating.acting.audit.acts(before=cursor, limit=limit)
        acts = [
            models.Act(
                id=act.act_id,
                at=timestamp(act.at),
                account=act.account,
                key_id=act.key_id,
                act=act.act,
                reason=act.reason,
                result=act.result,
            )
            for act in found
        ]
        after = acts[-1].id if len(acts) == limit else None
        return models.Acts(acts=acts, next_cursor=after)

    @app.get(
        "/api/ops/orders/<orderId>/story",
        operation_id="getStory",
        summary="Read one order's story",
        description="Any account's, from the logs of all functions; a line may take seconds to "
        "get there.",
        responses=answers(200, "OPERATOR_ONLY", "ORDER_NOT_FOUND"),
        **_TAG,
    )
    def get_story(
        order_id: Annotated[
            str,
            Path(
                alias="orderId",
                pattern=ID_PATTERN,
                description="The order's id.",
                examples=ID_EXAMPLES,
            ),
        ],
    ) -> models.Story:
        lines = [
            models.StoryLine(at=e.at, function=e.function, what=e.what, facts=dict(e.facts))
            for e in operating.story(order_id)
        ]
        return models.Story(order_id=order_id, lines=lines)


def _trading(trading: Trading) -> models.TradingNow:
    return models.TradingNow(
        state="halted" if trading.state is TradingState.HALTED else "open",
        reason=trading.reason,
        since=timestamp(trading.since) if trading.since else None,
    )


def _status(now: "Standing") -> models.SystemStatus:
    def step(metric: Metric) -> models.Percentiles | None:
        found = now.latency[metric]
        return models.Percentiles(p50=found[0], p95=found[1], p99=found[2]) if found else None

    steps = models.Steps(
        total=step(Metric.TIME_TO_END),
        queue=step(Metric.QUEUE_TIME),
        quotes=step(Metric.QUOTE_TIME),
        build=step(Metric.BUILD_TIME),
        landing=step(Metric.LANDING_TIME),
    )
    return models.SystemStatus(
        at=timestamp(now.at),
        network=now.settlement.network,
        settlement=now.settlement,
        trading=_trading(now.trading),
        queue=models.QueueNow(
            waiting=now.queue.waiting,
            in_flight=now.queue.in_flight,
            delayed=now.queue.delayed,
            oldest_seconds=max(0.0, now.oldest.total_seconds()) if now.oldest else None,
        ),
        dead_letters=now.dead_letters,
        ticker=models.TickerNow(
            pairs=[
                models.PairTicked(
                    pair=pair,
                    last_tick_at=timestamp(at) if at else None,
                    age_seconds=max(0.0, (now.at - at).total_seconds()) if at else None,
                )
                for pair, at in now.ticks.items()
            ]
        ),
        breakers={each.venue: breaker_view(each, now.at) for each in now.breakers},
        latency=models.Latency(orders=now.orders_timed, steps=steps),
    )
