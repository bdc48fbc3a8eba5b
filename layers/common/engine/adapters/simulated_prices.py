"""Reference prices of the simulated market, without its pools."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.tokens import Token
from engine.market.walk import dollars, milliseconds


@dataclass(slots=True, eq=False, repr=False)
class SimulatedPrices:
    """What the tokens are worth before any venue strays from it."""

    seed: int

    def dollars(self, token: Token, at: datetime) -> Decimal:
        return Decimal(dollars(self.seed, token, milliseconds(at))).scaleb(-21)
