"""An order is routed, built, submitted and settled; once, whatever goes wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from engine.adapters.simulated.chain import Faults, SimulatedChain
from engine.adapters.simulated.venues import SimulatedVenue
from engine.api.views import order_view
from engine.domain.errors import (
    ChainUnavailable,
    EngineError,
    InsufficientFunds,
    InsufficientLiquidity,
    QueueUnavailable,
    TransactionRefused,
    VenueTimeout,
    VenueUnavailable,
)
from engine.domain.order import Order, Settlement, Status, Transaction, Waiting
from engine.domain.terms import OrderType, Terms
from engine.domain.tokens import PAIRS, RAY, SOL, TOKENS, USDC
from engine.domain.triggers import Direction, Fired, Level
from engine.market.pool import Pool
from engine.market.simulation import SimulatedMarket
from engine.ports.background import Background
from engine.ports.chain import Expired, Landed, Landing, Unknown
from engine.ports.queue import DeadLetter, WorkMessage
from engine.ports.rosters import Roster
from engine.ports.venue import Venue
from engine.service.epochs import Epochs
from engine.service.execution import Done, Execution, Outcome, TryAgain
from engine.service.resting import TickerWatch
from tests.fakes import (
    START,
    FakeChance,
    FakeClock,
    Inline,
    Lazy,
    MemoryLedger,
    MemoryOrders,
    MemoryQueue,
    MemoryRosters,
    MemoryTickers,
    a_life,
    a_parting,
    a_quoting,
    an_order,
)


@dataclass
class BrokenVenue:
    name: str
    error: EngineError

    def pool(self, token_in: str, token_out: str) -> Pool:
        raise self.error


@dataclass
class DeafQueue(MemoryQueue):
    deaf: bool = True

    def send_dead_letter(self, letter: DeadLetter) -> None:
        if self.deaf:
            raise QueueUnavailable("deaf")
        super().send_dead_letter(letter)


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    chance: FakeChance = field(default_factory=FakeChance)
    rosters: MemoryRosters = field(default_factory=MemoryRosters)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    venues: list[Venue] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.market = SimulatedMarket(7)
        self.venues = self.venues or [
            SimulatedVenue(name, self.market, self.clock, self.chance, (0.2, 0.4))
            for name in ("raydium", "meteora")
        ]
        self.chain = SimulatedChain(self.market, self.ledger, self.clock, (0.4, 0.8), 7)

    def execution(self) -> Execution:
        return Execution(
            self.orders,
            self.queue,
            a_quoting(self.venues, self.clock, Inline()),
            self.chain,
            self.clock,
            self.chance,
            Inline(),
            TickerWatch(MemoryTickers(), self.clock),
            Epochs(self.rosters),
            a_parting(self.orders, self.queue, self.clock, self.rosters),
        )

    def placed(self, **changes: Any) -> Order:
        order = an_order(**changes)
        self.orders.add(order)
        return order

    def settle(self, order: Order, *, snapshot: bool = True) -> Outcome:
        return self.execution().settle(WorkMessage(order.order_id, order if snapshot else None))

    def now(self, order: Order) -> Order:
        return self.orders.rows[order.order_id]

    @property
    def landed(self) -> list[str]:
        return [sig for sig, entry in self.ledger.entries.items() if "out" in entry]


def _statuses(order: Order) -> list[Status]:
    return [step.status for step in order.history]


def test_an_order_never_trades_by_another_settlement_than_it_was_placed_for() -> None:
    world = World()
    order = world.placed(settlement=Settlement.LIVE)
    assert world.settle(order) == Done()
    failed = world.now(order)
    assert failed.error is not None
    assert failed.error.code == "SETTLEMENT_CHANGED"
    assert not world.ledger.entries


def test_what_is_in_flight_elsewhere_stays_unknown() -> None:
    world = World()
    submitted = a_life(an_order(settlement=Settlement.LIVE), at=START)[3]
    world.orders.add(replace(submitted, lease_until=None))
    assert world.settle(world.now(submitted)) == TryAgain(60)
    assert world.now(submitted).status is Status.SUBMITTED


@dataclass(eq=False)
class Unsigning:
    """A chain that signs nothing, and why."""

    why: Exception

    def sign(self, *_: Any, **__: Any) -> Any:
        raise self.why


@pytest.mark.parametrize(
    ("why", "letters"),
    [(InsufficientFunds("too little SOL"), 0), (TransactionRefused("somebody else pays"), 1)],
)
def test_what_can_not_be_signed_is_an_answer_and_not_tried_again(
    why: EngineError, letters: int
) -> None:
    world = World()
    world.chain = Unsigning(why)  # type: ignore[assignment]
    order = world.placed()
    assert world.settle(order) == Done()
    failed = world.now(order)
    assert failed.error is not None
    assert (failed.error.code, failed.attempts, failed.tx_hash) == (why.code, 1, None)
    assert len(world.queue.dead_lettered) == letters


def test_a_key_that_does_not_answer_is_asked_three_times() -> None:
    world = World()
    world.chain = Unsigning(ChainUnavailable("KMS"))  # type: ignore[assignment]
    order = world.placed()
    for _ in range(2):
        again = world.settle(order, snapshot=False)
        assert isinstance(again, TryAgain)
        world.clock.advance(again.seconds)
    assert world.settle(order, snapshot=False) == Done()
    failed = world.now(order)
    assert failed.error is not None
    assert (failed.error.code, failed.attempts) == ("CHAIN_UNAVAILABLE", 3)


def test_who_may_not_sign_hands_the_order_to_those_who_may() -> None:
    world = World()
    order = world.placed()
    execution = world.execution()
    execution.signs = False
    assert execution.settle(WorkMessage(order.order_id, order)) == Done()
    assert world.now(order) == order
    assert [message.order_id for message in world.queue.messages] == [order.order_id]


HAPPY = [Status.PENDING, Status.ROUTING, Status.BUILDING, Status.SUBMITTED, Status.CONFIRMED]


@pytest.mark.parametrize("snapshot", [True, False])
def test_an_order_is_carried_to_its_end(snapshot: bool) -> None:
    world = World()
    order = world.placed()
    assert world.settle(order, snapshot=snapshot) == Done()
    done = world.now(order)
    assert _statuses(done) == HAPPY
    assert done.attempts == 1
    assert done.transaction is not None
    assert world.landed == [done.transaction.signature]
    assert str(done.amount_out) == world.ledger.entries[done.transaction.signature]["out"]
    assert done.min_amount_out is not None
    assert done.amount_out is not None
    assert done.amount_out >= done.min_amount_out
    assert {quote.venue for quote in done.quotes} == {"raydium", "meteora"}
    assert not done.held(world.clock.now())


def test_the_better_venue_is_taken_in_both_directions() -> None:
    for sell, buy, amount in ((SOL, USDC, 10**9), (USDC, SOL, 10**8)):
        world = World()
        order = world.placed(terms=Terms(sell, buy, amount, 50))
        world.settle(order)
        done = world.now(order)
        best = max(done.quotes, key=lambda quote: quote.amount_out)
        assert done.route is not None
        assert done.route.amount_out >= best.amount_out


def test_one_venue_may_fail() -> None:
    world = World()
    world.venues[0] = BrokenVenue("raydium", VenueTimeout("late"))
    order = world.placed()
    world.settle(order)
    done = world.now(order)
    assert done.status is Status.CONFIRMED
    assert [(quote.venue, quote.error) for quote in done.quotes] == [
        ("raydium", "VENUE_TIMEOUT"),
        ("meteora", None),
    ]


def _venues(error: EngineError) -> list[Venue]:
    return [BrokenVenue(name, error) for name in ("raydium", "meteora")]


def test_three_attempts_with_growing_gaps_then_failed_and_dead_lettered() -> None:
    world = World(venues=_venues(VenueUnavailable("away")))
    order = world.placed()
    gaps = []
    while isinstance(outcome := world.settle(order), TryAgain):
        gaps.append(outcome.seconds)
        world.clock.advance(outcome.seconds)
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.FAILED, 3)
    assert done.error is not None
    assert done.error.code == "VENUES_UNAVAILABLE"
    assert len(gaps) == 2
    assert gaps[0] < gaps[1]
    assert world.queue.dead_lettered == [DeadLetter(order.order_id, "VENUES_UNAVAILABLE", 3)]
    assert [quote.error for quote in done.quotes] == ["VENUE_UNAVAILABLE"] * 2
    assert world.ledger.entries == {}


@pytest.mark.parametrize("luck", [0.0, 0.5, 1.0])
def test_each_gap_is_longer_than_the_last_whatever_the_jitter(luck: float) -> None:
    world = World(venues=_venues(VenueUnavailable("away")), chance=FakeChance(luck))
    order = world.placed()
    gaps = []
    while isinstance(outcome := world.settle(order), TryAgain):
        gaps.append(outcome.seconds)
        world.clock.advance(outcome.seconds)
    assert gaps[0] >= 2
    assert gaps[1] > gaps[0]


def test_an_early_delivery_waits_and_uses_up_no_attempt() -> None:
    world = World(venues=_venues(VenueUnavailable("away")))
    order = world.placed()
    first = world.settle(order)
    assert isinstance(first, TryAgain)
    assert isinstance(world.settle(order), TryAgain)
    assert world.now(order).attempts == 1


def test_what_can_not_succeed_fails_at_once() -> None:
    world = World(venues=_venues(InsufficientLiquidity("dry")))
    order = world.placed()
    assert world.settle(order) == Done()
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.FAILED, 1)
    assert done.error is not None
    assert done.error.code == "INSUFFICIENT_LIQUIDITY"
    assert world.queue.dead_lettered == []


def test_an_order_past_its_deadline_never_trades() -> None:
    world = World()
    order = world.placed()
    world.clock.advance(120)
    world.settle(order)
    done = world.now(order)
    assert done.error is not None
    assert (done.status, done.error.code, done.attempts) == (Status.FAILED, "EXPIRED", 0)
    assert world.ledger.entries == {}


def test_a_cancelled_order_is_left_alone() -> None:
    world = World()
    order = world.placed()
    world.orders.save(order.cancel(at=world.clock.now()), expected_seq=1)
    assert world.settle(order) == Done()
    assert world.now(order).status is Status.CANCELLED
    assert world.ledger.entries == {}


def test_an_order_that_another_worker_holds_is_left_to_it() -> None:
    world = World()
    order = world.placed()
    until = world.clock.now() + timedelta(seconds=15)
    held = order.claim(at=world.clock.now(), until=until, by="other")
    world.orders.save(held, expected_seq=1)
    assert world.settle(order) == TryAgain(15)
    assert world.now(order) == held


def test_a_dead_workers_order_is_taken_over() -> None:
    world = World()
    order = world.placed()
    until = world.clock.now() + timedelta(seconds=15)
    world.orders.save(order.claim(at=order.created_at, until=until, by="dead"), expected_seq=1)
    world.clock.advance(15)
    assert world.settle(order) == Done()
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.CONFIRMED, 2)


def test_workers_that_keep_dying_end_the_order() -> None:
    world = World()
    order = world.placed()
    for n in range(3):
        until = world.clock.now() + timedelta(seconds=15)
        current = world.now(order)
        dead = current.claim(at=world.clock.now(), until=until, by=str(n))
        world.orders.save(dead, expected_seq=current.seq)
        world.clock.advance(15)
    world.settle(order)
    done = world.now(order)
    assert done.error is not None
    assert (done.status, done.error.code) == (Status.FAILED, "ATTEMPTS_EXHAUSTED")
    assert len(world.queue.dead_lettered) == 1


class DeadWorker(BaseException):
    """Nothing catches this: the process is gone."""


@dataclass
class DyingChain:
    """Dies at the first call of `method`, before or after it was made."""

    chain: SimulatedChain
    method: str
    after: bool
    alive: bool = True

    def _maybe_die(self, method: str, *, after: bool) -> None:
        if self.alive and (method, after) == (self.method, self.after):
            self.alive = False
            raise DeadWorker

    def sign(self, *args: object, **kwargs: object) -> Transaction:
        self._maybe_die("sign", after=False)
        return self.chain.sign(*args, **kwargs)  # type: ignore[arg-type]

    def send(self, order: Order, transaction: Transaction) -> None:
        self._maybe_die("send", after=False)
        self.chain.send(order, transaction)
        self._maybe_die("send", after=True)

    def landing(self, transaction: Transaction, *, wait: timedelta) -> Landing:
        self._maybe_die("landing", after=False)
        return self.chain.landing(transaction, wait=wait)


@pytest.mark.parametrize(("method", "after"), [("send", False), ("send", True), ("landing", False)])
def test_a_worker_that_dies_around_the_send_trades_once(method: str, after: bool) -> None:
    world = World()
    order = world.placed()
    execution = replace(world.execution(), chain=DyingChain(world.chain, method, after))
    with pytest.raises(DeadWorker):
        execution.settle(WorkMessage(order.order_id, order))
    world.clock.advance(20)
    assert world.settle(order) == Done()
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.CONFIRMED, 1)
    assert done.transaction is not None
    assert world.landed == [done.transaction.signature]


class SilentChain(SimulatedChain):
    """Answers nothing, though it hears."""

    def send(self, order: Order, transaction: Transaction) -> None:
        super().send(order, transaction)
        raise ChainUnavailable("no answer")

    def landing(self, transaction: Transaction, *, wait: timedelta) -> Landing:
        self.clock.sleep(wait.total_seconds())
        raise ChainUnavailable("no answer")


def test_unknown_is_never_failed() -> None:
    world = World()
    chain = world.chain
    world.chain = SilentChain(world.market, world.ledger, world.clock, (0.4, 0.8), 7)
    order = world.placed()
    outcome = world.settle(order)
    assert isinstance(outcome, TryAgain)
    assert world.now(order).status is Status.SUBMITTED
    world.clock.advance(outcome.seconds)
    world.chain = chain
    assert world.settle(order) == Done()
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.CONFIRMED, 1)
    assert len(world.landed) == 1


class LosingChain(SimulatedChain):
    """Loses whatever is sent."""

    def send(self, order: Order, transaction: Transaction) -> None:
        pass


def test_a_new_transaction_is_built_only_after_the_old_one_expired() -> None:
    world = World()
    chain = world.chain
    world.chain = LosingChain(world.market, world.ledger, world.clock, (0.4, 0.8), 7)
    order = world.placed()
    signatures = set()
    while world.clock.now() < order.created_at + timedelta(seconds=60):
        outcome = world.settle(order)
        assert isinstance(outcome, TryAgain)
        transaction = world.now(order).transaction
        assert transaction is not None
        signatures.add(transaction.signature)
        world.clock.advance(outcome.seconds)
    assert len(signatures) == 1
    world.chain = chain
    assert world.settle(order) == Done()
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.CONFIRMED, 2)
    assert Status.ROUTING not in _statuses(done)[2:]
    assert len(world.landed) == 1
    assert not signatures.intersection(world.landed)


def test_an_expired_transaction_past_the_deadline_fails_the_order() -> None:
    world = World()
    world.chain = LosingChain(world.market, world.ledger, world.clock, (0.4, 0.8), 7)
    order = world.placed()
    while isinstance(outcome := world.settle(order), TryAgain):
        world.clock.advance(outcome.seconds)
    done = world.now(order)
    assert done.error is not None
    assert (done.status, done.error.code) == (Status.FAILED, "EXPIRED")
    assert world.landed == []


def test_what_was_sent_in_vain_is_kept_by_the_order() -> None:
    world = World()
    world.chain = LosingChain(world.market, world.ledger, world.clock, (0.4, 0.8), 7)
    order = world.placed()
    sent = set()
    while isinstance(outcome := world.settle(order), TryAgain):
        sent.add(world.now(order).tx_hash)
        world.clock.advance(outcome.seconds)
    done = order_view(world.now(order)).model_dump()
    assert (done["status"], done["error"]["code"]) == ("failed", "EXPIRED")
    assert done["txHash"] in sent
    assert {tried["txHash"] for tried in done["tries"]} >= sent
    assert {(tried["outcome"], tried["code"]) for tried in done["tries"]} == {
        ("expired", "TRANSACTION_EXPIRED")
    }


def test_every_try_without_a_route_says_so() -> None:
    world = World(venues=_venues(VenueUnavailable("away")))
    order = world.placed()
    while isinstance(outcome := world.settle(order), TryAgain):
        world.clock.advance(outcome.seconds)
    tries = order_view(world.now(order)).model_dump()["tries"]
    assert [(tried["attempt"], tried["txHash"], tried["code"]) for tried in tries] == [
        (n, None, "VENUES_UNAVAILABLE") for n in (1, 2, 3)
    ]


@dataclass
class Noting(MemoryOrders):
    """Keeps each status that is written, and what had been sent by then."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    written: list[tuple[Status, bool]] = field(default_factory=list)

    def save(self, order: Order, *, expected_seq: int, expected_moves: int | None = None) -> None:
        super().save(order, expected_seq=expected_seq, expected_moves=expected_moves)
        self.written.append((order.status, bool(self.ledger.entries)))


