"""The chain: what is signed, sent, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from engine.domain.order import Instruction, Order, Transaction


@dataclass(frozen=True, slots=True)
class Landed:
    """The transaction is on the chain and paid `amount_out` base units."""

    amount_out: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Reverted:
    """The transaction is on the chain as failed: nothing was traded, and it can't land again."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The transaction did not land and, by the chain's own word, can't any more."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The chain does not know (yet): it may land still, or has landed unseen."""


Landing = Landed | Reverted | Expired | Unknown


class Chain(Protocol):
    """Signs, sends and looks up transactions."""

    def sign(
        self, order: Order, instructions: Sequence[Instruction], *, valid_for: timedelta
    ) -> Transaction:
        """Build and sign the transaction of `instructions`; sends nothing.

        It can land for `valid_for` at most. Two calls for one order and attempt may give two
        signatures: store the one that is sent.
        """
        ...

    def send(self, order: Order, transaction: Transaction) -> None:
        """Send; sending a signature again is harmless, the chain lands it once.

        Raises ChainUnavailable: it may have been taken all the same.
        """
        ...

    def landing(self, transaction: Transaction, *, wait: timedelta) -> Landing:
        """Tell what became of a transaction, waiting up to `wait` for it to land.

        Raises ChainUnavailable, which means Unknown.
        """
        ...
