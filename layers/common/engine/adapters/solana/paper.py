"""Trades on paper: pools of a real chain, read again when a trade would have landed."""

from dataclasses import dataclass
from datetime import datetime

from engine.adapters.solana.venues import PoolBook, SolanaVenue
from engine.domain.errors import ChainUnavailable, VenueError
from engine.market.pool import Pool


@dataclass(frozen=True, slots=True)
class PoolsNow:
    """The pools as they stand when somebody asks: what `SimulatedChain` fills orders by."""

    book: PoolBook

    def pool(self, venue: str, token_in: str, token_out: str, at: datetime) -> Pool:  # noqa: ARG002
        """Return a venue's pool as it stands. Raises UnsupportedPair, ChainUnavailable."""
        try:
            return SolanaVenue(venue, self.book).pool(token_in, token_out)
        except VenueError as error:
            raise ChainUnavailable(str(error)) from error