@pytest.mark.parametrize("background", [Inline(), Lazy()])
def test_building_is_written_before_the_send_and_submitted_after_it(background: Background) -> None:
    ledger = MemoryLedger()
    orders = Noting(ledger=ledger)
    world = World(orders=orders, ledger=ledger)
    order = world.placed()
    replace(world.execution(), background=background).settle(WorkMessage(order.order_id, order))
    assert orders.written == [
        (Status.ROUTING, False),
        (Status.BUILDING, False),
        (Status.SUBMITTED, True),
        (Status.CONFIRMED, True),
    ]


def test_each_step_bears_the_time_at_which_it_was_made() -> None:
    class SlowChain(SimulatedChain):
        def send(self, order: Order, transaction: Transaction) -> None:
            super().send(order, transaction)
            self.clock.sleep(0.04)

    world = World()
    world.chain = SlowChain(world.market, world.ledger, world.clock, (0.4, 0.8), 7)
    order = world.placed()
    world.settle(order)
    at = {step.status: step.at for step in world.now(order).history}
    assert at[Status.SUBMITTED] - at[Status.BUILDING] == timedelta(milliseconds=40)
    assert at[Status.CONFIRMED] - at[Status.SUBMITTED] > timedelta(milliseconds=300)


def test_a_dead_letter_that_could_not_be_sent_is_still_due() -> None:
    queue = DeafQueue()
    world = World(venues=_venues(VenueUnavailable("away")), queue=queue)
    order = world.placed()
    while isinstance(outcome := world.settle(order), TryAgain):
        world.clock.advance(outcome.seconds)
    assert world.now(order).dead_letter_due
    queue.deaf = False
    world.settle(order)
    assert not world.now(order).dead_letter_due
    world.settle(order)  # a letter moved back from the dead-letter queue
    assert len(queue.dead_lettered) == 1


