"""Place, read, list, change and cancel."""

import re
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from engine.api import models, requests
from engine.api.base import ID_EXAMPLES, KEY_EXAMPLES, is_id
from engine.api.contract import NO_BODY, RATE, answers, header
from engine.api.problems import JSON, Problem, invalid, rate_headers
from engine.api.resolver import Resolver, no_body
from engine.api.routes.market import named_pair
from engine.api.views import order_view, timestamp
from engine.domain.errors import FieldCode, FieldProblem
from engine.domain.order import ID_PATTERN, Order, Status
from engine.domain.terms import OrderType
from engine.service.cancelling import Cancelling
from engine.service.changing import Changing
from engine.service.placing import Placing
from engine.service.reading import Reading, Wanted

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
_SEQ = re.compile(r'"[0-9]{1,9}"')
#: Its pattern is looked at last: the body's own key comes first.
_IDEMPOTENCY_KEY = Header(
    alias="Idempotency-Key",
    json_schema_extra={"pattern": ID_PATTERN},
    description="Names this order among those of the account.",
)
_IF_MATCH = Header(
    alias="If-Match",
    description="The ETag of the order as you know it: with another the answer is 412.",
    examples=['"3"'],
)
_PAIR = Query(description="Orders of this pair only: BASE/QUOTE.", examples=["SOL/USDC"])
_ETAG = {"ETag": header("The order's seq, in quotes; for If-Match.", pattern='^"[0-9]+"$')}
_TAG: dict[str, Any] = {"tags": ["Orders"]}
_PLACE, _CANCEL_ALL = "/api/orders/execute", "/api/orders/cancel-all"


