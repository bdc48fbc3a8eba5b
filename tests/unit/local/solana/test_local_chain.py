"""Venues and chain keep their contracts on the local chain: all real but the venues' programs."""

import math
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from solders.keypair import Keypair

from engine.adapters.solana import layouts
from engine.adapters.solana.chain import SolanaChain
from engine.adapters.solana.pools import Listing
from engine.adapters.solana.rpc import Account
from engine.adapters.solana.signers import LocalSigner
from engine.adapters.solana.venues import PoolBook, SolanaVenue
from engine.domain.order import Instruction, Order
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC, Token, side_of
from engine.market.router import VenueResponse, choose, instructions
from engine.ports.chain import Chain, Expired, Landed, Reverted, Unknown
from engine.ports.venue import Venue
from local.solana import venues
from local.solana.node import Faults, LocalNode
from tests.conformance.chain import ChainConformance
from tests.conformance.venue import VenueConformance
from tests.fakes import FakeClock, an_order
from tests.local_chain import client, mints, wallet
from tests.nodes import METEORA, RAYDIUM, RAYDIUM_V4, amm_v4, cpmm, dlmm, sol_usdc

KEY = Keypair.from_seed(bytes(range(32)))
PAYER = str(KEY.pubkey())
MINUTE, NOW = timedelta(seconds=60), timedelta(0)
BOTH = (RAYDIUM, METEORA)


def a_node(clock: FakeClock, faults: Faults | None = None) -> LocalNode:
    node = LocalNode(clock, faults or Faults())
    node.give({**mints(SOL, USDC), **sol_usdc(), **wallet(PAYER)})
    return node


def book_of(node: LocalNode, listed: tuple[Listing, ...] = BOTH) -> PoolBook:
    return PoolBook(client(node), node.clock, listed)


def chain_of(node: LocalNode, listed: tuple[Listing, ...] = BOTH) -> SolanaChain:
    book = book_of(node, listed)
    return SolanaChain(client(node), book, node.clock, LocalSigner(KEY), 20_000)


def steps_of(
    node: LocalNode, order: Order, listed: tuple[Listing, ...] = BOTH
) -> tuple[Instruction, ...]:
    book = book_of(node, listed)
    pools = [
        VenueResponse(name, pool=SolanaVenue(name, book).pool("SOL", "USDC"))
        for name in sorted({each.venue for each in listed})
    ]
    terms = order.terms
    route = choose(pools, terms.sell, terms.buy, terms.amount).route
    assert route is not None
    return instructions(order.token_in, order.token_out, route.legs, terms.minimum)