def test_a_message_of_no_order_is_done_with() -> None:
    assert World().execution().settle(WorkMessage("nothing")) == Done()


def _with_token(symbol: str) -> tuple[World, Order]:
    world = World()
    return world, world.placed(terms=Terms(TOKENS[symbol], USDC, 10**6, 50))


def test_xslip_fails_once_on_slippage() -> None:
    world, order = _with_token("XSLIP")
    assert world.settle(order) == Done()
    done = world.now(order)
    assert done.error is not None
    assert (done.status, done.error.code, done.attempts) == (Status.FAILED, "SLIPPAGE_EXCEEDED", 1)
    assert world.landed == []
    assert world.queue.dead_lettered == []


def test_xdrop_is_sent_again_and_lands_once() -> None:
    world, order = _with_token("XDROP")
    assert world.settle(order) == Done()
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.CONFIRMED, 1)
    assert len(world.landed) == 1
    assert _statuses(done) == HAPPY


def test_xfail_fails_after_three_attempts() -> None:
    world, order = _with_token("XFAIL")
    while isinstance(outcome := world.settle(order), TryAgain):
        world.clock.advance(outcome.seconds)
    done = world.now(order)
    assert (done.status, done.attempts) == (Status.FAILED, 3)


def test_the_chain_lands_a_signature_once_and_keeps_its_word_on_expiry() -> None:
    world = World()
    order = world.placed()
    tx = world.chain.sign(order, (), valid_for=timedelta(seconds=5))
    assert world.chain.landing(tx, wait=timedelta(0)) == Unknown()
    world.clock.advance(6)
    assert world.chain.landing(tx, wait=timedelta(0)) == Expired()
    world.clock.time = tx.signed_at  # a sender whose clock is slow
    world.chain.send(order, tx)
    assert world.chain.landing(tx, wait=timedelta(seconds=2)) == Expired()


