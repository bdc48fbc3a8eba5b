"""Execute an order: route, build, submit, settle; once and only once."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from engine.domain.errors import (
    ChainUnavailable,
    Conflict,
    FailureCode,
    InsufficientFunds,
    QueueUnavailable,
    TransactionRefused,
)
from engine.domain.money import from_base_units
from engine.domain.order import (
    LIMIT_NOT_MET,
    Failure,
    Order,
    Quote,
    Settlement,
    Status,
    Transaction,
)
from engine.domain.prices import price_text
from engine.domain.triggers import Trigger
from engine.market.router import instructions
from engine.observability import about, log
from engine.ports.background import Background
from engine.ports.chain import Chain, Expired, Landed, Landing, Reverted, Unknown
from engine.ports.clock import Chance, Clock
from engine.ports.orders import OrderRepository
from engine.ports.queue import DeadLetter, OrderQueue, WorkMessage
from engine.service.epochs import Epochs
from engine.service.parting import Parting
from engine.service.quoting import Offer, Quoting
from engine.service.resting import TickerWatch

#: What a venue may answer now and take back a moment later.
RETRYABLE = frozenset({"VENUE_ERROR", "VENUE_TIMEOUT", "VENUE_UNAVAILABLE", "VENUE_SUSPENDED"})
#: What the chain says of a transaction whose limit the pools did not meet any more.
LIMIT_MISSED = frozenset({"SLIPPAGE_EXCEEDED", "INSUFFICIENT_LIQUIDITY"})

#: What a chain is not asked about that is not this stack's any more, until it is again.
_ELSEWHERE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how often to try; see docs/architecture.md."""

    max_attempts: int = 3
    backoff: float = 2.0
    lease: timedelta = timedelta(seconds=15)
    transaction_lifetime: timedelta = timedelta(seconds=60)
    landing_wait: timedelta = timedelta(milliseconds=1500)
    patience: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do for this message."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Deliver the message again, in `seconds`."""

    seconds: int


Outcome = Done | TryAgain


