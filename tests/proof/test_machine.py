"""Anything that can happen, in any order: Hypothesis looks for a story that breaks a promise."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.adapters.simulated.chain import Faults
from tests.fakes import Lazy
from tests.proof.aws import Message
from tests.proof.border import Harm
from tests.proof.breaks import (
    Break,
    claim_whoever_holds_it,
    place_over_what_is_there,
    rebuild_before_the_expiry,
    take_unknown_for_failed,
    write_whatever_the_seq,
)
from tests.proof.history import ALWAYS, PROMISES, Promise, broken
from tests.proof.world import ORDERS, World

STEPS = Counter[str]()
PER_STORY = 50

tokens = st.sampled_from(["SOL", "SOL", "SOL", "XDROP", "XSLIP", "XFAIL"])
accounts = st.sampled_from(["ann", "ann", "eve"])
keys = st.sampled_from([None, "k1", "k2"])
amounts = st.sampled_from(["1", "1.0", "2"])
clients = st.sampled_from(["ann", "bob", "eve"])
#: Which of the orders, messages or records there are, counted round.
which = st.integers(0, 7)
weathers = st.sampled_from(
    [Faults(), Faults(drop=1.0), Faults(mute=1.0), Faults(late=1.0), Faults.at_rate(0.3)]
)


class Trading(RuleBasedStateMachine):
    """Clients, functions and services, each doing what it may do at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(lazy=st.booleans(), seed=st.integers(0, 3))
    def begin(self, lazy: bool, seed: int) -> None:
        self.world = World(seed=seed)
        if lazy:
            self.world.background = Lazy()

    def _step(self) -> None:
        """Count a step, after a look at what the one before has left."""
        STEPS["steps"] += 1
        self._look(ALWAYS)

    def _look(self, promises: Sequence[Promise] = PROMISES) -> None:
        assert broken(self.world.history(), promises) == []

    def _order(self, which: int) -> str:
        return self.world.order_ids[which % len(self.world.order_ids)]

    def _message(self, which: int) -> Message:
        messages = self.world.sqs.messages(ORDERS)
        return messages[which % len(messages)]

    def _some_order(self) -> bool:
        return bool(self.world.order_ids)

    def _some_message(self) -> bool:
        return bool(self.world.sqs.messages(ORDERS))

    @rule(token=tokens, amount=amounts, key=keys, account=accounts)
    def place(self, token: str, amount: str, key: str | None, account: str) -> None:
        self._step()
        self.world.place(token, amount, key, account)

    @precondition(_some_order)
    @rule(order=which, account=accounts)
    def cancel(self, order: int, account: str) -> None:
        self._step()
        self.world.cancel(self._order(order), account)

    @precondition(_some_order)
    @rule(order=which, account=accounts)
    def read(self, order: int, account: str) -> None:
        self._step()
        self.world.read(self._order(order), account)

    @precondition(_some_message)
    @rule(maximum=st.integers(1, 10))
    def deliver(self, maximum: int) -> None:
        self._step()
        self.world.deliver(range(maximum))

    @precondition(_some_message)
    @rule(message=which)
    def deliver_out_of_order(self, message: int) -> None:
        self._step()
        self.world.deliver([message % len(self.world.sqs.messages(ORDERS))])

    @precondition(_some_message)
    @rule(message=which)
    def duplicate(self, message: int) -> None:
        self._step()
        self.world.sqs.duplicate(ORDERS, self._message(message))

    @precondition(_some_message)
    @rule(message=which)
    def lose(self, message: int) -> None:
        """No queue does that; an enqueue that failed looks the same."""
        self._step()
        self.world.sqs.messages(ORDERS).remove(self._message(message))

    @precondition(_some_message)
    @rule(message=which)
    def show_at_once(self, message: int) -> None:
        """A visibility timeout that ends early, as at a throttled poller."""
        self._step()
        self._message(message).visible_at = self.world.clock.now()

    @rule(seconds=st.sampled_from([1, 4, 16, 61]))
    def wait(self, seconds: int) -> None:
        self._step()
        self.world.clock.advance(seconds)

    @rule(seconds=st.sampled_from([3, 20, 70]))
    def carry_on(self, seconds: int) -> None:
        """Let all functions run for a while, under the faults that there are."""
        self._step()
        self.world.settle_down(timedelta(seconds=seconds))

    @rule()
    def reconcile(self) -> None:
        self._step()
        self.world.reconcile()

    @rule(faults=weathers)
    def change_the_weather(self, faults: Faults) -> None:
        self._step()
        self.world.faults = faults

    @rule(venues=st.sampled_from([(), ("raydium",), ("raydium", "meteora")]))
    def put_out_of_order(self, venues: tuple[str, ...]) -> None:
        self._step()
        self.world.away = frozenset(venues)

    @rule(harm=st.sampled_from(list(Harm)), calls_from_now=st.integers(1, 12))
    def plan(self, harm: Harm, calls_from_now: int) -> None:
        """Something will happen to one of the next calls, whoever makes it."""
        self._step()
        self.world.border.harm_next(harm, calls_from_now)

    @rule()
    def redrive(self) -> None:
        self._step()
        self.world.redrive()

    @rule(client=clients)
    def connect(self, client: str) -> None:
        self._step()
        if client not in self.world.sockets.open:
            self.world.connect(client, "eve" if client == "eve" else "ann")

    @precondition(_some_order)
    @rule(client=clients, order=which, after_seq=st.integers(0, 3))
    def watch(self, client: str, order: int, after_seq: int) -> None:
        self._step()
        self.world.watch(client, self._order(order), after_seq)

    @precondition(_some_order)
    @rule(client=clients, order=which, missed=st.integers(0, 2))
    def come_back(self, client: str, order: int, missed: int) -> None:
        """Resume with the `seq` that was told last, or one a little older."""
        self._step()
        if client not in self.world.sockets.open:
            self.world.connect(client, "eve" if client == "eve" else "ann")
        order_id = self._order(order)
        told = self.world.told(order_id)
        self.world.watch(client, order_id, after_seq=max(0, told - missed))

    @rule(client=clients)
    def watch_all(self, client: str) -> None:
        self._step()
        self.world.watch_all(client)

    @precondition(_some_order)
    @rule(client=clients, order=which)
    def unwatch(self, client: str, order: int) -> None:
        self._step()
        self.world.unwatch(client, self._order(order))

    @rule(client=clients, noticed=st.booleans())
    def disconnect(self, client: str, noticed: bool) -> None:
        self._step()
        if client in self.world.sockets.open:
            self.world.disconnect(client, noticed=noticed)

    @rule(maximum=st.sampled_from([1, 1, 1, 2, 3, 10]))
    def notify(self, maximum: int) -> None:
        self._step()
        self.world.notify(maximum)

    @rule(records=st.integers(1, 10))
    def read_the_stream_again(self, records: int) -> None:
        self._step()
        self.world.reads = max(0, self.world.reads - records)

    def teardown(self) -> None:
        """Let it all come to its end: no faults, nothing planned, nobody disturbs."""
        self._look(ALWAYS)
        self.world.faults = Faults()
        self.world.away = frozenset()
        self.world.border.planned.clear()
        self.world.settle_down()
        for order_id in self.world.order_ids:
            self.world.read(order_id)
        self._look()


