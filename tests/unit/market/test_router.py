"""The choice of route: who is chosen, how an amount is divided, and what is said of it."""

from collections.abc import Callable

import pytest

from engine.domain.money import less_slippage
from engine.domain.order import Instruction, Leg, Quote
from engine.domain.tokens import TOKENS
from engine.market import router
from engine.market.bins import FeeSchedule, Volatility
from engine.market.meteora import DlmmPool
from engine.market.raydium import ConstantProductPool
from engine.market.router import Decision, VenueResponse, explain, instructions

SOL = 10**9
USDC = 10**6


def raydium(price: int = 160, depth: int = 25_000) -> ConstantProductPool:
    """Return a pool of `depth` SOL at `price` USDC each."""
    return ConstantProductPool("rPool", "SOL", "USDC", depth * SOL, depth * price * USDC)


def meteora(active_id: int = -1_829, per_bin: int = 12_000, bins: int = 70) -> DlmmPool:
    """Return a pool of bins of `per_bin` USDC; bin -1829 is at 159.93 USDC."""
    held = {active_id - i: (0, per_bin * USDC) for i in range(1, bins)}
    held |= {active_id + i: (per_bin * SOL // 160, 0) for i in range(1, bins)}
    held[active_id] = (per_bin * SOL // 320, per_bin * USDC // 2)
    return DlmmPool(
        "mPool", "SOL", "USDC", active_id, held, FeeSchedule(10, 10_000), Volatility(), 0
    )


def less(bps: int) -> Callable[[int, int], int]:
    return lambda _, quoted: less_slippage(quoted, bps)


def both(*pools: ConstantProductPool | DlmmPool) -> list[VenueResponse]:
    return [VenueResponse(pool.venue, pool) for pool in pools]


def choose(
    answers: list[VenueResponse], sold: str, bought: str, amount: int, min_split_gain_bps: int = 5
) -> Decision:
    return router.choose(answers, TOKENS[sold], TOKENS[bought], amount, min_split_gain_bps)


def test_the_pool_that_pays_most_is_chosen_and_both_answers_are_kept():
    decision = choose(both(raydium(163), meteora()), "SOL", "USDC", SOL)
    assert decision.route is not None
    assert [leg.venue for leg in decision.route.legs] == ["raydium"]
    assert [quote.venue for quote in decision.quotes] == ["raydium", "meteora"]
    assert decision.route.amount_out == max(quote.amount_out for quote in decision.quotes)


def test_the_other_pool_is_chosen_when_the_same_tokens_are_bought():
    pools = both(raydium(163), meteora())
    decision = choose(pools, "USDC", "SOL", 163 * USDC)
    assert decision.route is not None
    assert [leg.venue for leg in decision.route.legs] == ["meteora"]


def test_the_fee_counts():
    dear = ConstantProductPool("dear", "SOL", "USDC", 10**15, 160 * 10**12, 100, "dear")
    cheap = ConstantProductPool("cheap", "SOL", "USDC", 10**15, 159 * 10**12, 1, "cheap")
    decision = choose(both(dear, cheap), "SOL", "USDC", SOL)
    assert decision.route is not None
    assert decision.route.legs[0].venue == "cheap"


def test_equal_pools_rank_by_venue():
    twins = [
        ConstantProductPool(name, "SOL", "USDC", 10**15, 10**15, 25, name) for name in ("b", "a")
    ]
    decision = choose(both(*twins), "SOL", "USDC", 1_000)
    assert decision.route is not None
    assert decision.route.legs[0].venue == "a"
    assert decision.route.reason == (
        "a pays 0.000996 USDC, the same as b: the first by name is taken"
    )


def test_the_reason_has_the_figures():
    decision = choose(both(raydium(163), meteora()), "SOL", "USDC", SOL)
    assert decision.route is not None
    assert decision.route.reason == (
        "raydium pays 162.586012 USDC, 176 bps more than meteora (159.772622)"
    )


def test_a_venue_that_failed_is_named_and_the_other_taken():
    answers = [VenueResponse("raydium", error="VENUE_TIMEOUT"), *both(meteora())]
    decision = choose(answers, "SOL", "USDC", SOL)
    assert decision.quotes[0] == Quote("raydium", error="VENUE_TIMEOUT")
    assert decision.route is not None
    assert decision.route.reason == (
        "meteora pays 159.772622 USDC; raydium has no quote (VENUE_TIMEOUT)"
    )


def test_a_venue_without_pool_or_error_counts_as_unavailable():
    decision = choose([VenueResponse("raydium")], "SOL", "USDC", SOL)
    assert decision.quotes == (Quote("raydium", error="VENUE_UNAVAILABLE"),)
    assert decision.route is None


def test_when_nobody_can_fill_there_is_no_route_and_every_reason_is_kept():
    empty = ConstantProductPool("p", "SOL", "USDC", 0, 0)
    decision = choose(both(empty, meteora(bins=1)), "SOL", "USDC", 10_000 * SOL)
    assert decision.route is None
    assert [quote.error for quote in decision.quotes] == ["INSUFFICIENT_LIQUIDITY"] * 2


def test_an_amount_too_small_for_anyone_has_no_route():
    decision = choose(both(raydium(), meteora()), "SOL", "USDC", 1)
    assert decision.route is None
    assert {quote.error for quote in decision.quotes} == {"AMOUNT_TOO_SMALL"}


def test_a_pool_of_other_tokens_is_an_unsupported_pair():
    decision = choose(both(raydium()), "JUP", "USDC", SOL)
    assert decision.quotes[0].error == "UNSUPPORTED_PAIR"


def test_a_large_order_is_divided_and_the_parts_make_the_whole():
    amount = 1_000 * SOL
    decision = choose(both(raydium(), meteora()), "SOL", "USDC", amount)
    assert decision.route is not None
    assert [leg.venue for leg in decision.route.legs] == ["raydium", "meteora"]
    assert [leg.pool for leg in decision.route.legs] == ["rPool", "mPool"]
    assert sum(leg.amount_in for leg in decision.route.legs) == amount
    best = max(quote.amount_out for quote in decision.quotes)
    assert decision.route.amount_out * 10_000 >= best * 10_005
    assert decision.route.reason == (
        "13.13 % on raydium with 86.87 % on meteora pays 158846.102375 USDC, "
        "7.9 bps more than meteora (158719.150493) alone"
    )


def test_a_split_that_gains_too_little_is_not_made():
    amount = 1_000 * SOL
    decision = choose(both(raydium(), meteora()), "SOL", "USDC", amount, min_split_gain_bps=100)
    assert decision.route is not None
    assert [leg.venue for leg in decision.route.legs] == ["meteora"]


def test_no_division_of_the_amount_pays_more():
    one, other = raydium(), meteora()
    amount = 1_000 * SOL
    route = choose(both(one, other), "SOL", "USDC", amount).route
    assert route is not None
    share = route.legs[0].amount_in
    for part in range(0, amount, amount // 997):
        for shifted in (part, share + part // 1_000_000, share - part // 1_000_000):
            if not 0 < shifted < amount:
                continue
            out = (
                one.exact_in("SOL", shifted).amount_out
                + other.exact_in("SOL", amount - shifted).amount_out
            )
            assert out <= route.amount_out + 2


def test_what_no_pool_can_fill_alone_is_filled_by_both():
    pools = both(meteora(per_bin=1_000, bins=3), meteora(active_id=-1_830, per_bin=1_000, bins=3))
    amount = 25 * SOL
    decision = choose(pools, "SOL", "USDC", amount)
    assert [quote.error for quote in decision.quotes] == ["INSUFFICIENT_LIQUIDITY"] * 2
    assert decision.route is not None
    assert sum(leg.amount_in for leg in decision.route.legs) == amount
    assert "no single pool can fill the amount" in decision.route.reason


def test_what_both_together_can_just_fill_is_filled():
    pools = [meteora(per_bin=1_000, bins=3), meteora(active_id=-1_830, per_bin=1_000, bins=3)]
    everything = sum(pool.exact_out("SOL", 2_500 * USDC).amount_in for pool in pools)
    assert choose(both(*pools), "SOL", "USDC", everything).route is not None
    assert choose(both(*pools), "SOL", "USDC", everything + 2).route is None


def test_a_part_leaves_its_pool_room_to_shrink_in_until_the_transaction_lands():
    small = meteora(per_bin=1_000, bins=10)
    amount = 500 * SOL
    route = choose(both(raydium(155), small), "SOL", "USDC", amount).route
    assert route is not None
    maximum = small.exact_out("SOL", 9_500 * USDC).amount_in
    assert maximum * 96 < route.legs[1].amount_in * 100 < maximum * 98


def test_of_three_pools_the_best_two_share():
    third = ConstantProductPool("third", "SOL", "USDC", 9_000 * SOL, 9_000 * 158 * USDC, 25, "orca")
    pools = both(third, raydium(), meteora())
    decision = choose(pools, "SOL", "USDC", 1_000 * SOL)
    assert decision.route is not None
    assert {leg.venue for leg in decision.route.legs} == {"raydium", "meteora"}


def test_a_gain_below_a_tenth_of_a_bps_is_said_so():
    quotes = [Quote("a", 1_000_000_001), Quote("b", 1_000_000_000)]
    legs = (Leg("a", "pool", SOL, 1_000_000_001),)
    assert explain(quotes, legs, TOKENS["USDC"]) == (
        "a pays 1000.000001 USDC, under 0.1 bps more than b (1000)"
    )


def test_sol_that_goes_in_is_wrapped_first():
    legs = (Leg("raydium", "r", 600, 90), Leg("meteora", "m", 400, 61))
    assert instructions("SOL", "USDC", legs, less(50)) == (
        Instruction("wrap-sol", 1_000),
        Instruction("raydium", 600, 90, "r"),
        Instruction("meteora", 400, 61, "m"),
    )


def test_sol_that_comes_out_is_unwrapped_last():
    steps = instructions("USDC", "SOL", (Leg("raydium", "r", 600, 1_001),), less(50))
    assert steps == (Instruction("raydium", 600, 996, "r"), Instruction("unwrap-sol"))


def test_without_sol_there_is_only_the_swap():
    steps = instructions("RAY", "USDC", (Leg("raydium", "r", 600, 1_000),), less(0))
    assert steps == (Instruction("raydium", 600, 1_000, "r"),)


@pytest.mark.parametrize("slippage_bps", [0, 1, 50, 9_999, 10_000])
def test_the_legs_minimums_together_are_the_routes_or_a_unit_a_leg_more(slippage_bps):
    route = choose(both(raydium(), meteora()), "SOL", "USDC", 1_000 * SOL).route
    assert route is not None
    swaps = instructions("SOL", "USDC", route.legs, less(slippage_bps))[1:]
    minimum = sum(step.min_amount_out for step in swaps)
    assert 0 <= minimum - less_slippage(route.amount_out, slippage_bps) <= len(route.legs) - 1
