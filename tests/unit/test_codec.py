"""Orders survive the way into the table and back, whole."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.codec import (
    decode,
    decode_rest,
    encode,
    encode_rest,
    from_ms,
    to_ms,
    version_of,
)
from engine.domain.order import (
    Failure,
    Instruction,
    Leg,
    Order,
    Quote,
    Route,
    Settlement,
    Status,
    Step,
    Transaction,
    Try,
    TryOutcome,
    Waiting,
)
from engine.domain.terms import Exit, IfTriggered, OrderType, Terms
from engine.domain.tokens import TOKENS, USDC, Token
from engine.domain.triggers import (
    STOP_LOSS,
    TAKE_PROFIT,
    AtPrice,
    ByTime,
    Direction,
    EitherOf,
    Fired,
    Level,
    Side,
    ThenLimit,
    ThenTrailing,
    Trailing,
)
from tests.fakes import START, an_order

text = st.text(max_size=20)
names = st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)
codes = st.from_regex(r"[A-Z][A-Z0-9_]+", fullmatch=True)
amounts = st.integers(0, 2**64 - 1)
times = st.integers(0, 10**13).map(from_ms)
tokens = st.builds(Token, text, text, st.integers(0, 18))
quotes = st.builds(
    Quote, text, amounts, amounts, st.integers(-100, 10_000), fee_on_output=st.booleans()
) | st.builds(Quote, text, error=st.just("VENUE_TIMEOUT"))
legs = st.builds(Leg, text, text, st.integers(1, 2**64 - 1), amounts)
routes = st.builds(Route, st.lists(legs, min_size=1, max_size=2).map(tuple), text)
instructions = st.builds(Instruction, text, amounts, amounts, st.none() | text)
transactions = st.builds(
    Transaction, text, times, times, st.lists(instructions, max_size=4).map(tuple)
) | st.builds(
    Transaction,
    text,
    times,
    times,
    st.lists(instructions, max_size=4).map(tuple),
    st.binary(max_size=1_232),
    amounts,
)
steps = st.builds(Step, st.sampled_from(Status), times, st.integers(1, 9))
changes = st.tuples(st.integers(1, 99), st.sampled_from(TryOutcome))
prices = st.builds(
    lambda number, exponent: Decimal(number).scaleb(exponent),
    st.integers(1, 10**12 - 1),
    st.integers(-18, 6),
)
tries = st.builds(
    Try,
    st.none() | text,
    st.lists(changes, min_size=1, max_size=3).map(tuple),
    st.none() | codes,
    st.none() | prices,
    st.none() | amounts,
    st.none() | amounts,
)
terms = st.builds(
    Terms,
    tokens,
    tokens,
    st.integers(1, 2**64 - 1),
    st.integers(0, 10_000),
    st.sampled_from([kind for kind in OrderType if kind is not OrderType.TWAP]),
    st.sampled_from(Side),
    limit_price=st.none() | prices,
    stop_price=st.none() | prices,
    trailing_bps=st.none() | st.integers(10, 9_000),
    activation_price=st.none() | prices,
    take_profit=st.none() | st.builds(Exit, prices, st.integers(0, 10_000)),
    stop_loss=st.none() | st.builds(Exit, prices, st.integers(0, 10_000)),
    expires_at=st.none() | times,
    if_triggered=st.sampled_from(IfTriggered),
)
directions = st.sampled_from(Direction)
levels = st.builds(Level, directions, prices)
triggers = (
    st.builds(AtPrice, levels)
    | st.builds(ThenLimit, levels, levels)
    | st.builds(EitherOf, levels, levels)
    | st.builds(Trailing, directions, st.integers(10, 9_000), prices)
    | st.builds(ThenTrailing, levels, st.integers(10, 9_000))
    | st.builds(ByTime)
)
waitings = st.builds(Waiting, triggers, times, st.integers(0, 9), st.integers(0, 9)) | st.builds(
    Waiting,
    triggers,
    times,
    st.integers(0, 9),
    st.integers(0, 9),
    st.builds(Fired, levels, st.sampled_from([None, STOP_LOSS, TAKE_PROFIT])),
    prices,
    st.just(1),
)


def _sound(order: Order) -> Order:
    """Return an order whose transaction stands in its tries, and that says nothing of its future.

    It always is so.
    """
    tries = tuple(
        replace(tried, changes=tuple((min(seq, order.seq), what) for seq, what in tried.changes))
        for tried in order.tries
    )
    last = Try(None, ((order.seq, TryOutcome.NO_ROUTE),), "NO_ROUTE")
    if order.transaction is not None:
        last = Try(order.transaction.signature, ((order.seq, TryOutcome.SIGNED),))
    former = replace(order.terms, slippage_bps=7, limit_price=None)
    order = replace(order, former_terms=((1, former),))
    return replace(order, quoted_seq=min(order.quoted_seq, order.seq), tries=(*tries, last))


orders = st.builds(
    Order,
    order_id=names,
    account=text,
    terms=terms,
    waiting=waitings,
    deadline=times,
    client_order_id=st.none() | names,
    quotes=st.lists(quotes, max_size=2).map(tuple),
    route=st.none() | routes,
    transaction=st.none() | transactions,
    amount_out=st.none() | amounts,
    error=st.none() | st.builds(Failure, codes, text),
    history=st.lists(steps, min_size=1, max_size=6).map(tuple),
    quoted_seq=st.integers(0, 9),
    tries=st.lists(tries, max_size=3).map(tuple),
    lease_until=st.none() | times,
    lease_by=st.none() | st.text("abc", min_size=1, max_size=12),
    dead_letter_due=st.booleans(),
    settlement=st.sampled_from(Settlement),
)
orders = orders.map(_sound)


@given(orders)
def test_an_order_comes_back_as_it_went(order: Order) -> None:
    assert decode(encode(order)) == order
    rest = encode_rest(order)
    assert decode_rest(rest, order.order_id, order.account, to_ms(order.created_at)) == order


def test_what_was_placed_before_there_was_a_real_chain_is_simulated() -> None:
    written = encode(an_order())
    assert "set" not in written
    assert decode(written).settlement is Settlement.SIMULATED
    assert version_of(an_order()) == 2


@pytest.mark.parametrize("settlement", [Settlement.PAPER, Settlement.LIVE])
def test_a_version_without_a_real_chain_reads_no_order_of_one(settlement: Settlement) -> None:
    """It would take it for one of the simulated network, and sign it anew there."""
    order = replace(an_order(), settlement=settlement)
    assert version_of(order) == 4
    assert decode(encode(order)) == order


def test_times_are_kept_to_the_millisecond() -> None:
    assert from_ms(to_ms(START + timedelta(milliseconds=7))) == START + timedelta(milliseconds=7)


#: As the version before the tries wrote it: `building` and `submitted` in one write.
FORMER = (
    '["o1","ann",1795335840000,{"in":"SOL","out":"USDC","amt":"1000000000","slip":50,'
    '"by":120000,"upd":1186,"st":4,"seq":5,'
    '"hist":[[0,0,0],[1,9,1],[2,602,1],[3,602,1],[4,1186,1]],"try":1,'
    '"q":[["raydium","170","25",0],["meteora","VENUE_TIMEOUT"]],"qs":3,'
    '"rt":[[["raydium","pool","1000000000","170"]],"why"],'
    '"tx":["sig",602,60602,[["wrap-sol","1000000000","0",null],[0,"169"]]],"got":"170"}]'
)
TODAY = (
    FORMER.replace('"upd":1186,"st":4,"seq":5,', "")
    .replace(',"try":1,"q":', ',"q":')
    .replace(',"got"', ',"tries":[[0,[3,0,4,1,5,2]]],"got"')
)


@pytest.mark.parametrize("text", [FORMER, TODAY])
def test_what_was_stored_yesterday_is_read_tomorrow(text: str) -> None:
    """If this fails, orders that stand in tables out there can't be read any more."""
    order = decode(text)
    assert (order.order_id, order.account, order.status) == ("o1", "ann", Status.CONFIRMED)
    assert (order.seq, order.attempts, order.tx_hash) == (5, 1, "sig")
    assert [step.status for step in order.history] == list(Status)[:5]
    assert order.transaction
    assert order.transaction.instructions == (
        Instruction("wrap-sol", 10**9),
        Instruction("raydium", 10**9, 169, "pool"),
    )
    assert [each.outcome.value for each in order.tries] == ["landed"]
    assert encode(order) == TODAY


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ("[0,0,0],[1,9,1],[2,602,1]", "signed"),
        ("[0,0,0],[1,9,1],[2,602,1],[3,602,1]", "sent"),
        ("[0,0,0],[1,9,1],[3,602,2]", "sent"),
        ("[0,0,0],[1,9,1],[2,602,1],[3,602,1],[5,900,1]", "reverted"),
    ],
)
def test_what_became_of_a_transaction_is_told_of_former_orders_too(
    statuses: str, outcome: str
) -> None:
    text = FORMER.replace("[0,0,0],[1,9,1],[2,602,1],[3,602,1],[4,1186,1]", statuses)
    order = decode(text.replace(',"got":"170"', ',"err":["SLIPPAGE_EXCEEDED","moved"]'))
    (tried,) = order.tries
    assert (tried.signature, tried.outcome) == ("sig", outcome)
    assert (order.in_flight is None) == (outcome == "reverted")


