"""JSON Schemas (2020-12) of what goes in and out; requests come from the pydantic models."""

from typing import Any

from contracts.models import PlaceOrder
from engine.api.requests import KEY_PATTERN
from engine.domain.order import Status, TryOutcome

Schema = dict[str, Any]

ORDER_ID: Schema = {
    "type": "string",
    "pattern": KEY_PATTERN,
    "examples": ["7d1b5a3e-2c41-8f3a-9b57-0e6f4d2c1a90"],
}
DECIMAL: Schema = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]+)?$",
    "description": "A decimal number as text, exact.",
    "examples": ["163.05"],
}
TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
    "description": "RFC 3339, in UTC, to the millisecond.",
    "examples": ["2026-11-22T08:24:00.123Z"],
}
CODE: Schema = {
    "type": "string",
    "pattern": "^[A-Z][A-Z0-9_]+$",
    "description": "Stable; see docs/errors.md.",
}
TOKEN: Schema = {"type": "string", "description": "A token's symbol.", "examples": ["SOL"]}
SEQ: Schema = {"type": "integer", "minimum": 1}
SLIPPAGE: Schema = {"type": "integer", "minimum": 0, "maximum": 10_000}
COUNT: Schema = {"type": "integer", "minimum": 0}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def thing(description: str, optional: tuple[str, ...] = (), /, **fields: Schema) -> Schema:
    """Return the schema of an object; every field is required but the `optional` ones."""
    return {
        "type": "object",
        "description": description,
        "required": [name for name in fields if name not in optional],
        "properties": fields,
    }


def many(items: Schema, **bounds: int) -> Schema:
    return {"type": "array", "items": items, **bounds}


def nullable(schema: Schema, description: str) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}], "description": description}
    return {**schema, "type": [schema["type"], "null"], "description": description}


