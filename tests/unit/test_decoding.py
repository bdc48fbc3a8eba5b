"""Whatever can't be decoded is Undecodable, and nothing else; what is decoded can be told."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.aws.orders import item_order, order_item, place_in_time
from engine.adapters.aws.queue import message_body, read_message
from engine.adapters.aws.subscriptions import item_subscriptions
from engine.adapters.codec import VERSION, encode, encode_rest
from engine.api.views import message, order_view
from engine.domain.errors import InvalidCursor, Undecodable
from engine.domain.order import Failure, Order
from engine.domain.terms import Terms
from engine.domain.tokens import USDC, Token
from engine.ports.queue import WorkMessage
from engine.service.epochs import Epochs
from engine.service.reading import Reading, Wanted
from tests.fakes import START, MemoryAccess, MemoryOrders, MemoryRosters, a_life, an_order
from tests.hostile import NO_JSON, spoilt, spoilt_row, spoilt_text

GONE = Token("GONE", "Gone111111111111111111111111111111111111111", 4)
LIFE = a_life(an_order(client_order_id="k"), at=START)
ORDERS = [
    *LIFE,
    LIFE[3].fail(Failure("SLIPPAGE_EXCEEDED", "moved"), at=START, dead_letter=True),
    LIFE[1].wait(LIFE[2].quotes, "VENUES_UNAVAILABLE", at=START, until=START + timedelta(1)),
    an_order(terms=Terms(GONE, USDC, 5, 0)),
]
ROWS = st.sampled_from(ORDERS).map(order_item).flatmap(spoilt_row)
BODIES = (
    st.sampled_from(ORDERS)
    .map(lambda order: message_body(WorkMessage(order.order_id, order)))
    .flatmap(spoilt_text)
)


def _tell(order: Order) -> None:
    """Do with an order what is done with orders that were read."""
    for seq in range(1, order.seq + 1):
        message("status", order.as_of(seq))
    order_view(order)
    place_in_time(order)
    assert order.held(START) in {True, False}
    assert order_item(order)["seq"] == {"N": str(order.seq)}
    encode(order), encode_rest(order)


@given(ROWS)
def test_a_row_is_an_order_that_can_be_told_or_undecodable(row: dict[str, Any]) -> None:
    with contextlib.suppress(Undecodable):
        _tell(item_order(row))


@given(BODIES)
def test_a_message_is_work_that_can_be_done_or_undecodable(body: str) -> None:
    with contextlib.suppress(Undecodable):
        work = read_message(body)
        assert isinstance(work.order_id, str)
        if work.snapshot:
            _tell(work.snapshot)


@given(spoilt_text("[3,1795335840000,1795335841000,0]"))
def test_a_subscription_that_can_not_be_decoded_is_left_out_of_its_row(entry: str) -> None:
    row = {"pk": {"S": "ORDER#o1"}, "sk": {"S": "WATCHERS#ann"}, "c:bad": {"S": entry}}
    good = {"c:good": {"S": "[3,1795335840000,1795335841000,0]"}}
    assert "good" in [
        subscription.connection_id for subscription in item_subscriptions({**row, **good})
    ]


@given(spoilt("a cursor") | st.text() | st.sampled_from(NO_JSON))
def test_a_cursor_is_of_this_list_or_refused(cursor: object) -> None:
    reading = Reading(MemoryOrders(), MemoryAccess(), Epochs(MemoryRosters()))
    with pytest.raises(InvalidCursor):
        reading.page("ann", Wanted(), limit=1, cursor=str(cursor))


@pytest.mark.parametrize(
    "body",
    [
        *NO_JSON, "[]", "{}", "null", '{"orderId":7}', '{"orderId":"o","order":"{}"}',
        '{"v":99,"orderId":"o"}', '{"orderId":"o","order":null,"v":"1"}',
        message_body(WorkMessage("another", an_order())),
        message_body(WorkMessage(an_order().order_id, an_order())).replace("[0,0", "[7,0"),
    ],
)  # fmt: skip
def test_what_no_version_of_ours_wrote_or_a_newer_one_is_undecodable(body: str) -> None:
    with pytest.raises(Undecodable):
        read_message(body)


def test_a_row_of_a_newer_version_is_undecodable_however_well_it_reads() -> None:
    row = order_item(an_order())
    assert item_order(row) == an_order()
    with pytest.raises(Undecodable, match=f"version {VERSION + 1}"):
        item_order({**row, "v": {"N": str(VERSION + 1)}})
    assert item_order({name: value for name, value in row.items() if name != "v"}) == an_order()
