"""What the options of `buy`, `sell` and `change` mean in the words of the API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
#: A mint as Solana writes it, in base 58: no symbol is as long.
_MINT = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")


class BadTerms(Exception):
    """They don't go together, or say nothing that the API takes."""


def number(text: str) -> str:
    """Return an amount or a price as it was written. Raises BadTerms."""
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text, re.ASCII) or len(text) > 64:
        raise BadTerms(f"{text!r} is no amount or price")
    return text


def bps(text: str) -> int:
    """Return basis points from `50` or `0.5%`. Raises BadTerms."""
    try:
        found = Decimal(text[:-1]) * 100 if text.endswith("%") else Decimal(text)
    except InvalidOperation:
        found = Decimal(-1)
    if not (found.is_finite() and found >= 0 and found == found.to_integral_value()):
        raise BadTerms(f"{text!r} is neither basis points (50) nor a percentage of them (0.5%)")
    return int(found)


def seconds(text: str) -> int:
    """Return seconds from `90`, `90s`, `5m`, `2h` or `7d`. Raises BadTerms."""
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", text, re.ASCII)
    if not found:
        raise BadTerms(f"{text!r} is no length of time: 90s, 5m, 2h, 7d")
    return int(found[1]) * _SECONDS[found[2]]


def expiry(text: str, now: datetime | None = None) -> str:
    """Return a time from RFC 3339, or from how far away it is. Raises BadTerms."""
    if re.fullmatch(r"\d+[smhd]?", text, re.ASCII):
        at = (now or datetime.now(UTC)) + timedelta(seconds=seconds(text))
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        if datetime.fromisoformat(text).tzinfo is not None:
            return text
    except ValueError:
        pass
    raise BadTerms(f"{text!r} is neither a time with its offset (RFC 3339) nor 90s, 5m, 2h, 7d")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options, as they were typed; None where one was not."""

    limit: str | None = None
    stop: str | None = None
    take_profit: str | None = None
    trail: str | None = None
    activation: str | None = None
    twap: str | None = None
    min_price: str | None = None
    max_price: str | None = None
    launch: bool = False
    max_age: str | None = None
    min_liquidity: str | None = None
    slippage: str | None = None
    stop_slippage: str | None = None
    take_profit_slippage: str | None = None
    expires: str | None = None
    reject_if_due: bool = False

    @property
    def kind(self) -> str:
        """The type of order that the options ask for. Raises BadTerms."""
        asked = frozenset(
            name
            for name in ("limit", "stop", "take_profit", "trail", "twap", "launch")
            if getattr(self, name)
        )
        if asked not in _KINDS:
            raise BadTerms(f"{' and '.join(map(_option, sorted(asked)))} don't go together")
        return _KINDS[asked]


_KINDS = {
    frozenset[str](): "market",
    frozenset({"limit"}): "limit",
    frozenset({"stop"}): "stop",
    frozenset({"stop", "limit"}): "stopLimit",
    frozenset({"take_profit"}): "takeProfit",
    frozenset({"take_profit", "stop"}): "oco",
    frozenset({"trail"}): "trailingStop",
    frozenset({"twap"}): "twap",
    frozenset({"launch"}): "sniper",
}
#: The options that belong to a kind, beside those that make it.
_BESIDE = {
    "activation": {"trailingStop"},
    "min_price": {"twap"},
    "max_price": {"twap"},
    "max_age": {"sniper"},
    "min_liquidity": {"sniper"},
    "stop_slippage": {"oco"},
    "take_profit_slippage": {"oco"},
    "expires": {
        "limit",
        "stop",
        "stopLimit",
        "takeProfit",
        "trailingStop",
        "oco",
        "twap",
        "sniper",
    },
    "reject_if_due": {"limit", "stop", "stopLimit", "takeProfit", "trailingStop", "oco"},
}


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def order(token_in: str, token_out: str, amount: str, asked: Asked) -> dict[str, Any]:
    """Return the body that places an order. Raises BadTerms."""
    kind = asked.kind
    for name, kinds in _BESIDE.items():
        if getattr(asked, name) and kind not in kinds:
            raise BadTerms(f"{_option(name)} is for {' and '.join(sorted(kinds))}, not for {kind}")
    body: dict[str, Any] = {"type": kind, "tokenIn": token_in, "amount": number(amount)}
    body["mint" if kind == "sniper" and _MINT.fullmatch(token_out) else "tokenOut"] = token_out
    match kind:
        case "takeProfit":
            body["stopPrice"] = number(asked.take_profit or "")
        case "twap":
            body |= _parts(asked.twap or "")
            body |= _set("minPrice", asked.min_price, number)
            body |= _set("maxPrice", asked.max_price, number)
        case "sniper":
            body |= _set("maxAgeSeconds", asked.max_age, seconds)
            body |= _set("minLiquidityUsd", asked.min_liquidity, number)
        case _:
            body |= _prices(kind, asked)
    body |= _set("slippageBps", asked.slippage, bps) | _set("expiresAt", asked.expires, expiry)
    if asked.reject_if_due:
        body["ifTriggered"] = "reject"
    return body


def change(kind: str, asked: Asked) -> dict[str, Any]:
    """Return the body that changes an order of a kind. Raises BadTerms."""
    if kind == "takeProfit":
        if asked.stop:
            raise BadTerms("--stop is not for takeProfit")
        body = _set("stopPrice", asked.take_profit, number)
    else:
        if asked.take_profit and kind != "oco":
            raise BadTerms(f"--take-profit is not for {kind}")
        body = _prices(kind, asked)
    body |= _set("slippageBps", asked.slippage, bps) | _set("expiresAt", asked.expires, expiry)
    if not body:
        raise BadTerms("name what is to change: --limit, --stop, --slippage, --expires, ...")
    return body


def _prices(kind: str, asked: Asked) -> dict[str, Any]:
    if kind == "oco":
        legs = {
            "takeProfit": _leg(asked.take_profit, asked.take_profit_slippage),
            "stopLoss": _leg(asked.stop, asked.stop_slippage),
        }
        return {name: leg for name, leg in legs.items() if leg}
    return (
        _set("limitPrice", asked.limit, number)
        | _set("stopPrice", asked.stop, number)
        | _set("trailingBps", asked.trail, bps)
        | _set("activationPrice", asked.activation, number)
    )


def _leg(price: str | None, slippage: str | None) -> Mapping[str, Any]:
    return _set("price", price, number) | _set("slippageBps", slippage, bps)


def _parts(text: str) -> dict[str, int]:
    parts, slash, interval = text.partition("/")
    if not (slash and parts.isascii() and parts.isdigit() and len(parts) < 9):
        raise BadTerms(f"{text!r} is not PARTS/INTERVAL: 10/60s")
    return {"parts": int(parts), "intervalSeconds": seconds(interval)}


def _set(name: str, text: str | None, read: Any) -> dict[str, Any]:
    return {} if text is None else {name: read(text)}
