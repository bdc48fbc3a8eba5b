"""Venues and chain of Solana keep the contract that every venue and chain keeps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from engine.adapters.simulated.chain import SimulatedChain
from engine.adapters.solana import chain as chains
from engine.adapters.solana.chain import SolanaChain
from engine.adapters.solana.instructions import compiled
from engine.adapters.solana.message import message_of
from engine.adapters.solana.paper import PoolsNow
from engine.adapters.solana.signers import LocalSigner
from engine.adapters.solana.venues import PoolBook, PoolPrices, SolanaPools, SolanaVenue
from engine.domain.errors import ChainUnavailable, InsufficientFunds, TransactionRefused
from engine.domain.order import Instruction, Order
from engine.domain.tokens import SOL, USDC
from engine.market.router import VenueResponse, choose, instructions
from engine.ports.chain import Chain, Expired, Landed, Reverted, Unknown
from engine.ports.venue import Venue
from tests.conformance.chain import ChainConformance
from tests.conformance.venue import VenueConformance
from tests.fakes import FakeClock, MemoryLedger, an_order
from tests.nodes import RAYDIUM, FakeNode, funded

KEY = Keypair.from_seed(bytes(range(32)))
PAYER = str(KEY.pubkey())


def book_of(node: FakeNode) -> PoolBook:
    return PoolBook(node, node.clock, node.listed)


def steps_of(node: FakeNode, order: Order) -> tuple[Instruction, ...]:
    pools = [
        VenueResponse(name, pool=SolanaVenue(name, book_of(node)).pool("SOL", "USDC"))
        for name in ("raydium", "meteora")
    ]
    route = choose(pools, order.terms.sell, order.terms.buy, order.terms.amount).route
    assert route is not None
    return instructions(order.token_in, order.token_out, route.legs, order.terms.minimum)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def node(clock: FakeClock) -> FakeNode:
    node = FakeNode(clock=clock)
    funded(node, PAYER)
    return node


@pytest.fixture
def order() -> Order:
    return an_order()


@pytest.fixture
def steps(node: FakeNode, order: Order) -> tuple[Instruction, ...]:
    return steps_of(node, order)


@pytest.fixture
def chain(node: FakeNode) -> SolanaChain:
    return SolanaChain(node, book_of(node), node.clock, LocalSigner(KEY), 20_000)


class SolanaVenues(VenueConformance):
    name = ""

    @pytest.fixture
    def venue(self, node: FakeNode) -> Venue:
        return SolanaVenue(self.name, book_of(node))

    @pytest.fixture
    def out_of_order(self, clock: FakeClock) -> Venue:
        return SolanaVenue(self.name, book_of(FakeNode(clock=clock, silent=True)))

    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        return "SOL", "USDC"


class TestRaydium(SolanaVenues):
    name = "raydium"


class TestMeteora(SolanaVenues):
    name = "meteora"


class SolanaChains(ChainConformance):
    @pytest.fixture
    def order(self) -> Order:
        return an_order()

    @pytest.fixture
    def steps(self, node: FakeNode, order: Order) -> tuple[Instruction, ...]:
        return steps_of(node, order)

    @pytest.fixture
    def greedy(self, steps: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
        return tuple(
            replace(step, min_amount_out=step.min_amount_out * 2) if step.pool else step
            for step in steps
        )

    @pytest.fixture
    def advance(self, clock: FakeClock) -> Callable[[timedelta], None]:
        return lambda time: clock.advance(time.total_seconds())


class TestLive(SolanaChains):
    @pytest.fixture
    def chain(self, node: FakeNode) -> Chain:
        return SolanaChain(node, book_of(node), node.clock, LocalSigner(KEY), 20_000)


class TestPaper(SolanaChains):
    @pytest.fixture
    def chain(self, node: FakeNode) -> Chain:
        return SimulatedChain(PoolsNow(book_of(node)), MemoryLedger(), node.clock, (0, 0))


def test_on_paper_the_pools_are_read_again_and_nothing_is_sent(
    node: FakeNode, order: Order, steps: tuple[Instruction, ...]
) -> None:
    paper = SimulatedChain(PoolsNow(book_of(node)), MemoryLedger(), node.clock, (0, 0))
    transaction = paper.sign(order, steps, valid_for=timedelta(seconds=60))
    assert transaction.wire is None
    node.calls.clear()
    node.clock.sleep(1)
    paper.send(order, transaction)
    assert isinstance(paper.landing(transaction, wait=timedelta(seconds=1)), Landed)
    assert set(node.calls) == {"getMultipleAccounts"}
    assert not node.landed


MINUTE = timedelta(seconds=60)
NOW = timedelta(0)


def test_what_is_stored_is_what_the_key_signed(
    chain: SolanaChain, order: Order, steps: tuple[Instruction, ...]
) -> None:
    transaction = chain.sign(order, steps, valid_for=MINUTE)
    assert transaction.wire is not None
    message = message_of(transaction.wire)
    signature = Signature.from_string(transaction.signature)
    assert signature.verify(Pubkey.from_string(PAYER), message)
    assert transaction.last_valid_height is not None


def test_another_process_without_the_key_sends_and_looks(
    chain: SolanaChain, node: FakeNode, order: Order, steps: tuple[Instruction, ...]
) -> None:
    transaction = chain.sign(order, steps, valid_for=MINUTE)
    other = SolanaChain(node, book_of(node), node.clock, None, 20_000)
    other.send(order, transaction)
    landing = other.landing(transaction, wait=timedelta(seconds=5))
    assert isinstance(landing, Landed)
    with pytest.raises(ChainUnavailable, match="nobody signs"):
        other.sign(order, steps, valid_for=MINUTE)


def test_too_little_is_an_answer(
    chain: SolanaChain, node: FakeNode, order: Order, steps: tuple[Instruction, ...]
) -> None:
    funded(node, PAYER, lamports=order.terms.amount)
    with pytest.raises(InsufficientFunds, match="lamports"):
        chain.sign(order, steps, valid_for=MINUTE)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("InsufficientFundsForFee", "INSUFFICIENT_FUNDS"),
        ({"InsufficientFundsForRent": {"account_index": 0}}, "INSUFFICIENT_FUNDS"),
        ({"InstructionError": [2, {"Custom": 1}]}, "INSUFFICIENT_FUNDS"),
        ({"InstructionError": [0, "ProgramFailedToComplete"]}, "TRANSACTION_FAILED"),
        ("AccountInUse", "TRANSACTION_FAILED"),
    ],
)
def test_why_the_chain_undid_it_has_a_name(
    chain: SolanaChain,
    node: FakeNode,
    order: Order,
    steps: tuple[Instruction, ...],
    error: object,
    code: str,
) -> None:
    transaction = chain.sign(order, steps, valid_for=MINUTE)
    chain.send(order, transaction)
    node.landed[transaction.signature]["meta"]["err"] = error
    landing = chain.landing(transaction, wait=timedelta(seconds=2))
    assert isinstance(landing, Reverted)
    assert landing.code == code


def test_a_transaction_is_expired_by_finalized_height_and_never_before(
    chain: SolanaChain, node: FakeNode, order: Order, steps: tuple[Instruction, ...]
) -> None:
    """The clock says nothing: what is not final may be taken back, and land still."""
    node.finality, node.lost = 32, True
    transaction = chain.sign(order, steps, valid_for=MINUTE)
    chain.send(order, transaction)
    node.clock.sleep(150 * 0.2 + 1)
    assert node.height > (transaction.last_valid_height or 0)
    assert chain.landing(transaction, wait=NOW) == Unknown()
    node.clock.sleep(32 * 0.2)
    assert chain.landing(transaction, wait=NOW) == Expired()


def test_what_nobody_answers_is_unknown_and_not_failed(
    chain: SolanaChain, node: FakeNode, order: Order, steps: tuple[Instruction, ...]
) -> None:
    transaction = chain.sign(order, steps, valid_for=MINUTE)
    node.silent = True
    with pytest.raises(ChainUnavailable):
        chain.send(order, transaction)
    with pytest.raises(ChainUnavailable):
        chain.landing(transaction, wait=NOW)


def test_what_is_refused_never_reaches_the_key(
    chain: SolanaChain,
    order: Order,
    steps: tuple[Instruction, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The builder turns against us: what it built is checked before the key is asked."""
    asked: list[bytes] = []

    class Watched(LocalSigner):
        def sign(self, message: bytes) -> bytes:
            asked.append(message)
            return super().sign(message)

    chain.signer = Watched(KEY)
    build = compiled
    monkeypatch.setattr(
        chains, "compiled", lambda payer, calls, blockhash: build(payer, calls[:-1], blockhash)
    )
    with pytest.raises(TransactionRefused):
        chain.sign(order, steps, valid_for=MINUTE)
    assert asked == []
    monkeypatch.setattr("engine.adapters.solana.trades.check", lambda message, plan: None)
    chain.sign(order, steps, valid_for=MINUTE)
    assert asked  # the guard was all that stood between


