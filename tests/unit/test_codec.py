"""Orders survive the way into the table and back, whole."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.codec import decode, decode_rest, encode, encode_rest, from_ms, to_ms
from engine.domain.order import (
    Failure,
    Instruction,
    Leg,
    Order,
    Quote,
    Route,
    Status,
    Step,
    Terms,
    Transaction,
)
from engine.domain.tokens import TOKENS, USDC, Token
from tests.fakes import START, an_order

text = st.text(max_size=20)
amounts = st.integers(0, 2**64 - 1)
times = st.integers(0, 10**13).map(from_ms)
tokens = st.builds(Token, text, text, st.integers(0, 18))
quotes = st.builds(
    Quote, text, amounts, amounts, st.integers(-100, 10_000), fee_on_output=st.booleans()
) | st.builds(Quote, text, error=st.just("VENUE_TIMEOUT"))
legs = st.builds(Leg, text, text, amounts, amounts)
routes = st.builds(Route, st.lists(legs, max_size=2).map(tuple), text)
instructions = st.builds(Instruction, text, amounts, amounts, st.none() | text)
transactions = st.builds(
    Transaction, text, times, times, st.lists(instructions, max_size=4).map(tuple)
)
steps = st.builds(Step, st.integers(1, 99), st.sampled_from(Status), times, st.integers(0, 9))


def _quoted(order: Order, quoted_seq: int) -> Order:
    return replace(order, quoted_seq=quoted_seq if order.quotes else 0)


orders = st.builds(
    Order,
    order_id=text,
    account=text,
    terms=st.builds(Terms, tokens, tokens, amounts, st.integers(0, 10_000)),
    created_at=times,
    updated_at=times,
    deadline=times,
    client_order_id=st.none() | text,
    status=st.sampled_from(Status),
    seq=st.integers(1, 99),
    attempts=st.integers(0, 9),
    quotes=st.lists(quotes, max_size=2).map(tuple),
    route=st.none() | routes,
    transaction=st.none() | transactions,
    amount_out=st.none() | amounts,
    error=st.none() | st.builds(Failure, text, text),
    history=st.lists(steps, max_size=6).map(tuple),
    lease_until=st.none() | times,
    lease_by=st.none() | st.text("abc", min_size=1, max_size=12),
    dead_letter_due=st.booleans(),
)
orders = st.builds(_quoted, orders, st.integers(1, 9))


@given(orders)
def test_an_order_comes_back_as_it_went(order: Order) -> None:
    assert decode(encode(order)) == order
    rest = encode_rest(order)
    assert decode_rest(rest, order.order_id, order.account, to_ms(order.created_at)) == order


def test_times_are_kept_to_the_millisecond() -> None:
    assert from_ms(to_ms(START + timedelta(milliseconds=7))) == START + timedelta(milliseconds=7)


def test_what_was_stored_yesterday_is_read_tomorrow() -> None:
    """If this fails, orders that stand in tables out there can't be read any more."""
    text = (
        '["o1","ann",1795335840000,{"in":"SOL","out":"USDC","amt":"1000000000","slip":50,'
        '"by":120000,"upd":1186,"st":4,"seq":2,"hist":[[0,0,0],[4,1186,1]],"try":1,'
        '"q":[["raydium","170","25",0],["meteora","VENUE_TIMEOUT"]],"qs":2,'
        '"rt":[[["raydium","pool","1000000000","170"]],"why"],'
        '"tx":["sig",602,60602,[["wrap-sol","1000000000","0",null],[0,"169"]]],"got":"170"}]'
    )
    order = decode(text)
    assert (order.order_id, order.account, order.status) == ("o1", "ann", Status.CONFIRMED)
    assert [step.status for step in order.history] == [Status.PENDING, Status.CONFIRMED]
    assert order.transaction
    assert order.transaction.instructions == (
        Instruction("wrap-sol", 10**9),
        Instruction("raydium", 10**9, 169, "pool"),
    )
    assert encode(order) == text
    assert {decode(text.replace('"st":4', f'"st":{n}')).status for n in range(7)} == set(Status)


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
