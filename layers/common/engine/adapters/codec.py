"""Orders as text: one compact JSON document, kept small because a write is paid by the kilobyte.

Times are milliseconds since 1970, or since the order was placed; amounts are decimal strings of
base units (a DynamoDB or JavaScript number would lose digits); absent values are left out.
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
    Try,
    TryOutcome,
)
from engine.domain.terms import Terms
from engine.domain.tokens import (
    BONK,
    JUP,
    RAY,
    SOL,
    USDC,
    USDT,
    XDROP,
    XFAIL,
    XSLIP,
    Token,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
#: A status is stored as its place in this list: add at the end only.
_STATUSES = [
    Status.PENDING,
    Status.ROUTING,
    Status.BUILDING,
    Status.SUBMITTED,
    Status.CONFIRMED,
    Status.FAILED,
    Status.CANCELLED,
]
#: Tokens that a row names by their symbols alone, to save a hundred bytes. This is no list of what
#: trades: an entry is never changed or removed, for rows out there mean it. Others are written out.
_KNOWN = {t.symbol: t for t in (SOL, USDC, USDT, RAY, JUP, BONK, XFAIL, XSLIP, XDROP)}
#: Likewise.
_OUTCOMES = [
    TryOutcome.SIGNED,
    TryOutcome.SENT,
    TryOutcome.LANDED,
    TryOutcome.REVERTED,
    TryOutcome.EXPIRED,
    TryOutcome.NO_ROUTE,
]


def to_ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return (at - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    return _EPOCH + ms * _MS


def encode(order: Order) -> str:
    """Return `order` as text; `decode` gives the same order back."""
    whole = [order.order_id, order.account, to_ms(order.created_at), _doc(order)]
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


def decode(text: str) -> Order:
    """Return the order that `encode` wrote."""
    order_id, account, created_ms, doc = json.loads(text)
    return _order(doc, order_id, account, created_ms)


def encode_rest(order: Order) -> str:
    """Return all of `order` but its id, account and time of creation, which its row has besides."""
    return json.dumps(_doc(order), separators=(",", ":"), ensure_ascii=False)


def decode_rest(text: str, order_id: str, account: str, created_ms: int) -> Order:
    """Return the order whose rest `encode_rest` wrote."""
    return _order(json.loads(text), order_id, account, created_ms)


def _doc(order: Order) -> dict[str, Any]:
    born = to_ms(order.created_at)
    sell, buy = order.terms.sell, order.terms.buy
    doc: dict[str, Any] = {
        "in": sell.symbol,
        "out": buy.symbol,
        "amt": str(order.terms.amount),
        "slip": order.terms.slippage_bps,
        "by": to_ms(order.deadline) - born,
        "hist": [_step_row(step, born) for step in order.history],
    }
    if (sell, buy) != (_KNOWN.get(sell.symbol), _KNOWN.get(buy.symbol)):
        doc["tok"] = [sell.mint, sell.decimals, buy.mint, buy.decimals]
    if order.client_order_id is not None:
        doc["cid"] = order.client_order_id
    if order.quotes:
        doc["q"] = [_quote_row(quote) for quote in order.quotes]
    if order.quoted_seq:
        doc["qs"] = order.quoted_seq
    if order.route:
        legs = [[g.venue, g.pool, str(g.amount_in), str(g.amount_out)] for g in order.route.legs]
        doc["rt"] = [legs, order.route.reason]
    if order.transaction:
        tx = order.transaction
        steps = [_instruction_row(i, order.route) for i in tx.instructions]
        doc["tx"] = [tx.signature, to_ms(tx.signed_at) - born, to_ms(tx.expires_at) - born, steps]
    if order.tries:
        doc["tries"] = [_try_row(each, order.transaction) for each in order.tries]
    if order.amount_out is not None:
        doc["got"] = str(order.amount_out)
    if order.error:
        doc["err"] = [order.error.code, order.error.detail]
    if order.lease_until:
        doc["lu"] = to_ms(order.lease_until) - born
    if order.lease_by:
        doc["lb"] = order.lease_by
    if order.dead_letter_due:
        doc["dl"] = 1
    return doc


def _order(doc: dict[str, Any], order_id: str, account: str, born: int) -> Order:
    route = _route(*doc["rt"]) if "rt" in doc else None
    transaction = _transaction(doc["tx"], born, route) if "tx" in doc else None
    return Order(
        order_id=order_id,
        account=account,
        terms=_terms(doc),
        deadline=from_ms(born + doc["by"]),
        history=tuple(_step(row, born) for row in doc["hist"]),
        client_order_id=doc.get("cid"),
        quotes=tuple(_quote(*row) for row in doc.get("q", ())),
        quoted_seq=doc.get("qs", 0),
        route=route,
        transaction=transaction,
        tries=_tries(doc, transaction),
        amount_out=int(doc["got"]) if "got" in doc else None,
        error=Failure(*doc["err"]) if "err" in doc else None,
        lease_until=from_ms(born + doc["lu"]) if "lu" in doc else None,
        lease_by=doc.get("lb"),
        dead_letter_due="dl" in doc,
    )


def _terms(doc: dict[str, Any]) -> Terms:
    if "tok" in doc:
        sell_mint, sell_decimals, buy_mint, buy_decimals = doc["tok"]
        sell = Token(doc["in"], sell_mint, sell_decimals)
        buy = Token(doc["out"], buy_mint, buy_decimals)
    else:
        sell, buy = _KNOWN[doc["in"]], _KNOWN[doc["out"]]
    return Terms(sell, buy, int(doc["amt"]), doc["slip"])


def _step_row(step: Step, born: int) -> list[int]:
    return [_STATUSES.index(step.status), to_ms(step.at) - born, step.attempt]


def _step(row: list[int], born: int) -> Step:
    status, at, attempt, *_ = row
    return Step(_STATUSES[status], from_ms(born + at), attempt)


def _try_row(tried: Try, transaction: Transaction | None) -> list[Any]:
    """Return a try; the signature of the transaction that stands beside it is not written twice."""
    beside = transaction is not None and tried.signature == transaction.signature
    changes = [n for seq, outcome in tried.changes for n in (seq, _OUTCOMES.index(outcome))]
    row = [0 if beside else tried.signature, changes]
    return row if tried.code is None else [*row, tried.code]


def _tries(doc: dict[str, Any], transaction: Transaction | None) -> tuple[Try, ...]:
    if "tries" not in doc and transaction is not None:
        return (_former_try(doc, transaction),)
    return tuple(_try(row, transaction) for row in doc.get("tries", ()))


def _try(row: list[Any], transaction: Transaction | None) -> Try:
    signature, changes, *code = row
    if signature == 0 and transaction is not None:
        signature = transaction.signature
    numbers = zip(changes[::2], changes[1::2], strict=True)
    return Try(signature, tuple((seq, _OUTCOMES[n]) for seq, n in numbers), *code)


def _former_try(doc: dict[str, Any], transaction: Transaction) -> Try:
    """Return what an order of a version without tries tells of its transaction."""
    statuses = [_STATUSES[row[0]] for row in doc["hist"]]
    signed = doc["qs"]
    tried = Try(transaction.signature, ((signed, TryOutcome.SIGNED),))
    if Status.SUBMITTED in statuses[signed - 1 :]:
        sent = statuses.index(Status.SUBMITTED, signed - 1) + 1
        tried = tried.became(TryOutcome.SENT, seq=sent)
    if statuses[-1] is Status.CONFIRMED:
        return tried.became(TryOutcome.LANDED, seq=len(statuses))
    if statuses[-1] is Status.FAILED:
        return tried.became(TryOutcome.REVERTED, seq=len(statuses), code=doc["err"][0])
    return tried


def _quote_row(quote: Quote) -> list[Any]:
    if quote.error:
        return [quote.venue, quote.error]
    row = [quote.venue, str(quote.amount_out), str(quote.fee), quote.price_impact_bps]
    return [*row, 1] if quote.fee_on_output else row


def _quote(
    venue: str, first: str, fee: str | None = None, impact: int = 0, fee_on_output: int = 0
) -> Quote:
    if fee is None:
        return Quote(venue, error=first)
    return Quote(venue, int(first), int(fee), impact, fee_on_output=bool(fee_on_output))


def _route(legs: list[list[str]], reason: str) -> Route:
    return Route(tuple(Leg(v, pool, int(i), int(o)) for v, pool, i, o in legs), reason)


def _instruction_row(step: Instruction, route: Route | None) -> list[Any]:
    """Return a step of a transaction; what swaps a leg of the route names it by its number."""
    for n, leg in enumerate(route.legs if route else ()):
        if (step.program, step.pool, step.amount_in) == (leg.venue, leg.pool, leg.amount_in):
            return [n, str(step.min_amount_out)]
    return [step.program, str(step.amount_in), str(step.min_amount_out), step.pool]


def _instruction(row: list[Any], route: Route | None) -> Instruction:
    if isinstance(row[0], int) and route:
        leg = route.legs[row[0]]
        return Instruction(leg.venue, leg.amount_in, int(row[1]), leg.pool)
    program, amount_in, minimum, pool = row
    return Instruction(program, int(amount_in), int(minimum), pool)


def _transaction(row: list[Any], born: int, route: Route | None) -> Transaction:
    signature, signed, expires, steps = row
    instructions = tuple(_instruction(step, route) for step in steps)
    return Transaction(signature, from_ms(born + signed), from_ms(born + expires), instructions)
