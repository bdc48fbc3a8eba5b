"""Orders as text: one compact JSON document, kept small because a write is paid by the kilobyte.

Times are milliseconds since 1970, amounts decimal strings of base units (a DynamoDB or JavaScript
number would lose digits), absent values are left out.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.domain.order import (
    Failure,
    Instruction,
    Leg,
    Order,
    Quote,
    Route,
    Status,
    Step,
    Transaction,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_STATUSES = list(Status)


def to_ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return (at - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    return _EPOCH + ms * _MS


def encode(order: Order) -> str:
    """Return `order` as text; `decode` gives the same order back."""
    doc: dict[str, Any] = {
        "id": order.order_id,
        "acct": order.account,
        "in": order.token_in,
        "out": order.token_out,
        "amt": str(order.amount),
        "slip": order.slippage_bps,
        "at": to_ms(order.created_at),
        "by": to_ms(order.deadline),
        "upd": to_ms(order.updated_at),
        "st": order.status.value,
        "seq": order.seq,
        "hist": [[s.seq, _STATUSES.index(s.status), to_ms(s.at), s.attempt] for s in order.history],
    }
    if order.client_order_id is not None:
        doc["cid"] = order.client_order_id
    if order.attempts:
        doc["try"] = order.attempts
    if order.quotes:
        doc["q"] = [
            [q.venue, q.error]
            if q.error
            else [q.venue, str(q.amount_out), str(q.fee), q.price_impact_bps]
            for q in order.quotes
        ]
        doc["qs"] = order.quoted_seq
    if order.route:
        legs = [[g.venue, g.pool, str(g.amount_in), str(g.amount_out)] for g in order.route.legs]
        doc["rt"] = [legs, order.route.reason]
    if order.transaction:
        tx = order.transaction
        steps = [
            [i.program, str(i.amount_in), str(i.min_amount_out), i.pool] for i in tx.instructions
        ]
        doc["tx"] = [tx.signature, to_ms(tx.signed_at), to_ms(tx.expires_at), steps]
    if order.amount_out is not None:
        doc["got"] = str(order.amount_out)
    if order.error:
        doc["err"] = [order.error.code, order.error.detail]
    if order.lease_until:
        doc["lu"] = to_ms(order.lease_until)
    if order.lease_by:
        doc["lb"] = order.lease_by
    if order.dead_letter_due:
        doc["dl"] = 1
    return json.dumps(doc, separators=(",", ":"), ensure_ascii=False)


def decode(text: str) -> Order:
    """Return the order that `encode` wrote."""
    doc = json.loads(text)
    return Order(
        order_id=doc["id"],
        account=doc["acct"],
        token_in=doc["in"],
        token_out=doc["out"],
        amount=int(doc["amt"]),
        slippage_bps=doc["slip"],
        created_at=from_ms(doc["at"]),
        updated_at=from_ms(doc["upd"]),
        deadline=from_ms(doc["by"]),
        client_order_id=doc.get("cid"),
        status=Status(doc["st"]),
        seq=doc["seq"],
        attempts=doc.get("try", 0),
        quotes=tuple(_quote(*row) for row in doc.get("q", ())),
        quoted_seq=doc.get("qs", 0),
        route=_route(*doc["rt"]) if "rt" in doc else None,
        transaction=_transaction(*doc["tx"]) if "tx" in doc else None,
        amount_out=int(doc["got"]) if "got" in doc else None,
        error=Failure(*doc["err"]) if "err" in doc else None,
        history=tuple(
            Step(seq, _STATUSES[st], from_ms(at), attempt) for seq, st, at, attempt in doc["hist"]
        ),
        lease_until=from_ms(doc["lu"]) if "lu" in doc else None,
        lease_by=doc.get("lb"),
        dead_letter_due="dl" in doc,
    )


def _quote(venue: str, first: str, fee: str | None = None, impact: int = 0) -> Quote:
    if fee is None:
        return Quote(venue, error=first)
    return Quote(venue, int(first), int(fee), impact)


def _route(legs: list[list[str]], reason: str) -> Route:
    return Route(tuple(Leg(v, pool, int(i), int(o)) for v, pool, i, o in legs), reason)


def _transaction(signature: str, signed: int, expires: int, steps: list[Any]) -> Transaction:
    instructions = tuple(Instruction(p, int(i), int(m), pool) for p, i, m, pool in steps)
    return Transaction(signature, from_ms(signed), from_ms(expires), instructions)
