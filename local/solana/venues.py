"""What stands in for the venues' programs: token transfers and pool accounts, by our arithmetic.

The binaries are not ours to ship. A swap becomes two transfers of the SPL Token program, from the
trader to the pool and back, executed where the swap stood in the same transaction; what the swap
leaves in the pool's accounts is written if the transaction lands. The arithmetic is that of
`engine.market`, which the vectors tie to the programs; the errors are the programs' numbers.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.adapters.solana import instructions as made
from engine.adapters.solana import layouts
from engine.adapters.solana.instructions import Call
from engine.adapters.solana.layouts import AMM_V4, CPMM, DLMM, BadAccount
from engine.adapters.solana.rpc import Account
from engine.domain.errors import (
    AmountTooLarge,
    AmountTooSmall,
    InsufficientLiquidity,
    MarketError,
    PoolDisabled,
)
from engine.market.bins import in_at
from engine.market.meteora import DlmmPool
from engine.market.raydium import MILLION, ConstantProductPool

#: An account as it stands at a point of a transaction, None if there is none.
Look = Callable[[str], Account | None]

#: What the programs use, in units of computing: measured with the programs (CPMM, DLMM and each
#: of its bins), or taken to be no cheaper than those (AMM v4).
CPMM_UNITS, AMM_V4_UNITS, DLMM_UNITS, BIN_UNITS = 34_000, 45_000, 41_000, 4_200
_WRONG_ACCOUNT = 2012  # Anchor's ConstraintAddress
_X, _Y = "x", "y"


class Fails(Exception):
    """A program ends a swap with an error, as JSON-RPC has it."""

    def __init__(self, error: Any) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Transfer:
    """Tokens that move between two token accounts, by leave of who owns the first."""

    source: str
    destination: str
    owner: str
    amount: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a swap does: transfers, accounts as it leaves them, and units of computing."""

    transfers: tuple[Transfer, ...]
    written: Mapping[str, bytes]
    units: int


def effect(call: Call, mint_of: Callable[[str], str | None], look: Look, now: int) -> Effect:
    """Return what a swap does at `now`, chain time. Raises Fails.

    `mint_of` tells the mint of a token account, also of one that the transaction opens first.
    """
    return _PROGRAMS[call.program](_Swap(call, mint_of, look, now))


@dataclass(frozen=True, slots=True)
class _Swap:
    call: Call
    mint_of: Callable[[str], str | None]
    look: Look
    now: int

    def named(self, names: Sequence[str], discriminator: bytes, size: int) -> dict[str, str]:
        """Return the accounts by name. Raises Fails for another instruction, or too few."""
        if not self.call.data.startswith(discriminator) or len(self.call.data) != size:
            raise Fails({"Custom": 101})  # InstructionFallbackNotFound
        if len(self.call.accounts) < len(names):
            raise Fails("NotEnoughAccountKeys")
        told = dict(zip(names, self.call.accounts, strict=False))
        for name in ("payer", "user"):
            if name in told and not told[name].signer:
                raise Fails("MissingRequiredSignature")
        return {name: meta.address for name, meta in told.items()}

    def fields(self, layout: layouts.Layout, address: str, owner: str) -> dict[str, Any]:
        account = self.look(address)
        if account is None or account.owner != owner:
            raise Fails({"Custom": 3007})  # AccountOwnedByWrongProgram
        try:
            return layout.decode(account.data)
        except BadAccount:
            raise Fails({"Custom": 3002}) from None  # AccountDiscriminatorMismatch

    def data(self, address: str) -> bytes:
        account = self.look(address)
        return b"" if account is None else account.data

    def held(self, vault: str) -> int:
        return int(self.fields(layouts.TOKEN_ACCOUNT, vault, layouts.SPL_TOKEN)["amount"])


def _require(named: Mapping[str, str], **expected: str) -> None:
    if any(named[name] != address for name, address in expected.items()):
        raise Fails({"Custom": _WRONG_ACCOUNT})


