"""Orders as text: one compact JSON document, kept small because a write is paid by the kilobyte.

Times are milliseconds since 1970, or since the order was placed; amounts are decimal strings of
base units (a DynamoDB or JavaScript number would lose digits); absent values are left out.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.domain.errors import Undecodable
from engine.domain.launches import LAUNCH
from engine.domain.money import BPS, MAX_BASE_UNITS
from engine.domain.order import (
    ID_PATTERN,
    IN_FLIGHT,
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
from engine.domain.parts import MAX_PARTS, Parent, Part, Plan, Stop
from engine.domain.prices import checked_price, price_text
from engine.domain.terms import Exit, IfTriggered, OrderType, Terms
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
from engine.domain.triggers import (
    STOP_LOSS,
    TAKE_PROFIT,
    AtLaunch,
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
    Trigger,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_END_OF_TIME = 10**14  # milliseconds: what the sort key of orders has digits for
_ID = re.compile(ID_PATTERN)
_CODE = re.compile(r"[A-Z][A-Z0-9_]+")
#: The newest that this version writes and reads; what has no version is of the first. The number
#: rises with whatever older versions would misread.
VERSION = 5
_BEFORE_WAITING, _BEFORE_SOLANA, _BEFORE_PARTS = 2, 3, 4
#: What reading something that another program wrote may raise, whatever that is.
_UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
#: A status is stored as its place in this list: add at the end only.
_STATUSES = [
    Status.PENDING,
    Status.ROUTING,
    Status.BUILDING,
    Status.SUBMITTED,
    Status.CONFIRMED,
    Status.FAILED,
    Status.CANCELLED,
    Status.RESTING,
    Status.EXPIRED,
]
#: Tokens that a row names by their symbols alone, to save a hundred bytes. This is no list of what
#: trades: an entry is never changed or removed, for rows out there mean it. Others are written out.
_KNOWN = {t.symbol: t for t in (SOL, USDC, USDT, RAY, JUP, BONK, XFAIL, XSLIP, XDROP)}
#: Likewise the pairs, base and quote, that say on which side an order is that does not say it.
_KNOWN_PAIRS = frozenset(
    (base.symbol, quote.symbol)
    for base, quote in (
        (SOL, USDC),
        (USDT, USDC),
        (RAY, USDC),
        (JUP, USDC),
        (BONK, USDC),
        (SOL, USDT),
        (RAY, SOL),
        (XFAIL, USDC),
        (XSLIP, USDC),
        (XDROP, USDC),
    )
)
#: Likewise.
_OUTCOMES = [
    TryOutcome.SIGNED,
    TryOutcome.SENT,
    TryOutcome.LANDED,
    TryOutcome.REVERTED,
    TryOutcome.EXPIRED,
    TryOutcome.NO_ROUTE,
]


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Raise Undecodable, with the name of `what`, for whatever reading it raises."""
    try:
        yield
    except _UNREADABLE as error:
        raise Undecodable(
            f"{what} can't be read: {type(error).__name__}: {error!s:.200}"
        ) from error


def version_of(order: Order) -> int:
    """Return the version of an order's row: the first that does not misread it."""
    if order.plan is not None or order.parent is not None or order.terms.launch is not None:
        return VERSION
    if order.settlement is not Settlement.SIMULATED:
        return _BEFORE_PARTS
    return _BEFORE_WAITING if order.waiting is None else _BEFORE_SOLANA


def check_version(version: object) -> None:
    """Raise ValueError if something was written by a newer version than this, or by none."""
    if whole(version, 1) > VERSION:
        raise ValueError(f"it has version {version}, this is version {VERSION}")


def whole(value: object, minimum: int = 0, maximum: int = MAX_BASE_UNITS) -> int:
    """Return what is a whole number from `minimum` to `maximum`. Raises ValueError."""
    if type(value) is not int or not minimum <= value <= maximum:
        raise ValueError(f"no whole number from {minimum} to {maximum}: {value!r:.40}")
    return value


