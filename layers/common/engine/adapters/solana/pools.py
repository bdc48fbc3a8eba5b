"""The venues' pools, read from the chain: which there are, and what their accounts say."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.adapters.solana import layouts
from engine.adapters.solana.addresses import decode
from engine.adapters.solana.layouts import (
    AMM_CONFIG,
    AMM_INFO,
    LB_PAIR,
    POOL_STATE,
    TOKEN_ACCOUNT,
    BadAccount,
)
from engine.adapters.solana.rpc import Accounts
from engine.domain.errors import UnsupportedPool
from engine.domain.tokens import Token, listed_pairs
from engine.market.meteora import DlmmPool
from engine.market.pool import Pool
from engine.market.raydium import ConstantProductPool

#: The bin arrays that a swap may walk through, and that its transaction names.
ARRAYS = 3


class Kind(StrEnum):
    """Which program a pool is of."""

    CPMM = "cpmm"
    AMM_V4 = "amm_v4"
    DLMM = "dlmm"


#: The venue that a program is of, and the program's address.
_VENUES = {Kind.CPMM: "raydium", Kind.AMM_V4: "raydium", Kind.DLMM: "meteora"}
PROGRAMS = {
    Kind.CPMM: layouts.CPMM,
    Kind.AMM_V4: layouts.AMM_V4,
    Kind.DLMM: layouts.DLMM,
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A pool that is traded with: its pair (base and quote), of which kind it is, and where."""

    base: Token
    quote: Token
    kind: Kind
    address: str

    @property
    def venue(self) -> str:
        return _VENUES[self.kind]


class BadListing(ValueError):
    """The file of pools says something that can't be."""


def listings(path: str | Path | None = None) -> tuple[Listing, ...]:
    """Read a file of pools, the layer's own if None: one pool a pair and venue.

    It is a JSON list of {"pair", "venue", "kind", "address"}. Raises BadListing.
    """
    file = Path(path) if path else Path(__file__).with_name("pools.json")
    known = listed_pairs(test_tokens=False)
    found: dict[tuple[str, str], Listing] = {}
    try:
        for row in json.loads(file.read_text()):
            base, quote = known[row["pair"]]
            listing = Listing(base, quote, Kind(row["kind"]), row["address"])
            decode(listing.address)
            if row["venue"] != listing.venue:
                raise ValueError(f"a {listing.kind} pool is of {listing.venue}")
            if found.setdefault((row["pair"], listing.venue), listing) is not listing:
                raise ValueError(f"{listing.venue} has two pools for {row['pair']}")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadListing(f"{file.name}: {type(error).__name__}: {error!s:.200}") from error
    if not found:
        raise BadListing(f"{file.name} names no pools")
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Found:
    """A pool as its accounts say, and what a transaction has to name to swap in it.

    `fields` are those of the pool's own account; `arrays` are a DLMM's, by the symbol sold, in the
    order in which a swap walks through them.
    """

    listing: Listing
    pool: Pool
    fields: Mapping[str, Any]
    arrays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class PoolReader(ABC):
    """Reads one pool. `keys` are the accounts that it needs, as far as it knows by now."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.keys: tuple[str, ...] = (listing.address,)

    @abstractmethod
    def read(self, accounts: Accounts, now: int) -> Found | None:
        """Return the pool, None if other accounts are needed: then `keys` has them.

        Raises PoolDisabled, UnsupportedPool by name.
        """

    def _has(self, accounts: Accounts, keys: tuple[str, ...]) -> bool:
        """Note what has to be read, now and from now on; tell whether it was."""
        self.keys = keys
        return accounts.found.keys() >= set(keys)

    def _fields(self, accounts: Accounts, layout: layouts.Layout, address: str) -> dict[str, Any]:
        return decoded(accounts, layout, address, PROGRAMS[self.listing.kind])

    def _reserve(self, accounts: Accounts, address: str, mint: str) -> int:
        held = decoded(accounts, TOKEN_ACCOUNT, address, layouts.SPL_TOKEN)
        if held["mint"] != mint:
            raise UnsupportedPool("has a vault of another token")
        return int(held["amount"])

    def _symbols(self, mint_x: str, mint_y: str) -> tuple[str, str]:
        """Return what the pool's tokens are called here."""
        symbols = {token.mint: token.symbol for token in (self.listing.base, self.listing.quote)}
        if {mint_x, mint_y} != symbols.keys():
            raise UnsupportedPool("trades other tokens than it is listed for")
        return symbols[mint_x], symbols[mint_y]