def test_a_quote_of_both_venues_is_one_call(node: FakeNode) -> None:
    book = book_of(node)
    for name in ("raydium", "meteora"):
        SolanaVenue(name, book).pool("SOL", "USDC")
    node.clock.sleep(1)
    node.calls.clear()
    for name in ("raydium", "meteora"):
        SolanaVenue(name, book).pool("SOL", "USDC")
    assert node.calls == ["getMultipleAccounts"]


def test_prices_of_all_pairs_are_one_call_and_tell_dollars(node: FakeNode) -> None:
    pools = SolanaPools(book_of(node))
    pools.pools([(SOL, USDC)])
    node.calls.clear()
    assert len(pools.pools([(SOL, USDC)])["SOL/USDC"]) == 2
    assert node.calls == ["getMultipleAccounts"]
    assert 160 < PoolPrices(pools).dollars(SOL, node.clock.now()) < 166
    node.silent = True
    assert pools.pools([(SOL, USDC)]) == {}


def test_a_pool_that_is_gone_is_refused_by_name(node: FakeNode) -> None:
    node.state[RAYDIUM.address] = None
    with pytest.raises(Exception, match="PoolState") as refused:
        SolanaVenue("raydium", book_of(node)).pool("SOL", "USDC")
    assert getattr(refused.value, "code", None) == "UNSUPPORTED_POOL"
    assert SolanaVenue("meteora", book_of(node)).pool("SOL", "USDC").venue == "meteora"