def test_every_status_and_every_outcome_of_a_try_stays_what_it_was() -> None:
    def texts(row: str) -> str:
        return TODAY.replace("[4,1186,1]", row)

    assert [decode(texts(f"[{n},1186,1]")).status.value for n in range(7)] == [
        "pending",
        "routing",
        "building",
        "submitted",
        "confirmed",
        "failed",
        "cancelled",
    ]
    assert [
        decode(TODAY.replace("3,0,4,1,5,2", f"3,{n}")).tries[0].outcome.value for n in range(6)
    ] == ["signed", "sent", "landed", "reverted", "expired", "noRoute"]


@pytest.mark.parametrize(
    ("symbol", "mint", "decimals"),
    [
        ("SOL", "So11111111111111111111111111111111111111112", 9),
        ("USDC", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6),
        ("USDT", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6),
        ("RAY", "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R", 6),
        ("JUP", "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN", 6),
        ("BONK", "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5),
        ("XFAIL", "Fai1111111111111111111111111111111111111111", 6),
        ("XSLIP", "S1ip111111111111111111111111111111111111111", 6),
        ("XDROP", "Drop111111111111111111111111111111111111111", 6),
    ],
)
def test_a_symbol_in_a_stored_order_means_one_token_for_ever(
    symbol: str, mint: str, decimals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, orders that stand in tables out there would be read wrong."""
    token = Token(symbol, mint, decimals)
    order = an_order(terms=Terms(token, USDC, 10**9, 50))
    monkeypatch.delitem(TOKENS, symbol)
    assert '"tok"' not in encode(order)
    assert decode(encode(order)) == order


def test_a_token_of_the_same_symbol_and_another_mint_is_another_token() -> None:
    order = an_order(terms=Terms(Token("RAY", "another", 9), USDC, 10**9, 50))
    assert decode(encode(order)).terms.sell == Token("RAY", "another", 9)