def _cpmm(swap: _Swap) -> Effect:
    named = swap.named(made.CPMM_ACCOUNTS, made.SWAP_BASE_INPUT, 24)
    amount, minimum = struct.unpack("<QQ", swap.call.data[8:])
    address = named["pool_state"]
    state = swap.fields(layouts.POOL_STATE, address, CPMM)
    one, other = (0, 1) if named["input_vault"] == state["token_0_vault"] else (1, 0)
    _require(
        named,
        authority=layouts.CPMM_AUTHORITY,
        amm_config=state["amm_config"],
        input_vault=state[f"token_{one}_vault"],
        output_vault=state[f"token_{other}_vault"],
        input_token_mint=state[f"token_{one}_mint"],
        output_token_mint=state[f"token_{other}_mint"],
        input_token_program=layouts.SPL_TOKEN,
        output_token_program=layouts.SPL_TOKEN,
        observation_state=state["observation_key"],
    )
    config = swap.fields(layouts.AMM_CONFIG, state["amm_config"], CPMM)
    vaults = {f"vault_{n}_amount": swap.held(state[f"token_{n}_vault"]) for n in (0, 1)}
    account = state | vaults | {"pool": address, "trade_fee_rate": config["trade_fee_rate"]}
    traded = _asked(
        lambda: ConstantProductPool.from_cpmm(account, token_x=_X, token_y=_Y, now=swap.now),
        _X if one == 0 else _Y,
        amount,
        {PoolDisabled: 6000, AmountTooSmall: 2505},
    )
    if traded.amount_out < minimum:
        raise Fails({"Custom": 6005})
    owed = {
        f"{whose}_fees_token_{one}": state[f"{whose}_fees_token_{one}"]
        + traded.fee * config[f"{whose}_fee_rate"] // MILLION
        for whose in ("protocol", "fund")
    }
    transfers = (
        Transfer(named["input_token_account"], named["input_vault"], named["payer"], amount),
        Transfer(
            named["output_vault"],
            named["output_token_account"],
            layouts.CPMM_AUTHORITY,
            traded.amount_out,
        ),
    )
    written = {address: layouts.POOL_STATE.encode(owed, swap.data(address))}
    return Effect(transfers, written, CPMM_UNITS)


def _amm_v4(swap: _Swap) -> Effect:
    named = swap.named(made.AMM_V4_ACCOUNTS, made.SWAP_BASE_IN_V2, 17)
    amount, minimum = struct.unpack("<QQ", swap.call.data[1:])
    info = swap.fields(layouts.AMM_INFO, named["amm"], AMM_V4)
    _require(
        named,
        token_program=layouts.SPL_TOKEN,
        amm_authority=layouts.AMM_V4_AUTHORITY,
        coin_vault=info["coin_vault"],
        pc_vault=info["pc_vault"],
    )
    mints = info["coin_vault_mint"], info["pc_vault_mint"]
    sold, bought = swap.mint_of(named["user_source"]), swap.mint_of(named["user_destination"])
    if (sold, bought) not in (mints, mints[::-1]):
        raise Fails({"Custom": 18})  # InvalidUserToken
    sides = ("coin", "pc") if sold == mints[0] else ("pc", "coin")
    vaults = {f"vault_{side}_amount": swap.held(info[f"{side}_vault"]) for side in sides}
    account = info | vaults | {"pool": named["amm"]}
    traded = _asked(
        lambda: ConstantProductPool.from_amm_v4(account, token_x=_X, token_y=_Y, now=swap.now),
        _X if sold == mints[0] else _Y,
        amount,
        {PoolDisabled: 1, AmountTooSmall: 29},
    )
    if traded.amount_out < minimum:
        raise Fails({"Custom": 30})
    counted = {
        f"swap_{sides[0]}_in_amount": info[f"swap_{sides[0]}_in_amount"] + amount,
        f"swap_{sides[1]}_out_amount": info[f"swap_{sides[1]}_out_amount"] + traded.amount_out,
    }
    fee = f"swap_acc_{sides[0]}_fee"
    counted[fee] = info[fee] + traded.fee
    transfers = (
        Transfer(named["user_source"], info[f"{sides[0]}_vault"], named["user"], amount),
        Transfer(
            info[f"{sides[1]}_vault"],
            named["user_destination"],
            layouts.AMM_V4_AUTHORITY,
            traded.amount_out,
        ),
    )
    written = {named["amm"]: layouts.AMM_INFO.encode(counted, swap.data(named["amm"]))}
    return Effect(transfers, written, AMM_V4_UNITS)