def test_the_same_seed_and_clock_give_the_same_landing() -> None:
    def once() -> Landing:
        world = World()
        order = world.placed()
        world.settle(order)
        transaction = world.now(order).transaction
        assert transaction is not None
        return world.chain.landing(transaction, wait=timedelta(seconds=1))

    first = once()
    assert isinstance(first, Landed)
    assert first == once()


def test_whatever_the_weather_an_order_trades_at_most_once_and_tells_the_truth() -> None:
    ends = set()
    for seed in range(60):
        world = World()
        world.chain = SimulatedChain(
            world.market, world.ledger, world.clock, (0.4, 0.8), seed, Faults.at_rate(0.4)
        )
        order = world.placed()
        while isinstance(outcome := world.settle(order), TryAgain):
            world.clock.advance(outcome.seconds)
        done = world.now(order)
        ends.add(done.error.code if done.error else done.status.value)
        assert len(world.landed) == (done.status is Status.CONFIRMED)
        if done.transaction and world.landed:
            assert world.landed == [done.transaction.signature]
            assert world.ledger.entries[world.landed[0]]["out"] == str(done.amount_out)
    assert {"confirmed", "SLIPPAGE_EXCEEDED"} <= ends


def _delisted(symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TOKENS, symbol)
    left = tuple(pair for pair in PAIRS if symbol not in {token.symbol for token in pair})
    monkeypatch.setattr("engine.domain.tokens.PAIRS", left)


