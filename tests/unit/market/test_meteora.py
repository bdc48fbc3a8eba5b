"""The DLMM's arithmetic, against numbers that its on-chain program gave.

`MARKET_VECTORS` names another directory of such numbers to be tried instead of `vectors/`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
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
from engine.domain.money import BPS, MAX_BASE_UNITS
from engine.market.bins import (
    MAX_FEE_RATE,
    ONE,
    FeeSchedule,
    Volatility,
    bin_price,
    fee_in,
    fee_upon,
    in_at,
    out_at,
)
from engine.market.meteora import DlmmPool

VECTORS = json.loads(
    (
        Path(os.environ.get("MARKET_VECTORS", Path(__file__).parent / "vectors")) / "dlmm.json"
    ).read_text()
)
ACCOUNT = VECTORS["pool"]
GUARDS = VECTORS["exact_out"]["guards"]
LIVE = VECTORS["bin_price"]["live"]


def captured(now: int = ACCOUNT["last_update_timestamp"]) -> DlmmPool:
    return DlmmPool.from_account(ACCOUNT, token_x="X", token_y="Y", now=now)


def pool(bins: Mapping[int, tuple[int, ...]], active_id: int = 0) -> DlmmPool:
    return DlmmPool("pool", "X", "Y", active_id, bins, FeeSchedule(10, 10_000), Volatility(), 0)


@pytest.mark.parametrize(("bin_id", "held"), ACCOUNT["bins"].items())
def test_every_price_that_the_program_stored_is_met(bin_id, held):
    assert bin_price(int(bin_id), ACCOUNT["bin_step"]) == int(held["price_q64"])


@pytest.mark.parametrize("case", VECTORS["bin_price"]["cases"])
def test_a_bins_price_is_met(case):
    assert bin_price(case["bin"], case["bin_step"]) == int(case["price_q64"])


def test_a_live_pools_price_is_met():
    price = Decimal(bin_price(LIVE["active_id"], LIVE["bin_step"])) / ONE
    assert float(price.scaleb(LIVE["dec_x"] - LIVE["dec_y"])) == pytest.approx(
        float(LIVE["price"]), rel=1e-15
    )


@pytest.mark.parametrize("case", VECTORS["exact_in"]["cases"])
def test_selling_an_exact_amount_goes_bin_by_bin_as_on_chain(case):
    swap = captured().swap_exact_in(int(case["amount_in"]), case["swap_for_y"], case["ts"])
    for name in ("amount_out", "fee", "active_after", "vol_acc", "vol_ref"):
        if name in case:
            assert getattr(swap, name) == int(case[name]), name
    if "per_bin" in case:
        assert [fill._asdict() for fill in swap.per_bin] == [
            {name: int(value) for name, value in fill.items()} for fill in case["per_bin"]
        ]


@pytest.mark.parametrize("case", VECTORS["exact_in"]["cases"])
def test_the_venues_quote_is_that_swap(case):
    token_in = "X" if case["swap_for_y"] else "Y"
    swap = captured(case["ts"]).exact_in(token_in, int(case["amount_in"]))
    assert (swap.amount_out, swap.fee) == (int(case["amount_out"]), int(case["fee"]))


@pytest.mark.parametrize("case", VECTORS["exact_out"]["cases"])
def test_buying_an_exact_amount_costs_what_it_does_on_chain(case):
    swap = captured().swap_exact_out(int(case["out"]), case["swap_for_y"], case["ts"])
    assert swap.amount_in == int(case["inp"])
    assert swap.amount_out == int(case["out"])
    token_in = "X" if case["swap_for_y"] else "Y"
    assert captured(case["ts"]).exact_out(token_in, int(case["out"])).amount_in == swap.amount_in


@pytest.mark.parametrize("guard", [guard for guard in GUARDS if "min_out" in guard])
def test_a_minimum_is_met_or_not_to_the_unit(guard):
    out = captured(guard["ts"]).exact_in("Y", int(guard["amount_in"])).amount_out
    assert (out >= int(guard["min_out"])) == (guard.get("result") == "ok")


@pytest.mark.parametrize("guard", [guard for guard in GUARDS if "min_out" not in guard])
def test_an_amount_that_buys_nothing_is_refused(guard):
    for amount in str(guard["amount_in"]).split(" or "):
        with pytest.raises(AmountTooSmall):
            captured().exact_in("Y", int(amount))


def test_volatility_accumulates_decays_and_is_forgotten_as_documented():
    fees = FeeSchedule(10, 10_000, filter_period=1, decay_period=5, reduction_factor=5_000)
    state = Volatility(index_reference=100)
    for case in VECTORS["volatility"]["cases"]:
        elapsed = float(case.get("after", "0s").removesuffix("s"))  # since the last swap, at 0
        start, end = (int(bin_id) for bin_id in case["bins"].split("->"))
        state = state.at(elapsed, start, fees)
        state = replace(state, accumulator=state.in_bin(end, fees))
        assert state.accumulator == case["va"] * BPS
    assert state.at(5.0, 106, fees).reference == 0


def test_the_fee_rate_is_capped():
    fees = FeeSchedule(100, 10_000, variable_fee_control=40_000)
    assert fees.rate(0) == 10_000_000
    assert fees.rate(10**6) == MAX_FEE_RATE


def test_the_accumulator_is_capped():
    fees = FeeSchedule(10, 10_000, max_volatility_accumulator=25_000)
    assert [Volatility().in_bin(bin_id, fees) for bin_id in (0, -2, 3)] == [0, 20_000, 25_000]


def test_the_base_fee_scales_by_its_power_factor():
    assert FeeSchedule(10, 100, base_fee_power_factor=2).rate(0) == 1_000_000


def test_a_fee_upon_a_net_amount_is_the_fee_inside_the_sum():
    for net in (1, 2, 999, 10**12 + 7):
        fee = fee_upon(net, 10_468_750)
        assert fee_in(net + fee, 10_468_750) == fee


@pytest.mark.parametrize("swap_for_y", [True, False])
def test_the_inverse_of_a_bins_price_rounds_up(swap_for_y):
    price = bin_price(-30, 250)
    for out in (1, 7, 10**9 + 1):
        net = in_at(price, out, swap_for_y)
        assert out_at(price, net, swap_for_y) >= out > out_at(price, net - 1, swap_for_y)


def test_a_swap_passes_over_bins_that_hold_nothing_of_what_it_buys():
    swap = pool({0: (0, 50), -1: (99, 0), -5: (0, 10**6)}).swap_exact_in(1_000, True)
    assert [fill.bin for fill in swap.per_bin] == [0, -5]
    assert swap.active_after == -5
    assert swap.vol_acc == 5 * BPS


def test_the_side_behind_the_active_bin_is_not_sold():
    behind = pool({1: (0, 10**6), -1: (10**6, 0)})
    for token in ("X", "Y"):
        with pytest.raises(InsufficientLiquidity):
            behind.exact_in(token, 100)


def test_emptying_a_bin_to_the_unit_does_not_move_the_price():
    bins = {0: (0, 1_000), -1: (0, 1_000)}
    drained = pool(bins).swap_exact_out(1_000, True)
    assert drained.active_after == 0
    again = pool(bins).swap_exact_in(drained.amount_in, True)
    assert (again.amount_out, again.active_after) == (1_000, 0)


def test_a_unit_too_many_that_is_all_fee_stays_in_its_bin():
    bins = {0: (0, 999), -1: (0, 999)}
    drained = pool(bins).swap_exact_out(999, True)
    one_more = pool(bins).swap_exact_in(drained.amount_in + 1, True)
    assert (one_more.amount_out, one_more.active_after) == (999, 0)
    assert one_more.fee == drained.fee + 1
    assert pool(bins).swap_exact_in(drained.amount_in + 2, True).active_after == -1


def test_one_bin_is_enough_for_a_pool():
    one = pool({0: (10**6, 10**6)})
    assert one.exact_in("X", 1_000).amount_out == 999
    assert one.exact_in("Y", 1_000).price_impact_bps == 0
    with pytest.raises(InsufficientLiquidity):
        one.exact_in("X", 2 * 10**6)


@pytest.mark.parametrize("bins", [{}, {0: (0, 0)}, {0: (0, 0), 3: (0, 0), -3: (0, 0)}])
def test_an_empty_pool_is_a_want_of_liquidity(bins):
    for token in ("X", "Y"):
        for ask in (pool(bins).exact_in, pool(bins).exact_out):
            for amount in (1, 5, MAX_BASE_UNITS):
                with pytest.raises(InsufficientLiquidity):
                    ask(token, amount)
        assert pool(bins).rate(token, 0) == (0, 1)


@pytest.mark.parametrize("token", ["X", "Y"])
def test_a_swap_that_drains_the_pool_is_refused(token):
    with pytest.raises(InsufficientLiquidity):
        captured().exact_in(token, MAX_BASE_UNITS)
    with pytest.raises(InsufficientLiquidity):
        captured().exact_out(token, MAX_BASE_UNITS)


@pytest.mark.parametrize(("amount", "error"), [(0, AmountTooSmall), (2**64, AmountTooLarge)])
def test_an_amount_out_of_range_is_refused_by_name(amount, error):
    for ask in (captured().exact_in, captured().exact_out):
        with pytest.raises(error):
            ask("X", amount)


def test_one_unit_can_be_bought():
    assert captured().exact_out("Y", 1).amount_out == 1


def test_a_bin_beyond_the_programs_integers_is_refused():
    for bin_id, step in ((443_637, 1), (-443_636, 400), (443_636, 400)):
        with pytest.raises(AmountTooLarge):
            bin_price(bin_id, step)
    with pytest.raises(AmountTooLarge):
        pool({-40_000: (0, 10**6)}, active_id=-40_000).exact_in("X", 10**6)


def test_a_token_of_another_pool_is_refused():
    for ask in (captured().exact_in, captured().exact_out, captured().rate):
        with pytest.raises(UnsupportedPair):
            ask("Z", 1)


def test_the_rate_is_the_bins_price_less_its_fee_until_there_is_none():
    two = pool({0: (0, 1_000), -1: (0, 1_000)})
    first, second = two.rate("X", 0), two.rate("X", 1_005)
    assert first == (999 * 10**6 * ONE, 10**9 * ONE)
    assert second[0] < first[0]
    assert two.rate("X", 10_000) == two.rate("X", MAX_BASE_UNITS) == (0, 1)


def test_asking_changes_nothing():
    one = captured()
    before = one.exact_in("Y", 1_000_000)
    one.exact_in("Y", 10**9)
    one.exact_out("X", 10**6)
    assert one.exact_in("Y", 1_000_000) == before
    assert one == captured()


ORDERS: dict[int, tuple[int, ...]] = {
    0: (0, 1_000),
    -1: (0, 1_000, 300, 200, 0),
    -2: (0, 0, 500, 0, 0),
    1: (1_000, 0, 300, 200, 1),
}


def test_limit_orders_are_filled_after_the_makers_each_rounded_by_itself():
    one = pool({-2_000: (0, 1_001, 1_001, 1_001, 0)}, active_id=-2_000)
    price = bin_price(-2_000, 10)
    each = in_at(price, 1_001, True)
    cost = one.swap_exact_out(3_003, True)
    assert cost.amount_in - cost.fee == 3 * each > in_at(price, 3_003, True)
    assert one.swap_exact_in(cost.amount_in, True).amount_out == 3_003


def test_only_the_orders_of_the_side_that_is_bought_serve_a_swap():
    assert pool(ORDERS).exact_out("X", 3_000).amount_out == 3_000
    with pytest.raises(InsufficientLiquidity):
        pool(ORDERS).exact_out("X", 3_001)
    assert pool(ORDERS).exact_out("Y", 1_500).amount_out == 1_500
    with pytest.raises(InsufficientLiquidity):
        pool(ORDERS).exact_out("Y", 1_501)
    asks: dict[int, tuple[int, ...]] = {-1: (0, 1_000, 300, 200, 1), 0: (0, 0)}
    with pytest.raises(InsufficientLiquidity):
        pool(asks).exact_out("X", 1_001)


def with_orders(**changes: object) -> DlmmPool:
    held = ("amount_x", "amount_y", "open_order_amount", "processed_order_remaining_amount")
    orders = {str(i): dict(zip(held, b, strict=False)) for i, b in ORDERS.items() if i < 1}
    account = {**ACCOUNT, "active_id": 0, "bins": orders, **changes}
    return DlmmPool.from_account(account, token_x="X", token_y="Y", now=0)


@pytest.mark.parametrize(
    ("changes", "gives"),
    [
        ({}, 3_000),
        ({"function_type": 2}, 3_000),
        ({"function_type": 2, "has_rewards": True}, 3_000),
        ({"function_type": 0, "has_rewards": True}, 2_000),
        ({"function_type": 1}, 2_000),
    ],
)
def test_a_pool_has_limit_orders_by_its_function_or_while_it_pays_no_rewards(changes, gives):
    assert with_orders(**changes).exact_out("X", gives).amount_out == gives
    with pytest.raises(InsufficientLiquidity):
        with_orders(**changes).exact_out("X", gives + 1)


def test_bids_above_the_active_bin_show_that_the_array_is_of_before_limit_orders():
    bins = {
        "0": {"amount_x": 0, "amount_y": 1_000, "open_order_amount": 77},
        "1": {"amount_x": 0, "amount_y": 0, "processed_order_remaining_amount": 77},
    }
    with pytest.raises(InsufficientLiquidity):
        with_orders(bins=bins).exact_out("X", 1_001)
    del bins["1"]
    assert with_orders(bins=bins).exact_out("X", 1_077).amount_out == 1_077


def test_a_fee_on_y_is_taken_from_what_comes_out_or_from_what_goes_in():
    bins = {0: (10**6, 10**6)}
    one = replace(pool(bins), fee_on_y=True)
    sold, bought = one.exact_in("X", 10_000), one.exact_in("Y", 10_000)
    assert (sold.amount_out, sold.fee, sold.fee_on_output) == (9_990, 10, True)
    assert (bought.amount_out, bought.fee, bought.fee_on_output) == (9_990, 10, False)
    assert sold.price_impact_bps == bought.price_impact_bps == 0
    assert one.exact_out("X", 9_990).amount_in == 10_000


def test_the_impact_is_reckoned_from_the_first_bin_that_gives():
    empty = {0: (0, 0), -100: (0, 10**9), 100: (10**9, 0)}
    for token in ("X", "Y"):
        assert pool(empty).exact_in(token, 10**6).price_impact_bps == 0
        assert pool(empty).exact_out(token, 10**6).price_impact_bps == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"status": 1}, PoolDisabled),
        ({"activation_point": 2_000_000_000, "activation_type": 1}, PoolDisabled),
        ({"activation_point": 300_000_001, "activation_type": 0}, PoolDisabled),
        ({"collect_fee_mode": 2}, UnsupportedPool),
        ({"function_type": 3}, UnsupportedPool),
        ({"token_mint_x_program_flag": 1}, UnsupportedPool),
        ({"token_mint_y_program_flag": 1}, UnsupportedPool),
    ],
)
def test_a_pool_that_is_closed_or_of_another_kind_is_refused_by_name(changes, error):
    account = {**ACCOUNT, **changes}
    with pytest.raises(error):
        DlmmPool.from_account(account, token_x="X", token_y="Y", now=1_999_999_999, slot=3 * 10**8)


@pytest.mark.parametrize(
    "changes",
    [
        {"activation_point": 2_000_000_000, "activation_type": 1},
        {"activation_point": 300_000_000, "activation_type": 0},
    ],
)
def test_a_pool_is_open_from_its_activation_point_on(changes):
    account = {**ACCOUNT, **changes}
    opened = DlmmPool.from_account(account, token_x="X", token_y="Y", now=2 * 10**9, slot=3 * 10**8)
    assert opened.exact_in("X", 1_000_000).amount_out > 0
