"""An order is taken once, durably, and only if it can trade."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.errors import IdempotencyKeyReused, QueueUnavailable
from engine.domain.order import Order, Status
from engine.ports import WorkMessage
from engine.service.placing import InvalidWish, Placing, Wish
from tests.fakes import START, FakeChance, FakeClock, MemoryOrders, MemoryQueue


class DeafQueue(MemoryQueue):
    def enqueue(self, message: WorkMessage) -> None:
        raise QueueUnavailable("deaf")


@dataclass
class World:
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    clock: FakeClock = field(default_factory=FakeClock)
    chance: FakeChance = field(default_factory=FakeChance)
    test_tokens: bool = False

    def place(self, wish: Wish, account: str = "ann") -> tuple[Order, bool]:
        deadline = timedelta(seconds=120)
        placing = Placing(
            self.orders, self.queue, self.clock, self.chance, deadline, self.test_tokens
        )
        return placing.place(wish, account=account)


ONE_SOL = Wish("SOL", "USDC", Decimal(1))


def _problems(world: World, wish: Wish) -> set[tuple[str, str]]:
    with pytest.raises(InvalidWish) as refused:
        world.place(wish)
    assert world.orders.rows == {}
    assert not world.queue.messages
    return {(p.pointer, p.code) for p in refused.value.problems}


def test_an_order_is_stored_and_enqueued() -> None:
    world = World()
    order, replayed = world.place(ONE_SOL)
    assert not replayed
    assert world.orders.get(order.order_id) == order
    assert list(world.queue.messages) == [WorkMessage(order.order_id, order)]
    assert (order.status, order.amount, order.seq) == (Status.PENDING, 10**9, 1)
    assert order.deadline == START + timedelta(seconds=120)


def test_without_a_key_every_order_is_new() -> None:
    world = World()
    assert world.place(ONE_SOL)[0].order_id != world.place(ONE_SOL)[0].order_id


def test_the_same_key_and_meaning_is_the_same_order() -> None:
    world = World()
    first, _ = world.place(Wish("SOL", "USDC", Decimal(1), key="k"))
    world.clock.advance(5)
    again, replayed = world.place(Wish("SOL", "USDC", Decimal("1.0"), key="k"))
    assert replayed
    assert again == first
    assert len(world.queue.messages) == 1


def test_a_replay_says_what_was_first_said_whatever_became_of_the_order() -> None:
    world = World()
    first, _ = world.place(Wish("SOL", "USDC", Decimal(1), key="k"))
    world.orders.save(first.to(Status.ROUTING, at=START), expected_seq=1)
    world.clock.advance(5)
    assert world.place(Wish("SOL", "USDC", Decimal(1), key="k")) == (first, True)


def test_the_same_key_for_another_order_is_refused() -> None:
    world = World()
    world.place(Wish("SOL", "USDC", Decimal(1), key="k"))
    for other in (
        Wish("SOL", "USDC", Decimal(2), key="k"),
        Wish("SOL", "USDC", Decimal(1), 51, key="k"),
        Wish("SOL", "USDT", Decimal(1), key="k"),
    ):
        world.clock.advance(1)
        with pytest.raises(IdempotencyKeyReused):
            world.place(other)


def test_two_accounts_may_use_one_key() -> None:
    world = World()
    ann, _ = world.place(Wish("SOL", "USDC", Decimal(1), key="k"), "ann")
    bob, replayed = world.place(Wish("SOL", "USDC", Decimal(1), key="k"), "bob")
    assert not replayed
    assert ann.order_id != bob.order_id


def test_an_order_that_can_not_be_enqueued_is_accepted_all_the_same() -> None:
    world = World(queue=DeafQueue())
    order, _ = world.place(ONE_SOL)
    assert world.orders.get(order.order_id) == order


def test_every_field_that_is_wrong_is_named() -> None:
    assert _problems(World(), Wish("SOLX", "USD", Decimal(0))) == {
        ("/tokenIn", "UNKNOWN_TOKEN"),
        ("/tokenOut", "UNKNOWN_TOKEN"),
        ("/amount", "AMOUNT_OUT_OF_RANGE"),
    }


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (Wish("SOL", "SOL", Decimal(1)), ("/tokenOut", "SAME_TOKEN")),
        (Wish("BONK", "JUP", Decimal(1)), ("/tokenOut", "UNSUPPORTED_PAIR")),
        (Wish("USDC", "SOL", Decimal("0.0000001")), ("/amount", "TOO_MANY_DECIMALS")),
        (Wish("SOL", "USDC", Decimal("18446744073.709551616")), ("/amount", "AMOUNT_OUT_OF_RANGE")),
        (Wish("XFAIL", "USDC", Decimal(1)), ("/tokenIn", "UNKNOWN_TOKEN")),
    ],
)
def test_what_can_not_trade_is_refused(wish: Wish, problem: tuple[str, str]) -> None:
    assert _problems(World(), wish) == {problem}


def test_test_tokens_trade_where_the_operator_turned_them_on() -> None:
    order, _ = World(test_tokens=True).place(Wish("XFAIL", "USDC", Decimal(1)))
    assert order.token_in == "XFAIL"
