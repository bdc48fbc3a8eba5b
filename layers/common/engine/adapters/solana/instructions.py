"""The instructions of a trade: whom they call, what they name, what they say.

Accounts are listed as the programs want them (`MeteoraAg/dlmm-sdk idls/dlmm.json` 0.12.0,
`raydium-cp-swap`, `raydium-amm`); an instruction is plain data until `compiled` has `solders` make
a message of them.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.adapters.solana import layouts
from engine.adapters.solana.addresses import decode, with_seed
from engine.adapters.solana.layouts import (
    AMM_V4,
    AMM_V4_AUTHORITY,
    ASSOCIATED,
    COMPUTE_BUDGET,
    CPMM,
    CPMM_AUTHORITY,
    DLMM,
    DLMM_EVENT_AUTHORITY,
    MEMO,
    SPL_TOKEN,
    SYSTEM,
)
from engine.adapters.solana.pools import Found, Kind
from engine.domain.tokens import SOL

#: What an instruction's data begins with.
SET_LIMIT, SET_PRICE = b"\x02", b"\x03"
CREATE_WITH_SEED = b"\x03\0\0\0"
CLOSE_ACCOUNT, INITIALIZE_ACCOUNT_3 = b"\x09", b"\x12"
CREATE_IDEMPOTENT = b"\x01"
SWAP_BASE_INPUT = bytes.fromhex("8fbe5adac41e33de")
SWAP_2 = bytes.fromhex("414b3f4ceb5b5b88")
SWAP_BASE_IN_V2 = b"\x10"

#: The accounts of the venues' swaps, in order; those of a DLMM are followed by its bin arrays.
CPMM_ACCOUNTS = (
    "payer",
    "authority",
    "amm_config",
    "pool_state",
    "input_token_account",
    "output_token_account",
    "input_vault",
    "output_vault",
    "input_token_program",
    "output_token_program",
    "input_token_mint",
    "output_token_mint",
    "observation_state",
)
AMM_V4_ACCOUNTS = (
    "token_program",
    "amm",
    "amm_authority",
    "coin_vault",
    "pc_vault",
    "user_source",
    "user_destination",
    "user",
)
DLMM_ACCOUNTS = (
    "lb_pair",
    "bin_array_bitmap_extension",
    "reserve_x",
    "reserve_y",
    "user_token_in",
    "user_token_out",
    "token_x_mint",
    "token_y_mint",
    "oracle",
    "host_fee_in",
    "user",
    "token_x_program",
    "token_y_program",
    "memo_program",
    "event_authority",
    "program",
)
_WRITABLE = {
    *("pool_state", "input_token_account", "output_token_account", "input_vault", "output_vault"),
    *("observation_state", "amm", "coin_vault", "pc_vault", "user_source", "user_destination"),
    *("lb_pair", "reserve_x", "reserve_y", "user_token_in", "user_token_out", "oracle"),
}
_SIGNERS = {"payer", "user"}

#: A token account's size, and the lamports that keep one.
TOKEN_ACCOUNT_SIZE = layouts.TOKEN_ACCOUNT.size
TOKEN_ACCOUNT_RENT = 2_039_280


@dataclass(frozen=True, slots=True)
class Meta:
    """An account as an instruction names it."""

    address: str
    signer: bool = False
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """An instruction."""

    program: str
    accounts: tuple[Meta, ...]
    data: bytes


def compute_budget(units: int, micro_lamports: int) -> tuple[Call, Call]:
    """Return what bounds a transaction's units of computing, and what is paid for each."""
    limit = Call(COMPUTE_BUDGET, (), SET_LIMIT + struct.pack("<I", units))
    return limit, Call(COMPUTE_BUDGET, (), SET_PRICE + struct.pack("<Q", micro_lamports))


def temporary_account(payer: str, seed: str) -> str:
    """Return the address of the wrapped SOL that is there for one transaction only."""
    return with_seed(payer, seed, SPL_TOKEN)


def open_temporary(payer: str, seed: str, lamports: int) -> tuple[Call, Call]:
    """Return what makes an account of wrapped SOL with `lamports` beside its rent."""
    account = temporary_account(payer, seed)
    create = Call(
        SYSTEM,
        (Meta(payer, True, True), Meta(account, False, True)),
        CREATE_WITH_SEED
        + decode(payer)
        + struct.pack("<Q", len(seed))
        + seed.encode()
        + struct.pack("<QQ", TOKEN_ACCOUNT_RENT + lamports, TOKEN_ACCOUNT_SIZE)
        + decode(SPL_TOKEN),
    )
    initialize = Call(
        SPL_TOKEN,
        (Meta(account, False, True), Meta(SOL.mint)),
        INITIALIZE_ACCOUNT_3 + decode(payer),
    )
    return create, initialize


