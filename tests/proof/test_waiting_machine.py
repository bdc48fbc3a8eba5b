"""Orders that wait while prices do anything: what triggers is what a look at all would find."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from engine.adapters.simulated.chain import Faults
from engine.domain.terms import Exit, OrderType
from engine.domain.triggers import Side
from tests.fakes import Lazy
from tests.proof.aws import Message
from tests.proof.border import Harm
from tests.proof.breaks import Break, ignore_a_cancel_all, let_nothing_expire
from tests.proof.history import ALWAYS, PROMISES, Promise, broken
from tests.proof.test_machine import run, wanted_steps
from tests.proof.world import TICKS, World

STEPS = Counter[str]()

#: Near each other, so that orders share levels and the price meets them exactly.
levels = st.sampled_from(["90", "95", "99", "99.99", "100", "100.01", "101", "105", "110"])
sides = st.sampled_from(list(Side))
which = st.integers(0, 7)
lives = st.sampled_from([3600, 3600, 30, 2])
seldom = st.sampled_from([False, False, False, True])


#: What each kind is asked with, of two levels.
ASKED: dict[OrderType, Any] = {
    OrderType.LIMIT: lambda one, _: {"limit_price": one},
    OrderType.STOP: lambda one, _: {"stop_price": one},
    OrderType.TAKE_PROFIT: lambda one, _: {"stop_price": one},
    OrderType.STOP_LIMIT: lambda one, other: {"stop_price": one, "limit_price": other},
    OrderType.TRAILING_STOP: lambda one, other: {
        "trailing_bps": 500,
        "activation_price": one if one > other else None,
    },
    OrderType.OCO: lambda one, other: {
        "take_profit": Exit(one, 100),
        "stop_loss": Exit(other, 300),
    },
    OrderType.TWAP: lambda one, other: {
        "parts": 3,
        "interval_seconds": 7,
        "min_price": one if one < other else None,
    },
}


class Waiting(RuleBasedStateMachine):
    """A market that moves, orders that wait, tickers that are late, die, or are two."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(lazy=st.booleans(), budget=st.sampled_from([1_000, 1_000, 6]))
    def begin(self, lazy: bool, budget: int) -> None:
        self.world = World(budget=budget)
        if lazy:
            self.world.background = Lazy()
        self.world.move("100")
        self.world.connect("ann")
        self.world.watch_all("ann")

    def _step(self) -> None:
        STEPS["steps"] += 1
        self._look(ALWAYS)

    def _look(self, promises: Sequence[Promise] = PROMISES) -> None:
        assert broken(self.world.history(), promises) == []

    def _order(self, which: int) -> str:
        return self.world.order_ids[which % len(self.world.order_ids)]

    def _some_order(self) -> bool:
        return bool(self.world.order_ids)

    def _start(self, which: int) -> Message:
        messages = self.world.sqs.messages(TICKS)
        return messages[which % len(messages)]

    def _some_start(self) -> bool:
        return bool(self.world.sqs.messages(TICKS))

    @rule(kind=st.sampled_from(list(ASKED)), side=sides, one=levels, other=levels, lives=lives)
    def rest(self, kind: OrderType, side: Side, one: str, other: str, lives: int) -> None:
        self._step()
        asked = ASKED[kind](Decimal(one), Decimal(other))
        self.world.rest(kind, side, lasts=timedelta(seconds=lives), **asked)

    @precondition(_some_order)
    @rule(order=which, one=levels, other=levels)
    def change(self, order: int, one: str, other: str) -> None:
        self._step()
        order_id = self._order(order)
        kind = self.world.states[order_id][-1].terms.kind
        if kind is OrderType.MARKET:  # a part's: it never rests
            return
        self.world.change(order_id, **ASKED[kind](Decimal(one), Decimal(other)))

    @precondition(_some_order)
    @rule(order=which)
    def cancel(self, order: int) -> None:
        self._step()
        self.world.cancel(self._order(order))

    @precondition(_some_order)
    @rule(really=seldom)
    def cancel_all(self, really: bool) -> None:
        self._step()
        if really:
            self.world.cancel_all()

    @rule(price=levels, told=st.booleans())
    def move(self, price: str, told: bool) -> None:
        self._step()
        self.world.move(price, told=told)

    @rule(to=levels, back=levels)
    def spike(self, to: str, back: str) -> None:
        """The price goes somewhere for one tick only."""
        self._step()
        self.world.move(to)
        self._tick_beside()
        self.world.move(back)

    def _tick_beside(self) -> None:
        self.world.clock.advance(0.25)
        self.world.tick_beside()

    @rule(low=levels, high=levels)
    def jump(self, low: str, high: str) -> None:
        """Two ticks of one ticker see two prices."""
        self._step()
        for price in (low, high):
            self.world.move(price)
            self._tick_beside()

    @rule(ticks=st.integers(1, 3))
    def tick(self, ticks: int) -> None:
        self._step()
        for _ in range(ticks):
            self.world.tick()

    @rule()
    def tick_beside(self) -> None:
        self._step()
        self._tick_beside()

    @precondition(_some_start)
    @rule(message=which)
    def start_twice(self, message: int) -> None:
        self._step()
        self.world.sqs.duplicate(TICKS, self._start(message))

    @precondition(_some_start)
    @rule(message=which)
    def lose_a_start(self, message: int) -> None:
        self._step()
        self.world.sqs.messages(TICKS).remove(self._start(message))

    @rule(lagging=seldom)
    def lag(self, lagging: bool) -> None:
        """Let the indexes show nothing new from now on, or all that they did not show."""
        self._step()
        if lagging:
            self.world.dynamo.lagging = True
        else:
            self.world.dynamo.catch_up()

    @rule(blind=seldom)
    def lose_sight(self, blind: bool) -> None:
        """No venue tells a price, or both do again."""
        self._step()
        self.world.blind = blind

    @rule(harm=st.sampled_from(list(Harm)), calls_from_now=st.integers(1, 24))
    def plan(self, harm: Harm, calls_from_now: int) -> None:
        self._step()
        self.world.border.harm_next(harm, calls_from_now)

    @rule(maximum=st.integers(1, 10))
    def deliver(self, maximum: int) -> None:
        self._step()
        self.world.deliver(range(maximum))

    @rule(
        faults=st.sampled_from(
            [Faults(), Faults(drop=1.0), Faults(mute=1.0), Faults(slip=1.0), Faults.at_rate(0.3)]
        )
    )
    def change_the_weather(self, faults: Faults) -> None:
        self._step()
        self.world.faults = faults

    @rule(seconds=st.sampled_from([1, 4, 16, 61]))
    def wait(self, seconds: int) -> None:
        self._step()
        self.world.clock.advance(seconds)

    @rule(seconds=st.sampled_from([3, 20]))
    def carry_on(self, seconds: int) -> None:
        self._step()
        self.world.settle_down(timedelta(seconds=seconds))

    @rule()
    def reconcile(self) -> None:
        self._step()
        self.world.reconcile()

    @rule(maximum=st.sampled_from([1, 2, 10]))
    def notify(self, maximum: int) -> None:
        self._step()
        self.world.notify(maximum)

    def teardown(self) -> None:
        """Let it all come to rest, and then to its end: nobody disturbs, and time goes by."""
        self._look(ALWAYS)
        world = self.world
        world.faults, world.blind = Faults(), False
        world.border.planned.clear()
        world.dynamo.catch_up()
        for wait in (0, 4_000):
            world.clock.advance(wait)
            world.settle_down()
            for order_id in world.order_ids:
                world.read(order_id)
            self._look()
            assert world.quiet  # also the ticks: whatever their budget, their sweeps are whole
        assert all(end.final for end in world.history().ends.values())


@pytest.mark.parametrize(
    "guard", [ignore_a_cancel_all, let_nothing_expire], ids=lambda guard: guard.__name__
)
def test_the_machine_of_waiting_orders_notices_if_the_engine_were_to(
    guard: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard(monkeypatch)
    with pytest.raises(AssertionError):
        run(20_000, Phase.generate, machine=Waiting)


def test_what_is_triggered_is_what_a_look_at_all_would_find(
    thorough: bool, tally: Counter[str]
) -> None:
    wanted = wanted_steps(thorough=thorough)
    STEPS.clear()
    run(wanted, Phase.generate, Phase.shrink, machine=Waiting)
    tally["steps of the machine of waiting orders"] = STEPS["steps"]
    assert STEPS["steps"] >= wanted // 2
