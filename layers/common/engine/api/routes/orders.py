"""Place, read, list and cancel."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from engine.api import models
from engine.api.base import ID_EXAMPLES, KEY_EXAMPLES, is_id
from engine.api.contract import NO_BODY, RATE, answers, header
from engine.api.problems import JSON, Problem, invalid, rate_headers
from engine.api.resolver import Resolver, no_body
from engine.api.views import order_view
from engine.domain.errors import FieldCode, FieldProblem
from engine.domain.order import ID_PATTERN, Status
from engine.service.cancelling import Cancelling
from engine.service.placing import Placing, Wish
from engine.service.reading import Reading

_ORDER_ID = Path(
    alias="orderId",
    pattern=ID_PATTERN,
    description="As the order's placing answered it.",
    examples=ID_EXAMPLES,
)
_CLIENT_ORDER_ID = Path(
    alias="clientOrderId",
    pattern=ID_PATTERN,
    description="The idempotency key that it was placed with.",
    examples=KEY_EXAMPLES,
)
#: Its pattern is looked at last: the body's own key comes first.
_IDEMPOTENCY_KEY = Header(
    alias="Idempotency-Key",
    json_schema_extra={"pattern": ID_PATTERN},
    description="Names this order among those of the account.",
)
_TAG: dict[str, Any] = {"tags": ["Orders"]}


def add_orders(app: Resolver, placing: Placing, reading: Reading, cancelling: Cancelling) -> None:
    """Add the calls about orders."""

    @app.post(
        "/api/orders/execute",
        operation_id="placeOrder",
        summary="Place a market order",
        description="The order is stored before the answer goes out. With an idempotency key, in "
        "the header or as clientOrderId, the same call may be repeated for ever: it is one order, "
        "and the repeats are answered as the first was.",
        responses=answers(
            202,
            "MALFORMED_JSON",
            "INVALID_IDEMPOTENCY_KEY",
            "IDEMPOTENCY_KEY_REUSED",
            "BODY_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "INVALID_ORDER",
            "ORDER_RATE_EXCEEDED",
            "TRADING_HALTED",
            headers={
                "Location": header("The order's path.", format="uri-reference"),
                "Idempotent-Replayed": header(
                    "`true` if the order was there already.", required=False, const="true"
                ),
                **RATE,
            },
        ),
        **_TAG,
    )
    def place_order(
        order: Annotated[models.PlaceOrder, Body()],
        idempotency_key: Annotated[str | None, _IDEMPOTENCY_KEY] = None,
    ) -> Response[models.Order]:
        key = _key(order.client_order_id, idempotency_key)
        wish = Wish(order.token_in, order.token_out, order.amount, order.slippage_bps, key)
        placed = placing.place(wish, account=app.caller.account)
        headers = {"Location": f"/api/orders/{placed.order.order_id}"}
        if placed.allowance:
            headers |= rate_headers(placed.allowance)
        if placed.replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(202, JSON, order_view(placed.order), headers)

    @app.get(
        "/api/orders/by-client-id/<clientOrderId>",
        operation_id="getOrderByClientId",
        summary="Read an order by its client's id",
        description="The order that was placed with this clientOrderId, or Idempotency-Key.",
        responses=answers(200, "ORDER_NOT_FOUND"),
        **_TAG,
    )
    def get_order_by_client_id(
        client_order_id: Annotated[str, _CLIENT_ORDER_ID],
    ) -> models.Order:
        return order_view(reading.by_client_id(client_order_id, account=app.caller.account))

    @app.post(
        "/api/orders/<orderId>/cancel",
        operation_id="cancelOrder",
        summary="Cancel an order",
        description="Works as long as no worker has begun. Cancelling what is cancelled is "
        "harmless.",
        responses=answers(200, "ORDER_NOT_FOUND", "ORDER_NOT_CANCELLABLE", *NO_BODY),
        middlewares=[no_body],
        **_TAG,
    )
    def cancel_order(order_id: Annotated[str, _ORDER_ID]) -> models.Order:
        return order_view(cancelling.cancel(order_id, account=app.caller.account))

    @app.get(
        "/api/orders/<orderId>",
        operation_id="getOrder",
        summary="Read an order",
        description="The whole order, as it is now.",
        responses=answers(200, "ORDER_NOT_FOUND"),
        **_TAG,
    )
    def get_order(order_id: Annotated[str, _ORDER_ID]) -> models.Order:
        return order_view(reading.order(order_id, account=app.caller.account))

    @app.get(
        "/api/orders",
        operation_id="listOrders",
        summary="List orders",
        description="Newest first, page by page: send `nextCursor` as `cursor`, with the same "
        "`status`. Orders that come meanwhile are not in later pages. With `status`, a page may "
        "be short, or empty, and still have a next one.",
        responses=answers(200, "INVALID_CURSOR", "INVALID_QUERY"),
        **_TAG,
    )
    def list_orders(
        status: Annotated[Status | None, Query(description="Orders in this state only.")] = None,
        limit: Annotated[models.Limit, Query(description="The most orders in a page.")] = 50,
        cursor: Annotated[
            str | None,
            Query(min_length=1, max_length=256, description="`nextCursor` of the page before."),
        ] = None,
    ) -> models.OrderPage:
        page, after = reading.page(app.caller.account, status=status, limit=limit, cursor=cursor)
        return models.OrderPage(orders=[order_view(order) for order in page], next_cursor=after)


def _key(in_body: str | None, in_header: str | None) -> str | None:
    """Return the idempotency key, wherever it stands. Raises Problem if it can't be one."""
    if in_header is None:
        return in_body
    if in_body not in (None, in_header):
        detail = "differs from the Idempotency-Key header; send one of them, or both alike"
        wrong = FieldProblem("/clientOrderId", FieldCode.KEY_MISMATCH, detail)
        raise invalid("INVALID_ORDER", [wrong])
    if not is_id(in_header):
        raise Problem(
            "INVALID_IDEMPOTENCY_KEY", "Idempotency-Key must be 1 to 64 of A-Z a-z 0-9 . _ : -"
        )
    return in_header
