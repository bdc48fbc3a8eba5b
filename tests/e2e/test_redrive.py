"""What an operator does with one order: read its story, move its dead letter back."""

from local.ops import story
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


def test_a_story_is_told_by_all_functions_and_reads_as_the_order_does(
    trader: Trader, system: System
) -> None:
    order_id = trader.place(tokenIn="XFAIL")
    watch = trader.watch(order_id)
    watch.to_the_end()
    history = trader.order(order_id)["history"]
    stack = Target(system.stack.name, system.stack.outputs, system.client)
    told = until(
        lambda: story.events(stack, order_id, insights=False),
        lambda events: (
            {e.facts["seq"] for e in events if e.what == "pushed"}
            == {step["seq"] for step in history}
            and "dead letter sent" in {e.what for e in events}
        ),
    )
    written = [e for e in told if e.function != "ws_notify" and {"seq", "status"} <= e.facts.keys()]
    assert [(e.facts["seq"], e.facts["status"]) for e in written] == [
        (step["seq"], step["status"]) for step in history
    ]
    assert {e.function for e in told} >= {"execute", "worker", "ws_notify"}
    assert len({e.facts["correlation_id"] for e in told if "correlation_id" in e.facts}) == 1
    assert told[0].what == "order placed"
    assert story.told(order_id, told).startswith(f"Order {order_id}\n")
