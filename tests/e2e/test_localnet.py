"""The whole system on the chain of this machine: real token programs, KMS, executed bytes."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.domain.order import Settlement
from engine.domain.tokens import SOL, USDC
from local.solana.localnet import Localnet
from local.system import System, running
from tests.chaos.chain import faults
from tests.chaos.report import parameters, storm, table
from tests.e2e.client import Trader

SENDS = {"sendTransaction", "getSignatureStatuses"}


def chain_of(system: System) -> Localnet:
    assert system.localnet is not None
    return system.localnet


@pytest.fixture(scope="module")
def live() -> Iterator[System]:
    with running(settlement=Settlement.LIVE) as system:
        yield system


def test_an_order_is_signed_by_kms_and_the_wallet_has_what_it_says(live: System) -> None:
    chain = chain_of(live)
    before = chain.held(SOL), chain.held(USDC)
    with Trader(live) as trader:
        order = trader.wait_for(trader.place(amount="2"), "confirmed")
    assert (order["status"], order["network"], order["settlement"]) == (
        "confirmed",
        "solana",
        "live",
    )
    landed = chain.node.landed[order["txHash"]]
    sol, usdc = chain.held(SOL) - before[0], chain.held(USDC) - before[1]
    assert (sol, usdc) == (
        -2 * 10**SOL.decimals - landed.outcome.fee,
        int(Decimal(order["amountOut"]).scaleb(USDC.decimals)),
    )
    assert Decimal(order["amountOut"]) >= Decimal(order["minAmountOut"])


def test_an_order_waits_for_the_price_of_the_chains_own_pools(live: System) -> None:
    chain = chain_of(live)
    chain.move("SOL/USDC", Decimal(150))
    with Trader(live) as trader:
        order_id = trader.place(type="stop", stopPrice="140")
        chain.move("SOL/USDC", Decimal(139))
        order = trader.wait_for(order_id, "confirmed")
    assert Decimal(137) < Decimal(order["executedPrice"]) < Decimal(140)


def test_on_paper_nothing_is_signed_or_sent_and_a_fill_is_within_its_slippage() -> None:
    with running(settlement=Settlement.PAPER) as system, Trader(system) as trader:
        order = trader.wait_for(trader.place(amount="2"), "confirmed")
        chain = chain_of(system)
        assert (order["status"], order["settlement"]) == ("confirmed", "paper")
        assert Decimal(order["amountOut"]) >= Decimal(order["minAmountOut"])
        assert chain.node.landed == {}
        assert not SENDS & set(chain.node.calls)
        assert system.client("kms").list_keys()["Keys"] == []


def test_no_promise_is_broken_where_sends_are_lost_late_doubled_and_forked_away() -> None:
    with running(parameters(0), settlement=Settlement.LIVE) as system:
        chain_of(system).node.faults = faults(15)
        outcome = storm(system, orders=15, seed=5, hidden=15)
    print(table(outcome))
    assert outcome.broken == []
    assert sum(end.tx_hash is not None for end in outcome.history.ends.values()) >= 10
