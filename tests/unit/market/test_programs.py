"""What the venues' own programs paid, took and left behind: met to the unit.

`MARKET_VECTORS` names another directory of such numbers to be tried instead of `vectors/`.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.domain.errors import (
    AmountTooLarge,
    AmountTooSmall,
    InsufficientLiquidity,
    MarketError,
)
from engine.market.meteora import DlmmPool
from engine.market.pool import Pool
from engine.market.raydium import ConstantProductPool

VECTORS = json.loads(
    (
        Path(os.environ.get("MARKET_VECTORS", Path(__file__).parent / "vectors"))
        / "solana_programs.json"
    ).read_text()
)
_BIN = (
    "amount_x",
    "amount_y",
    "open_order_amount",
    "processed_order_remaining_amount",
    "limit_order_ask_side",
)
#: Which of our errors says what an error of the programs does.
REFUSED: dict[object, type[MarketError]] = {
    6036: InsufficientLiquidity,
    6037: InsufficientLiquidity,
    3005: InsufficientLiquidity,  # the program asks for a bin array that was not named
    6018: AmountTooLarge,
    6019: AmountTooLarge,
    6039: AmountTooSmall,
    2505: AmountTooSmall,
    29: AmountTooSmall,
}


def by_case(rows: list[dict[str, Any]], name: str = "case") -> list[Any]:
    """Return the rows of each case as one test."""
    cases: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        cases.setdefault(row[name], []).append(row)
    return [pytest.param(some, id=case) for case, some in cases.items()]


@cache
def dlmm(name: str, now: int) -> DlmmPool:
    pool = VECTORS["dlmm"]["pools"][name]
    bins = {id_: dict(zip(_BIN, held, strict=False)) for id_, held in pool["bins"].items()}
    account = {"lb_pair": pool["address"], **pool["lb_pair"], "bins": bins}
    return DlmmPool.from_account(account, token_x="X", token_y="Y", now=now)


@pytest.mark.parametrize("rows", by_case(VECTORS["dlmm"]["vectors"]))
def test_the_dlmm_swaps_as_the_program_does_and_leaves_the_same_pool(rows):
    for row in rows:
        pool, sold = dlmm(row["pool"], row["now"]), "X" if row["swap_for_y"] else "Y"
        exact_out = row.get("exact_out") or "amount_in" not in row
        trace, quote = (
            (pool.swap_exact_out, pool.exact_out)
            if exact_out
            else (pool.swap_exact_in, pool.exact_in)
        )
        amount = row["amount_out" if exact_out else "amount_in"]
        if "error" in row:
            with pytest.raises(REFUSED[row["error"]]):
                trace(amount, row["swap_for_y"])
            with pytest.raises(REFUSED[row["error"]]):
                quote(sold, amount)
            continue
        swap, after = trace(amount, row["swap_for_y"]), row["after"]
        assert (swap.amount_in, swap.amount_out, swap.fee) == (
            row["amount_in"],
            row["amount_out"],
            row["fee"],
        ), row
        assert {
            "active_id": swap.active_after,
            "volatility_accumulator": swap.after.accumulator,
            "volatility_reference": swap.after.reference,
            "index_reference": swap.after.index_reference,
            "last_update_timestamp": swap.after.last_update,
        } == after, row
        quoted = quote(sold, amount)
        assert (quoted.amount_in, quoted.amount_out, quoted.fee) == (
            row["amount_in"],
            row["amount_out"],
            row["fee"],
        ), row
        on_output = pool.fee_on_y and row["swap_for_y"]
        assert quoted.fee_on_output == on_output


def swapped(pool: Pool, sold: str, row: dict[str, Any]) -> tuple[int, int]:
    exact_out = row.get("exact_out") or not row.get("base_input", True)
    swap = (
        pool.exact_out(sold, row["amount_out"])
        if exact_out
        else pool.exact_in(sold, row["amount_in"])
    )
    return swap.amount_in, swap.amount_out


def cpmm(row: dict[str, Any]) -> ConstantProductPool:
    return ConstantProductPool(
        "c", "X", "Y", row["reserve_0"], row["reserve_1"], fee_ppm=row["trade_fee_rate_ppm"]
    )


@pytest.mark.parametrize("rows", by_case(VECTORS["cpmm"]["vectors"]))
def test_the_cpmm_swaps_as_the_program_does(rows):
    for row in rows:
        pool, sold = cpmm(row), "X" if row["zero_for_one"] else "Y"
        if "error" in row:
            with pytest.raises(REFUSED.get(row["error"], (AmountTooLarge, InsufficientLiquidity))):
                swapped(pool, sold, row)
        else:
            assert swapped(pool, sold, row) == (row["amount_in"], row["amount_out"]), row


#: Below this many units the program of before 2025-08-26 takes no fee; today's rounds it up.
NO_FEE_BELOW = 200


@pytest.mark.parametrize("rows", by_case(VECTORS["amm_v4"]["vectors"]))
def test_the_amm_v4_swaps_as_the_program_does_but_for_the_fee_of_dust(rows):
    for row in rows:
        sold = "X" if row["coin_in"] else "Y"
        dust = row["amount_in"] < NO_FEE_BELOW
        pool = ConstantProductPool(
            "a", "X", "Y", row["reserve_coin"], row["reserve_pc"], 0 if dust else 25
        )
        if "error" in row:
            with pytest.raises(REFUSED[row["error"]]):
                swapped(pool, sold, row)
        else:
            assert swapped(pool, sold, row) == (row["amount_in"], row["amount_out"]), row


@pytest.mark.parametrize("rows", by_case(VECTORS["mainnet_block"]["vectors"], "program"))
def test_swaps_of_a_block_of_mainnet_are_met(rows):
    for row in rows:
        rate = row.get("trade_fee_rate_ppm", row.get("fee_bps", 0) * 100)
        pool = ConstantProductPool(
            "m", "X", "Y", row["reserve_in"], row["reserve_out"], fee_ppm=rate
        )
        assert swapped(pool, "X", row) == (row["amount_in"], row["amount_out"]), row