def text(value: object) -> str:
    """Return what is text that can be written as UTF-8. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"no text: {value!r:.40}")
    value.encode()
    return value


def identifier(value: object) -> str:
    """Return what may be the id of an order, its own or its client's. Raises ValueError."""
    return _matching(_ID, value)


def _code(value: object) -> str:
    return _matching(_CODE, value)


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not pattern.fullmatch(text(value)):
        raise ValueError(f"not {pattern.pattern}: {value!r:.40}")
    return text(value)


def digits(value: object, minimum: int = 0) -> int:
    """Return the amount of base units that a string of digits says. Raises ValueError."""
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()):
        raise ValueError(f"no digits: {value!r:.40}")
    return whole(int(value), minimum)


def to_ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return (at - _EPOCH) // _MS


def from_ms(ms: object) -> datetime:
    """Return the time that is `ms` milliseconds after 1970. Raises ValueError."""
    return _EPOCH + whole(ms, 0, _END_OF_TIME - 1) * _MS


def encode(order: Order) -> str:
    """Return `order` as text; `decode` gives the same order back."""
    written = [order.order_id, order.account, to_ms(order.created_at), _doc(order)]
    return json.dumps(written, separators=(",", ":"), ensure_ascii=False)


def decode(written: str) -> Order:
    """Return the order that `encode` wrote. Raises Undecodable."""
    with decoding("an order"):
        order_id, account, created_ms, doc = json.loads(written)
        return _order(doc, order_id, account, created_ms)


def encode_rest(order: Order) -> str:
    """Return all of `order` but its id, account and time of creation, which its row has besides."""
    return json.dumps(_doc(order), separators=(",", ":"), ensure_ascii=False)


def decode_rest(written: str, order_id: str, account: str, created_ms: int) -> Order:
    """Return the order whose rest `encode_rest` wrote. Raises Undecodable."""
    with decoding(f"order {order_id}"):
        return _order(json.loads(written), order_id, account, created_ms)


