"""From account bytes to a quote: to the unit what the programs paid, or refused by name."""

from typing import Any

import pytest

from engine.adapters.solana import layouts
from engine.adapters.solana.addresses import encode
from engine.adapters.solana.pools import BadListing, Kind, Listing, listings
from engine.adapters.solana.rpc import NodeUnavailable
from engine.adapters.solana.venues import PoolBook, SolanaVenue
from engine.domain.errors import MarketError, UnsupportedPool
from engine.domain.tokens import SOL, USDC
from tests import nodes
from tests.fakes import FakeClock
from tests.nodes import FakeNode
from tests.unit.market.test_programs import _BIN, REFUSED, VECTORS

ADDRESS = encode(bytes(range(1, 33)))


def quoted(node: FakeNode, kind: Kind) -> Any:
    listing = Listing(SOL, USDC, kind, ADDRESS)
    return SolanaVenue(listing.venue, PoolBook(node, node.clock, [listing])).pool("SOL", "USDC")


def swapped(pool: Any, row: dict[str, Any], sells_x: bool, exact_out: bool) -> tuple[int, ...]:
    sold = "SOL" if sells_x else "USDC"
    ask, amount = (
        (pool.exact_out, row["amount_out"]) if exact_out else (pool.exact_in, row["amount_in"])
    )
    swap = ask(sold, amount)
    return swap.amount_in, swap.amount_out, swap.fee


def test_cpmm_vectors_are_met_from_the_bytes_of_their_accounts() -> None:
    met = 0
    for row in VECTORS["cpmm"]["vectors"]:
        accounts = nodes.cpmm(
            ADDRESS, SOL, USDC, row["reserve_0"], row["reserve_1"], row["trade_fee_rate_ppm"]
        )
        pool = quoted(FakeNode(clock=FakeClock(), state={**accounts}), Kind.CPMM)
        asked = pool, row, row["zero_for_one"], row["exact_out"]
        if "error" in row:
            with pytest.raises(MarketError):
                swapped(*asked)
        else:
            assert swapped(*asked)[:2] == (row["amount_in"], row["amount_out"]), row
            met += 1
    assert met > 300


def test_what_a_pool_owes_is_no_reserve() -> None:
    owed = {"protocol_fees_token_0": 7, "fund_fees_token_0": 5, "creator_fees_token_0": 3}
    accounts = nodes.cpmm(ADDRESS, SOL, USDC, 10**9 + 15, 10**9, **owed)
    pool = quoted(FakeNode(clock=FakeClock(), state={**accounts}), Kind.CPMM)
    assert (pool.reserve_x, pool.reserve_y) == (10**9, 10**9)
    accounts = nodes.amm_v4(ADDRESS, SOL, USDC, 10**9, 10**9 + 9, need_take_pnl_pc=9)
    pool = quoted(FakeNode(clock=FakeClock(), state={**accounts}), Kind.AMM_V4)
    assert (pool.reserve_x, pool.reserve_y) == (10**9, 10**9)