def decoded(accounts: Accounts, layout: layouts.Layout, address: str, owner: str) -> dict[str, Any]:
    """Return the fields of an account. Raises UnsupportedPool if it is not what it should be."""
    account = accounts.found.get(address)
    if account is None:
        raise UnsupportedPool(f"has no {layout.name}")
    if account.owner != owner:
        raise UnsupportedPool(f"has a {layout.name} of another program")
    try:
        return layout.decode(account.data)
    except BadAccount as error:
        raise UnsupportedPool(str(error)) from error


class CpmmReader(PoolReader):
    """Raydium CPMM: the pool, its config, its two vaults."""

    def read(self, accounts: Accounts, now: int) -> Found | None:
        state = self._fields(accounts, POOL_STATE, self.listing.address)
        vaults = state["token_0_vault"], state["token_1_vault"]
        keys = (self.listing.address, state["amm_config"], *vaults)
        if not self._has(accounts, keys):
            return None
        mints = state["token_0_mint"], state["token_1_mint"]
        token_x, token_y = self._symbols(*mints)
        config = self._fields(accounts, AMM_CONFIG, state["amm_config"])
        account = state | {
            "pool": self.listing.address,
            "trade_fee_rate": config["trade_fee_rate"],
            "vault_0_amount": self._reserve(accounts, vaults[0], mints[0]),
            "vault_1_amount": self._reserve(accounts, vaults[1], mints[1]),
        }
        pool = ConstantProductPool.from_cpmm(account, token_x=token_x, token_y=token_y, now=now)
        return Found(self.listing, pool, state)


class AmmV4Reader(PoolReader):
    """Raydium AMM v4: the pool and its two vaults."""

    def read(self, accounts: Accounts, now: int) -> Found | None:
        info = self._fields(accounts, AMM_INFO, self.listing.address)
        vaults = info["coin_vault"], info["pc_vault"]
        keys = (self.listing.address, *vaults)
        if not self._has(accounts, keys):
            return None
        mints = info["coin_vault_mint"], info["pc_vault_mint"]
        token_x, token_y = self._symbols(*mints)
        account = info | {
            "pool": self.listing.address,
            "vault_coin_amount": self._reserve(accounts, vaults[0], mints[0]),
            "vault_pc_amount": self._reserve(accounts, vaults[1], mints[1]),
        }
        pool = ConstantProductPool.from_amm_v4(account, token_x=token_x, token_y=token_y, now=now)
        return Found(self.listing, pool, info)


class DlmmReader(PoolReader):
    """Meteora DLMM: the pool and the bin arrays that a swap of either token may walk through."""

    def read(self, accounts: Accounts, now: int) -> Found | None:
        pair, address = self._fields(accounts, LB_PAIR, self.listing.address), self.listing.address
        token_x, token_y = self._symbols(pair["token_x_mint"], pair["token_y_mint"])
        active = layouts.array_of(pair["active_id"])
        if not -layouts.BITMAP_ARRAYS <= active < layouts.BITMAP_ARRAYS:
            raise UnsupportedPool("has its price beyond its own bitmap of bin arrays")
        there = layouts.arrays_in(pair["bin_array_bitmap"])
        down = [index for index in reversed(there) if index <= active][:ARRAYS]
        up = [index for index in there if index >= active][:ARRAYS]
        at = {n: layouts.bin_array_address(address, n) for n in {*down, *up}}
        keys = (address, *(at[n] for n in sorted(at)))
        if not self._has(accounts, keys):
            return None
        bins: dict[int, dict[str, int]] = {}
        for where in at.values():
            head = self._fields(accounts, layouts.BIN_ARRAY, where)
            account = accounts.found[where]
            if account is None or head["lb_pair"] != address:
                raise UnsupportedPool("has a bin array of another pool")
            bins |= layouts.decode_bins(account.data)
        rewards = {pair["reward_mint_0"], pair["reward_mint_1"]} != {layouts.SYSTEM}
        pool = DlmmPool.from_account(
            pair | {"bins": bins, "lb_pair": address, "has_rewards": rewards},
            token_x=token_x,
            token_y=token_y,
            now=now,
            slot=accounts.slot,
        )
        arrays = {
            token_x: tuple(at[n] for n in down),
            token_y: tuple(at[n] for n in up),
        }
        return Found(self.listing, pool, pair, arrays)


READERS: Mapping[Kind, type[PoolReader]] = {
    Kind.CPMM: CpmmReader,
    Kind.AMM_V4: AmmV4Reader,
    Kind.DLMM: DlmmReader,
}
