"""The constant-product arithmetic, against numbers that the venues' own programs gave.

`MARKET_VECTORS` names another directory of such numbers to be tried instead of `vectors/`.
"""

import json
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from engine.domain.errors import (
    AmountTooLarge,
    AmountTooSmall,
    InsufficientLiquidity,
    PoolDisabled,
    UnsupportedPair,
    UnsupportedPool,
)
from engine.domain.money import BPS, MAX_BASE_UNITS, less_slippage
from engine.market import raydium
from engine.market.raydium import MILLION, ConstantProductPool

VECTORS = json.loads(
    (
        Path(os.environ.get("MARKET_VECTORS", Path(__file__).parent / "vectors"))
        / "constant_product.json"
    ).read_text()
)
NO_FEE = VECTORS["constant_product_no_fee"]["cases"]
UNISWAP = VECTORS["constant_product_fee_30bps_uniswap_v2"]["cases"]
SPL = VECTORS["constant_product_spl"]
LIVE = VECTORS["raydium_amm_v4_live_capture"]["cases"]
SLIPPAGE = VECTORS["slippage_min_out"]


def numbers(case: dict[str, str], *names: str) -> list[int]:
    return [int(case[name]) for name in names]


def ppm(fee: str) -> int:
    return int(Fraction(fee) * MILLION)


def pool(x: int, y: int, fee_bps: int = 25) -> ConstantProductPool:
    return ConstantProductPool("pool", "X", "Y", x, y, fee_bps)


def out_for(dx: int, x: int, y: int, fee_ppm: int = 0) -> int:
    return ConstantProductPool("pool", "X", "Y", x, y, fee_ppm=fee_ppm).exact_in("X", dx).amount_out


def uniswap_out_for(dx: int, x: int, y: int, fee_bps: int) -> int:
    """Return what Uniswap v2 pays: its fee stays in the fraction and is never rounded by itself."""
    net = dx * (BPS - fee_bps)
    return net * y // (x * BPS + net)


def uniswap_in_for(dy: int, x: int, y: int, fee_bps: int) -> int:
    """Return what Uniswap v2's `getAmountIn` asks for `dy`."""
    return x * dy * BPS // ((y - dy) * (BPS - fee_bps)) + 1


@pytest.mark.parametrize("case", NO_FEE)
def test_without_a_fee_the_output_is_rounded_down(case):
    dx, x, y, out = numbers(case, "dx", "x", "y", "out")
    assert pool(x, y, 0).exact_in("X", dx).amount_out == out


@pytest.mark.parametrize("case", [case for case in UNISWAP if "out" in case])
def test_uniswaps_outputs_are_met(case):
    dx, x, y, out = numbers(case, "dx", "x", "y", "out")
    assert uniswap_out_for(dx, x, y, 30) == out
    if dx * 30 % BPS == 0:  # else the fee, rounded up, costs the trader up to one unit
        assert pool(x, y, 30).exact_in("X", dx).amount_out == out


@pytest.mark.parametrize("case", [case for case in UNISWAP if "want_out" in case])
def test_uniswaps_input_for_a_wanted_output_is_met(case):
    want, x, y, dx = numbers(case, "want_out", "x", "y", "dx")
    assert uniswap_in_for(want, x, y, 30) == dx


@pytest.mark.parametrize("case", SPL["cases"])
def test_the_fee_is_taken_first_and_stays_in_the_pool(case):
    dx, x, y, out = numbers(case, "dx", "x", "y", "out")
    swap = ConstantProductPool("pool", "X", "Y", x, y, fee_ppm=ppm(case["fee"])).exact_in("X", dx)
    assert swap.amount_out == out
    assert y - swap.amount_out == int(case["y_after"])
    assert swap.fee == int(case.get("fee_amount", 0))
    assert x + swap.amount_in == int(case.get("x_after", x + dx))


@pytest.mark.parametrize("case", SPL["regression"])
def test_rounding_for_the_trader_is_the_wrong_number(case):
    dx, x, y, wrong = numbers(case, "dx", "x", "y", "wrong")
    net = dx - raydium.fee_in(dx, ppm(case["fee"]))
    assert y - x * y // (x + net) == wrong
    assert out_for(dx, x, y, ppm(case["fee"])) == wrong - 1


@pytest.mark.parametrize("case", LIVE)
def test_a_live_pool_is_quoted_to_the_unit(case):
    dx, x, y, fee, out = numbers(case, "dx", "x", "y", "fee", "out")
    live = ConstantProductPool(case["pool"], "SOL", "USDC", x, y)
    swap = live.exact_in("SOL", dx)
    assert (swap.amount_out, swap.fee, swap.price_impact_bps) == (out, fee, 0)
    assert less_slippage(swap.amount_out, case["slippage_bps"]) == int(case["min_out"])
    assert float(Decimal(y) * 1_000 / Decimal(x)) == float(case["spot"])


@pytest.mark.parametrize("case", SLIPPAGE["jupiter_ceil"]["cases"])
def test_our_minimum_is_rounded_up(case):
    out, slippage_bps, minimum = numbers(case, "out", "bps", "min")
    assert less_slippage(out, slippage_bps) == minimum


@pytest.mark.parametrize("case", SLIPPAGE["orca_floor_min_ceil_max"]["cases"])
def test_orcas_minimum_is_ours_or_a_unit_less(case):
    if "min" in case:
        out, slippage_bps, minimum = numbers(case, "out", "bps", "min")
        assert out * (BPS - slippage_bps) // BPS == minimum
        assert less_slippage(out, slippage_bps) - minimum in (0, 1)


