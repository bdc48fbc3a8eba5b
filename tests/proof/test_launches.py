"""Snipers and launches: who is woken, in which turn, for how much."""

import os
from collections import Counter
from decimal import Decimal

import pytest

from engine.domain.order import Status
from tests.proof.history import broken
from tests.proof.stories import end_of
from tests.proof.world import ORDERS, World

#: A thousand snipers of fifty accounts take half a minute; in the gate it is a tenth of them.
MANY = 20 if os.environ.get("PROOF") == "all" else 4
ACCOUNTS = 50


def test_a_launch_that_is_there_already_is_traded_at_once() -> None:
    world = World()
    world.launch()
    answer = world.snipe()
    world.settle_down()
    order = world.states[str(answer.body["orderId"])][-1]
    assert (order.status, order.token_out, order.terms.pair) == (
        Status.CONFIRMED,
        "MOON",
        "MOON/USDC",
    )
    assert not broken(world.history())


def test_what_has_launched_trades_by_all_kinds_from_then_on() -> None:
    world = World()
    world.snipe()
    world.launch(price="0.5")
    world.settle_down()
    assert world.place("MOON", "10").status == 202
    world.settle_down()
    last = list(world.states.values())[-1][-1]
    assert (last.status, last.terms.pair) == (Status.CONFIRMED, "MOON/USDC")
    assert Decimal("4.8") * 10**6 < Decimal(last.amount_out or 0) < Decimal(5) * 10**6


def test_a_launch_that_was_signalled_in_vain_is_found_by_the_reconciler() -> None:
    world = World()
    order_id = str(world.snipe().body["orderId"])
    world.launch()
    world.sqs.queues.clear()  # whatever was sent for is lost
    world.reconcile()
    assert world.states[order_id][-1].status is Status.PENDING


def test_a_thousand_snipers_of_fifty_accounts_all_end_in_turns() -> None:
    world = World()
    for account in range(ACCOUNTS):  # one account after the other: the first's are all the oldest
        for _ in range(MANY):
            assert world.snipe(account=f"a{account}").status == 202
    world.launch(dollars=10_000_000)
    while len(world.sqs.messages(ORDERS)) < ACCOUNTS * MANY:
        assert world.tick()
    of = {order_id: states[-1].account for order_id, states in world.states.items()}
    served = [of[str(message.order_id)] for message in world.sqs.messages(ORDERS)]
    assert len(served) == len(set(of)) == ACCOUNTS * MANY
    assert max(Counter(served[:100]).values()) <= 10
    while world.deliver():
        pass
    world.settle_down()
    # One worker serves them one by one here: who is served too late is told so.
    ends = Counter(end_of(states[-1]) for states in world.states.values())
    assert ends.keys() == {"confirmed", "LAUNCH_TOO_OLD"}
    confirmed = (s[-1].account for s in world.states.values() if end_of(s[-1]) == "confirmed")
    assert set(Counter(confirmed).values()) <= {1, 2}
    assert not broken(world.history())


@pytest.mark.parametrize("dollars", [100, 100_000, 10_000_000])
@pytest.mark.parametrize("price", ["0.000001", "0.5", "1000000"])
def test_the_pools_of_a_launch_hold_what_it_asked_for(price: str, dollars: int) -> None:
    from engine.market.liquidity import liquidity
    from engine.market.simulation import VENUES

    world = World()
    world.launch(price=price, dollars=dollars)
    now = world.clock.now()
    pools = [world.simulated.pool(venue, "MOON", "USDC", now) for venue in VENUES]
    held = sum(liquidity(pool, "USDC") for pool in pools) / 10**6
    assert dollars <= held <= dollars * 1.01 + 200
