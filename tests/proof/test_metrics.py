"""What is counted is what happened, and an hour in which all is well sets off no alarm."""

from collections import Counter
from datetime import timedelta

import pytest

from engine.domain.terms import OrderType
from engine.ports.metrics import Metric
from engine.service.measuring import first_times
from tests.contract.transform import transformed
from tests.proof.stories import STORIES
from tests.proof.world import World


def counted(world: World) -> Counter[tuple[Metric, str | None]]:
    world.metrics.emit()  # a ticker beside the doorway emits nothing by itself
    counts: Counter[tuple[Metric, str | None]] = Counter()
    for metric, value, by in world.metrics.emitted:
        counts[metric, by] += int(value)
    return counts


@pytest.mark.parametrize("name", [story.name for story in STORIES])
def test_orders_are_counted_once_as_their_rows_say(name: str) -> None:
    (story,) = [each for each in STORIES if each.name == name]
    world = story.world()
    story.tell(world)
    world.settle_down()
    counts, ends = counted(world), [states[-1] for states in world.states.values()]
    assert sum(n for (m, _), n in counts.items() if m is Metric.ORDERS_ACCEPTED) == len(ends)
    outcomes = Counter(order.status.value for order in ends if order.final)
    assert {by: n for (m, by), n in counts.items() if m is Metric.ORDERS_ENDED} == outcomes
    failed = Counter(order.error.code for order in ends if order.error)
    assert {by: n for (m, by), n in counts.items() if m is Metric.ORDERS_FAILED} == failed
    retries = sum(max(0, order.attempts - 1) for order in ends if order.waiting is None)
    if all(order.waiting is None for order in ends):
        assert counts[Metric.RETRIES, None] == retries


def test_the_parts_of_a_confirmed_orders_time_are_its_whole_time() -> None:
    world = World()
    world.place()
    world.settle_down()
    values = {metric: value for metric, value, _ in world.metrics.emitted}
    parts = (Metric.QUEUE_TIME, Metric.QUOTE_TIME, Metric.BUILD_TIME, Metric.LANDING_TIME)
    assert values[Metric.TIME_TO_END] == pytest.approx(sum(values[part] for part in parts))
    (states,) = world.states.values()
    assert len(first_times(states[-1].history)) == len(states)


def test_no_alarm_of_the_engines_own_metrics_fires_in_an_hour_that_is_well() -> None:
    world = World()
    world.border.stage = lambda: None  # no call is harmed here
    began = world.clock.now()
    world.move("100")
    for n in range(120):
        world.run_to(began + n * timedelta(seconds=30))
        world.place()
        if n % 10 == 0:
            world.move(str(100 + n % 3))
            world.rest(OrderType.TRAILING_STOP, trailing_bps=5000)
        while world.deliver() or world.notify():
            pass
        world.tick()
    counted(world)
    alarms = [
        each["Properties"]
        for each in transformed().values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    watched = [alarm for alarm in alarms if alarm["MetricName"] in set(Metric)]
    assert len(watched) == 4
    for alarm in watched:
        values = [v for m, v, _ in world.metrics.emitted if m == alarm["MetricName"]]
        assert max(values, default=0) <= alarm["Threshold"]
    seen = {metric for metric, _, _ in world.metrics.emitted}
    assert {Metric.TIME_TO_END, Metric.PRICE_AGE, Metric.TICKS} <= seen
    assert Metric.DEAD_LETTERS not in seen
