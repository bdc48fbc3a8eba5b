"""Every alarm of the template is set off by its fault, and none by an hour in which all is well.

The engine's own metrics are the lines that it emits; AWS's own are counted here, as AWS would.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from engine.adapters.metrics import EmbeddedMetrics
from engine.domain.terms import OrderType
from tests.contract.alarms import Key, fires, of_type, told
from tests.proof.border import Harm
from tests.proof.history import Answer
from tests.proof.world import DEAD, ORDERS, STREAM_RETRIES, TICKS, Ran, World

T = TypeVar("T")
FUNCTIONS = {
    "worker": "WorkerFunction",
    "ws_connect": "WsConnectFunction",
    "ws_notify": "WsNotifyFunction",
    "reconcile": "ReconcileFunction",
    "trigger": "TriggerFunction",
}
MINUTE = timedelta(minutes=1)
ALARMS = of_type("AWS::CloudWatch::Alarm")
COMPOSITES = of_type("AWS::CloudWatch::CompositeAlarm")


class Watched(World):
    """A world of which CloudWatch sees each minute; its clients place, rest and watch orders."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__()
        self.metrics = EmbeddedMetrics()  # type: ignore[assignment]
        self.out = capsys
        self.minutes: list[dict[Key, list[float]]] = []
        self.number = 0
        #: Seconds that each call of a function takes.
        self.slow: dict[str, float] = {}
        self._minute: dict[Key, list[float]] = defaultdict(list)
        self._enqueued: dict[str, datetime] = {}
        self._written: list[datetime] = []
        self.move("100")
        self.connect("ann")
        self.watch_all("ann")
        self.rest(OrderType.TRAILING_STOP, trailing_bps=5000, lasts=timedelta(days=1))

    def stage(self) -> tuple[object, ...]:
        self.clock.advance(self.slow.get(self.border.function or "", 0.0))
        return ()

    def note(self, namespace: str, metric: str, value: float, **dimensions: str) -> None:
        self._minute[namespace, metric, tuple(sorted(dimensions.items()))].append(value)

    def pass_a_minute(self, orders: int = 2, *, work: bool = True, tell: bool = True) -> None:
        """Place orders; let functions run, the schedule's at the end."""
        began = self.clock.now()
        for _ in range(orders):
            self.place()
            self.look()
            while work and self.deliver():
                pass
        while work and self.deliver():
            pass
        self.tick()
        while tell and self.notify():
            pass
        self.look()
        self.run_to(began + MINUTE)
        self.end()

    def look(self) -> None:
        """Note since when messages and changes have been waiting."""
        now = self.clock.now()
        for message in self.sqs.messages(ORDERS):
            self._enqueued.setdefault(message.message_id, now)
        self._written += [now] * (len(self.stream) - len(self._written))

    def end(self) -> None:
        """Let CloudWatch take the minute's datapoints."""
        now, dead = self.clock.now(), len(self.sqs.messages(DEAD))
        visible = "ApproximateNumberOfMessagesVisible"
        self.note("AWS/SQS", visible, dead, QueueName="DeadLetterQueue")
        self.note("AWS/SQS", visible, float(self.lost), QueueName="StreamFailureQueue")
        since = [self._enqueued.get(m.message_id, now) for m in self.sqs.messages(ORDERS)]
        oldest = (now - min(since, default=now)).total_seconds()
        self.note("AWS/SQS", "ApproximateAgeOfOldestMessage", oldest, QueueName="OrderQueue")
        unread = self._written[self.reads : self.reads + 1] or [now]
        age = (now - unread[0]).total_seconds() * 1000
        self.note("AWS/Lambda", "IteratorAge", age, FunctionName="WsNotifyFunction")
        for text in self.out.readouterr().out.splitlines():
            line = json.loads(text)
            for emitted in line["_aws"]["CloudWatchMetrics"]:
                (names,) = emitted["Dimensions"]
                dimensions = {name: line[name] for name in names}
                for metric in emitted["Metrics"]:
                    values = line[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        self.note(emitted["Namespace"], metric["Name"], value, **dimensions)
        self.minutes.append(dict(self._minute))
        self._minute.clear()
        self.number += 1

    @property
    def firing(self) -> set[str]:
        return {name for name, alarm in ALARMS.items() if fires(alarm, self.minutes)}

    def _run(self, function: str, call: Callable[[], T]) -> Ran[T] | None:
        ran = super()._run(function, call)
        if ran is None:
            self.note("AWS/Lambda", "Errors", 1, FunctionName=FUNCTIONS[function])
        return ran

    def _answer(self, call: Callable[[], Answer], nothing: Answer) -> Answer:
        answer = super()._answer(call, nothing)
        if answer.status == 0:
            self.note("AWS/Lambda", "Errors", 1, FunctionName="ExecuteFunction")
        if answer.status == 0 or answer.status >= 500:
            self.note("AWS/ApiGateway", "5xx", 1, ApiId="HttpApi")
            self.note("stack", "ServerErrors", 1)
        return answer


def dies(step: Callable[[Watched], object]) -> Callable[[Watched], None]:
    """Let the process of a step die at its first call, every minute."""

    def fault(world: Watched) -> None:
        world.border.harm_next(Harm.DIES_BEFORE)
        step(world)
        world.border.planned.clear()
        world.pass_a_minute()

    return fault


def the_table_refuses(world: Watched) -> None:
    for n in range(1, 4):
        world.border.harm_next(Harm.REFUSED, n)
    world.place()
    world.border.planned.clear()
    world.pass_a_minute()


def a_worker_dies(world: Watched) -> None:
    world.place()
    dies(World.deliver)(world)


def the_ticker_dies(world: Watched) -> None:
    if world.sqs.visible(TICKS):
        dies(World.tick)(world)
    else:
        world.pass_a_minute()


def no_concurrency_is_left(world: Watched) -> None:
    world.note("AWS/Lambda", "Throttles", 1, FunctionName="WorkerFunction")
    world.pass_a_minute(work=False)


def no_worker_runs(world: Watched) -> None:
    world.pass_a_minute(work=False)


def the_stream_stands_still(world: Watched) -> None:
    world.pass_a_minute(tell=False)


def no_change_can_be_pushed(world: Watched) -> None:
    world.place()
    for _ in range(STREAM_RETRIES + 1):
        world.border.harm_next(Harm.DIES_BEFORE)
        world.notify()
    world.border.planned.clear()
    world.pass_a_minute()


def no_venue_answers(world: Watched) -> None:
    world.place("XFAIL")
    for _ in range(4):
        while world.deliver():
            pass
        world.clock.advance(10)
    world.pass_a_minute()


def workers_are_late(world: Watched) -> None:
    world.place()
    world.clock.advance(15)
    world.pass_a_minute(0)


def no_price_is_told(world: Watched) -> None:
    world.pass_a_minute()
    world.blind = True


def away(venue: str) -> Callable[[Watched], None]:
    def fault(world: Watched) -> None:
        world.away = frozenset({venue})
        world.pass_a_minute(8)

    return fault


def messages_get_lost(world: Watched) -> None:
    for _ in range(8):
        world.place()
    world.sqs.messages(ORDERS).clear()
    world.pass_a_minute(0, work=False)
    world.pass_a_minute(0)


def the_table_is_slow_for_the_ticker(world: Watched) -> None:
    world.rest(OrderType.LIMIT, limit_price=Decimal(105), lasts=timedelta(days=1))
    world.slow["trigger"] = 1.2
    world.move("106")
    world.pass_a_minute(0)
    world.slow.clear()
    world.move("100")


def pushes_are_late(world: Watched) -> None:
    world.place()
    while world.deliver():
        pass
    world.clock.advance(15)
    world.pass_a_minute(0)


FAULTS: dict[str, Callable[[Watched], None]] = {
    "ServerErrorsAlarm": the_table_refuses,
    "HttpErrorsAlarm": the_table_refuses,
    "ExecuteErrorsAlarm": dies(World.place),
    "WsConnectErrorsAlarm": dies(lambda world: world.connect(f"client-{world.number}")),
    "WorkerErrorsAlarm": a_worker_dies,
    "ReconcileErrorsAlarm": dies(World.reconcile),
    "TriggerErrorsAlarm": the_ticker_dies,
    "WorkerThrottlesAlarm": no_concurrency_is_left,
    "NotifyDelayAlarm": the_stream_stands_still,
    "DeadLettersAlarm": no_venue_answers,
    "StreamFailuresAlarm": no_change_can_be_pushed,
    "OldestOrderAlarm": no_worker_runs,
    "SlowOrdersAlarm": workers_are_late,
    "StalePriceAlarm": no_price_is_told,
    "RaydiumAlarm": away("raydium"),
    "MeteoraAlarm": away("meteora"),
    "RepairsAlarm": messages_get_lost,
    "TriggerLagAlarm": the_table_is_slow_for_the_ticker,
    "PushLagAlarm": pushes_are_late,
}


@pytest.fixture
def world(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "stack")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "order-engine")
    return Watched(capsys)