def titled(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def from_model(schema: Schema, said: dict[str, Schema]) -> Schema:
    """Return a pydantic model's schema without pydantic's titles, with what is `said` of fields."""
    schema = {key: value for key, value in schema.items() if key != "title"}
    schema["properties"] = {
        name: {k: v for k, v in field.items() if k != "title"} | said.get(name, {})
        for name, field in schema["properties"].items()
    }
    return schema


PLACE_ORDER = from_model(
    PlaceOrder.model_json_schema(),
    {
        "type": {"description": "Market orders only."},
        "tokenIn": {"description": "The token to sell, by its symbol.", "examples": ["SOL"]},
        "tokenOut": {"description": "The token to buy, by its symbol.", "examples": ["USDC"]},
        "amount": {
            "description": "How much of tokenIn to sell, no finer than its decimals. A number is "
            "read as written, never as a float.",
            "examples": ["1.5", 1],
        },
        "slippageBps": {
            "description": "How much less than quoted may come out, in hundredths of a percent.",
        },
        "clientOrderId": {
            "description": "Makes the call idempotent, as the Idempotency-Key header does.",
            "examples": ["rebalance-2026-11-22"],
        },
    },
)

SCHEMAS: dict[str, Schema] = {
    "PlaceOrder": PLACE_ORDER,
    "Status": {
        "type": "string",
        "enum": [status.value for status in Status],
        "description": "pending, routing, building, submitted, confirmed; failed from any of the "
        "first four; cancelled from pending only. The last three are final.",
    },
    "Order": thing(
        "A market order, all of it.",
        orderId=ORDER_ID,
        clientOrderId=nullable(ORDER_ID, "The idempotency key, if there was one."),
        type={"const": "market"},
        tokenIn=TOKEN,
        tokenOut=TOKEN,
        amount=titled(DECIMAL, "How much of tokenIn is sold."),
        slippageBps=SLIPPAGE,
        status=ref("Status"),
        seq=titled(SEQ, "One more with every change."),
        attempts=titled(COUNT, "How often it was tried to trade."),
        createdAt=TIME,
        updatedAt=TIME,
        quotes=many(ref("Quote")),
        route=nullable(ref("Route"), "What was chosen, and why; null before that."),
        minAmountOut=nullable(DECIMAL, "The least of tokenOut that is taken."),
        amountOut=nullable(DECIMAL, "What came out; null unless confirmed."),
        executedPrice=nullable(DECIMAL, "tokenOut for one tokenIn; null unless confirmed."),
        txHash=nullable(
            {"type": "string"}, "The signature that was sent last, whatever became of it."
        ),
        error=nullable(ref("Failure"), "Why the order failed; null unless it has."),
        history=many(ref("Step"), minItems=1),
        tries=many(ref("Try")),
    ),
    "Quote": {
        "description": "What one venue offered for the whole amount, or why it offered nothing.",
        "oneOf": [
            thing(
                "An offer.",
                venue={"type": "string"},
                amountOut=DECIMAL,
                minAmountOut=DECIMAL,
                fee=titled(DECIMAL, "The venue's fee, in feeToken; amountOut is net of it."),
                feeToken=titled(TOKEN, "tokenIn, or tokenOut of a pool that charges there."),
                priceImpactBps={"type": "integer"},
                price=titled(DECIMAL, "tokenOut for one tokenIn."),
            ),
            thing("No offer.", venue={"type": "string"}, error=CODE),
        ],
    },
    "Route": thing(
        "The swaps of an order, all in one transaction.",
        ("instructions",),
        legs=many(ref("Leg"), minItems=1),
        reason={"type": "string", "description": "Why this way, for people."},
        instructions=many(ref("Instruction")),
    ),
    "Leg": thing(
        "One swap.",
        venue={"type": "string"},
        pool={"type": "string"},
        amountIn=DECIMAL,
        amountOut=titled(DECIMAL, "What was quoted."),
        share=titled(DECIMAL, "The part of the order's amount, 0 to 1."),
    ),
    "Instruction": thing(
        "One step of the transaction.",
        ("pool", "amountIn", "minAmountOut"),
        program={"type": "string", "description": "wrap-sol, a venue's name, or unwrap-sol."},
        pool={"type": "string"},
        amountIn=DECIMAL,
        minAmountOut=DECIMAL,
    ),
    "Step": thing("One line of the history.", seq=SEQ, status=ref("Status"), at=TIME),
    "Try": thing(
        "What one attempt came to: every signature that was ever sent stands in one.",
        at=titled(TIME, "When it was signed, or found to have no route."),
        attempt=titled({"type": "integer", "minimum": 1}, "Which of the attempts it was."),
        txHash=nullable({"type": "string"}, "What was signed; null if it came to nothing before."),
        outcome={
            "type": "string",
            "enum": [outcome.value for outcome in TryOutcome],
            "description": "signed and stored, then sent; then landed, or reverted on the chain, "
            "or expired unlanded. noRoute: there was nothing to sign.",
        },
        code=nullable(CODE, "Why nothing was traded; null while it may be, and if it was."),
    ),
    "Failure": thing(
        "Why an order failed.",
        code=CODE,
        detail={"type": "string", "description": "For people."},
    ),
    "OrderPage": thing(
        "A page of orders, newest first.",
        orders=many(ref("Order"), maxItems=100),
        nextCursor=nullable(
            {"type": "string", "maxLength": 256}, "Send it as `cursor`; null on the last page."
        ),
    ),
    "Offer": thing(
        "What an order would do now.",
        tokenIn=TOKEN,
        tokenOut=TOKEN,
        amount=DECIMAL,
        slippageBps=SLIPPAGE,
        at=TIME,
        quotes=many(ref("Quote")),
        route=nullable(ref("Route"), "What would be chosen; null if no venue can fill it."),
        amountOut=nullable(DECIMAL, "What is quoted for the route."),
        minAmountOut=nullable(DECIMAL, "The least that slippageBps tolerates."),
    ),
    "Tokens": thing(
        "What trades here.",
        tokens=many(
            thing(
                "A token.",
                symbol=TOKEN,
                mint={"type": "string", "description": "Its address on the chain."},
                decimals={"type": "integer", "minimum": 0, "maximum": 18},
            )
        ),
        pairs=many(titled(many(TOKEN, minItems=2, maxItems=2), "Either may be sold.")),
    ),
    "Ticket": thing(
        "A ticket for one WebSocket connection.",
        ticket={"type": "string", "pattern": "^oet_[0-9a-f]{64}$"},
        expiresAt=TIME,
    ),
    "Health": thing("It is up.", status={"const": "ok"}),
    "Problem": thing(
        "An error (RFC 9457).",
        ("errors",),
        type={
            "type": "string",
            "format": "uri-reference",
            "pattern": "^/docs#[A-Z][A-Z0-9_]+$",
            "description": "Leads to what /docs says of the code; as stable as that.",
        },
        title={"type": "string", "description": "The same for every problem of this code."},
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail={"type": "string", "description": "For people."},
        code=CODE,
        requestId={"type": "string", "description": "As in X-Request-Id, and in the log."},
        errors=many(ref("FieldProblem"), minItems=1),
    ),
    "FieldProblem": thing(
        "What is wrong with one field.",
        pointer={
            "type": "string",
            "format": "json-pointer",
            "description": "Into the body (RFC 6901), or a slash and a parameter's name.",
        },
        code=CODE,
        detail={"type": "string"},
    ),
    "GatewayMessage": thing(
        "What API Gateway itself says in the engine's stead.",
        message={"type": "string", "examples": ["Too Many Requests"]},
    ),
}
