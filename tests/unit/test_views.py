"""What clients read of an order: amounts, prices and shares that add up."""

from dataclasses import replace
from fractions import Fraction

from engine.api.views import order_view
from engine.domain.order import Instruction, Leg, Quote, Route, Status, Transaction
from tests.fakes import START, an_order


def test_a_minimum_of_nothing_is_said_of_every_swap_and_of_nothing_else() -> None:
    legs = (Leg("raydium", "r", 600, 90), Leg("meteora", "m", 400, 61))
    steps = (
        Instruction("wrap-sol", 1_000),
        *(Instruction(leg.venue, leg.amount_in, 0, leg.pool) for leg in legs),
    )
    building = replace(
        an_order(status=Status.ROUTING),
        route=Route(legs, "why"),
        transaction=Transaction("5VER", START, START, steps),
    )
    wrap, *swaps = order_view(building).model_dump()["route"]["instructions"]
    assert "minAmountOut" not in wrap
    assert [swap["minAmountOut"] for swap in swaps] == ["0", "0"]


def test_a_fee_is_told_in_the_token_in_which_it_is_taken() -> None:
    quotes = (
        Quote("raydium", 163_000_000, 2_500_000, 1),
        Quote("meteora", 162_000_000, 250_000, 1, fee_on_output=True),
    )
    said = order_view(replace(an_order(), quotes=quotes)).model_dump()["quotes"]
    assert [(quote["fee"], quote["feeToken"]) for quote in said] == [
        ("0.0025", "SOL"),
        ("0.25", "USDC"),
    ]


def test_the_shares_of_a_split_sum_to_one() -> None:
    legs = (Leg("raydium", "r", 2_222_222_222_223, 90), Leg("meteora", "m", 454_545_454_545, 61))
    order = replace(an_order(), route=Route(legs, "why"))
    said = [leg["share"] for leg in order_view(order).model_dump()["route"]["legs"]]
    assert said == ["0.830188679245", "0.169811320755"]
    assert sum(map(Fraction, said)) == 1