def test_every_alarm_has_its_fault() -> None:
    assert set(FAULTS) == set(ALARMS)


@pytest.mark.parametrize("name", FAULTS)
def test_an_alarm_is_set_off_by_its_fault(name: str, world: Watched) -> None:
    for _ in range(6):
        FAULTS[name](world)
    assert name in world.firing


def test_orders_that_do_not_finish_are_one_alarm_and_slow_ones_another(world: Watched) -> None:
    rules: dict[str, Any] = {n: each["AlarmRule"]["Fn::Sub"] for n, each in COMPOSITES.items()}
    for _ in range(6):
        no_worker_runs(world)
    assert told(rules["OrdersDoNotFinishAlarm"], world.firing)
    assert told(rules["ConsequencesAlarm"], {"SlowOrdersAlarm"})
    assert not told(rules["OrdersDoNotFinishAlarm"], {"SlowOrdersAlarm", "RaydiumAlarm"})
    assert told(rules["OrdersDoNotFinishAlarm"], {"RaydiumAlarm", "MeteoraAlarm"})


def test_an_hour_in_which_all_is_well_sets_off_no_alarm(world: Watched) -> None:
    for n in range(60):
        world.move(str(100 + n % 3))
        world.pass_a_minute()
    assert world.firing == set()
    seen = {metric for minute in world.minutes for _, metric, _ in minute}
    assert seen >= {"TimeToEnd", "PriceAge", "PushLag", "Ticks", "OrdersEnded", "IteratorAge"}