def test_an_order_of_a_token_that_is_delisted_fails_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    order = world.placed(terms=Terms(RAY, USDC, 10**6, 50))
    _delisted("RAY", monkeypatch)
    assert world.settle(order) == Done()
    done = world.now(order)
    assert done.error is not None
    assert (done.status, done.error.code) == (Status.FAILED, "UNSUPPORTED_PAIR")
    assert order_view(done).amount == "1"


def test_what_was_sent_before_its_token_was_delisted_is_settled_as_it_landed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    order = world.placed(terms=Terms(RAY, USDC, 10**6, 50))
    silent = SilentChain(world.market, world.ledger, world.clock, (0.4, 0.8), 7)
    replace(world.execution(), chain=silent).settle(WorkMessage(order.order_id, order))
    _delisted("RAY", monkeypatch)
    world.clock.advance(20)
    assert world.settle(order) == Done()
    done = world.now(order)
    assert done.status is Status.CONFIRMED
    assert order_view(done).executed_price


def _away(world: World) -> None:
    world.venues[:] = [BrokenVenue(name, VenueTimeout("late")) for name in ("raydium", "meteora")]


def _late(world: World) -> None:
    """Let the second attempt begin before the deadline and hear nothing until it has passed."""

    class LateVenue(BrokenVenue):
        def pool(self, token_in: str, token_out: str) -> Pool:
            world.clock.advance(1)
            return super().pool(token_in, token_out)

    world.chance.where = 0.0  # the first gap is two seconds
    world.venues[:] = [LateVenue(name, VenueTimeout("late")) for name in ("raydium", "meteora")]


