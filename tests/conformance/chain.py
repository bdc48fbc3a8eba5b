"""What any chain must do: subclass `ChainConformance`, fill in the fixtures, run pytest.

Money rests on this contract: a signature is known before it is sent, lands once, and is never
called expired while it can still land.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.domain.order import Instruction, Order
from engine.ports.chain import Chain, Expired, Landed, Reverted, Unknown

NOW = timedelta(0)
MINUTE = timedelta(seconds=60)
LONG = timedelta(seconds=5)


class ChainConformance:
    """The contract of `engine.ports.chain.Chain`.

    Subclasses give the fixtures `chain`, `order` (one that can trade), `steps` (its instructions,
    within what the market pays), `greedy` (the same with a minimum that nobody pays), and
    `advance`, which lets time pass, on the chain's clock and everybody's.
    """

    @pytest.fixture
    def chain(self) -> Chain:
        raise NotImplementedError

    @pytest.fixture
    def order(self) -> Order:
        raise NotImplementedError

    @pytest.fixture
    def steps(self) -> tuple[Instruction, ...]:
        raise NotImplementedError

    @pytest.fixture
    def greedy(self) -> tuple[Instruction, ...]:
        raise NotImplementedError

    @pytest.fixture
    def advance(self) -> Callable[[timedelta], None]:
        raise NotImplementedError

    def test_signing_sends_nothing(
        self, chain: Chain, order: Order, steps: tuple[Instruction, ...]
    ) -> None:
        signed = chain.sign(order, steps, valid_for=MINUTE)
        assert chain.landing(signed, wait=timedelta(seconds=1)) == Unknown()

    def test_a_transaction_is_known_before_it_is_sent(
        self, chain: Chain, order: Order, steps: tuple[Instruction, ...]
    ) -> None:
        signed = chain.sign(order, steps, valid_for=MINUTE)
        assert 64 <= len(signed.signature) <= 88
        assert signed.expires_at - signed.signed_at <= MINUTE
        assert signed.instructions == steps

    def test_what_is_sent_lands_with_at_least_the_minimum(
        self, chain: Chain, order: Order, steps: tuple[Instruction, ...]
    ) -> None:
        signed = chain.sign(order, steps, valid_for=MINUTE)
        chain.send(order, signed)
        landing = chain.landing(signed, wait=LONG)
        assert isinstance(landing, Landed)
        assert landing.amount_out >= sum(step.min_amount_out for step in steps)

    def test_a_signature_lands_once_however_often_it_is_sent(
        self, chain: Chain, order: Order, steps: tuple[Instruction, ...]
    ) -> None:
        signed = chain.sign(order, steps, valid_for=MINUTE)
        chain.send(order, signed)
        first = chain.landing(signed, wait=LONG)
        chain.send(order, signed)
        assert chain.landing(signed, wait=LONG) == first

    def test_a_minimum_that_is_not_met_reverts_and_stays_reverted(
        self, chain: Chain, order: Order, greedy: tuple[Instruction, ...]
    ) -> None:
        signed = chain.sign(order, greedy, valid_for=MINUTE)
        chain.send(order, signed)
        landing = chain.landing(signed, wait=LONG)
        assert isinstance(landing, Reverted)
        assert landing.code == "SLIPPAGE_EXCEEDED"
        chain.send(order, signed)
        assert chain.landing(signed, wait=LONG) == landing

    def test_what_was_not_sent_expires_and_can_not_land_any_more(
        self,
        chain: Chain,
        order: Order,
        steps: tuple[Instruction, ...],
        advance: Callable[[timedelta], None],
    ) -> None:
        signed = chain.sign(order, steps, valid_for=timedelta(seconds=2))
        assert chain.landing(signed, wait=NOW) == Unknown()
        advance(timedelta(seconds=3))
        assert chain.landing(signed, wait=NOW) == Expired()
        chain.send(order, signed)
        advance(LONG)
        assert chain.landing(signed, wait=NOW) == Expired()

    def test_what_landed_is_never_called_expired(
        self,
        chain: Chain,
        order: Order,
        steps: tuple[Instruction, ...],
        advance: Callable[[timedelta], None],
    ) -> None:
        signed = chain.sign(order, steps, valid_for=MINUTE)
        chain.send(order, signed)
        advance(timedelta(seconds=120))
        assert isinstance(chain.landing(signed, wait=NOW), Landed)