def run(
    steps: int,
    *phases: Phase,
    per_story: int = PER_STORY,
    machine: type[RuleBasedStateMachine] = Trading,
) -> None:
    """Let a machine take so many steps, some in each story. Raises what breaks."""
    how = settings(
        max_examples=steps // per_story,
        stateful_step_count=per_story,
        phases=phases,
        derandomize=True,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=how)


def wanted_steps(*, thorough: bool) -> int:
    """Return how many steps a machine is to take."""
    return int(os.environ.get("PROOF_STEPS", "5000" if thorough else "1000"))


def test_no_story_breaks_a_promise(thorough: bool, tally: Counter[str]) -> None:
    wanted = wanted_steps(thorough=thorough)
    STEPS.clear()
    run(wanted, Phase.generate, Phase.shrink)
    tally["steps of the rule machine"] = STEPS["steps"]
    assert STEPS["steps"] >= wanted // 2


@pytest.mark.parametrize(
    "guard",
    [
        write_whatever_the_seq,
        claim_whoever_holds_it,
        take_unknown_for_failed,
        rebuild_before_the_expiry,
        place_over_what_is_there,
    ],
    ids=lambda guard: guard.__name__,
)
def test_the_machine_too_notices_if_the_engine_were_to(
    guard: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard(monkeypatch)
    with pytest.raises(AssertionError):
        run(20_000, Phase.generate)


def test_what_the_machine_finds_shrinks_to_a_story_that_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take_unknown_for_failed(monkeypatch)
    with pytest.raises(AssertionError, match="could still land") as found:
        run(2_000, Phase.generate, Phase.shrink, per_story=10)
    story = "\n".join(found.value.__notes__)
    assert story.count(".place(") == 1, story
    assert len(story.splitlines()) <= 8, story
