"""What is counted is what happened."""

from collections import Counter

import pytest

from engine.ports.metrics import Metric
from engine.service.measuring import first_times
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
