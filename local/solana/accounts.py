"""Accounts in their true layouts: mints, tokens, and the pools of both venues."""

from collections.abc import Mapping
from typing import Any

from engine.adapters.solana import layouts
from engine.adapters.solana.addresses import encode
from engine.adapters.solana.rpc import Account
from engine.domain.tokens import SOL, Token

#: What keeps an account of a mint, of a token, in lamports.
MINT_RENT, TOKEN_RENT = 1_461_600, 2_039_280
#: What keeps the largest account here, a bin array.
POOL_RENT = 72_000_000
_MINT_SIZE = 82
#: A token account says here that its amount is lamports too, and what it keeps beside them.
_NATIVE_AT = 109


def an_address(name: str) -> str:
    """Return an address that a name always gives; of a name's first 32 letters."""
    return encode(name.encode().ljust(32, b".")[:32])


def mint(token: Token) -> Account:
    """Return the mint of a token that nobody mints any more."""
    data = bytearray(_MINT_SIZE)
    data[44:46] = bytes((token.decimals, 1))  # initialized
    return Account(layouts.SPL_TOKEN, MINT_RENT, bytes(data))


def token_account(mint: str, owner: str, amount: int) -> Account:
    """Return an account of a token; one of wrapped SOL has its amount in lamports as well."""
    data = bytearray(
        layouts.TOKEN_ACCOUNT.encode({"mint": mint, "owner": owner, "amount": amount, "state": 1})
    )
    if mint != SOL.mint:
        return Account(layouts.SPL_TOKEN, TOKEN_RENT, bytes(data))
    data[_NATIVE_AT] = 1
    data[_NATIVE_AT + 4 : _NATIVE_AT + 12] = TOKEN_RENT.to_bytes(8, "little")
    return Account(layouts.SPL_TOKEN, TOKEN_RENT + amount, bytes(data))


def cpmm(
    address: str,
    base: Token,
    quote: Token,
    x: int,
    y: int,
    ppm: int = 2_500,
    *,
    protocol_ppm: int = 0,
    fund_ppm: int = 0,
    **fields: Any,
) -> dict[str, Account]:
    """Return the accounts of a CPMM pool whose vaults hold so much of both tokens.

    `protocol_ppm` and `fund_ppm` are shares of its fee.
    """
    vaults = [an_address(f"{address[:20]}:{n}") for n in (0, 1)]
    config, observation = (an_address(f"{address[:20]}:{name}") for name in ("config", "obs"))
    state = {
        "amm_config": config,
        "token_0_vault": vaults[0],
        "token_1_vault": vaults[1],
        "token_0_mint": base.mint,
        "token_1_mint": quote.mint,
        "token_0_program": layouts.SPL_TOKEN,
        "token_1_program": layouts.SPL_TOKEN,
        "mint_0_decimals": base.decimals,
        "mint_1_decimals": quote.decimals,
        "observation_key": observation,
    }
    rates = layouts.AMM_CONFIG.encode(
        {"trade_fee_rate": ppm, "protocol_fee_rate": protocol_ppm, "fund_fee_rate": fund_ppm}
    )
    return {
        address: Account(layouts.CPMM, POOL_RENT, layouts.POOL_STATE.encode(state | fields)),
        config: Account(layouts.CPMM, POOL_RENT, rates),
        observation: Account(layouts.CPMM, POOL_RENT, bytes(8)),
        vaults[0]: token_account(base.mint, layouts.CPMM_AUTHORITY, x),
        vaults[1]: token_account(quote.mint, layouts.CPMM_AUTHORITY, y),
    }


def amm_v4(
    address: str, base: Token, quote: Token, x: int, y: int, ppm: int = 2_500, **fields: Any
) -> dict[str, Account]:
    """Return the accounts of an AMM v4 pool whose vaults hold so much of both tokens."""
    vaults = [an_address(f"{address[:20]}:{n}") for n in (0, 1)]
    info = {
        "status": 6,
        "coin_decimals": base.decimals,
        "pc_decimals": quote.decimals,
        "swap_fee_numerator": ppm,
        "swap_fee_denominator": 10**6,
        "coin_vault": vaults[0],
        "pc_vault": vaults[1],
        "coin_vault_mint": base.mint,
        "pc_vault_mint": quote.mint,
    }
    return {
        address: Account(layouts.AMM_V4, POOL_RENT, layouts.AMM_INFO.encode(info | fields)),
        vaults[0]: token_account(base.mint, layouts.AMM_V4_AUTHORITY, x),
        vaults[1]: token_account(quote.mint, layouts.AMM_V4_AUTHORITY, y),
    }


def dlmm(
    address: str,
    base: Token,
    quote: Token,
    bins: Mapping[int, Mapping[str, int]],
    fields: Mapping[str, Any],
) -> dict[str, Account]:
    """Return the accounts of a DLMM pool of these bins, whose reserves hold what they say."""
    arrays: dict[int, dict[int, Mapping[str, int]]] = {}
    for bin_id, held in bins.items():
        arrays.setdefault(layouts.array_of(bin_id), {})[bin_id] = held
    reserves, oracle = _reserves(bins), an_address(f"{address[:20]}:oracle")
    pair = {
        "token_x_mint": base.mint,
        "token_y_mint": quote.mint,
        "reserve_x": an_address(f"{address[:20]}:x"),
        "reserve_y": an_address(f"{address[:20]}:y"),
        "oracle": oracle,
        "bin_array_bitmap": layouts.bitmap_of(n for n in arrays if -512 <= n < 512),
    }
    state = layouts.LB_PAIR.encode({**pair, **fields})
    accounts = {
        address: Account(layouts.DLMM, POOL_RENT, state),
        oracle: Account(layouts.DLMM, POOL_RENT, bytes(8)),
        str(pair["reserve_x"]): token_account(base.mint, address, reserves[0]),
        str(pair["reserve_y"]): token_account(quote.mint, address, reserves[1]),
    }
    for index, some in arrays.items():
        where = layouts.bin_array_address(address, index)
        data = layouts.encode_bins(address, index, some)
        accounts[where] = Account(layouts.DLMM, POOL_RENT, data)
    return accounts


def _reserves(bins: Mapping[int, Mapping[str, int]]) -> tuple[int, int]:
    """Return what lies in all bins, limit orders included: those that ask sell X, others Y."""
    x = y = 0
    for held in bins.values():
        x, y = x + held.get("amount_x", 0), y + held.get("amount_y", 0)
        orders = held.get("open_order_amount", 0) + held.get("processed_order_remaining_amount", 0)
        if held.get("limit_order_ask_side"):
            x += orders
        else:
            y += orders
    return min(x, 2**64 - 1), min(y, 2**64 - 1)
