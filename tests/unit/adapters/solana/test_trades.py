"""What is built is what solders would build; what is signed is what was ordered."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta
from solders.instruction import Instruction as Made
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountWithSeedParams, create_account_with_seed

from engine.adapters.solana import instructions as made
from engine.adapters.solana import layouts, trades
from engine.adapters.solana.addresses import encode
from engine.adapters.solana.instructions import Call, Meta, compiled
from engine.adapters.solana.message import MAX_WIRE, BadMessage, read
from engine.adapters.solana.pools import Found, Kind, Listing
from engine.domain.errors import TransactionRefused
from engine.domain.order import Instruction
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC, USDT, Token
from engine.market.bins import FeeSchedule, Volatility
from engine.market.meteora import DlmmPool
from engine.market.pool import Pool
from engine.market.raydium import ConstantProductPool
from tests.fakes import an_order

RANDOM = random.Random(1_232)
PAYER = Keypair.from_seed(bytes(range(32)))
BLOCKHASH = encode(bytes(range(7, 39)))
ROUTES = [
    (sold, bought, kinds)
    for sold, bought in ((SOL, USDC), (USDC, SOL), (USDT, USDC))
    for kinds in (
        (Kind.CPMM,),
        (Kind.AMM_V4,),
        (Kind.DLMM,),
        (Kind.CPMM, Kind.DLMM),
        (Kind.AMM_V4, Kind.DLMM),
    )
]


def an_address() -> str:
    return encode(RANDOM.randbytes(32))


def found(kind: Kind, sold: Token, bought: Token) -> Found:
    address = an_address()
    base, quote = (bought, sold) if sold == USDC else (sold, bought)
    listing = Listing(base, quote, kind, address)
    layout = {
        Kind.CPMM: layouts.POOL_STATE,
        Kind.AMM_V4: layouts.AMM_INFO,
        Kind.DLMM: layouts.LB_PAIR,
    }
    fields: dict[str, Any] = {
        name: an_address() for name, (_, how) in layout[kind].fields.items() if how == "key"
    }
    mints = {
        Kind.CPMM: ("token_0_mint", "token_1_mint"),
        Kind.AMM_V4: ("coin_vault_mint", "pc_vault_mint"),
        Kind.DLMM: ("token_x_mint", "token_y_mint"),
    }[kind]
    fields |= {mints[0]: base.mint, mints[1]: quote.mint}
    fields |= dict.fromkeys(("token_0_program", "token_1_program"), layouts.SPL_TOKEN)
    pool: Pool = ConstantProductPool(address, base.symbol, quote.symbol, 10**15, 10**14)
    arrays: dict[str, tuple[str, ...]] = {}
    if kind is Kind.DLMM:
        bins = {n: (0, 10**12) if n < 0 else (10**12, 0) for n in range(-60, 60)}
        pool = DlmmPool(
            address, base.symbol, quote.symbol, 0, bins, FeeSchedule(10, 10_000), Volatility(), 9**9
        )
        arrays = {t.symbol: tuple(an_address() for _ in range(3)) for t in (sold, bought)}
    return Found(listing, pool, fields, arrays)


def a_plan(
    sold: Token, bought: Token, kinds: tuple[Kind, ...], *, creates: bool = False
) -> trades.Plan:
    order = replace(an_order(), terms=Terms(sold, bought, 10**9, 50))
    pools = {each.listing.venue: each for each in (found(kind, sold, bought) for kind in kinds)}
    parts = [10**9] if len(kinds) == 1 else [7 * 10**8, 3 * 10**8]
    steps = [
        Instruction(venue, part, RANDOM.randrange(1, 10**8), pool.listing.address)
        for (venue, pool), part in zip(pools.items(), parts, strict=True)
    ]
    if sold == SOL:
        steps.insert(0, Instruction("wrap-sol", 10**9))
    if bought == SOL:
        steps.append(Instruction("unwrap-sol"))
    return trades.Plan(
        order, tuple(steps), pools, str(PAYER.pubkey()), trades.seed_of(order), 20_000, creates
    )


def message_of(
    plan: trades.Plan, calls: list[Call] | None = None, payer: str | None = None
) -> bytes:
    return compiled(payer or plan.payer, calls or plan.calls(9_000), BLOCKHASH)


def reference(plan: trades.Plan) -> bytes:
    """Build the same with solders' own instructions, and the venues' written out once more."""
    payer, units = PAYER.pubkey(), plan.units
    token, sol = Pubkey.from_string(layouts.SPL_TOKEN), Pubkey.from_string(SOL.mint)
    temporary = Pubkey.create_with_seed(payer, plan.seed, token)
    built = [
        set_compute_unit_limit(units),
        set_compute_unit_price(min(9_000, plan.priority_fee * 10**6 // units)),
    ]

    def holds(symbol: str, mint: str) -> Pubkey:
        if symbol == "SOL":
            return temporary
        seeds = [bytes(payer), bytes(token), bytes(Pubkey.from_string(mint))]
        return Pubkey.find_program_address(seeds, Pubkey.from_string(layouts.ASSOCIATED))[0]

    sell, buy = plan.order.terms.sell, plan.order.terms.buy
    source, destination = holds(sell.symbol, sell.mint), holds(buy.symbol, buy.mint)
    if plan.creates_account:
        metas = [AccountMeta(payer, True, True), AccountMeta(destination, False, True)]
        metas += [
            AccountMeta(payer, False, False),
            AccountMeta(Pubkey.from_string(buy.mint), False, False),
        ]
        metas += [AccountMeta(Pubkey.default(), False, False), AccountMeta(token, False, False)]
        built.append(Made(Pubkey.from_string(layouts.ASSOCIATED), b"\x01", metas))
    if SOL in (sell, buy):
        lamports = 2_039_280 + (10**9 if sell == SOL else 0)
        built += [
            create_account_with_seed(
                CreateAccountWithSeedParams(
                    from_pubkey=payer,
                    to_pubkey=temporary,
                    base=payer,
                    seed=plan.seed,
                    lamports=lamports,
                    space=165,
                    owner=token,
                )
            ),
            Made(
                token,
                b"\x12" + bytes(payer),
                [AccountMeta(temporary, False, True), AccountMeta(sol, False, False)],
            ),
        ]
    for step in plan.swaps:
        pool = plan.pools[step.program]
        f, kind = pool.fields, pool.listing.kind
        amounts = step.amount_in.to_bytes(8, "little") + step.min_amount_out.to_bytes(8, "little")
        me, frm, to, at = str(payer), str(source), str(destination), pool.listing.address
        first = sell == pool.listing.base
        if kind is Kind.CPMM:
            i, o = ("0", "1") if first else ("1", "0")
            rows = [
                (me, "sw"),
                (layouts.CPMM_AUTHORITY, ""),
                (f["amm_config"], ""),
                (at, "w"),
                (frm, "w"),
                (to, "w"),
            ]
            rows += [
                (f[f"token_{i}_vault"], "w"),
                (f[f"token_{o}_vault"], "w"),
                (layouts.SPL_TOKEN, ""),
                (layouts.SPL_TOKEN, ""),
            ]
            rows += [
                (f[f"token_{i}_mint"], ""),
                (f[f"token_{o}_mint"], ""),
                (f["observation_key"], "w"),
            ]
            data, program = bytes.fromhex("8fbe5adac41e33de") + amounts, layouts.CPMM
        elif kind is Kind.AMM_V4:
            rows = [
                (layouts.SPL_TOKEN, ""),
                (at, "w"),
                (layouts.AMM_V4_AUTHORITY, ""),
                (f["coin_vault"], "w"),
            ]
            rows += [(f["pc_vault"], "w"), (frm, "w"), (to, "w"), (me, "s")]
            data, program = b"\x10" + amounts, layouts.AMM_V4
        else:
            rows = [
                (at, "w"),
                (layouts.DLMM, ""),
                (f["reserve_x"], "w"),
                (f["reserve_y"], "w"),
                (frm, "w"),
                (to, "w"),
            ]
            rows += [
                (f["token_x_mint"], ""),
                (f["token_y_mint"], ""),
                (f["oracle"], "w"),
                (layouts.DLMM, ""),
                (me, "s"),
            ]
            rows += [
                (layouts.SPL_TOKEN, ""),
                (layouts.SPL_TOKEN, ""),
                (layouts.MEMO, ""),
                (layouts.DLMM_EVENT_AUTHORITY, ""),
            ]
            rows += [(layouts.DLMM, ""), *((array, "w") for array in pool.arrays[sell.symbol])]
            data, program = bytes.fromhex("414b3f4ceb5b5b88") + amounts + bytes(4), layouts.DLMM
        metas = [AccountMeta(Pubkey.from_string(key), "s" in how, "w" in how) for key, how in rows]
        built.append(Made(Pubkey.from_string(program), data, metas))
    if SOL in (sell, buy):
        metas = [
            AccountMeta(temporary, False, True),
            AccountMeta(payer, False, True),
            AccountMeta(payer, True, False),
        ]
        built.append(Made(token, b"\x09", metas))
    return bytes(
        to_bytes_versioned(MessageV0.try_compile(payer, built, [], Hash.from_string(BLOCKHASH)))
    )


@pytest.mark.parametrize("creates", [False, True])
@pytest.mark.parametrize(("sold", "bought", "kinds"), ROUTES)
def test_a_message_is_what_solders_builds_fits_on_the_wire_and_is_read_back(
    sold: Token, bought: Token, kinds: tuple[Kind, ...], creates: bool
) -> None:
    for _ in range(8):
        plan = a_plan(sold, bought, kinds, creates=creates and bought != SOL)
        message = message_of(plan)
        assert message == reference(plan)
        assert 65 + len(message) <= MAX_WIRE
        trades.check(message, plan)
        told = read(message)
        assert [call.data for call in told.calls] == [call.data for call in plan.calls(9_000)]
        assert plan.units <= trades.MAX_UNITS
        price = int.from_bytes(told.calls[1].data[1:], "little")
        assert price * plan.units <= plan.priority_fee * 10**6


def test_the_longest_transaction_fits_with_room_to_spare() -> None:
    """Both legs, three arrays, SOL wrapped, an account to be made: nothing can be longer."""
    longest = max(
        65 + len(message_of(a_plan(sold, bought, kinds, creates=bought != SOL)))
        for sold, bought, kinds in ROUTES
    )
    assert 1_000 < longest <= MAX_WIRE


def broken(plan: trades.Plan, how: str) -> bytes:
    calls, payer = plan.calls(9_000), plan.payer
    other = str(Keypair().pubkey())
    temporary = made.temporary_account(payer, plan.seed)
    n = next(n for n, call in enumerate(calls) if call.program in (layouts.CPMM, layouts.AMM_V4))
    swap = calls[n]
    match how:
        case "a foreign program":
            calls.append(Call(layouts.MEMO, (), b"hello"))
        case "another fee payer":
            return message_of(
                plan,
                [
                    replace(c, accounts=tuple(replace(m, signer=False) for m in c.accounts))
                    for c in calls
                ],
                other,
            )
        case "a second signer":
            calls[n] = replace(swap, accounts=(*swap.accounts, Meta(other, True)))
        case "more than the order":
            calls[n] = replace(
                swap, data=swap.data[:8] + (10**12).to_bytes(8, "little") + swap.data[16:]
            )
        case "a lower minimum":
            calls[n] = replace(swap, data=swap.data[:-8] + bytes(8))
        case "another destination":
            calls[n] = replace(
                swap,
                accounts=tuple(
                    Meta(other, False, True) if m.address == plan.destination else m
                    for m in swap.accounts
                ),
            )
        case "another pool":
            calls[n] = replace(
                swap,
                accounts=tuple(
                    Meta(other, False, True)
                    if m.address == plan.pools["raydium"].listing.address
                    else m
                    for m in swap.accounts
                ),
            )
        case "a swap twice":
            calls.insert(n, swap)
        case "no swap":
            del calls[n]
        case "more wrapped":
            create, _ = made.open_temporary(payer, plan.seed, 10**12)
            calls[2] = create
        case "a transfer of SOL":
            data = b"\x02\0\0\0" + (10**9).to_bytes(8, "little")
            calls.append(
                Call(layouts.SYSTEM, (Meta(payer, True, True), Meta(other, False, True)), data)
            )
        case "a transfer of tokens":
            data = b"\x03" + (1).to_bytes(8, "little")
            calls.append(
                Call(
                    layouts.SPL_TOKEN,
                    (Meta(temporary, False, True), Meta(other, False, True), Meta(payer, True)),
                    data,
                )
            )
        case "SOL left to somebody else":
            accounts = Meta(temporary, False, True), Meta(other, False, True), Meta(payer, True)
            calls[-1] = Call(layouts.SPL_TOKEN, accounts, made.CLOSE_ACCOUNT)
        case "an account that stays open":
            del calls[-1]
        case "a fee above the cap":
            calls[1] = made.compute_budget(plan.units, 10**9)[1]
    return message_of(plan, calls)


@pytest.mark.parametrize(
    "how",
    [
        "a foreign program",
        "another fee payer",
        "a second signer",
        "more than the order",
        "a lower minimum",
        "another destination",
        "another pool",
        "a swap twice",
        "no swap",
        "more wrapped",
        "a transfer of SOL",
        "a transfer of tokens",
        "SOL left to somebody else",
        "an account that stays open",
        "a fee above the cap",
    ],
)
def test_what_was_not_ordered_is_refused(how: str) -> None:
    plan = a_plan(SOL, USDC, (Kind.CPMM, Kind.DLMM))
    trades.check(message_of(plan), plan)
    with pytest.raises(TransactionRefused):
        trades.check(broken(plan, how), plan)


def test_bytes_that_are_no_message_are_refused() -> None:
    plan = a_plan(SOL, USDC, (Kind.CPMM,))
    message = message_of(plan)
    for wrong in (
        b"",
        message[:-1],
        message + b"\0",
        b"\x01" + message[1:],
        message[:4] + b"\xff\xff\xff" + message[5:],
    ):
        with pytest.raises(BadMessage):
            read(wrong)
        with pytest.raises(TransactionRefused):
            trades.check(wrong, plan)


def test_two_attempts_do_not_meet_in_one_temporary_account() -> None:
    order = an_order()
    later = order.claim(at=order.created_at, until=order.created_at + timedelta(seconds=9), by="w")
    assert trades.seed_of(order) != trades.seed_of(later)
    assert len(trades.seed_of(order)) <= 32
