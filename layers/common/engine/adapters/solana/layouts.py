"""Where the fields of the venues' accounts lie, byte by byte, to read and to write them.

Offsets include the eight bytes of a discriminator. The sources are `MeteoraAg/dlmm-sdk
idls/dlmm.json` (0.12.0), `raydium-io/raydium-cp-swap@609780f` and `raydium-io/raydium-amm@27f461d`;
the names of the fields are theirs, so that the market's pools can be made of what is decoded.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.adapters.solana.addresses import decode, derived, encode

SYSTEM: Final = "11111111111111111111111111111111"
SPL_TOKEN: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105
TOKEN_2022: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105
ASSOCIATED: Final = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
COMPUTE_BUDGET: Final = "ComputeBudget111111111111111111111111111111"
MEMO: Final = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
CLOCK: Final = "SysvarC1ock11111111111111111111111111111111"
DLMM: Final = "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo"
CPMM: Final = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"
AMM_V4: Final = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"

CPMM_AUTHORITY: Final = "GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL"
AMM_V4_AUTHORITY: Final = "5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1"
DLMM_EVENT_AUTHORITY: Final = "D1ZN9Wj1fRSUQfCjhvnu1hqDMT7hzjzBBpi12nVniYD6"

BINS_IN_ARRAY = 70
#: The bin arrays that a pool's own bitmap has, -512 to 511; those further out need an extension.
BITMAP_ARRAYS = 512


class BadAccount(ValueError):
    """An account is not what it was read as."""


@dataclass(frozen=True, slots=True)
class Layout:
    """An account's size, its first eight bytes, and where its fields lie.

    A field is an offset and what lies there: a format of `struct`, `key` for an address (base 58),
    or `u128`. Whatever has no name here is left alone by `encode`.
    """

    name: str
    size: int
    discriminator: bytes
    fields: Mapping[str, tuple[int, str]]

    def decode(self, data: bytes) -> dict[str, Any]:
        """Return the fields by name. Raises BadAccount for another size or discriminator."""
        if len(data) != self.size or not data.startswith(self.discriminator):
            raise BadAccount(f"{len(data)} bytes are no {self.name} account")
        return {name: _read(data, at, kind) for name, (at, kind) in self.fields.items()}

    def encode(self, values: Mapping[str, Any], onto: bytes | None = None) -> bytes:
        """Return an account of these values, all else as in `onto` or zero."""
        data = bytearray(self.size if onto is None else onto)
        data[: len(self.discriminator)] = self.discriminator
        for name, value in values.items():
            at, kind = self.fields[name]
            _write(data, at, kind, value)
        return bytes(data)


def _read(data: bytes, at: int, kind: str) -> Any:
    if kind == "key":
        return encode(data[at : at + 32])
    if kind == "u128":
        return int.from_bytes(data[at : at + 16], "little")
    found = struct.unpack_from(f"<{kind}", data, at)
    return found[0] if len(found) == 1 else found


def _write(data: bytearray, at: int, kind: str, value: Any) -> None:
    if kind == "key":
        data[at : at + 32] = decode(value)
    elif kind == "u128":
        data[at : at + 16] = value.to_bytes(16, "little")
    else:
        struct.pack_into(f"<{kind}", data, at, *(value if isinstance(value, tuple) else (value,)))


#: A CPMM's pool. Its reserves are what lies in its vaults less the fees that are owed from them.
POOL_STATE = Layout(
    "PoolState",
    637,
    bytes.fromhex("f7ede3f5d7c3de46"),
    {
        "amm_config": (8, "key"),
        "pool_creator": (40, "key"),
        "token_0_vault": (72, "key"),
        "token_1_vault": (104, "key"),
        "lp_mint": (136, "key"),
        "token_0_mint": (168, "key"),
        "token_1_mint": (200, "key"),
        "token_0_program": (232, "key"),
        "token_1_program": (264, "key"),
        "observation_key": (296, "key"),
        "auth_bump": (328, "B"),
        "status": (329, "B"),
        "lp_mint_decimals": (330, "B"),
        "mint_0_decimals": (331, "B"),
        "mint_1_decimals": (332, "B"),
        "lp_supply": (333, "Q"),
        "protocol_fees_token_0": (341, "Q"),
        "protocol_fees_token_1": (349, "Q"),
        "fund_fees_token_0": (357, "Q"),
        "fund_fees_token_1": (365, "Q"),
        "open_time": (373, "Q"),
        "recent_epoch": (381, "Q"),
        "creator_fee_on": (389, "B"),
        "enable_creator_fee": (390, "?"),
        "creator_fees_token_0": (397, "Q"),
        "creator_fees_token_1": (405, "Q"),
    },
)
#: What a CPMM's pools charge; rates are in millionths, those below the trade fee of that fee.
AMM_CONFIG = Layout(
    "AmmConfig",
    236,
    bytes.fromhex("daf42168cbcb2b6f"),
    {
        "bump": (8, "B"),
        "disable_create_pool": (9, "?"),
        "index": (10, "H"),
        "trade_fee_rate": (12, "Q"),
        "protocol_fee_rate": (20, "Q"),
        "fund_fee_rate": (28, "Q"),
        "create_pool_fee": (36, "Q"),
        "protocol_owner": (44, "key"),
        "fund_owner": (76, "key"),
        "creator_fee_rate": (108, "Q"),
    },
)
#: An AMM v4's pool; it has no discriminator. Its reserves are its vaults less `need_take_pnl`.
AMM_INFO = Layout(
    "AmmInfo",
    752,
    b"",
    {
        "status": (0, "Q"),
        "nonce": (8, "Q"),
        "coin_decimals": (32, "Q"),
        "pc_decimals": (40, "Q"),
        "state": (48, "Q"),
        "trade_fee_numerator": (144, "Q"),
        "trade_fee_denominator": (152, "Q"),
        "pnl_numerator": (160, "Q"),
        "pnl_denominator": (168, "Q"),
        "swap_fee_numerator": (176, "Q"),
        "swap_fee_denominator": (184, "Q"),
        "need_take_pnl_coin": (192, "Q"),
        "need_take_pnl_pc": (200, "Q"),
        "pool_open_time": (224, "Q"),
        "swap_coin_in_amount": (256, "u128"),
        "swap_pc_out_amount": (272, "u128"),
        "swap_acc_pc_fee": (288, "Q"),
        "swap_pc_in_amount": (296, "u128"),
        "swap_coin_out_amount": (312, "u128"),
        "swap_acc_coin_fee": (328, "Q"),
        "coin_vault": (336, "key"),
        "pc_vault": (368, "key"),
        "coin_vault_mint": (400, "key"),
        "pc_vault_mint": (432, "key"),
        "lp_mint": (464, "key"),
        "open_orders": (496, "key"),
        "market": (528, "key"),
        "market_program": (560, "key"),
        "target_orders": (592, "key"),
        "amm_owner": (688, "key"),
        "lp_amount": (720, "Q"),
    },
)
#: A DLMM's pool.
LB_PAIR = Layout(
    "LbPair",
    904,
    bytes.fromhex("210b3162b565b10d"),
    {
        "base_factor": (8, "H"),
        "filter_period": (10, "H"),
        "decay_period": (12, "H"),
        "reduction_factor": (14, "H"),
        "variable_fee_control": (16, "I"),
        "max_volatility_accumulator": (20, "I"),
        "min_bin_id": (24, "i"),
        "max_bin_id": (28, "i"),
        "protocol_share": (32, "H"),
        "base_fee_power_factor": (34, "B"),
        "function_type": (35, "B"),
        "collect_fee_mode": (36, "B"),
        "volatility_accumulator": (40, "I"),
        "volatility_reference": (44, "I"),
        "index_reference": (48, "i"),
        "last_update_timestamp": (56, "q"),
        "pair_type": (75, "B"),
        "active_id": (76, "i"),
        "bin_step": (80, "H"),
        "status": (82, "B"),
        "activation_type": (86, "B"),
        "token_x_mint": (88, "key"),
        "token_y_mint": (120, "key"),
        "reserve_x": (152, "key"),
        "reserve_y": (184, "key"),
        "protocol_fee_x": (216, "Q"),
        "protocol_fee_y": (224, "Q"),
        "reward_mint_0": (264, "key"),
        "reward_mint_1": (408, "key"),
        "oracle": (552, "key"),
        "bin_array_bitmap": (584, "16Q"),
        "activation_point": (816, "Q"),
        "token_mint_x_program_flag": (880, "B"),
        "token_mint_y_program_flag": (881, "B"),
    },
)
#: The head of an array of a DLMM's bins; see `decode_bins`.
BIN_ARRAY = Layout(
    "BinArray",
    10_136,
    bytes.fromhex("5c8e5cdc059446b5"),
    {"index": (8, "q"), "version": (16, "B"), "lb_pair": (24, "key")},
)
#: A token account, of the SPL Token program.
TOKEN_ACCOUNT = Layout(
    "token account",
    165,
    b"",
    {"mint": (0, "key"), "owner": (32, "key"), "amount": (64, "Q"), "state": (108, "B")},
)
#: The chain's clock.
CLOCK_SYSVAR = Layout("clock", 40, b"", {"slot": (0, "Q"), "unix_timestamp": (32, "q")})

_BINS_AT, _BIN_SIZE = 56, 144
#: The amounts of a bin, by the place of their eight bytes in it; `price` and `supply` are `u128`.
_BIN = {
    "amount_x": (0, "Q"),
    "amount_y": (8, "Q"),
    "price": (16, "u128"),
    "liquidity_supply": (32, "u128"),
    "open_order_amount": (112, "Q"),
    "processed_order_remaining_amount": (128, "Q"),
    "limit_order_ask_side": (140, "B"),
}
_WITH_ORDERS = ("open_order_amount", "processed_order_remaining_amount", "limit_order_ask_side")
#: The version of an array whose bins have something else where limit orders are now.
_WITHOUT_ORDERS = 1
_EMPTY = bytes(16)


def decode_bins(data: bytes) -> dict[int, dict[str, int]]:
    """Return the bins of an array that hold something, by bin id. Raises BadAccount.

    A field is left out where it is zero, and those of limit orders in arrays that have none.
    """
    head = BIN_ARRAY.decode(data)
    first = head["index"] * BINS_IN_ARRAY
    orders = head["version"] != _WITHOUT_ORDERS
    bins: dict[int, dict[str, int]] = {}
    for place in range(BINS_IN_ARRAY):
        at = _BINS_AT + place * _BIN_SIZE
        x, y = struct.unpack_from("<QQ", data, at)
        held = {"amount_x": x, "amount_y": y}
        if orders and data[at + 112 : at + 144] != bytes(32):
            for name in _WITH_ORDERS:
                offset, kind = _BIN[name]
                held[name] = _read(data, at + offset, kind)
        if any(held.values()):
            bins[first + place] = held
    return bins


def encode_bins(
    pair: str,
    index: int,
    bins: Mapping[int, Mapping[str, int]],
    *,
    version: int = 2,
    onto: bytes | None = None,
) -> bytes:
    """Return the array `index` of a pair: its bins by bin id, all else as in `onto` or zero."""
    head = {"index": index, "version": version, "lb_pair": pair}
    data = bytearray(BIN_ARRAY.encode(head, onto))
    for bin_id, held in bins.items():
        place = bin_id - index * BINS_IN_ARRAY
        if not 0 <= place < BINS_IN_ARRAY:
            raise ValueError(f"bin {bin_id} is not in array {index}")
        for name, value in held.items():
            offset, kind = _BIN[name]
            _write(data, _BINS_AT + place * _BIN_SIZE + offset, kind, value)
    return bytes(data)


def array_of(bin_id: int) -> int:
    """Return the index of the array that a bin lies in."""
    return bin_id // BINS_IN_ARRAY


def bin_array_address(pair: str, index: int) -> str:
    """Return where a pair's array of bins lies."""
    return derived(DLMM, b"bin_array", decode(pair), index.to_bytes(8, "little", signed=True))


def bitmap_extension_address(pair: str) -> str:
    """Return where a pair says which arrays beyond +-512 it has."""
    return derived(DLMM, b"bitmap", decode(pair))


def arrays_in(bitmap: tuple[int, ...]) -> list[int]:
    """Return the arrays that a pair's own bitmap names, from the lowest up."""
    bits = sum(word << 64 * n for n, word in enumerate(bitmap))
    return [n - BITMAP_ARRAYS for n in range(2 * BITMAP_ARRAYS) if bits >> n & 1]


def bitmap_of(arrays: Iterable[int]) -> tuple[int, ...]:
    """Return the bitmap that names these arrays, each within +-512."""
    bits = sum(1 << index + BITMAP_ARRAYS for index in arrays)
    return tuple(bits >> 64 * n & 2**64 - 1 for n in range(16))


def associated_account(owner: str, mint: str, program: str = SPL_TOKEN) -> str:
    """Return where an owner keeps a token, if nowhere else."""
    return derived(ASSOCIATED, decode(owner), decode(program), decode(mint))