def close_temporary(payer: str, seed: str) -> Call:
    """Return what gives all that is left in the account back, as SOL."""
    account = temporary_account(payer, seed)
    accounts = Meta(account, False, True), Meta(payer, False, True), Meta(payer, True)
    return Call(SPL_TOKEN, accounts, CLOSE_ACCOUNT)


def create_associated(payer: str, mint: str) -> Call:
    """Return what makes the payer's account of a token, unless it is there."""
    accounts = (
        Meta(payer, True, True),
        Meta(layouts.associated_account(payer, mint), False, True),
        Meta(payer),
        Meta(mint),
        Meta(SYSTEM),
        Meta(SPL_TOKEN),
    )
    return Call(ASSOCIATED, accounts, CREATE_IDEMPOTENT)


def swap(
    found: Found,
    token_in: str,
    user: str,
    source: str,
    destination: str,
    amount_in: int,
    minimum: int,
) -> Call:
    """Return the swap of `amount_in` of `token_in` (a symbol) for `minimum` at least."""
    build = {Kind.CPMM: _cpmm, Kind.AMM_V4: _amm_v4, Kind.DLMM: _dlmm}[found.listing.kind]
    program, names, named, data = build(found, token_in, amount_in, minimum)
    mine = {"payer": user, "user": user}
    mine |= dict.fromkeys(("input_token_account", "user_source", "user_token_in"), source)
    mine |= dict.fromkeys(
        ("output_token_account", "user_destination", "user_token_out"), destination
    )
    accounts = [
        Meta({**named, **mine}[name], name in _SIGNERS, name in _WRITABLE) for name in names
    ]
    arrays = [Meta(array, False, True) for array in found.arrays.get(token_in, ())]
    return Call(program, (*accounts, *arrays), data)


_Built = tuple[str, Sequence[str], Mapping[str, Any], bytes]


def _cpmm(found: Found, token_in: str, amount_in: int, minimum: int) -> _Built:
    state = found.fields
    one, other = (0, 1) if found.pool.token_x == token_in else (1, 0)
    named = {
        "authority": CPMM_AUTHORITY,
        "amm_config": state["amm_config"],
        "pool_state": found.listing.address,
        "input_vault": state[f"token_{one}_vault"],
        "output_vault": state[f"token_{other}_vault"],
        "input_token_program": state[f"token_{one}_program"],
        "output_token_program": state[f"token_{other}_program"],
        "input_token_mint": state[f"token_{one}_mint"],
        "output_token_mint": state[f"token_{other}_mint"],
        "observation_state": state["observation_key"],
    }
    return CPMM, CPMM_ACCOUNTS, named, SWAP_BASE_INPUT + struct.pack("<QQ", amount_in, minimum)


def _amm_v4(found: Found, token_in: str, amount_in: int, minimum: int) -> _Built:  # noqa: ARG001
    named = {
        "token_program": SPL_TOKEN,
        "amm": found.listing.address,
        "amm_authority": AMM_V4_AUTHORITY,
        "coin_vault": found.fields["coin_vault"],
        "pc_vault": found.fields["pc_vault"],
    }
    data = SWAP_BASE_IN_V2 + struct.pack("<QQ", amount_in, minimum)
    return AMM_V4, AMM_V4_ACCOUNTS, named, data


def _dlmm(found: Found, token_in: str, amount_in: int, minimum: int) -> _Built:  # noqa: ARG001
    pair = found.fields
    named = {
        "lb_pair": found.listing.address,
        "bin_array_bitmap_extension": DLMM,  # Anchor's way of naming none
        "reserve_x": pair["reserve_x"],
        "reserve_y": pair["reserve_y"],
        "token_x_mint": pair["token_x_mint"],
        "token_y_mint": pair["token_y_mint"],
        "oracle": pair["oracle"],
        "host_fee_in": DLMM,
        "token_x_program": SPL_TOKEN,
        "token_y_program": SPL_TOKEN,
        "memo_program": MEMO,
        "event_authority": DLMM_EVENT_AUTHORITY,
        "program": DLMM,
    }
    data = SWAP_2 + struct.pack("<QQI", amount_in, minimum, 0)
    return DLMM, DLMM_ACCOUNTS, named, data


def compiled(payer: str, calls: Sequence[Call], blockhash: str) -> bytes:
    """Return the bytes of the message (v0, no look-up tables) that `payer` signs."""
    from solders.hash import Hash
    from solders.instruction import AccountMeta, Instruction
    from solders.message import MessageV0, to_bytes_versioned
    from solders.pubkey import Pubkey

    made = [
        Instruction(
            Pubkey.from_string(call.program),
            call.data,
            [
                AccountMeta(Pubkey.from_string(meta.address), meta.signer, meta.writable)
                for meta in call.accounts
            ],
        )
        for call in calls
    ]
    message = MessageV0.try_compile(
        Pubkey.from_string(payer), made, [], Hash.from_string(blockhash)
    )
    return bytes(to_bytes_versioned(message))
