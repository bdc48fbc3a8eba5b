"""What every pool can answer, whatever its formula."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Swap:
    """What a trade through one pool would do.

    `amount_in` (fee included) and `fee` are base units of the token sold, `amount_out` base units
    of the token bought; `price_impact_bps` is how far the trade's price, net of fees, falls short
    of the price before it.
    """

    amount_in: int
    amount_out: int
    fee: int
    price_impact_bps: int


class Pool(Protocol):
    """A pool as it stood when it was read; asking changes nothing.

    Both calls raise a MarketError by name (InsufficientLiquidity, AmountTooSmall, AmountTooLarge,
    UnsupportedPair), never an exception of arithmetic.
    """

    @property
    def venue(self) -> str: ...
    @property
    def address(self) -> str: ...

    def exact_in(self, token_in: str, amount_in: int) -> Swap:
        """Return the swap that sells exactly `amount_in` of `token_in` (a symbol)."""
        ...

    def exact_out(self, token_in: str, amount_out: int) -> Swap:
        """Return the cheapest swap that buys at least `amount_out`, selling `token_in`."""
        ...