def _doc(order: Order) -> dict[str, Any]:
    born = to_ms(order.created_at)
    sell, buy = order.terms.sell, order.terms.buy
    doc: dict[str, Any] = {
        "in": sell.symbol,
        "out": buy.symbol,
        **_terms_doc(order.terms, born),
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
        if tx.wire is not None:
            doc["wire"] = [b64encode(tx.wire).decode(), tx.last_valid_height]
    if order.tries:
        doc["tries"] = [_try_row(each, order.transaction) for each in order.tries]
    due = [_due_row(each) for each in order.tries]
    if any(any(row) for row in due):
        doc["due"] = due
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
    if order.waiting:
        doc["w"] = _waiting_row(order.waiting, born)
    if order.correlation_id:
        doc["rid"] = order.correlation_id
    if order.former_terms:
        doc["was"] = [[seq, _terms_doc(terms, born)] for seq, terms in order.former_terms]
    if order.settlement is not Settlement.SIMULATED:
        doc["set"] = order.settlement.value
    if order.plan:
        doc["plan"] = plan_row(order.plan, born)
    if order.parent:
        doc["of"] = [order.parent.order_id, order.parent.part, order.parent.epoch]
    return doc


def _order(doc: Mapping[str, Any], order_id: object, account: object, born: int) -> Order:
    history = tuple(_step(row, born) for row in doc["hist"])
    route = _route(*doc["rt"]) if "rt" in doc else None
    transaction = (
        _transaction(doc["tx"], born, route, *doc.get("wire", ())) if "tx" in doc else None
    )
    order = Order(
        order_id=identifier(order_id),
        account=text(account),
        terms=_terms(doc, *_tokens(doc), born),
        deadline=from_ms(born + doc["by"]),
        history=history,
        client_order_id=identifier(doc["cid"]) if "cid" in doc else None,
        quotes=tuple(_quote(*row) for row in doc.get("q", ())),
        quoted_seq=whole(doc.get("qs", 0), 0, len(history)),
        route=route,
        transaction=transaction,
        tries=_tries(doc, transaction, history),
        amount_out=digits(doc["got"]) if "got" in doc else None,
        error=_failure(*doc["err"]) if "err" in doc else None,
        lease_until=from_ms(born + doc["lu"]) if "lu" in doc else None,
        lease_by=text(doc["lb"]) if "lb" in doc else None,
        dead_letter_due="dl" in doc,
        waiting=_waiting(doc["w"], born, len(history)) if "w" in doc else None,
        correlation_id=text(doc["rid"]) if "rid" in doc else None,
        former_terms=tuple(
            (whole(seq, 1, len(history)), _terms(was, *_tokens(doc), born))
            for seq, was in doc.get("was", ())
        ),
        settlement=Settlement(doc.get("set", Settlement.SIMULATED)),
        plan=plan(doc["plan"], born, len(history)) if "plan" in doc else None,
        parent=_parent(*doc["of"]) if "of" in doc else None,
    )
    if (order.plan is None) is (order.terms.kind is OrderType.TWAP):
        raise ValueError("it is in parts, and it is not said in which")
    if order.waiting is None and Status.RESTING in {step.status for step in history}:
        raise ValueError("it rested, and it is not said for what")
    if order.created_at != from_ms(born):
        raise ValueError("its history does not begin when it was placed")
    in_flight = [t.signature for t in order.tries[-1:] if t.outcome in IN_FLIGHT]
    if in_flight and in_flight != [transaction and transaction.signature]:
        raise ValueError("what it has in flight is not there")
    return order


def _parent(order_id: object, part: object, epoch: object) -> Parent:
    return Parent(identifier(order_id), whole(part, 1, MAX_PARTS), whole(epoch))


def _failure(code: str, detail: str) -> Failure:
    return Failure(_code(code), text(detail))


def _tokens(doc: Mapping[str, Any]) -> tuple[Token, Token]:
    if "tok" in doc:
        sell_mint, sell_decimals, buy_mint, buy_decimals = doc["tok"]
        sell = Token(text(doc["in"]), text(sell_mint), whole(sell_decimals, 0, 255))
        buy = Token(text(doc["out"]), text(buy_mint), whole(buy_decimals, 0, 255))
        return sell, buy
    return _KNOWN[doc["in"]], _KNOWN[doc["out"]]


def _terms_doc(terms: Terms, born: int) -> dict[str, Any]:
    """Return terms without their tokens, which no change changes."""
    doc: dict[str, Any] = {"amt": str(terms.amount), "slip": terms.slippage_bps}
    if terms.side is not _known_side(terms.sell, terms.buy):
        doc["sd"] = terms.side.value
    if terms.kind is not OrderType.MARKET:
        doc["k"] = terms.kind.value
    for name, price in (
        ("lp", terms.limit_price),
        ("sp", terms.stop_price),
        ("ap", terms.activation_price),
        ("lo", terms.min_price),
        ("hi", terms.max_price),
    ):
        if price is not None:
            doc[name] = price_text(price)
    if terms.trailing_bps is not None:
        doc["tb"] = terms.trailing_bps
    if terms.parts is not None:
        doc["in_parts"] = [terms.parts, terms.interval_seconds]
    for name, end in (("tp", terms.take_profit), ("sl", terms.stop_loss)):
        if end is not None:
            doc[name] = [price_text(end.price), end.slippage_bps]
    if terms.expires_at is not None:
        doc["ex"] = to_ms(terms.expires_at) - born
    if terms.if_triggered is not IfTriggered.EXECUTE:
        doc["it"] = terms.if_triggered.value
    if terms.launch is not None:
        dollars = terms.min_liquidity_usd
        dollars_text = None if dollars is None else price_text(dollars)
        doc["la"] = [terms.launch, terms.max_age_seconds, dollars_text]
    return doc


def _terms(doc: Mapping[str, Any], sell: Token, buy: Token, born: int) -> Terms:
    parts = doc.get("in_parts")
    launch, age, dollars = doc.get("la", (None, None, None))
    return Terms(
        sell,
        buy,
        digits(doc["amt"], 1),
        whole(doc["slip"], 0, BPS),
        OrderType(doc.get("k", OrderType.MARKET)),
        Side(doc.get("sd", _known_side(sell, buy))),
        limit_price=_price(doc.get("lp")),
        stop_price=_price(doc.get("sp")),
        trailing_bps=whole(doc["tb"], 0, BPS) if "tb" in doc else None,
        activation_price=_price(doc.get("ap")),
        take_profit=_exit(doc.get("tp")),
        stop_loss=_exit(doc.get("sl")),
        expires_at=from_ms(born + doc["ex"]) if "ex" in doc else None,
        if_triggered=IfTriggered(doc.get("it", IfTriggered.EXECUTE)),
        parts=whole(parts[0], 2, MAX_PARTS) if parts else None,
        interval_seconds=whole(parts[1], 1) if parts else None,
        min_price=_price(doc.get("lo")),
        max_price=_price(doc.get("hi")),
        launch=None if launch is None else _matching(LAUNCH, launch),
        max_age_seconds=None if age is None else whole(age, 1),
        min_liquidity_usd=_price(dollars),
    )


def _known_side(sell: Token, buy: Token) -> Side:
    return Side.BUY if (buy.symbol, sell.symbol) in _KNOWN_PAIRS else Side.SELL


def _price(written: object) -> Decimal | None:
    return None if written is None else _a_price(written)


def _a_price(written: object) -> Decimal:
    return checked_price(Decimal(text(written)))


def _exit(row: list[Any] | None) -> Exit | None:
    if row is None:
        return None
    price, slippage_bps = row
    return Exit(_a_price(price), whole(slippage_bps, 0, BPS))


def _waiting_row(waiting: Waiting, born: int) -> list[Any]:
    row = [
        _trigger_row(waiting.trigger),
        to_ms(waiting.since) - born,
        waiting.epoch,
        waiting.moves,
    ]
    if waiting.launched_at is not None:
        return [*row, [to_ms(waiting.launched_at), waiting.fired_seq]]
    if waiting.fired is None or waiting.fired.level is None or waiting.fired_price is None:
        return row
    fired = [*_level_row(waiting.fired.level), waiting.fired.leg, price_text(waiting.fired_price)]
    return [*row, [*fired, waiting.fired_seq]]


def _waiting(row: list[Any], born: int, last: int) -> Waiting:
    trigger, since, epoch, moves, *fired = row
    waiting = Waiting(_trigger(trigger), from_ms(born + since), whole(epoch), whole(moves))
    if not fired:
        return waiting
    if len(fired[0]) == 2:
        [[at, seq]] = fired
        launched_at, seq = from_ms(at), whole(seq, 1, last)
        return replace(waiting, fired=Fired(None), fired_seq=seq, launched_at=launched_at)
    [[direction, level, leg, price, seq]] = fired
    if leg not in (None, TAKE_PROFIT, STOP_LOSS):
        raise ValueError(f"no leg: {leg!r:.40}")
    what = Fired(_level(direction, level), leg)
    return replace(waiting, fired=what, fired_price=_a_price(price), fired_seq=whole(seq, 1, last))


def _level_row(level: Level) -> list[Any]:
    return [level.direction.value, price_text(level.price)]


def _level(direction: str, price: object) -> Level:
    return Level(Direction(direction), _a_price(price))


def _trigger_row(trigger: Trigger) -> list[Any]:
    match trigger:
        case AtPrice():
            return ["at", *_level_row(trigger.level)]
        case ThenLimit():
            return ["limit", *_level_row(trigger.stop), *_level_row(trigger.limit)]
        case EitherOf():
            return ["either", *_level_row(trigger.take_profit), *_level_row(trigger.stop_loss)]
        case Trailing():
            watermark = price_text(trigger.watermark)
            return ["trail", trigger.follows.value, watermark, trigger.bps]
        case ByTime():
            return ["time"]
        case ThenTrailing():
            return ["begin", *_level_row(trigger.activation), trigger.bps]
        case AtLaunch():
            return ["launch", trigger.launch]


def _trigger(row: list[Any]) -> Trigger:
    match row:
        case ["at", direction, price]:
            return AtPrice(_level(direction, price))
        case ["limit", direction, stop, other, limit]:
            return ThenLimit(_level(direction, stop), _level(other, limit))
        case ["either", direction, profit, other, loss]:
            return EitherOf(_level(direction, profit), _level(other, loss))
        case ["trail", follows, watermark, bps]:
            return Trailing(Direction(follows), whole(bps, 1, BPS - 1), _a_price(watermark))
        case ["begin", direction, price, bps]:
            return ThenTrailing(_level(direction, price), whole(bps, 1, BPS - 1))
        case ["time"]:
            return ByTime()
        case ["launch", launch]:
            return AtLaunch(_matching(LAUNCH, launch))
    raise ValueError(f"no trigger: {row!r:.40}")


def _step_row(step: Step, born: int) -> list[int]:
    return [_STATUSES.index(step.status), to_ms(step.at) - born, step.attempt]


def _step(row: list[int], born: int) -> Step:
    status, at, attempt, *_ = row
    return Step(_STATUSES[whole(status)], from_ms(born + at), whole(attempt))


def _try_row(tried: Try, transaction: Transaction | None) -> list[Any]:
    """Return a try; the signature of the transaction that stands beside it is not written twice."""
    beside = transaction is not None and tried.signature == transaction.signature
    changes = [n for seq, outcome in tried.changes for n in (seq, _OUTCOMES.index(outcome))]
    row = [0 if beside else tried.signature, changes]
    return row if tried.code is None else [*row, tried.code]


def _tries(
    doc: Mapping[str, Any], transaction: Transaction | None, history: tuple[Step, ...]
) -> tuple[Try, ...]:
    tries: tuple[Try, ...]
    if "tries" not in doc and transaction is not None:
        tries = (_former_try(doc, transaction),)
    else:
        tries = tuple(_try(row, transaction, len(history)) for row in doc.get("tries", ()))
    if not all(history[tried.seq - 1].attempt for tried in tries):
        raise ValueError("a try before the first attempt")
    if "due" not in doc:
        return tries
    return tuple(_due(tried, *row) for tried, row in zip(tries, doc["due"], strict=True))


def _due_row(tried: Try) -> list[str | None]:
    """Return what a try was held against: older versions pass over it."""
    price = None if tried.price is None else price_text(tried.price)
    amounts = (tried.quoted, tried.bound)
    return [price, *(None if amount is None else str(amount) for amount in amounts)]


def _due(tried: Try, price: object, quoted: object, bound: object) -> Try:
    amounts = [None if amount is None else digits(amount) for amount in (quoted, bound)]
    return replace(tried, price=_price(price), quoted=amounts[0], bound=amounts[1])


def _try(row: list[Any], transaction: Transaction | None, last: int) -> Try:
    signature, changes, *code = row
    if signature == 0 and transaction is not None:
        signature = transaction.signature
    numbers = zip(changes[::2], changes[1::2], strict=True)
    outcomes = tuple((whole(seq, 1, last), _OUTCOMES[whole(n)]) for seq, n in numbers)
    if not outcomes:
        raise ValueError("a try of which nothing became")
    if len(code) > 1:
        raise ValueError("a try with more than one reason")
    signature = None if signature is None else text(signature)
    return Try(signature, outcomes, _code(code[0]) if code else None)


def _former_try(doc: Mapping[str, Any], transaction: Transaction) -> Try:
    """Return what an order of a version without tries tells of its transaction."""
    statuses = [_STATUSES[row[0]] for row in doc["hist"]]
    signed = whole(doc["qs"], 1, len(statuses))
    tried = Try(transaction.signature, ((signed, TryOutcome.SIGNED),))
    if Status.SUBMITTED in statuses[signed - 1 :]:
        sent = statuses.index(Status.SUBMITTED, signed - 1) + 1
        tried = tried.became(TryOutcome.SENT, seq=sent)
    if statuses[-1] is Status.CONFIRMED:
        return tried.became(TryOutcome.LANDED, seq=len(statuses))
    if statuses[-1] is Status.FAILED:
        return tried.became(TryOutcome.REVERTED, seq=len(statuses), code=_code(doc["err"][0]))
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
        return Quote(text(venue), error=_code(first))
    impact, on_output = whole(impact, -MAX_BASE_UNITS), bool(whole(fee_on_output, 0, 1))
    return Quote(text(venue), digits(first), digits(fee), impact, fee_on_output=on_output)


def _route(legs: list[list[str]], reason: str) -> Route:
    if not legs:
        raise ValueError("a route of no legs")
    return Route(
        tuple(Leg(text(v), text(pool), digits(i, 1), digits(o)) for v, pool, i, o in legs),
        text(reason),
    )


def _instruction_row(step: Instruction, route: Route | None) -> list[Any]:
    """Return a step of a transaction; what swaps a leg of the route names it by its number."""
    for n, leg in enumerate(route.legs if route else ()):
        if (step.program, step.pool, step.amount_in) == (leg.venue, leg.pool, leg.amount_in):
            return [n, str(step.min_amount_out)]
    return [step.program, str(step.amount_in), str(step.min_amount_out), step.pool]


def _instruction(row: list[Any], route: Route | None) -> Instruction:
    if isinstance(row[0], int) and route:
        leg = route.legs[whole(row[0])]
        return Instruction(leg.venue, leg.amount_in, digits(row[1]), leg.pool)
    program, amount_in, minimum, pool = row
    pool = None if pool is None else text(pool)
    return Instruction(text(program), digits(amount_in), digits(minimum), pool)


def _transaction(
    row: list[Any],
    born: int,
    route: Route | None,
    wire: str | None = None,
    last_valid_height: int | None = None,
) -> Transaction:
    signature, signed, expires, steps = row
    instructions = tuple(_instruction(step, route) for step in steps)
    return Transaction(
        text(signature),
        from_ms(born + signed),
        from_ms(born + expires),
        instructions,
        None if wire is None else b64decode(text(wire), validate=True),
        None if last_valid_height is None else whole(last_valid_height),
    )


def plan_row(plan: Plan, born: int) -> list[Any]:
    """Return how far an order in parts has come, as its row has it."""
    times = [None if at is None else to_ms(at) - born for at in (plan.due, plan.looks_at)]
    return [*times, [_part_row(part) for part in plan.begun], plan.skipped, _stop_row(plan.stop)]


def _part_row(part: Part) -> list[Any]:
    row: list[Any] = [part.number, str(part.amount), part.seq]
    if part.is_open or part.status is None:
        return row
    got = None if part.amount_out is None else str(part.amount_out)
    return [*row, part.ended_seq, _STATUSES.index(part.status), got]


def _stop_row(stop: Stop | None) -> list[Any] | None:
    if stop is None:
        return None
    why = [stop.failure.code, stop.failure.detail] if stop.failure else []
    return [_STATUSES.index(stop.status), stop.seq, *why]


def plan(row: list[Any], born: int, last: int) -> Plan:
    """Return what `plan_row` wrote of an order of `last` changes. Raises ValueError and others."""
    due, looks_at, begun, skipped, stop = row
    return Plan(
        None if due is None else from_ms(born + due),
        None if looks_at is None else from_ms(born + looks_at),
        tuple(_part(last, *each) for each in begun),
        tuple((whole(number, 1, MAX_PARTS), whole(seq, 1, last)) for number, seq in skipped),
        None if stop is None else _stop(last, *stop),
    )


def _part(
    last: int,
    number: int,
    amount: str,
    seq: int,
    ended_seq: int = 0,
    status: int | None = None,
    amount_out: str | None = None,
) -> Part:
    part = Part(whole(number, 1, MAX_PARTS), digits(amount, 1), whole(seq, 1, last))
    if status is None:
        return part
    got = None if amount_out is None else digits(amount_out)
    end = whole(ended_seq, 1, last)
    return replace(part, ended_seq=end, status=_STATUSES[whole(status)], amount_out=got)


def _stop(last: int, status: int, seq: int, *why: str) -> Stop:
    failure = _failure(*why) if why else None
    return Stop(_STATUSES[whole(status)], whole(seq, 1, last), failure)