def add_orders(
    app: Resolver, placing: Placing, reading: Reading, changing: Changing, cancelling: Cancelling
) -> None:
    """Add the calls about orders."""
    app.tagged[_PLACE] = frozenset(OrderType)

    @app.post(
        _PLACE,
        operation_id="placeOrder",
        summary="Place an order",
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
            "WOULD_TRIGGER_NOW",
            "TOO_MANY_RESTING_ORDERS",
            "ORDER_RATE_EXCEEDED",
            "TRADING_HALTED",
            "PRICE_UNAVAILABLE",
            headers=_ETAG
            | {
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
        order: Annotated[requests.PlaceOrder, Body(discriminator="type")],
        idempotency_key: Annotated[str | None, _IDEMPOTENCY_KEY] = None,
    ) -> Response[models.Order]:
        key = _key(order.client_order_id, idempotency_key)
        request_id = app.current_event.request_context.request_id
        placed = placing.place(
            requests.wish_of(order, key), account=app.caller.account, correlation_id=request_id
        )
        headers = {"Location": f"/api/orders/{placed.order.order_id}"}
        if placed.allowance:
            headers |= rate_headers(placed.allowance)
        if placed.replayed:
            headers["Idempotent-Replayed"] = "true"
        return _answer(placed.order, 202, headers)

    @app.get(
        "/api/orders/by-client-id/<clientOrderId>",
        operation_id="getOrderByClientId",
        summary="Read an order by its client's id",
        description="The order that was placed with this clientOrderId, or Idempotency-Key.",
        responses=answers(200, "ORDER_NOT_FOUND", headers=_ETAG),
        **_TAG,
    )
    def get_order_by_client_id(
        client_order_id: Annotated[str, _CLIENT_ORDER_ID],
    ) -> Response[models.Order]:
        return _answer(reading.by_client_id(client_order_id, account=app.caller.account))

    @app.post(
        _CANCEL_ALL,
        operation_id="cancelAllOrders",
        summary="Cancel all resting orders",
        description="All that rest, or those of a pair, however many, at once: from the answer on "
        "they read as cancelled, and none of them trades. An order that has just come due is "
        "cancelled too if no worker has begun.",
        responses=answers(
            200,
            "MALFORMED_JSON",
            "BODY_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "INVALID_BODY",
            fields={FieldCode.UNKNOWN_FIELD, FieldCode.UNSUPPORTED_PAIR},
        ),
        **_TAG,
    )
    def cancel_all_orders(
        which: Annotated[requests.CancelAll, Body()],
    ) -> models.Cancelled:
        if which.pair is not None:
            named_pair(which.pair, placing, "INVALID_BODY")
        at = cancelling.cancel_all(which.pair, account=app.caller.account)
        return models.Cancelled(pair=which.pair, cancelled_at=timestamp(at))

    @app.post(
        "/api/orders/<orderId>/cancel",
        operation_id="cancelOrder",
        summary="Cancel an order",
        description="Works while it rests, and as long as no worker has begun. Cancelling what is "
        "cancelled is harmless.",
        responses=answers(200, "ORDER_NOT_FOUND", "ORDER_NOT_CANCELLABLE", *NO_BODY, headers=_ETAG),
        middlewares=[no_body],
        **_TAG,
    )
    def cancel_order(order_id: Annotated[str, _ORDER_ID]) -> Response[models.Order]:
        return _answer(cancelling.cancel(order_id, account=app.caller.account))

    @app.get(
        "/api/orders/<orderId>",
        operation_id="getOrder",
        summary="Read an order",
        description="The whole order, as it is now.",
        responses=answers(200, "ORDER_NOT_FOUND", headers=_ETAG),
        **_TAG,
    )
    def get_order(order_id: Annotated[str, _ORDER_ID]) -> Response[models.Order]:
        return _answer(reading.order(order_id, account=app.caller.account))

    @app.patch(
        "/api/orders/<orderId>",
        operation_id="changeOrder",
        summary="Change an order that rests",
        description="Its prices, slippage, end; what is left out stays. Only while it rests, and "
        "at most 100 times. A change that makes it due at once is taken as ifTriggered says. The "
        "same change again changes nothing.",
        responses=answers(
            200,
            "MALFORMED_JSON",
            "ORDER_NOT_FOUND",
            "ORDER_NOT_CHANGEABLE",
            "PRECONDITION_FAILED",
            "BODY_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "INVALID_ORDER",
            "WOULD_TRIGGER_NOW",
            headers=_ETAG,
        ),
        **_TAG,
    )
    def change_order(
        order_id: Annotated[str, _ORDER_ID],
        change: Annotated[requests.ChangeOrder, Body()],
        if_match: Annotated[str | None, _IF_MATCH] = None,
    ) -> Response[models.Order]:
        account, seqs = app.caller.account, _seqs(if_match)
        return _answer(changing.change(order_id, change.changes, account=account, seqs=seqs))

    @app.get(
        "/api/orders",
        operation_id="listOrders",
        summary="List orders",
        description="Newest first, page by page: send `nextCursor` as `cursor`, with the same "
        "filters. Orders that come meanwhile are not in later pages. With a filter, a page may "
        "be short, or empty, and still have a next one.",
        responses=answers(200, "INVALID_CURSOR", "INVALID_QUERY"),
        **_TAG,
    )
    def list_orders(
        status: Annotated[Status | None, Query(description="Orders in this state only.")] = None,
        kind: Annotated[
            OrderType | None, Query(alias="type", description="Orders of this type only.")
        ] = None,
        pair: Annotated[models.Wanted | None, _PAIR] = None,
        limit: Annotated[models.Limit, Query(description="The most orders in a page.")] = 50,
        cursor: Annotated[
            str | None,
            Query(min_length=1, max_length=256, description="`nextCursor` of the page before."),
        ] = None,
    ) -> models.OrderPage:
        wanted = Wanted(status, kind, pair)
        page, after = reading.page(app.caller.account, wanted, limit=limit, cursor=cursor)
        return models.OrderPage(orders=[order_view(order) for order in page], next_cursor=after)


def _answer(
    order: Order, status: int = 200, headers: dict[str, str] | None = None
) -> Response[models.Order]:
    headers = {"ETag": f'"{order.seq}"', **(headers or {})}
    return Response(status, JSON, order_view(order), headers)


def _seqs(if_match: str | None) -> frozenset[int] | None:
    """Return which `seq` If-Match lets pass; None: any. What it can't mean lets none pass."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (tag.strip() for tag in if_match.split(","))
    return frozenset(int(tag[1:-1]) for tag in tags if _SEQ.fullmatch(tag))


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
