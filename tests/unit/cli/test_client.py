"""The client: cuts are survived, nothing is doubled, and errors say what they are."""

import ast
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from contracts.__main__ import ROOT
from engine.api.views import order_view
from oee.client import (
    Conflict,
    Forbidden,
    Halted,
    NotFound,
    NotUnderstood,
    RateLimited,
    Refused,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from oee.client.models import ChangeOrder, NoQuote, Order, PlaceLimit, PlaceMarket, Status
from tests.contract.test_contracts import orders
from tests.unit.cli.conftest import Socket, a_message, a_problem, an_engine, an_order

PONG = '{"type":"pong"}'
CUT = httpx.ReadError("cut")
CLIENT = ROOT / "cli/oee/client"


@pytest.mark.parametrize("path", sorted(CLIENT.glob("*.py")), ids=lambda path: path.name)
def test_the_client_needs_neither_the_engine_nor_the_command_line(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            assert name.split(".")[0] not in {"engine", "local", "typer", "rich"}, name
            assert not name.startswith("oee.") or name.startswith("oee.client"), name


@pytest.mark.parametrize("order", orders(), ids=lambda order: str(order.status))
def test_an_order_is_written_as_it_was_read(order: object) -> None:
    told = order_view(order).model_dump(mode="json")  # type: ignore[arg-type]
    read = Order.model_validate(told)
    assert json.loads(read.json_text()) == told
    assert all(
        isinstance(quote, NoQuote) is ("error" in raw)
        for quote, raw in zip(read.quotes, told["quotes"], strict=True)
    )


def test_what_a_newer_engine_tells_is_kept() -> None:
    told = an_order(status="frozen", type="twap", parts=3)
    read = Order.model_validate(told)
    assert (read.status, read.status == Status.PENDING) == ("frozen", False)
    assert json.loads(read.json_text()) == told


def test_amounts_are_exact() -> None:
    order = PlaceMarket(token_in="SOL", token_out="USDC", amount=Decimal("1e-9"))
    assert json.loads(order.model_dump_json())["amount"] == "0.000000001"
    with pytest.raises(ValueError, match="float"):
        PlaceMarket(token_in="SOL", token_out="USDC", amount=0.1)  # type: ignore[arg-type]
    engine, _ = an_engine(CUT)
    with pytest.raises(TypeError, match="float"):
        engine.place({"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": 0.1})


def test_a_placing_whose_answer_is_lost_is_repeated_under_its_key(waits: list[float]) -> None:
    engine, script = an_engine(
        CUT,
        a_problem(503, "STORE_UNAVAILABLE", Retry_After="1"),
        httpx.Response(202, json=an_order()),
    )
    order = PlaceLimit(
        token_in="SOL", token_out="USDC", amount=Decimal(1), limit_price=Decimal(180)
    )
    assert engine.place(order).status == "pending"
    keys = {request.headers["Idempotency-Key"] for request in script.asked}
    assert (len(script.asked), len(keys), len(waits)) == (3, 1, 2)
    assert waits[1] >= 1
    bodies = {request.content for request in script.asked}
    assert [json.loads(body) for body in bodies] == [
        {"type": "limit", "tokenIn": "SOL", "tokenOut": "USDC", "amount": "1", "limitPrice": "180"}
    ]


def test_a_client_order_id_is_the_key() -> None:
    engine, script = an_engine(httpx.Response(202, json=an_order()))
    engine.place({"type": "market", "clientOrderId": "mine"})
    assert "Idempotency-Key" not in script.asked[0].headers


def test_a_placing_that_is_never_answered_tells_its_key(waits: list[float]) -> None:
    engine, script = an_engine(CUT, patience=5)
    with pytest.raises(Unreachable) as raised:
        engine.place({"type": "market"}, key="k")
    assert raised.value.key == "k"
    assert len(script.asked) > 3
    assert sum(waits) <= 5


def test_a_placing_that_did_not_leave_has_no_key_to_ask_for(waits: list[float]) -> None:
    engine, _ = an_engine(httpx.ConnectError("refused"), patience=1)
    with pytest.raises(Unreachable) as raised:
        engine.place({"type": "market"})
    assert raised.value.key is None


def test_a_change_on_condition_is_not_repeated_unseen(waits: list[float]) -> None:
    to = ChangeOrder(limit_price=Decimal(181))
    engine, script = an_engine(CUT, httpx.Response(200, json=an_order()))
    with pytest.raises(Unreachable):
        engine.change("o", to, if_seq=3)
    assert [request.headers["If-Match"] for request in script.asked] == ['"3"']
    assert engine.change("o", to).seq == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (a_problem(401, "UNAUTHENTICATED"), Unauthenticated),
        (a_problem(403, "OPERATOR_ONLY"), Forbidden),
        (a_problem(404, "ORDER_NOT_FOUND"), NotFound),
        (a_problem(409, "ORDER_NOT_CANCELLABLE"), Conflict),
        (a_problem(412, "PRECONDITION_FAILED"), Conflict),
        (a_problem(422, "INVALID_ORDER"), Refused),
        (a_problem(503, "TRADING_HALTED", Retry_After="30"), Halted),
        (httpx.Response(200, text="<html>"), NotUnderstood),
        (httpx.Response(404, text="<html>"), NotUnderstood),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_what_does_not_change_is_not_asked_again(
    waits: list[float], answer: httpx.Response, error: type[Exception]
) -> None:
    engine, script = an_engine(answer)
    with pytest.raises(error) as raised:
        engine.cancel("o")
    assert type(raised.value) is error
    assert (len(script.asked), waits) == (1, [])


def test_a_rate_that_is_exceeded_for_longer_than_one_waits_is_told(waits: list[float]) -> None:
    engine, script = an_engine(a_problem(429, "ORDER_RATE_EXCEEDED", Retry_After="42"))
    with pytest.raises(RateLimited):
        engine.place({"type": "market"})
    assert len(script.asked) == 1


def test_the_list_goes_on_from_page_to_page() -> None:
    pages = [
        httpx.Response(200, json={"orders": [an_order(orderId=name)], "nextCursor": cursor})
        for name, cursor in (("a", "c1"), ("b", "c2"), ("c", None))
    ]
    engine, script = an_engine(*pages)
    assert [order.order_id for order in engine.list(status="pending")] == ["a", "b", "c"]
    assert [request.url.params.get("cursor") for request in script.asked] == [None, "c1", "c2"]
    assert {request.url.params["status"] for request in script.asked} == {"pending"}


# The stream

Line = Callable[..., list[Socket]]


def test_a_watch_over_cuts_tells_each_state_once(waits: list[float], line: Line) -> None:
    sockets = line(
        Socket([a_message(1, "pending"), a_message(2, "routing")]),
        ConnectionRefusedError("down"),
        Socket([a_message(2, "routing"), a_message(3, "building"), TimeoutError(), PONG]),
        Socket([a_message(4, "submitted"), a_message(4, "submitted"), a_message(5, "confirmed")]),
    )  # fmt: skip
    engine, _ = an_engine(CUT)
    told = [(update.seq, update.status) for update in engine.watch("o")]
    assert told == [
        (1, "pending"), (2, "routing"), (3, "building"), (4, "submitted"), (5, "confirmed")
    ]  # fmt: skip
    frames = [socket.sent[0] for socket in sockets]
    assert [frame["afterSeq"] for frame in frames] == [0, 2, 3]
    assert sockets[1].sent[1] == {"action": "ping"}
    assert len(waits) == 3


def test_a_line_that_is_silent_is_given_up(waits: list[float], line: Line) -> None:
    line(Socket([TimeoutError(), TimeoutError()]), Socket([a_message(1, "confirmed")]))
    engine, _ = an_engine(CUT)
    assert [update.seq for update in engine.watch("o")] == [1]


def test_an_order_that_is_not_there_can_not_be_watched(line: Line) -> None:
    line(Socket([json.dumps({"type": "error", "code": "ORDER_NOT_FOUND", "detail": "no"})]))
    engine, _ = an_engine(CUT)
    with pytest.raises(NotFound):
        next(engine.watch("o"))


def test_a_watch_ends_in_time(waits: list[float], line: Line) -> None:
    class Slow(Socket):
        def recv(self, timeout: float) -> str:
            waits.append(timeout)
            raise TimeoutError

    line(Slow([]))
    engine, _ = an_engine(CUT)
    with pytest.raises(TimedOut):
        next(engine.watch("o", timeout=3))
    assert sum(waits) == 3


def test_a_stream_that_is_never_had_is_unreachable(waits: list[float], line: Line) -> None:
    line(*[ConnectionRefusedError("down")] * 99)
    engine, _ = an_engine(CUT, patience=5)
    with pytest.raises(Unreachable):
        next(engine.watch("o"))


def test_orders_that_ended_while_all_were_watched_and_cut_are_told(
    waits: list[float], line: Line
) -> None:
    line(
        Socket([a_message(2, "routing", orderId="a"), a_message(1, "pending", orderId="b")]),
        Socket([a_message(2, "routing", orderId="b")]),
        RuntimeError("the test is over"),
    )
    engine, script = an_engine(
        httpx.Response(200, json=an_order(orderId="a", seq=5, status="confirmed")),
        httpx.Response(200, json=an_order(orderId="b")),
    )
    watching = engine.watch_all()
    told = [next(watching) for _ in range(4)]
    assert sorted((each.order_id, each.seq, each.status) for each in told) == [
        ("a", 2, "routing"), ("a", 5, "confirmed"), ("b", 1, "pending"), ("b", 2, "routing")
    ]  # fmt: skip
    assert {request.url.path for request in script.asked} >= {"/api/orders/a", "/api/orders/b"}