@dataclass(slots=True, eq=False, repr=False)
class Execution:
    """The use case and what it needs."""

    orders: OrderRepository
    queue: OrderQueue
    quoting: Quoting
    chain: Chain
    clock: Clock
    chance: Chance
    background: Background
    ticker: TickerWatch
    epochs: Epochs
    parting: Parting
    policy: Policy = Policy()
    settlement: Settlement = Settlement.SIMULATED
    #: Whether new transactions are signed here; who may not hands orders to the workers, who may.
    signs: bool = True

    def settle(self, message: WorkMessage) -> Outcome:
        """Carry an order as far as it goes now.

        Safe to call any number of times, at once or one after another: each write is conditional
        on what was read, and a loser goes on from what the winner wrote.
        """
        order = message.snapshot or self.orders.get(message.order_id)
        while order is not None:
            try:
                return self._advance(order)
            except Conflict as conflict:
                order = conflict.current
        log.warning("no such order", extra={"order_id": message.order_id})
        return Done()

    def send_dead_letter(self, order: Order) -> None:
        """Put the dead letter of a failed order where an operator sees it, if that is still due."""
        if not order.dead_letter_due or order.error is None:
            return
        try:
            self.queue.send_dead_letter(
                DeadLetter(order.order_id, order.error.code, order.attempts)
            )
            log.info("dead letter sent", extra=about(order, reason=order.error.code))
            self.orders.save(replace(order, dead_letter_due=False), expected_seq=order.seq)
        except QueueUnavailable:
            log.warning("dead letter not sent", extra=about(order))

    def _advance(self, order: Order) -> Outcome:
        now = self.clock.now()
        if order.final:
            self.send_dead_letter(order)
            self.parting.note(order)
            return Done()
        if order.status is Status.RESTING:  # a copy of the message that woke it
            return Done()
        if order.status is Status.PENDING and self.epochs.overtook(order):
            return self._cancel(order)
        if order.lease_until is not None and order.held(now):
            return _later(order.lease_until - now)
        if order.settlement is not self.settlement:
            return self._elsewhere(order)
        if order.in_flight is not None:
            return self._submit(self._claim(order), order.in_flight)
        if now >= order.deadline:
            return self._too_late(order)
        if order.attempts >= self.policy.max_attempts:
            detail = f"no result after {order.attempts} attempts"
            return self._fail(order, FailureCode.ATTEMPTS_EXHAUSTED, detail, dead_letter=True)
        if not self.signs:
            self.queue.enqueue(WorkMessage(order.order_id, order))
            return Done()
        return self._attempt(order)

    def _elsewhere(self, order: Order) -> Outcome:
        """See to an order that was placed for another settlement: it never trades by this one.

        What is in flight is unknown here, and stays what it is until the stack is as it was.
        """
        if order.in_flight is None:
            detail = f"it was placed for {order.settlement}, and this is {self.settlement} now"
            return self._fail(order, FailureCode.SETTLEMENT_CHANGED, detail)
        log.error("in flight elsewhere", extra={"order_id": order.order_id})
        return _later(_ELSEWHERE)

    def _claim(self, order: Order) -> Order:
        now = self.clock.now()
        by = self.chance.token_bytes().hex()[:12]
        held = order.claim(at=now, until=_end_of_wait(order, now, self.policy.lease), by=by)
        self.orders.save(held, expected_seq=order.seq)
        return held

    def _attempt(self, order: Order) -> Outcome:
        """Route and build, then submit. Asking has no effect, so the claim is written meanwhile."""
        asked = self.quoting.request_quotes(order.terms)
        order = self._claim(order)
        offer = self.quoting.collect_quotes(asked, order.terms)
        if offer.route is None:
            return self._no_route(order, offer)
        now = self.clock.now()
        if now >= order.deadline:
            return self._too_late(order)
        wanted, held = order.terms.min_liquidity_usd, offer.liquidity
        if wanted and held < wanted * 10**order.terms.quote.decimals:
            told = from_base_units(held, order.terms.quote.decimals)
            detail = f"the pools that answered hold {told} USD, less than {price_text(wanted)}"
            code = FailureCode.LIQUIDITY_TOO_LOW
            return self._fail(order, code, detail, quotes=offer.quotes)
        legs, promised = offer.route.legs, offer.route.amount_out
        if promised < order.minimum(order.terms.amount, promised):
            trigger = self._further(order, promised)
            return self._rest(order, LIMIT_NOT_MET, trigger, offer.quotes, promised)
        steps = instructions(order.token_in, order.token_out, legs, order.minimum)
        valid_for = min(self.policy.transaction_lifetime, order.deadline - now)
        try:
            transaction = self.chain.sign(order, steps, valid_for=valid_for)
        except InsufficientFunds as error:
            return self._fail(order, error.code, str(error), quotes=offer.quotes)
        except TransactionRefused as error:
            log.error("transaction refused", extra={"order_id": order.order_id, "why": str(error)})
            return self._fail(order, error.code, str(error), dead_letter=True, quotes=offer.quotes)
        except ChainUnavailable as error:
            return self._not_signed(order, offer.quotes, error)
        built = order.build(offer.quotes, offer.route, transaction, at=self.clock.now())
        self.orders.save(built, expected_seq=order.seq)  # from now on the transaction may be sent
        return self._submit(built, transaction)

    def _not_signed(
        self, order: Order, quotes: tuple[Quote, ...], error: ChainUnavailable
    ) -> Outcome:
        """Try again later: nothing was signed, so nothing can land."""
        code, now = FailureCode.CHAIN_UNAVAILABLE, self.clock.now()
        extra = {"order_id": order.order_id, "attempt": order.attempts, "why": str(error)}
        log.warning("not signed", extra=extra)
        if order.attempts >= self.policy.max_attempts:
            if order.terms.limit_price is not None and order.waiting is not None:
                return self._rest(order, code, order.waiting.trigger, quotes)
            detail = f"nothing was signed in {order.attempts} attempts"
            return self._fail(order, code, detail, dead_letter=True, quotes=quotes)
        until = min(now + self._backoff(order.attempts), max(now, order.deadline))
        self.orders.save(order.wait(quotes, code, at=now, until=until), expected_seq=order.seq)
        return _later(until - now)

    def _no_route(self, order: Order, offer: Offer) -> Outcome:
        quotes = offer.quotes
        errors = sorted({quote.error for quote in quotes if quote.error})
        limited = order.terms.limit_price is not None and order.waiting is not None
        if not RETRYABLE.intersection(errors):
            code = errors[0] if len(errors) == 1 else FailureCode.NO_ROUTE
            if limited and errors == ["INSUFFICIENT_LIQUIDITY"]:
                return self._rest(order, code, self._further(order, None), quotes)
            return self._fail(order, code, "no venue can fill this order", quotes=quotes)
        if order.attempts >= self.policy.max_attempts:
            if limited and order.waiting is not None:
                code, trigger = FailureCode.VENUES_UNAVAILABLE, order.waiting.trigger
                return self._rest(order, code, trigger, quotes)
            return self._fail(
                order,
                FailureCode.VENUES_UNAVAILABLE,
                f"no venue gave a quote in {order.attempts} attempts",
                dead_letter=True,
                quotes=quotes,
            )
        now = self.clock.now()
        # The deadline may have passed while the venues were asked: then nothing is waited for.
        again_at = max(now + self._backoff(order.attempts), offer.again_at)
        until = min(again_at, max(now, order.deadline))
        waiting = order.wait(quotes, FailureCode.VENUES_UNAVAILABLE, at=now, until=until)
        self.orders.save(waiting, expected_seq=order.seq)
        again = _later(until - now)
        log.info(
            "no quotes, trying again",
            extra=about(order, attempt=order.attempts, seconds=again.seconds),
        )
        return again

    def _too_late(self, order: Order) -> Outcome:
        failure = order.too_late
        return self._fail(order, failure.code, failure.detail)

    def _submit(self, order: Order, transaction: Transaction) -> Outcome:
        """Send the stored transaction, as often as it takes to learn what became of it.

        That it was sent is written while the chain lands it, where the time is free.
        """
        give_up = self.clock.now() + self.policy.patience
        while True:
            facts = about(order, attempt=order.attempts, signature=transaction.signature)
            try:
                self.chain.send(order, transaction)
                log.info("transaction sent", extra=facts)
            except ChainUnavailable:
                log.warning("send not answered", extra=facts)
            sent_at = self.clock.now()
            looking = self.background.submit(partial(self._landing, transaction))
            order = order if order.sent else self._submitted(order, sent_at)
            match landing := looking.result():
                case Landed():
                    return self._confirm(order, landing)
                case Reverted() if self._limit_missed(order, landing):
                    return self._rest(order, landing.code, self._further(order, None))
                case Reverted():
                    return self._fail(order, landing.code, landing.detail)
                case Expired():
                    return self._rebuild(order)
            now = self.clock.now()
            if now >= give_up:
                log.info("landing unknown", extra=about(order))
                return _later(_end_of_wait(order, now, self.policy.lease) - now)

    def _submitted(self, order: Order, sent_at: datetime) -> Order:
        submitted = order.submit(at=sent_at)
        self.orders.save(submitted, expected_seq=order.seq)
        return submitted

    def _landing(self, transaction: Transaction) -> Landing:
        try:
            return self.chain.landing(transaction, wait=self.policy.landing_wait)
        except ChainUnavailable:
            return Unknown()

    def _cancel(self, order: Order) -> Outcome:
        """End an order that a cancel-all overtook as it was woken: it read as cancelled then."""
        cancelled = order.cancel(at=self.clock.now())
        self.orders.save(cancelled, expected_seq=order.seq)
        self.parting.note(cancelled)
        return Done()

    def _confirm(self, order: Order, landing: Landed) -> Outcome:
        confirmed = order.confirm(landing.amount_out, at=self.clock.now())
        self.orders.save(confirmed, expected_seq=order.seq)
        self.parting.note(confirmed)
        return Done()

    def _rebuild(self, order: Order) -> Outcome:
        """Start over, in the same state: the old transaction can't land any more."""
        expired = order.rebuild(at=self.clock.now())
        self.orders.save(expired, expected_seq=order.seq)
        return self._advance(expired)

    @staticmethod
    def _limit_missed(order: Order, landing: Reverted) -> bool:
        return order.terms.limit_price is not None and landing.code in LIMIT_MISSED

    @staticmethod
    def _further(order: Order, promised: int | None) -> Trigger:
        """Return what an order waits for next whose limit was missed by what was promised."""
        price = order.waiting.fired_price if order.waiting else None
        return order.terms.missed(price, promised)

    def _rest(
        self,
        order: Order,
        code: str,
        trigger: Trigger,
        quotes: tuple[Quote, ...] = (),
        promised: int | None = None,
    ) -> Outcome:
        """Let an order rest again whose limit was not met."""
        rested = order.rest(quotes, code, trigger, at=self.clock.now(), quoted=promised)
        self.orders.save(rested, expected_seq=order.seq)
        self.ticker.ensure(order.terms.pair)
        log.info("order rests again", extra=about(order, reason=code))
        return Done()

    def _fail(
        self,
        order: Order,
        code: str,
        detail: str,
        *,
        dead_letter: bool = False,
        quotes: tuple[Quote, ...] | None = None,
    ) -> Outcome:
        failure, at = Failure(code, detail), self.clock.now()
        failed = order.fail(failure, at=at, quotes=quotes, dead_letter=dead_letter)
        self.orders.save(failed, expected_seq=order.seq)
        self.send_dead_letter(failed)
        self.parting.note(failed)
        return Done()

    def _backoff(self, attempts: int) -> timedelta:
        """Return how long to wait after attempt `attempts` (1, 2, ...), in whole seconds.

        Exponential, with jitter over the upper half only, so that each gap is longer than the
        last: after attempt n it lies in [backoff * 2**(n-1), backoff * 2**n).
        """
        low = self.policy.backoff * 2 ** (attempts - 1)
        return timedelta(seconds=math.ceil(self.chance.uniform(low, 2 * low)))


def _end_of_wait(order: Order, now: datetime, wait: timedelta) -> datetime:
    """Return when a wait of an order is over: at its deadline at the latest, if that is to come.

    What can't begin any more is to be told then, and what may have been sent has landed or not.
    """
    return order.deadline if now < order.deadline < now + wait else now + wait


def _later(wait: timedelta) -> TryAgain:
    return TryAgain(max(1, math.ceil(wait.total_seconds())))
