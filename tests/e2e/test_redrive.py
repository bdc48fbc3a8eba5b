"""A dead letter that is moved back does no harm."""

from local.ops.redrive import Moved, queues_of
from local.ops.target import Target
from local.system import System
from tests.e2e.client import Trader, lying, until


def test_a_redriven_letter_of_a_failed_order_changes_nothing(
    trader: Trader, system: System
) -> None:
    trader.dead_letters()  # of other tests
    order_id = trader.place(tokenIn="XFAIL")
    failed = trader.wait_for(order_id, "failed")
    sqs = system.client("sqs")
    until(
        lambda: lying(sqs, system.stack.dead_letter_queue), lambda dead_letters: dead_letters == 1
    )
    stack = Target(system.stack.name, system.stack.outputs, system.client)
    assert queues_of(stack).redrive() == Moved(1, by_hand=True)
    until(lambda: lying(sqs, system.stack.order_queue), lambda messages: messages == 0)
    assert trader.order(order_id) == failed
    assert lying(sqs, system.stack.dead_letter_queue) == 0
    assert trader.landed(order_id) == []
