"""The calls of the API and what their answers mean, without any input or output."""

import json
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from oee.client import models
from oee.client.base import Sent, digits, rfc3339
from oee.client.errors import EngineError, NotUnderstood, Unreachable, refusal

T = TypeVar("T")
Body = Mapping[str, Any]
Number = Decimal | int | str


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and how its answer is read."""

    method: str
    path: str
    read: Callable[[bytes], T]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    #: Whether it may be sent again when it is not known if it arrived.
    repeatable: bool = True

    @property
    def all_headers(self) -> dict[str, str]:
        sent = {"Content-Type": "application/json"} if self.body is not None else {}
        return {**sent, **self.headers}


class Busy(Exception):
    """The engine can't now; `retry_after` is in seconds, if it says so."""

    def __init__(self, error: EngineError, retry_after: float | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


def answer(call: Call[T], status: int, headers: Mapping[str, str], body: bytes) -> T:
    """Return what an answer says. Raises Busy, Refused, NotUnderstood."""
    if 200 <= status < 300:
        try:
            return call.read(body)
        except ValueError as wrong:  # of pydantic too
            raise NotUnderstood(f"{call.method} {call.path}: {wrong}") from wrong
    told = _problem(body)
    error = refusal(status, told)
    if error.code == "TRADING_HALTED" or (status < 500 and status != 429):
        if not told:
            raise NotUnderstood(f"{call.method} {call.path}: {status}, and no problem document")
        raise error
    wait = headers.get("retry-after", "")
    seen: EngineError = error if status == 429 else Unreachable(f"{status} {error}")
    raise Busy(seen, float(wait) if wait.isdigit() else None)


def turned_away(status: int, body: bytes) -> EngineError | Busy:
    """Return what the refusal of a connection to the stream means."""
    error = refusal(status, _problem(body))
    if status == 429 or status >= 500:
        return Busy(error if status == 429 else Unreachable(f"{status} {error}"), None)
    return error


def _problem(body: bytes) -> Mapping[str, object]:
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


class Tries:
    """How long to wait before each further try: exponential, full jitter, as Retry-After says."""

    def __init__(
        self,
        patience: float,
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._patience = patience
        self._clock, self._chance = clock or time.monotonic, chance
        self.begin()

    def begin(self) -> None:
        """Be patient anew: something has come."""
        self._until = self._clock() + self._patience
        self._failed = 0

    def pause(self, error: EngineError, retry_after: float | None = None) -> float:
        """Return the seconds to wait. Raises `error` if patience does not last for them."""
        most: float = min(8.0, 0.25 * 2**self._failed)
        self._failed += 1
        wait = most * self._chance() if retry_after is None else retry_after + self._chance()
        if self._clock() + wait > self._until:
            raise error
        return wait


def lost(call: Call[Any], error: Exception, *, sent: bool) -> Unreachable:
    """Return the error of a request whose answer did not come.

    Raises it at once if the request may have arrived and must not be repeated.
    """
    found = Unreachable(f"{error or type(error).__name__}")
    found.key = call.key if sent else None
    if sent and not call.repeatable:
        raise found from error
    return found


def place(order: models.NewOrder | Body, key: str | None) -> Call[models.Order]:
    """Place under `key`, or the order's clientOrderId, or one made here: never twice."""
    body = _plain(order)
    named = key or body.get("clientOrderId") or str(uuid.uuid4())
    headers = {} if body.get("clientOrderId") == named else {"Idempotency-Key": str(named)}
    return _post("/api/orders/execute", models.Order, body, headers=headers, key=str(named))


def get(order_id: str) -> Call[models.Order]:
    return _get(f"/api/orders/{quote(order_id, safe='')}", models.Order)


def get_by_client_id(client_order_id: str) -> Call[models.Order]:
    return _get(f"/api/orders/by-client-id/{quote(client_order_id, safe='')}", models.Order)


def page(**query: object) -> Call[models.OrderPage]:
    return _get("/api/orders", models.OrderPage, **query)


def change(order_id: str, to: models.ChangeOrder | Body, if_seq: int | None) -> Call[models.Order]:
    """With `if_seq` it is not repeated unseen: had it arrived, the order's seq is another."""
    headers = {} if if_seq is None else {"If-Match": f'"{if_seq}"'}
    return Call(
        "PATCH",
        f"/api/orders/{quote(order_id, safe='')}",
        models.Order.model_validate_json,
        body=_json(_plain(to)),
        headers=headers,
        repeatable=if_seq is None,
    )


def cancel(order_id: str) -> Call[models.Order]:
    return _post(f"/api/orders/{quote(order_id, safe='')}/cancel", models.Order)


def cancel_all(pair: str | None) -> Call[models.Cancelled]:
    """It may be repeated: what rests then is cancelled too."""
    body = {} if pair is None else {"pair": pair}
    return _post("/api/orders/cancel-all", models.Cancelled, body)


def offer(
    token_in: str, token_out: str, amount: Number, slippage_bps: int | None
) -> Call[models.Offer]:
    query = {"tokenIn": token_in, "tokenOut": token_out, "amount": _value(amount)}
    return _get("/api/quotes", models.Offer, **query, slippageBps=slippage_bps)


def prices(pair: str | None) -> Call[list[models.Price]]:
    if pair is None:
        of_all = models.Prices.model_validate_json
        return Call("GET", "/api/prices", lambda body: list(of_all(body).prices))
    of_one = models.Price.model_validate_json
    return Call("GET", "/api/prices", lambda body: [of_one(body)], query={"pair": pair})


def tokens() -> Call[models.Tokens]:
    return _get("/api/tokens", models.Tokens)


def health() -> Call[models.Health]:
    return _get("/healthz", models.Health)


def move_price(pair: str, price: Number) -> Call[models.Price]:
    body = {"pair": pair, "price": _value(price)}
    return _post("/api/simulation/prices", models.Price, body)


def status() -> Call[models.SystemStatus]:
    return _get("/api/ops/status", models.SystemStatus)


def dead_letters(limit: int | None) -> Call[models.DeadLetters]:
    return _get("/api/ops/dead-letters", models.DeadLetters, limit=limit)


def redrive(reason: str | None) -> Call[models.Redriven]:
    return _post("/api/ops/redrive", models.Redriven, {"reason": reason} if reason else {})


def halt(reason: str) -> Call[models.TradingChanged]:
    return _post("/api/ops/halt", models.TradingChanged, {"reason": reason})


def resume(reason: str) -> Call[models.TradingChanged]:
    return _post("/api/ops/resume", models.TradingChanged, {"reason": reason})


def audit(limit: int | None, cursor: str | None) -> Call[models.Acts]:
    return _get("/api/ops/audit", models.Acts, limit=limit, cursor=cursor)


def story(order_id: str) -> Call[models.Story]:
    return _get(f"/api/ops/orders/{quote(order_id, safe='')}/story", models.Story)


M = TypeVar("M", bound=BaseModel)


def _get(path: str, model: type[M], **query: object) -> Call[M]:
    return Call("GET", path, model.model_validate_json, query=_query(query))


def _post(
    path: str,
    model: type[M],
    body: Body | None = None,
    headers: Mapping[str, str] | None = None,
    key: str | None = None,
) -> Call[M]:
    sent = None if body is None else _json(body)
    read = model.model_validate_json
    return Call("POST", path, read, body=sent, headers=headers or {}, key=key)


def _query(query: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def _plain(sent: Sent | Body) -> dict[str, Any]:
    if isinstance(sent, Sent):
        return sent.model_dump(mode="json", exclude_none=True)
    return {name: _value(value) for name, value in sent.items() if value is not None}


def _value(value: Any) -> Any:
    """Return a value as JSON has it. Raises TypeError for a float, which is not exact."""
    match value:
        case Decimal():
            return digits(value)
        case float():
            raise TypeError(f"{value!r} is a float; amounts and prices are Decimal, int or str")
        case datetime():
            return rfc3339(value)
        case Mapping():
            return _plain(value)
    return value


def _json(body: Body) -> bytes:
    return json.dumps(body).encode()