def _a_worker_that_dies(world: World) -> None:
    world.chain = cast("SimulatedChain", DyingChain(world.chain, "sign", after=False))


def _a_send_that_is_lost(world: World) -> None:
    world.chain.faults = Faults(drop=1.0)


@pytest.mark.parametrize("trouble", [_away, _late, _a_worker_that_dies, _a_send_that_is_lost])
def test_no_wait_reaches_past_the_deadline(trouble: Callable[[World], None]) -> None:
    world = World()
    order = world.placed(deadline=START + timedelta(seconds=5))
    trouble(world)
    outcome: Outcome = TryAgain(1)
    while isinstance(outcome, TryAgain):
        try:
            outcome = world.settle(order, snapshot=False)
        except DeadWorker:
            continue  # its message comes again, too early even
        if isinstance(outcome, TryAgain):
            world.clock.advance(outcome.seconds)
    done = world.now(order)
    assert done.error is not None
    assert (done.status, done.error.code) == (Status.FAILED, "EXPIRED")
    assert order.deadline <= done.updated_at <= order.deadline + timedelta(seconds=2)


def _due(world: World, limit: str) -> Order:
    """Return a limit order to sell a SOL that has just come due at 163 USDC."""
    wanted = {"kind": OrderType.LIMIT, "limit_price": Decimal(limit)}
    terms = Terms(SOL, USDC, 10**9, 50, expires_at=START + timedelta(hours=1), **wanted)  # type: ignore[arg-type]
    trigger = terms.trigger(None)
    assert trigger
    now, deadline = world.clock.now(), world.clock.now() + timedelta(seconds=120)
    resting = Order.place(
        "o1", "ann", terms, at=now, deadline=deadline, waiting=Waiting(trigger, now)
    )
    world.orders.add(resting)
    fired = Fired(Level(Direction.ABOVE, Decimal(limit)))
    woken = resting.wake(fired, Decimal(163), at=now, deadline=deadline)
    world.orders.save(woken, expected_seq=1, expected_moves=0)
    return woken


