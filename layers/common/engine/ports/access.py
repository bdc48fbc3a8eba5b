"""Who asks, what they may, and how much."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an account, and by which of its keys; None where no keys are asked for."""

    account: str
    key_id: str | None = None


class Role(StrEnum):
    """What a key is for: to trade, or also to operate the system."""

    TRADER = "trader"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is stored: `digest` is the SHA-256 of the whole key, in hex."""

    key_id: str
    account: str
    digest: str
    role: Role = Role.TRADER


class TradingState(StrEnum):
    """Whether new orders are taken. Orders that are under way are finished in either."""

    ACTIVE = "active"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class Trading:
    """The trading state, since when, and why; neither is known of one that was never changed."""

    state: TradingState = TradingState.ACTIVE
    reason: str | None = None
    since: datetime | None = None


class Access(Protocol):
    """API keys, stream tickets, order rates, the trading state, and the secret of the cursors."""

    def key(self, key_id: str) -> ApiKey | None:
        """Return a key that is good, None for one that is unknown or revoked."""
        ...

    def add_ticket(self, digest: str, caller: Caller, *, until: datetime) -> None: ...

    def ticket(self, digest: str, *, now: datetime) -> Caller | None:
        """Return who drew a ticket, None if it is unknown, used or expired."""
        ...

    def use_ticket(self, digest: str, *, now: datetime) -> bool:
        """Use up a ticket; False if it is unknown, used or expired."""
        ...

    def count_order(
        self, account: str, window: int, *, maximum: int, until: datetime
    ) -> int | None:
        """Count an order of `account` in `window`; return the count, None at `maximum`."""
        ...

    def trading(self) -> Trading: ...

    def set_trading(self, trading: Trading) -> None: ...

    def cursor_secret(self) -> bytes:
        """Return this stack's own secret, made at its first use."""
        ...