def _dlmm(swap: _Swap) -> Effect:
    named = swap.named(made.DLMM_ACCOUNTS, made.SWAP_2, 28)
    amount, minimum, _ = struct.unpack("<QQI", swap.call.data[8:])
    address = named["lb_pair"]
    pair = swap.fields(layouts.LB_PAIR, address, DLMM)
    _require(
        named,
        reserve_x=pair["reserve_x"],
        reserve_y=pair["reserve_y"],
        token_x_mint=pair["token_x_mint"],
        token_y_mint=pair["token_y_mint"],
        oracle=pair["oracle"],
        token_x_program=layouts.SPL_TOKEN,
        token_y_program=layouts.SPL_TOKEN,
        memo_program=layouts.MEMO,
        event_authority=layouts.DLMM_EVENT_AUTHORITY,
        program=DLMM,
    )
    mints = pair["token_x_mint"], pair["token_y_mint"]
    sold, bought = swap.mint_of(named["user_token_in"]), swap.mint_of(named["user_token_out"])
    if (sold, bought) not in (mints, mints[::-1]):
        raise Fails({"Custom": 2003})  # ConstraintRaw
    for_y = sold == mints[0]
    arrays = [meta.address for meta in swap.call.accounts[len(made.DLMM_ACCOUNTS) :]]
    bins: dict[int, dict[str, int]] = {}
    where: dict[int, str] = {}
    for array in arrays:
        head = swap.fields(layouts.BIN_ARRAY, array, DLMM)
        if head["lb_pair"] != address:
            raise Fails({"Custom": _WRONG_ACCOUNT})
        bins |= layouts.decode_bins(swap.data(array))
        where[head["index"]] = array
    rewards = {pair["reward_mint_0"], pair["reward_mint_1"]} != {layouts.SYSTEM}
    account = pair | {"bins": bins, "lb_pair": address, "has_rewards": rewards}
    pool: DlmmPool
    pool, walked = _asked_for(
        lambda: DlmmPool.from_account(account, token_x=_X, token_y=_Y, now=swap.now),
        lambda pool: pool.swap_exact_in(amount, for_y),
        {
            PoolDisabled: 6042,
            InsufficientLiquidity: 6036 if where else 6037,
            AmountTooSmall: 6039,
            AmountTooLarge: 6019,
        },
    )
    if walked.amount_out < minimum:
        raise Fails({"Custom": 6003})
    fee_side = "y" if pool.fee_on_y or not for_y else "x"
    kept = f"protocol_fee_{fee_side}"
    after = {
        "active_id": walked.active_after,
        "volatility_accumulator": walked.after.accumulator,
        "volatility_reference": walked.after.reference,
        "index_reference": walked.after.index_reference,
        "last_update_timestamp": walked.after.last_update,
        kept: pair[kept] + walked.fee * pair["protocol_share"] // 10_000,
    }
    written = {address: layouts.LB_PAIR.encode(after, swap.data(address))}
    for fill in walked.per_bin:
        index = layouts.array_of(fill.bin)
        array = where[index]
        version = layouts.BIN_ARRAY.decode(swap.data(array))["version"]
        fee_out = fill.fee if pool.fee_on_y and for_y else 0
        left = _filled(
            bins[fill.bin],
            pool.bins[fill.bin],
            fill.in_incl_fee - (0 if fee_out else fill.fee),
            fill.out + fee_out,
            fill.price_q64,
            for_y,
        )
        onto = written.get(array, swap.data(array))
        written[array] = layouts.encode_bins(
            address, index, {fill.bin: left}, version=version, onto=onto
        )
    into, out_of = ("reserve_x", "reserve_y") if for_y else ("reserve_y", "reserve_x")
    transfers = (
        Transfer(named["user_token_in"], pair[into], named["user"], amount),
        Transfer(pair[out_of], named["user_token_out"], address, walked.amount_out),
    )
    units = DLMM_UNITS + BIN_UNITS * len(walked.per_bin)
    return Effect(transfers, written, units)


def _filled(
    held: Mapping[str, int],
    modelled: Sequence[int],
    net_in: int,
    out: int,
    price: int,
    for_y: bool,
) -> dict[str, int]:
    """Return a bin after it gave `out` for `net_in`: its makers first, then its limit orders.

    What limit orders get is theirs, and no longer in the bin.
    """
    sold, bought = ("amount_y", "amount_x") if for_y else ("amount_x", "amount_y")
    left = dict(held)
    makers = min(out, held[sold])
    left[sold] = held[sold] - makers
    rest = out - makers
    if len(modelled) > 2:  # it has limit orders that count
        names = ("processed_order_remaining_amount", "open_order_amount")
        for name in names if rest else ():
            given = min(rest, held.get(name, 0))
            left[name] = held.get(name, 0) - given
            rest -= given
    theirs = net_in if makers == out else min(net_in, in_at(price, makers, for_y))
    left[bought] = held[bought] + theirs
    return left


def _asked(make: Callable[[], Any], token: str, amount: int, errors: Mapping[Any, int]) -> Any:
    return _asked_for(make, lambda pool: pool.exact_in(token, amount), errors)[1]


def _asked_for(
    make: Callable[[], Any], ask: Callable[[Any], Any], errors: Mapping[Any, int]
) -> tuple[Any, Any]:
    """Return a pool and its answer; an error has the program's number. Raises Fails."""
    try:
        pool = make()
        return pool, ask(pool)
    except MarketError as error:
        number = errors.get(type(error))
        raise Fails("ProgramFailedToComplete" if number is None else {"Custom": number}) from error


_PROGRAMS: Mapping[str, Callable[[_Swap], Effect]] = {CPMM: _cpmm, AMM_V4: _amm_v4, DLMM: _dlmm}
PROGRAMS = frozenset(_PROGRAMS)