def test_dlmm_vectors_are_met_from_the_bytes_of_their_accounts() -> None:
    """In, out, fee, active bin, volatility; a price beyond the pool's bitmap is refused by name."""
    met = 0
    pools: dict[tuple[str, int], Any] = {}
    for row in VECTORS["dlmm"]["vectors"]:
        name = row["pool"], row["now"]
        if name not in pools:
            vector = VECTORS["dlmm"]["pools"][row["pool"]]
            fields = {k: v for k, v in vector["lb_pair"].items() if k in layouts.LB_PAIR.fields}
            if vector["lb_pair"].get("has_rewards"):
                fields["reward_mint_0"] = ADDRESS
            bins = {
                int(bin_id): dict(zip(_BIN, held, strict=False))
                for bin_id, held in vector["bins"].items()
            }
            clock = FakeClock()
            clock.advance(row["now"] - clock.now().timestamp())
            node = FakeNode(clock=clock, state={**nodes.dlmm(ADDRESS, SOL, USDC, bins, fields)})
            if abs(fields["active_id"]) > 512 * layouts.BINS_IN_ARRAY:
                with pytest.raises(UnsupportedPool, match="bitmap"):
                    quoted(node, Kind.DLMM)
                pools[name] = None
            else:
                pools[name] = quoted(node, Kind.DLMM)
        if pools[name] is None:
            continue
        pool = pools[name]
        exact_out = row.get("exact_out") or "amount_in" not in row
        trace = pool.swap_exact_out if exact_out else pool.swap_exact_in
        amount = row["amount_out" if exact_out else "amount_in"]
        if "error" in row:
            with pytest.raises(REFUSED[row["error"]]):
                trace(amount, row["swap_for_y"])
            continue
        swap = trace(amount, row["swap_for_y"])
        told = swap.amount_in, swap.amount_out, swap.fee, swap.active_after, swap.vol_acc
        after = row["after"]
        assert told == (
            row["amount_in"],
            row["amount_out"],
            row["fee"],
            after["active_id"],
            after["volatility_accumulator"],
        ), row
        met += 1
    assert met > 500


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        (Kind.CPMM, {"status": 4}, "POOL_DISABLED"),
        (Kind.CPMM, {"open_time": 2**40}, "POOL_DISABLED"),
        (Kind.CPMM, {"enable_creator_fee": True}, "UNSUPPORTED_POOL"),
        (Kind.CPMM, {"token_0_program": layouts.TOKEN_2022}, "UNSUPPORTED_POOL"),
        (Kind.CPMM, {"token_1_mint": ADDRESS}, "UNSUPPORTED_POOL"),
        (Kind.AMM_V4, {"status": 1}, "UNSUPPORTED_POOL"),
        (Kind.AMM_V4, {"status": 2}, "POOL_DISABLED"),
        (Kind.DLMM, {"status": 1}, "POOL_DISABLED"),
        (Kind.DLMM, {"activation_point": 2**40}, "POOL_DISABLED"),
        (Kind.DLMM, {"token_mint_x_program_flag": 1}, "UNSUPPORTED_POOL"),
        (Kind.DLMM, {"collect_fee_mode": 2}, "UNSUPPORTED_POOL"),
        (Kind.DLMM, {"active_id": 513 * 70}, "UNSUPPORTED_POOL"),
    ],
)
def test_what_the_arithmetic_does_not_model_is_refused_by_name(
    kind: Kind, fields: dict[str, Any], code: str
) -> None:
    if kind is Kind.DLMM:
        bins = {0: {"amount_x": 9, "amount_y": 9}}
        accounts = nodes.dlmm(ADDRESS, SOL, USDC, bins, {"bin_step": 10, **fields})
    else:
        make = nodes.cpmm if kind is Kind.CPMM else nodes.amm_v4
        accounts = make(ADDRESS, SOL, USDC, 10**9, 10**9, **fields)
    with pytest.raises(MarketError) as refused:
        quoted(FakeNode(clock=FakeClock(), state={**accounts}), kind)
    assert refused.value.code == code


def test_the_layers_own_pools_are_listed() -> None:
    assert {(each.venue, each.kind) for each in listings()} == {
        ("raydium", Kind.AMM_V4),
        ("meteora", Kind.DLMM),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '[{"pair": "SOL/USDC"}]',
        '[{"pair": "A/B", "venue": "raydium", "kind": "cpmm", "address": "%s"}]',
        '[{"pair": "SOL/USDC", "venue": "meteora", "kind": "cpmm", "address": "%s"}]',
        '[{"pair": "SOL/USDC", "venue": "raydium", "kind": "cpmm", "address": "0"}]',
    ],
)
def test_a_list_of_pools_that_can_not_be_is_refused(text: str, tmp_path: Any) -> None:
    file = tmp_path / "pools.json"
    file.write_text(text.replace("%s", ADDRESS))
    with pytest.raises(BadListing, match=r"pools\.json"):
        listings(file)


def test_a_chain_without_a_clock_is_no_chain() -> None:
    node = FakeNode(clock=FakeClock())
    node.state[layouts.CLOCK] = None
    book = PoolBook(node, node.clock, node.listed)
    with pytest.raises(NodeUnavailable, match="clock"):
        book.of_pair("SOL/USDC")
