"""A repeat of an accepted order is that order, whatever is refused since."""

from dataclasses import replace

from engine.adapters.aws.orders import DynamoOrders
from engine.domain.order import order_id_of
from engine.domain.terms import Terms
from engine.domain.tokens import USDC, Token
from tests.e2e.client import Trader, a_body, a_stored_order
from tests.e2e.conftest import Accounts


def _refused(trader: Trader, amount: int) -> bool:
    """Tell whether an order of so many SOL would be refused now for being too large."""
    query = {"tokenIn": "SOL", "tokenOut": "USDC", "amount": str(amount)}
    answer = trader.http.get("/api/quotes", params=query)
    if answer.status_code == 200:
        return False
    problems = [(e["pointer"], e["code"]) for e in answer.json()["errors"]]
    assert (answer.status_code, problems) == (422, [("/amount", "NOTIONAL_TOO_LARGE")])
    return True


def _largest(trader: Trader) -> int:
    """Return the largest order that is taken now, in whole SOL."""
    low, high = 1, 10_000_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _refused(trader, middle) else (middle, high)
    return low


def test_an_order_is_told_again_although_it_would_be_too_large_by_now(account: Accounts) -> None:
    trader = account("edge")
    trader.move("SOL/USDC", 150)
    body = a_body(amount=_largest(trader), clientOrderId="k")
    first = trader.post(body)
    assert first.status_code == 202
    trader.move("SOL/USDC", 151)
    assert _refused(trader, body["amount"])
    again = trader.post(body)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = trader.post({**body, "amount": 1})
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_an_order_of_a_token_that_is_delisted_is_told_read_listed_and_cancelled(
    account: Accounts, stored: DynamoOrders
) -> None:
    trader = account("delisted")
    gone = Token("GONE", "Gone111111111111111111111111111111111111111", 4)
    order = replace(
        a_stored_order(trader.account),
        order_id=order_id_of(trader.account, "k"),
        client_order_id="k",
        terms=Terms(gone, USDC, 12_345, 50),
    )
    stored.add(order)
    body = a_body(tokenIn="GONE", amount="1.2345", clientOrderId="k")
    told = trader.post(body)
    assert (told.status_code, told.headers["Idempotent-Replayed"]) == (202, "true")
    assert (told.json()["orderId"], told.json()["amount"]) == (order.order_id, "1.2345")
    assert trader.post({**body, "amount": "1.2346"}).status_code == 409
    assert trader.post({**body, "clientOrderId": "new"}).status_code == 422
    assert trader.http.get(f"/api/orders/{order.order_id}").json() == told.json()
    assert trader.http.get("/api/orders").json()["orders"] == [told.json()]
    cancelled = trader.http.post(f"/api/orders/{order.order_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert trader.post(body).json() == told.json()
