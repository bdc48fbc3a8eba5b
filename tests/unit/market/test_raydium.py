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
    UnsupportedPair,
)
from engine.domain.money import BPS, MAX_BASE_UNITS, less_slippage
from engine.market import raydium
from engine.market.raydium import ConstantProductPool
from engine.market.slippage import orca_max_in, orca_min_out, raydium_min_out

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


def bps(fee: str) -> int:
    return int(Fraction(fee) * BPS)


def pool(x: int, y: int, fee_bps: int = 25) -> ConstantProductPool:
    return ConstantProductPool("pool", "X", "Y", x, y, fee_bps)


@pytest.mark.parametrize("case", NO_FEE)
def test_without_a_fee_the_output_is_rounded_down(case):
    dx, x, y, out = numbers(case, "dx", "x", "y", "out")
    assert raydium.out_for(dx, x, y) == out
    assert pool(x, y, 0).exact_in("X", dx).amount_out == out


@pytest.mark.parametrize("case", [case for case in UNISWAP if "out" in case])
def test_uniswaps_outputs_are_met(case):
    dx, x, y, out = numbers(case, "dx", "x", "y", "out")
    assert raydium.uniswap_out_for(dx, x, y, 30) == out
    if dx * 30 % BPS == 0:  # else the fee, rounded up, costs the trader up to one unit
        assert raydium.out_for(dx, x, y, 30) == out


@pytest.mark.parametrize("case", [case for case in UNISWAP if "want_out" in case])
def test_uniswaps_input_for_a_wanted_output_is_met(case):
    want, x, y, dx = numbers(case, "want_out", "x", "y", "dx")
    assert raydium.uniswap_in_for(want, x, y, 30) == dx


@pytest.mark.parametrize("case", SPL["cases"])
def test_the_fee_is_taken_first_and_stays_in_the_pool(case):
    dx, x, y, out = numbers(case, "dx", "x", "y", "out")
    swap = pool(x, y, bps(case["fee"])).exact_in("X", dx)
    assert swap.amount_out == out
    assert y - swap.amount_out == int(case["y_after"])
    assert swap.fee == int(case.get("fee_amount", 0))
    assert x + swap.amount_in == int(case.get("x_after", x + dx))


@pytest.mark.parametrize("case", SPL["regression"])
def test_rounding_for_the_trader_is_the_wrong_number(case):
    dx, x, y, wrong = numbers(case, "dx", "x", "y", "wrong")
    net = dx - raydium.fee_in(dx, bps(case["fee"]))
    assert y - x * y // (x + net) == wrong
    assert raydium.out_for(dx, x, y, bps(case["fee"])) == wrong - 1


@pytest.mark.parametrize("case", LIVE)
def test_a_live_pool_is_quoted_to_the_unit(case):
    dx, x, y, fee, out = numbers(case, "dx", "x", "y", "fee", "out")
    live = ConstantProductPool(case["pool"], "SOL", "USDC", x, y)
    swap = live.exact_in("SOL", dx)
    assert (swap.amount_out, swap.fee, swap.price_impact_bps) == (out, fee, 0)
    assert less_slippage(swap.amount_out, case["slippage_bps"]) == int(case["min_out"])
    assert raydium_min_out(swap.amount_out, case["slippage_bps"]) == int(case["min_out"])
    assert float(Decimal(y) * 1_000 / Decimal(x)) == float(case["spot"])


@pytest.mark.parametrize("case", SLIPPAGE["jupiter_ceil"]["cases"])
def test_our_minimum_is_rounded_up(case):
    out, slippage_bps, least = numbers(case, "out", "bps", "min")
    assert less_slippage(out, slippage_bps) == least


@pytest.mark.parametrize("case", SLIPPAGE["orca_floor_min_ceil_max"]["cases"])
def test_orca_rounds_its_minimum_down_and_its_maximum_up(case):
    if "min" in case:
        out, slippage_bps, least = numbers(case, "out", "bps", "min")
        assert orca_min_out(out, slippage_bps) == least
        assert less_slippage(out, slippage_bps) - least in (0, 1)
    else:
        amount_in, slippage_bps, most = numbers(case, "in", "bps", "max")
        assert orca_max_in(amount_in, slippage_bps) == most


@pytest.mark.parametrize("case", SLIPPAGE["raydium_half_up"])
def test_raydiums_sdk_rounds_its_minimum_half_up(case):
    out, slippage_bps, least = numbers(case, "out", "bps", "min")
    assert raydium_min_out(out, slippage_bps) == least


def test_a_tolerance_above_all_of_it_is_refused():
    with pytest.raises(ValueError, match="tolerance"):
        orca_min_out(1, 10_001)


def test_the_most_that_may_come_in_has_to_fit_in_64_bits():
    with pytest.raises(AmountTooLarge):
        orca_max_in(MAX_BASE_UNITS, 10_000)


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
