"""The benchmark's table of resting orders answers as a look at every order would."""

from decimal import Decimal

import pytest

from bench.resting import START, STEP, RestingTable, level, resting
from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.resting import DynamoRestingIndex
from engine.adapters.aws.table import Table
from engine.domain.order import Order
from engine.domain.triggers import Direction, Level, Tick

SIZE = 60


def due(at: Level, orders: list[Order]) -> list[str]:
    """Return who is due there: the nearest first."""
    tick = Tick.of(at.price, orders[0].created_at)
    found = [o for o in orders if o.waiting and o.waiting.trigger.levels[0].reached(tick)]
    mine = [o for o in found if o.waiting and o.waiting.trigger.levels[0].direction == at.direction]
    mine.sort(key=lambda order: abs(order.terms.stop_price - at.price))  # type: ignore[operator]
    return [order.order_id for order in mine]


@pytest.mark.parametrize("limit", [1, 7, SIZE])
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("steps", [0, 1, 2, 20, 100])
def test_it_finds_who_is_due_and_forgets_who_rests_no_more(steps, direction, limit) -> None:
    way = 1 if direction is Direction.ABOVE else -1
    at = Level(direction, START + STEP * steps * way)
    client = RestingTable(SIZE)
    table = Table(client, "orders")  # type: ignore[arg-type]
    index, orders = DynamoRestingIndex(table), DynamoOrders(table)
    expected = due(at, [resting(n) for n in range(SIZE)])
    found = index.reached("SOL/USDC", at, limit=limit)
    assert found == expected[:limit]
    for order in orders.get_many(found):
        orders.save(order.cancel(at=order.created_at), expected_seq=order.seq)
    assert index.reached("SOL/USDC", at, limit=limit) == expected[limit:][:limit]


def test_levels_go_ever_further_away_on_both_sides() -> None:
    away = [abs(level(n) - START) for n in range(SIZE)]
    assert away == sorted(away)
    assert {level(n) > START for n in range(0, SIZE, 2)} == {True}
    assert level(0) - START == Decimal("0.00005")
