"""Accounts of the venues are read and written where their programs have them."""

import random
from struct import calcsize
from typing import Any

import pytest
from solders.pubkey import Pubkey

from engine.adapters.solana import layouts
from engine.adapters.solana.addresses import decode, derived, encode, with_seed
from engine.adapters.solana.layouts import (
    AMM_CONFIG,
    AMM_INFO,
    BIN_ARRAY,
    CLOCK_SYSVAR,
    LB_PAIR,
    POOL_STATE,
    TOKEN_ACCOUNT,
    BadAccount,
    Layout,
    decode_bins,
    encode_bins,
)
from engine.market.meteora import DlmmPool
from tests.unit.market.test_programs import VECTORS, dlmm

LAYOUTS = [POOL_STATE, AMM_CONFIG, AMM_INFO, LB_PAIR, BIN_ARRAY, TOKEN_ACCOUNT, CLOCK_SYSVAR]
RANDOM = random.Random(16)


def some(kind: str) -> Any:
    if kind == "key":
        return encode(RANDOM.randbytes(32))
    if kind == "16Q":
        return tuple(RANDOM.getrandbits(64) for _ in range(16))
    if kind == "?":
        return True
    bits = {"B": 8, "H": 16, "I": 32, "i": 31, "Q": 64, "q": 63, "u128": 128}[kind]
    return RANDOM.getrandbits(bits)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_what_is_written_is_read_and_nothing_else_changes(layout: Layout) -> None:
    values = {name: some(kind) for name, (_, kind) in layout.fields.items()}
    written = layout.encode(values)
    assert len(written) == layout.size
    assert layout.decode(written) == values
    noise = layout.discriminator + RANDOM.randbytes(layout.size - len(layout.discriminator))
    assert layout.encode({}, noise) == noise
    assert layout.decode(layout.encode(values, noise)) == values


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_no_two_fields_share_a_byte(layout: Layout) -> None:
    seen = bytearray(layout.size)
    for name, (at, kind) in layout.fields.items():
        full = {"key": b"\xff" * 32, "u128": b"\xff" * 16}.get(kind)
        size = len(full) if full else calcsize(f"<{kind}")
        assert not any(seen[at : at + size]), name
        seen[at : at + size] = b"\x01" * size
    assert not any(seen[: len(layout.discriminator)])


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_an_account_of_another_size_or_kind_is_refused(layout: Layout) -> None:
    written = layout.encode({})
    for wrong in (written[:-1], written + b"\0", b"", b"\xff" * 8 + written[8:]):
        if layout.discriminator or len(wrong) != layout.size:
            with pytest.raises(BadAccount, match=layout.name):
                layout.decode(wrong)


@pytest.mark.parametrize("name", list(VECTORS["dlmm"]["pools"])[::12])
def test_a_pool_of_the_vectors_survives_its_accounts(name: str) -> None:
    """Bytes and back: the pool that is read is the one that the program left behind."""
    vector, pair = VECTORS["dlmm"]["pools"][name], encode(bytes(range(1, 33)))
    named = {key: value for key, value in vector["lb_pair"].items() if key in LB_PAIR.fields}
    rewards = {"reward_mint_0": pair} if vector["lb_pair"].get("has_rewards") else {}
    account = LB_PAIR.decode(LB_PAIR.encode(named | rewards))
    names = (
        "amount_x",
        "amount_y",
        "open_order_amount",
        "processed_order_remaining_amount",
        "limit_order_ask_side",
    )
    arrays: dict[int, dict[int, dict[str, int]]] = {}
    for bin_id, held in vector["bins"].items():
        of = arrays.setdefault(layouts.array_of(int(bin_id)), {})
        of[int(bin_id)] = dict(zip(names, held, strict=False))
    bins: dict[int, dict[str, int]] = {}
    for index, held in arrays.items():
        bins |= decode_bins(encode_bins(pair, index, held))
    account |= {"bins": bins, "lb_pair": vector["address"]}
    account["has_rewards"] = account["reward_mint_0"] != layouts.SYSTEM
    now = next(row["now"] for row in VECTORS["dlmm"]["vectors"] if row["pool"] == name)
    read = DlmmPool.from_account(account, token_x="X", token_y="Y", now=now)
    told = dlmm(name, now)
    assert (read.fees, read.volatility, read.active_id, read.fee_on_y) == (
        told.fees,
        told.volatility,
        told.active_id,
        told.fee_on_y,
    )
    assert read.bins == {id_: held for id_, held in told.bins.items() if any(held)}


def test_what_lies_where_limit_orders_are_is_none_in_an_array_without_them() -> None:
    pair, held = encode(bytes(range(1, 33))), {5: {"amount_x": 1, "open_order_amount": 9}}
    assert decode_bins(encode_bins(pair, 0, held, version=1)) == {5: {"amount_x": 1, "amount_y": 0}}
    with pytest.raises(ValueError, match="not in array"):
        encode_bins(pair, 1, held)


def test_addresses_are_those_of_solana() -> None:
    for _ in range(60):
        data, index = RANDOM.randbytes(32), RANDOM.randint(-700, 700)
        key = Pubkey.from_bytes(data)
        assert encode(data) == str(key)
        assert decode(str(key)) == data
        seeds = [b"bin_array", data, index.to_bytes(8, "little", signed=True)]
        dlmm_program = Pubkey.from_string(layouts.DLMM)
        expected, _ = Pubkey.find_program_address(seeds, dlmm_program)
        assert layouts.bin_array_address(str(key), index) == str(expected)
        seeded = Pubkey.create_with_seed(key, "a seed", dlmm_program)
        assert with_seed(str(key), "a seed", layouts.DLMM) == str(seeded)
    assert encode(bytes(32)) == layouts.SYSTEM
    for wrong in ("", "0", "l" * 44, "1" * 31, "1" * 33, "z" * 44, layouts.DLMM + "1"):
        with pytest.raises(ValueError, match="base 58"):
            decode(wrong)


def test_the_authorities_are_those_that_the_programs_derive() -> None:
    assert derived(layouts.CPMM, b"vault_and_lp_mint_auth_seed") == layouts.CPMM_AUTHORITY
    assert derived(layouts.AMM_V4, b"amm authority") == layouts.AMM_V4_AUTHORITY
    assert derived(layouts.DLMM, b"__event_authority") == layouts.DLMM_EVENT_AUTHORITY


def test_a_bitmap_names_its_arrays() -> None:
    arrays = [-512, -65, -64, -1, 0, 63, 64, 511]
    assert layouts.arrays_in(layouts.bitmap_of(arrays)) == arrays
    assert [layouts.array_of(bin_id) for bin_id in (-71, -70, -1, 0, 69, 70)] == [
        -2,
        -1,
        -1,
        0,
        0,
        1,
    ]
