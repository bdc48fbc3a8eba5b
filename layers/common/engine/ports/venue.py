"""The venues, and their pools."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.domain.tokens import Token

if TYPE_CHECKING:
    from engine.market.pool import Pool


class Venue(Protocol):
    """A place to trade. See docs/venues.md for how to add one."""

    @property
    def name(self) -> str: ...

    def pool(self, token_in: str, token_out: str) -> "Pool":
        """Read the venue's pool for the two tokens, as it stands now.

        Raises VenueTimeout or VenueUnavailable (retryable), UnsupportedPair (not).
        """
        ...


class Market(Protocol):
    """The pools of all venues as they stand, many pairs in one read; nobody is asked to quote."""

    @property
    def pairs(self) -> frozenset[str] | None:
        """The pairs (BASE/QUOTE) that have a pool; None: all that are listed."""
        ...

    def pools(self, pairs: Sequence[tuple[Token, Token]]) -> Mapping[str, Sequence["Pool"]]:
        """Return by pair (BASE/QUOTE) the pools that could be read.

        Those of a venue that does not answer are not among them.
        """
        ...