@pytest.mark.parametrize("case", SLIPPAGE["raydium_half_up"])
def test_the_minimum_of_raydiums_sdk_is_ours_or_a_unit_less(case):
    out, slippage_bps, minimum = numbers(case, "out", "bps", "min")
    assert (out * (BPS - slippage_bps) + BPS // 2) // BPS == minimum
    assert less_slippage(out, slippage_bps) - minimum in (0, 1)


def test_both_directions_are_priced_from_the_same_reserves():
    one = pool(1_000_000, 4_000_000, 0)
    assert one.exact_in("X", 1_000).amount_out == 3_996
    assert one.exact_in("Y", 4_000).amount_out == 999


def test_the_price_impact_is_told_net_of_fees():
    assert pool(10**12, 10**12).exact_in("X", 10**10).price_impact_bps == 99
    assert pool(10**12, 10**12).exact_in("X", 10**6).price_impact_bps == 0


def test_the_rate_is_the_price_of_one_unit_more():
    gets, by = pool(10**12, 2 * 10**12).rate("X", 0)
    assert Fraction(gets, by) == Fraction(9_975, 10_000) * 2


@pytest.mark.parametrize(
    ("amount", "error"),
    [(0, AmountTooSmall), (1, AmountTooSmall), (-5, AmountTooSmall), (2**64, AmountTooLarge)],
)
def test_an_amount_out_of_range_is_refused_by_name(amount, error):
    with pytest.raises(error):
        pool(10**9, 10**9).exact_in("X", amount)


def test_the_largest_amount_leaves_something_in_the_pool():
    swap = pool(10**9, 10**9).exact_in("X", MAX_BASE_UNITS)
    assert 0 < swap.amount_out < 10**9


@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 10), (10, 0)])
def test_an_empty_pool_is_a_want_of_liquidity(x, y):
    for ask in (pool(x, y).exact_in, pool(x, y).exact_out):
        with pytest.raises(InsufficientLiquidity):
            ask("X", 5)
    assert pool(x, y).rate("X", 0) == (0, 1)


def test_nobody_can_buy_the_last_unit():
    with pytest.raises(InsufficientLiquidity):
        pool(10**9, 10**9).exact_out("X", 10**9)


def test_an_input_above_64_bits_is_refused():
    with pytest.raises(AmountTooLarge):
        pool(2**63, 10**9).exact_out("X", 10**9 - 1)


def test_a_token_of_another_pool_is_refused():
    for ask in (pool(9, 9).exact_in, pool(9, 9).exact_out, pool(9, 9).rate):
        with pytest.raises(UnsupportedPair):
            ask("Z", 1)


def test_a_pool_that_keeps_everything_is_no_pool():
    with pytest.raises(ValueError, match="fee"):
        pool(9, 9, 10_000)
    with pytest.raises(ValueError, match="fee"):
        ConstantProductPool("pool", "X", "Y", 9, 9, fee_ppm=MILLION)


CPMM = {
    "pool": "cPool",
    "status": 0,
    "token_0_program": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "token_1_program": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "vault_0_amount": "1000111",
    "vault_1_amount": 2_000_222,
    "protocol_fees_token_0": 100,
    "fund_fees_token_0": 10,
    "creator_fees_token_0": 1,
    "protocol_fees_token_1": 200,
    "fund_fees_token_1": 20,
    "creator_fees_token_1": 2,
    "open_time": 1_000,
    "enable_creator_fee": False,
    "trade_fee_rate": 2_501,
}
AMM_V4 = {
    "pool": "aPool",
    "status": 6,
    "swap_fee_numerator": 25,
    "swap_fee_denominator": 10_000,
    "vault_coin_amount": 1_000_003,
    "vault_pc_amount": 2_000_005,
    "need_take_pnl_coin": 3,
    "need_take_pnl_pc": 5,
    "pool_open_time": 1_000,
}


def cpmm(now: int = 1_000, **changes: object) -> ConstantProductPool:
    return ConstantProductPool.from_cpmm({**CPMM, **changes}, token_x="X", token_y="Y", now=now)


def amm_v4(now: int = 1_000, **changes: object) -> ConstantProductPool:
    return ConstantProductPool.from_amm_v4({**AMM_V4, **changes}, token_x="X", token_y="Y", now=now)


def test_what_a_pool_owes_is_no_reserve_and_its_rate_is_in_millionths():
    assert cpmm() == ConstantProductPool("cPool", "X", "Y", 10**6, 2 * 10**6, fee_ppm=2_501)
    assert amm_v4() == ConstantProductPool("aPool", "X", "Y", 10**6, 2 * 10**6, fee_ppm=2_500)
    assert cpmm().exact_in("X", 10_000).fee == 26


@pytest.mark.parametrize(
    ("make", "changes", "error"),
    [
        (cpmm, {"status": 4}, PoolDisabled),
        (cpmm, {"now": 999}, PoolDisabled),
        (cpmm, {"enable_creator_fee": True}, UnsupportedPool),
        (
            cpmm,
            {"token_1_program": "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"},
            UnsupportedPool,
        ),
        (amm_v4, {"status": 2}, PoolDisabled),
        (amm_v4, {"status": 7, "now": 999}, PoolDisabled),
        (amm_v4, {"status": 1}, UnsupportedPool),
        (amm_v4, {"swap_fee_numerator": 1, "swap_fee_denominator": 3}, UnsupportedPool),
    ],
)
def test_a_pool_that_is_closed_or_of_another_kind_is_refused_by_name(make, changes, error):
    with pytest.raises(error):
        make(**changes)


def test_a_pool_of_which_only_deposits_are_off_still_trades():
    assert cpmm(status=1).exact_in("X", 10_000).amount_out > 0
