"""A simulated chain: network and consensus are made up, arithmetic is not."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from engine.adapters.codec import decoding, digits, from_ms, to_ms
from engine.adapters.simulated.venues import PoolsAt
from engine.domain.errors import ChainUnavailable, FailureCode, MarketError, Undecodable
from engine.domain.order import Instruction, Order, Transaction
from engine.domain.tokens import Fault
from engine.market.simulation import base58
from engine.observability import log
from engine.ports.chain import Expired, Landed, Landing, Reverted, Unknown
from engine.ports.clock import Clock

#: How soon after signing a send of XDROP gets lost.
_LOST_WITHIN = timedelta(seconds=1)
_LOOK_EVERY = 0.25
#: How much later than usual a transaction may land in a faulty chain.
LATEST = timedelta(seconds=20)


class Ledger(Protocol):
    """What the chain holds, one entry a signature, written once."""

    def record(self, signature: str, entry: Mapping[str, str]) -> Mapping[str, str]:
        """Write `entry` unless the signature has one; return the one that stands."""
        ...

    def read(self, signature: str) -> Mapping[str, str] | None: ...


@dataclass(frozen=True, slots=True)
class Faults:
    """How often, 0 to 1, a simulated chain misbehaves.

    `drop`: a send is lost. `mute`: a send or a look gets no answer, though it was heard. `late`: a
    transaction lands up to LATEST later. `slip`: the market moves past every tolerance meanwhile.
    """

    drop: float = 0.0
    mute: float = 0.0
    late: float = 0.0
    slip: float = 0.0

    @classmethod
    def at_rate(cls, rate: float) -> "Faults":
        """Return the faults of a chain where everything goes wrong at `rate`."""
        return cls(rate, rate, rate, rate)


@dataclass(slots=True, eq=False, repr=False)
class SimulatedChain:
    """A chain that lands a signature once, some `delay` seconds after it was sent, or never.

    What a transaction pays is decided by the pools as they are when it lands. Delay, outcome and
    faults are a function of the seed, the signature and the time: every process sees the same.
    """

    market: PoolsAt
    ledger: Ledger
    clock: Clock
    delay: tuple[float, float]
    seed: int = 0
    faults: Faults = Faults()

    def sign(
        self, order: Order, instructions: Sequence[Instruction], *, valid_for: timedelta
    ) -> Transaction:
        now = self.clock.now()
        message = f"{order.order_id}|{order.seq}|{order.lease_by}|{to_ms(now)}|{instructions}"
        signature = base58(hashlib.sha512(message.encode()).digest())
        return Transaction(signature, now, now + valid_for, tuple(instructions))

    def send(self, order: Order, transaction: Transaction) -> None:
        now = self.clock.now()
        fault = order.terms.sell.fault or order.terms.buy.fault
        if fault is Fault.FIRST_SEND_LOST and now < transaction.signed_at + _LOST_WITHIN:
            return
        dice = self._dice(transaction)
        wait = dice.uniform(*self.delay)
        if dice.random() < self.faults.late:
            wait += dice.uniform(0, LATEST.total_seconds())
        if dice.random() < self.faults.slip:
            fault = Fault.SLIPPAGE
        lands_at = now + timedelta(milliseconds=round(wait * 1000))
        of_this_send = self._dice(transaction, now)
        dropped = of_this_send.random() < self.faults.drop
        if not dropped and lands_at <= transaction.expires_at:
            entry = self._execute(order, transaction, lands_at, fault)
            with _chain():
                self.ledger.record(transaction.signature, entry)
        if of_this_send.random() < self.faults.mute:
            raise ChainUnavailable("the send got no answer")

    def landing(self, transaction: Transaction, *, wait: timedelta) -> Landing:
        give_up = self.clock.now() + wait
        if self._dice(transaction, give_up).random() < self.faults.mute:
            self.clock.sleep(wait.total_seconds())
            raise ChainUnavailable("the look got no answer")
        while True:
            with _chain():
                entry = self.ledger.read(transaction.signature)
                now = self.clock.now()
                if entry is None and now > transaction.expires_at:
                    # The chain's last word: from now on this signature is refused for good.
                    entry = self.ledger.record(transaction.signature, {"expired": str(to_ms(now))})
                found = entry and _found(entry)
            if found:
                return self._told(found, give_up)
            if now >= give_up:
                return Unknown()
            self.clock.sleep(min(_LOOK_EVERY, (give_up - now).total_seconds()))

    def _dice(self, transaction: Transaction, at: datetime | None = None) -> Random:
        when = to_ms(at) if at else ""
        return Random(f"{self.seed}:{transaction.signature}:{when}")  # noqa: S311 - simulated

    def _execute(
        self, order: Order, transaction: Transaction, at: datetime, fault: Fault | None
    ) -> Mapping[str, str]:
        """Run the swaps against the pools as they are at `at`."""
        entry = {"order": order.order_id, "at": str(to_ms(at))}
        total = 0
        for step in transaction.instructions:
            if step.pool is None:
                continue
            try:
                pool = self.market.pool(step.program, order.token_in, order.token_out, at)
                amount_out = pool.exact_in(order.token_in, step.amount_in).amount_out
            except MarketError as error:
                return entry | {"code": error.code, "detail": f"{step.program}: {error}"}
            if fault is Fault.SLIPPAGE or amount_out < step.min_amount_out:
                detail = f"{step.program} would have paid less than the minimum"
                return entry | {"code": FailureCode.SLIPPAGE_EXCEEDED, "detail": detail}
            total += amount_out
        return entry | {"out": str(total)}

    def _told(self, found: tuple[datetime, Landing], give_up: datetime) -> Landing:
        at, landing = found
        now = self.clock.now()
        if at > give_up:
            self.clock.sleep((give_up - now).total_seconds())
            return Unknown()
        if at > now:
            self.clock.sleep((at - now).total_seconds())
        return landing


@contextmanager
def _chain() -> Iterator[None]:
    """Raise ChainUnavailable for an entry that can't be read: what it says is not known."""
    try:
        yield
    except Undecodable as error:
        log.warning("entry left alone", extra={"why": str(error)})
        raise ChainUnavailable("the entry can't be read") from error


def _found(entry: Mapping[str, str]) -> tuple[datetime, Landing]:
    """Return what an entry says and from when on. Raises Undecodable."""
    with decoding("the chain's entry"):
        if "expired" in entry:
            return from_ms(0), Expired()
        at = from_ms(int(entry["at"]))
        if "out" in entry:
            return at, Landed(digits(entry["out"]), at)
        return at, Reverted(entry["code"], entry["detail"])
