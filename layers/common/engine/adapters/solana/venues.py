"""Venues, market and prices of a real chain: pools as they stand in one slot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock

from engine.adapters.solana.layouts import CLOCK, CLOCK_SYSVAR, BadAccount
from engine.adapters.solana.pools import READERS, Found, Listing, PoolReader
from engine.adapters.solana.rpc import MAX_ACCOUNTS, Accounts, Node, NodeTimeout, NodeUnavailable
from engine.domain.errors import (
    MarketError,
    PriceUnavailable,
    UnsupportedPair,
    VenueTimeout,
    VenueUnavailable,
)
from engine.domain.tokens import SOL, TOKENS, USDC, Token, pair_name, pair_of
from engine.market.pool import Pool
from engine.market.reference import reference_price, venue_price
from engine.observability import log
from engine.ports.clock import Clock

#: How long what was read serves others who ask for the same: a fraction of a slot.
SHARED = timedelta(milliseconds=50)
#: How often accounts are asked for until they are all there: a pool says which belong to it.
_ROUNDS = 3

#: A pool, or why it is none to trade with.
Answer = Found | MarketError


@dataclass(slots=True, eq=False)
class _Pair:
    """The readers of a pair's pools, and what they read last."""

    readers: Sequence[PoolReader]
    lock: Lock = field(default_factory=Lock)
    until: datetime | None = None
    last: Mapping[str, Answer] | NodeUnavailable = field(default_factory=dict)


class PoolBook:
    """All pools that are traded with; those of a pair are read in one slot, by one call.

    Calls raise NodeUnavailable.
    """

    def __init__(self, node: Node, clock: Clock, listed: Sequence[Listing]) -> None:
        self.node, self.clock = node, clock
        pairs: dict[str, list[PoolReader]] = {}
        for listing in listed:
            name = pair_name(listing.base, listing.quote)
            pairs.setdefault(name, []).append(READERS[listing.kind](listing))
        self._pairs = {name: _Pair(readers) for name, readers in pairs.items()}

    @property
    def pairs(self) -> frozenset[str]:
        """The pairs that have a pool."""
        return frozenset(self._pairs)

    def of_pair(self, pair: str) -> Mapping[str, Answer]:
        """Return a pair's pools by venue; whoever asks at the same time shares the read."""
        known = self._pairs.get(pair)
        if known is None:
            return {}
        with known.lock:
            if known.until is None or self.clock.now() >= known.until:
                try:
                    known.last = self._read(known.readers)
                except NodeUnavailable as error:
                    known.last = error
                known.until = self.clock.now() + SHARED
            if isinstance(known.last, NodeUnavailable):
                raise known.last
            return known.last

    def of_pairs(self, pairs: Sequence[str]) -> Mapping[str, Mapping[str, Answer]]:
        """Return the pools of pairs, all of them in one call if they fit."""
        readers = {pair: self._pairs[pair].readers for pair in pairs if pair in self._pairs}
        every = [reader for some in readers.values() for reader in some]
        found = self._answers(every)
        return {
            pair: {reader.listing.venue: found[reader.listing] for reader in some}
            for pair, some in readers.items()
        }

    def _read(self, readers: Sequence[PoolReader]) -> Mapping[str, Answer]:
        return {listing.venue: answer for listing, answer in self._answers(readers).items()}

    def _answers(self, readers: Sequence[PoolReader]) -> dict[Listing, Answer]:
        found: dict[Listing, Answer] = {}
        for _ in range(_ROUNDS):
            left = [reader for reader in readers if reader.listing not in found]
            for some in _that_fit(left):
                keys = dict.fromkeys(key for reader in some for key in reader.keys)
                accounts = self.node.accounts([CLOCK, *keys])
                now = chain_time(accounts)
                for reader in some:
                    answer = _answer(reader, accounts, now)
                    if answer is not None:
                        found[reader.listing] = answer
            if len(found) == len(readers):
                return found
        raise NodeUnavailable("the pools changed while they were read")