def test_a_try_says_what_was_quoted_and_what_it_was_held_against() -> None:
    world = World()
    order = _due(world, "1000")
    world.settle(order)
    rested = world.now(order)
    assert rested.status is Status.RESTING
    (missed,) = order_view(rested).tries
    assert (missed.code, missed.price, missed.bound) == ("LIMIT_NOT_MET", "163", "1000")
    assert missed.quoted_out is not None
    assert 100 < Decimal(missed.quoted_out) < 1000


def test_a_limit_is_the_bound_of_the_try_that_fills_it() -> None:
    world = World()
    order = _due(world, "1.5")
    world.settle(order)
    done = world.now(order)
    assert (done.status, done.min_amount_out) == (Status.CONFIRMED, 1_500_000)
    (filled,) = order_view(done).tries
    assert (filled.code, filled.price, filled.bound) == (None, "163", "1.5")
    assert done.route
    assert filled.quoted_out == order_view(done).route.legs[0].amount_out  # type: ignore[union-attr]


@pytest.mark.parametrize("snapshot", [True, False])
def test_what_a_cancel_all_overtook_as_it_was_woken_is_cancelled_and_never_trades(
    snapshot: bool,
) -> None:
    world = World()
    order = _due(world, "1.5")
    world.rosters.cancel_all("ann", "SOL/USDC", at=world.clock.now())
    assert world.settle(order, snapshot=snapshot) == Done()
    assert _statuses(world.now(order)) == [Status.RESTING, Status.PENDING, Status.CANCELLED]
    assert not world.ledger.entries


def test_what_a_worker_has_begun_is_not_cancelled_by_a_cancel_all() -> None:
    world = World()
    order = _due(world, "1.5")
    claimed = order.claim(at=world.clock.now(), until=world.clock.now(), by="dead")
    world.orders.save(claimed, expected_seq=order.seq)
    world.rosters.cancel_all("ann", None, at=world.clock.now())
    world.settle(claimed)
    assert world.now(order).status is Status.CONFIRMED


def test_a_market_order_costs_no_look_at_a_roster() -> None:
    class Unread(MemoryRosters):
        def read(self, account: str) -> Roster:
            raise AssertionError("read")

    world = World(rosters=Unread())
    assert world.settle(world.placed()) == Done()
