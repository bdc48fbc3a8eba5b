"""A token's launch: what a sniper waits for."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.tokens import Token

#: A symbol that a token may have, and an address of Solana.
SYMBOL = r"[A-Za-z0-9$_.-]{1,20}"
MINT = r"[1-9A-HJ-NP-Za-km-z]{32,44}"
#: What a sniper may wait for: one or the other; no symbol is as long as an address.
LAUNCH = re.compile(f"(?:{SYMBOL}|{MINT})")
_MINT = re.compile(MINT)


@dataclass(frozen=True, slots=True)
class Launch:
    """A token trades since `at`, its signal's own time; `source` is who said so."""

    mint: str
    symbol: str
    decimals: int
    at: datetime
    source: str

    @property
    def token(self) -> Token:
        return Token(self.symbol, self.mint, self.decimals)

    def answers(self, awaited: str) -> bool:
        """Tell whether this is the launch that is awaited, by its mint or its symbol."""
        return awaited in (self.mint, self.symbol)


@dataclass(frozen=True, slots=True)
class Opened:
    """A token that was launched in the simulated market, at a price, with so many dollars."""

    launch: Launch
    price: Decimal
    liquidity_usd: int


def awaited_token(launch: str) -> Token:
    """Return what stands for a token of which nothing is known yet but its mint, or its symbol."""
    return Token(launch, launch if _MINT.fullmatch(launch) else "", 0)