def _that_fit(readers: Sequence[PoolReader]) -> list[list[PoolReader]]:
    """Return the readers in groups whose accounts one call reads."""
    groups: list[list[PoolReader]] = []
    room = 0
    for reader in readers:
        if len(reader.keys) > room:
            groups.append([])
            room = MAX_ACCOUNTS - 1  # the clock's
        groups[-1].append(reader)
        room -= len(reader.keys)
    return groups


def _answer(reader: PoolReader, accounts: Accounts, now: int) -> Answer | None:
    try:
        return reader.read(accounts, now)
    except MarketError as error:
        pool = reader.listing.address
        log.warning("pool not traded with", extra={"pool": pool, "why": str(error)})
        return error


def chain_time(accounts: Accounts) -> int:
    """Return what the chain's clock said in that slot, unix seconds. Raises NodeUnavailable."""
    clock = accounts.found.get(CLOCK)
    try:
        if clock is None:
            raise BadAccount("there is no clock")
        return int(CLOCK_SYSVAR.decode(clock.data)["unix_timestamp"])
    except BadAccount as error:
        raise NodeUnavailable(str(error)) from error


@dataclass(frozen=True, slots=True)
class SolanaVenue:
    """A venue of a real chain."""

    name: str
    book: PoolBook

    def pool(self, token_in: str, token_out: str) -> Pool:
        """Read the venue's pool for the two tokens, as it stands now.

        Raises VenueTimeout, VenueUnavailable, UnsupportedPair, UnsupportedPool, PoolDisabled.
        """
        return self.found(token_in, token_out).pool

    def found(self, token_in: str, token_out: str) -> Found:
        """Return the pool with what a transaction has to name; raises what `pool` does."""
        pair = pair_of(TOKENS[token_in], TOKENS[token_out]) if _known(token_in, token_out) else None
        try:
            answer = self.book.of_pair(pair_name(*pair)).get(self.name) if pair else None
        except NodeTimeout as error:
            raise VenueTimeout(str(error)) from error
        except NodeUnavailable as error:
            raise VenueUnavailable(str(error)) from error
        if answer is None:
            raise UnsupportedPair(f"{self.name} has no pool of {token_in} and {token_out} here")
        if isinstance(answer, MarketError):
            raise answer
        return answer


def _known(*symbols: str) -> bool:
    return all(symbol in TOKENS for symbol in symbols)


@dataclass(frozen=True, slots=True)
class SolanaPools:
    """Every pair's pools, whichever can be read."""

    book: PoolBook

    @property
    def pairs(self) -> frozenset[str]:
        return self.book.pairs

    def pools(self, pairs: Sequence[tuple[Token, Token]]) -> Mapping[str, Sequence[Pool]]:
        names = [pair_name(base, quote) for base, quote in pairs]
        try:
            found = self.book.of_pairs(names)
        except NodeUnavailable as error:
            log.warning("no prices", extra={"why": str(error)})
            return {}
        return {
            pair: [answer.pool for answer in answers.values() if isinstance(answer, Found)]
            for pair, answers in found.items()
        }


@dataclass(frozen=True, slots=True)
class PoolPrices:
    """What the tokens are worth by the pools: in USDC, which is taken for a dollar, or by SOL."""

    pools: SolanaPools

    def dollars(self, token: Token, at: datetime) -> Decimal:  # noqa: ARG002 - they stand now
        """Return what one token is worth, in US dollars. Raises PriceUnavailable."""
        if token == USDC:
            return Decimal(1)
        pair, over = (token, USDC), (token, SOL)
        told = self._prices([pair, over, (SOL, USDC)])
        if (direct := told.get(pair_name(*pair))) is not None:
            return direct
        by_sol, sol = told.get(pair_name(*over)), told.get(pair_name(SOL, USDC))
        if by_sol is None or sol is None:
            raise PriceUnavailable(f"no pool says what {token.symbol} is worth")
        return by_sol * sol

    def _prices(self, pairs: Sequence[tuple[Token, Token]]) -> Mapping[str, Decimal]:
        pools = self.pools.pools(pairs)
        told = {}
        for base, quote in pairs:
            name = pair_name(base, quote)
            venues = [venue_price(pool, base, quote) for pool in pools.get(name, ())]
            reference = reference_price([venue for venue in venues if venue], None)
            if reference is not None:
                told[name] = reference.price
        return told