def selling(sell: Token, buy: Token, amount: int, bps: int = 50, number: int = 0) -> Order:
    order_id = an_order().order_id[:-4] + f"{number:04d}"
    return replace(
        an_order(), order_id=order_id, terms=Terms(sell, buy, amount, bps, side=side_of(sell, buy))
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def node(clock: FakeClock) -> LocalNode:
    return a_node(clock)


class LocalVenues(VenueConformance):
    listing = RAYDIUM

    @pytest.fixture
    def venue(self, node: LocalNode) -> Venue:
        return SolanaVenue(self.listing.venue, book_of(node, (self.listing,)))

    @pytest.fixture
    def out_of_order(self, clock: FakeClock) -> Venue:
        silent = a_node(clock, Faults(silent=True))
        return SolanaVenue(self.listing.venue, book_of(silent, (self.listing,)))

    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        return "SOL", "USDC"


class TestCpmm(LocalVenues):
    listing = RAYDIUM


class TestAmmV4(LocalVenues):
    listing = RAYDIUM_V4


class TestDlmm(LocalVenues):
    listing = METEORA


class TestChain(ChainConformance):
    @pytest.fixture
    def chain(self, node: LocalNode) -> Chain:
        return chain_of(node)

    @pytest.fixture
    def order(self) -> Order:
        return an_order()

    @pytest.fixture
    def steps(self, node: LocalNode, order: Order) -> tuple[Instruction, ...]:
        return steps_of(node, order)

    @pytest.fixture
    def greedy(self, steps: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
        return tuple(
            replace(step, min_amount_out=step.min_amount_out * 2) if step.pool else step
            for step in steps
        )

    @pytest.fixture
    def advance(self, node: LocalNode, clock: FakeClock) -> Callable[[timedelta], None]:
        def pass_by(time: timedelta) -> None:
            clock.advance(time.total_seconds())
            node.skip(64)  # final, too

        return pass_by


def random_pools(chance: random.Random) -> tuple[tuple[Listing, ...], dict[str, Account]]:
    """Return a pool of each venue, of a random kind, depth, fee and order of tokens."""
    price = 0.163  # USDC's base units for one of SOL's
    kind = chance.choice([RAYDIUM, RAYDIUM_V4])
    make = cpmm if kind is RAYDIUM else amm_v4
    sol = chance.randrange(10**12, 10**13)
    tokens, sizes = [SOL, USDC], [sol, int(sol * price * chance.uniform(0.995, 1.005))]
    if chance.random() < 0.5:
        tokens, sizes = tokens[::-1], sizes[::-1]
    shares = {"protocol_ppm": 120_000, "fund_ppm": 40_000} if kind is RAYDIUM else {}
    accounts = make(
        kind.address,
        tokens[0],
        tokens[1],
        sizes[0],
        sizes[1],
        chance.randrange(100, 5_000),
        **shares,
    )
    step, flipped = chance.choice([1, 5, 10, 25, 80]), chance.random() < 0.5
    active = round(math.log(1 / price if flipped else price) / math.log1p(step / 10_000))
    deep = int(10 ** chance.uniform(10, 12))
    deep_x, deep_y = deep, int(deep * price)
    if flipped:
        deep_x, deep_y = deep_y, deep_x
    bins = {
        active + n: {
            "amount_x": int(deep_x * chance.random()) if n >= 0 else 0,
            "amount_y": int(deep_y * chance.random()) if n <= 0 else 0,
        }
        for n in range(-90, 91)
    }
    fields = {
        "active_id": active,
        "bin_step": step,
        "base_factor": 10_000,
        "filter_period": 30,
        "decay_period": 600,
        "reduction_factor": 5_000,
        "variable_fee_control": 40_000,
        "max_volatility_accumulator": 350_000,
        "protocol_share": 1_000,
        "collect_fee_mode": chance.choice([0, 0, 1]),
    }
    pair = (USDC, SOL) if flipped else (SOL, USDC)
    return (kind, METEORA), accounts | dlmm(METEORA.address, *pair, bins, fields)


class Sums:
    """What all accounts of a chain hold together, by the accounts themselves."""

    def __init__(self, node: LocalNode, addresses: Iterable[str]) -> None:
        self.node, self.addresses = node, sorted(set(addresses))

    @property
    def usdc(self) -> int:
        held = 0
        for account in self._accounts():
            if account.owner == layouts.SPL_TOKEN and len(account.data) == 165:
                told = layouts.TOKEN_ACCOUNT.decode(account.data)
                held += told["amount"] if told["mint"] == USDC.mint else 0
        return held

    @property
    def lamports(self) -> int:
        return sum(account.lamports for account in self._accounts())

    def _accounts(self) -> list[Account]:
        found = [self.node.account(address) for address in self.addresses]
        return [account for account in found if account]


#: 500 orders with PROOF=all.
ORDERS = 50 if os.environ.get("PROOF") == "all" else 8


def test_what_lands_is_to_the_unit_what_was_quoted_and_nothing_is_made_or_lost() -> None:
    """Random trades at random pools, both ways, half of them beaten to it by another trade."""
    ended: Counter[str] = Counter()
    for seed in range(10):
        ended += trades_at_random_pools(seed)
    assert ended["Landed"] > 20
    assert ended["Reverted"] > 5


def trades_at_random_pools(seed: int) -> Counter[str]:
    clock = FakeClock()
    chance = random.Random(seed)
    node = LocalNode(clock)
    listed, pools = random_pools(chance)
    mine = wallet(PAYER, lamports=10**15, held=10**14)
    node.give({**mints(SOL, USDC), **pools, **mine})
    sums = Sums(node, {*pools, *mine})
    usdc, lamports = sums.usdc, sums.lamports
    ended: Counter[str] = Counter()
    for n in range(ORDERS):
        sell, buy = (SOL, USDC) if chance.random() < 0.5 else (USDC, SOL)
        amount = int(10 ** chance.uniform(5, 10.5) * (1 if sell == SOL else 0.163))
        order = selling(sell, buy, amount, bps=0, number=n)
        chain, steps = chain_of(node, listed), steps_of(node, order, listed)
        signed = chain.sign(order, steps, valid_for=MINUTE)
        beaten = chance.random() < 0.5
        if beaten:
            other = selling(sell, buy, amount * 3, bps=500, number=1_000 + n)
            first = chain.sign(other, steps_of(node, other, listed), valid_for=MINUTE)
            chain.send(other, first)
            assert isinstance(chain.landing(first, wait=MINUTE), Landed)
            lamports -= node.landed[first.signature].outcome.fee
        paid = quoted_now(node, order, steps, listed)
        chain.send(order, signed)
        landing = chain.landing(signed, wait=MINUTE)
        outcome = node.landed[signed.signature].outcome
        lamports -= outcome.fee
        if all(out >= minimum for out, minimum in paid):
            assert isinstance(landing, Landed)
            assert landing.amount_out == sum(out for out, _ in paid)
        else:  # the price stands still within a bin of a DLMM: not everybody is beaten
            assert beaten
            assert isinstance(landing, Reverted)
            assert landing.code == "SLIPPAGE_EXCEEDED"
        ended[type(landing).__name__] += 1
        assert signed.wire is not None
        assert len(signed.wire) <= 1_232
        assert (sums.usdc, sums.lamports) == (usdc, lamports)
    return ended


def quoted_now(
    node: LocalNode, order: Order, steps: tuple[Instruction, ...], listed: tuple[Listing, ...]
) -> list[tuple[int, int]]:
    """Return what each leg pays by the accounts as they stand, and its minimum."""
    book = book_of(node, listed)
    return [
        (
            SolanaVenue(step.program, book)
            .pool("SOL", "USDC")
            .exact_in(order.token_in, step.amount_in)
            .amount_out,
            step.min_amount_out,
        )
        for step in steps
        if step.pool
    ]


@pytest.mark.parametrize("fault", ["lose", "delay", "double", "fork", "ahead", "refuse", "stall"])
def test_whatever_becomes_of_sends_and_answers_an_order_lands_once_at_most(
    clock: FakeClock, fault: str
) -> None:
    node = a_node(clock)
    for n in range(12):
        order = selling(SOL, USDC, 10**9, number=n)
        chain, steps = chain_of(node), steps_of(node, order)
        signed = chain.sign(order, steps, valid_for=MINUTE)
        before = all_tokens_of(node)
        setattr(node.faults, fault, 50)
        landing: object = Unknown()
        for _ in range(200):
            landing = _looked(chain, order, signed)
            if not isinstance(landing, Unknown):
                break
            clock.advance(0.5)
        setattr(node.faults, fault, 0)
        clock.advance(60)
        node.skip(200)
        got = all_tokens_of(node) - before
        assert isinstance(landing, Landed | Expired)
        assert got == (landing.amount_out if isinstance(landing, Landed) else 0)


def _looked(chain: SolanaChain, order: Order, signed: object) -> object:
    from engine.domain.errors import ChainUnavailable

    try:
        chain.send(order, signed)  # type: ignore[arg-type]
        return chain.landing(signed, wait=NOW)  # type: ignore[arg-type]
    except ChainUnavailable:
        return Unknown()


def all_tokens_of(node: LocalNode) -> int:
    account = node.account(layouts.associated_account(PAYER, USDC.mint))
    assert account is not None
    return int(layouts.TOKEN_ACCOUNT.decode(account.data)["amount"])


def test_a_transaction_uses_less_than_it_asks_for_and_is_undone_if_it_does_not(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order()
    chain, steps = chain_of(node), steps_of(node, order)
    signed = chain.sign(order, steps, valid_for=MINUTE)
    chain.send(order, signed)
    assert node.landed[signed.signature].outcome.error is None
    before = all_tokens_of(node)
    for name in ("CPMM_UNITS", "DLMM_UNITS"):
        monkeypatch.setattr(venues, name, 10**6)
    other = selling(SOL, USDC, 10**9, number=7)
    greedy = chain.sign(other, steps_of(node, other), valid_for=MINUTE)
    chain.send(other, greedy)
    outcome = node.landed[greedy.signature].outcome
    assert outcome.error["InstructionError"][1] == "ComputationalBudgetExceeded"
    assert isinstance(chain.landing(greedy, wait=MINUTE), Reverted)
    assert all_tokens_of(node) == before


def test_an_unsigned_or_changed_transaction_is_not_taken(node: LocalNode) -> None:
    from engine.domain.errors import ChainUnavailable

    order = an_order()
    chain = chain_of(node)
    signed = chain.sign(order, steps_of(node, order), valid_for=MINUTE)
    assert signed.wire is not None
    changed = replace(signed, wire=signed.wire[:-1] + bytes([signed.wire[-1] ^ 1]))
    with pytest.raises(ChainUnavailable):
        chain.send(order, changed)
    assert node.landed == {}
