"""How things are said: live on a terminal, plain lines in a pipe, JSON for programs."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from oee.client.models import NoQuote, Order, Quote
from oee.client.stream import Update

_COLOURS = {"confirmed": "green", "failed": "red", "cancelled": "yellow", "expired": "yellow"}


def note(text: str) -> None:
    """Say something to the person, beside the output."""
    print(text, file=sys.stderr, flush=True)


def line(text: str) -> None:
    print(text, flush=True)


def document(value: object) -> None:
    """Print a JSON document, on one line."""
    line(value if isinstance(value, str) else json.dumps(value))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows: aligned under their heads on a terminal, by tabs in a pipe."""
    told = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in told:
            line("\t".join(cell.replace("\t", " ") for cell in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*head, box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for row in told:
        drawn.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    Console().print(drawn)


def facts(pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and values, a line each; what is None is left out."""
    wide = max((len(name) for name, value in pairs if value is not None), default=0)
    for name, value in pairs:
        if value is not None:
            line(f"{name:<{wide}}  {value}")


def summary(order: Order) -> list[tuple[str, object]]:
    """Return what there is to say of an order, as names and values."""
    told: list[tuple[str, object]] = [
        ("order", order.order_id),
        ("client id", order.client_order_id),
        ("network", f"{order.network} ({order.settlement})"),
        ("status", _status(order)),
        ("what", order.summary),
        ("trigger", _trigger(order)),
        ("expires", order.expires_at and moment(order.expires_at)),
    ]
    told += [("quote", quoted(quote, order.token_out)) for quote in order.quotes]
    if order.route:
        legs = " + ".join(f"{leg.venue} {leg.share * 100:.4g} %" for leg in order.route.legs)
        told += [("route", legs), ("why", order.route.reason)]
    if order.amount_out is not None:
        told.append(("got", f"{order.amount_out} {order.token_out}"))
        told.append(("price", f"{order.executed_price} {order.token_out} for 1 {order.token_in}"))
    told.append(("txHash", order.tx_hash))
    if order.error:
        told.append(("error", f"{order.error.code}: {order.error.detail}"))
    return told


def _status(order: Order) -> str:
    return f"{order.status}, seq {order.seq}, {order.attempts} tries"


def _trigger(order: Order) -> str | None:
    if order.trigger is None:
        return None
    levels = " or ".join(f"{level.direction} {level.price}" for level in order.trigger.levels)
    came = order.trigger.triggered_at
    due = f"; due {moment(came)} at {order.trigger.triggered_price}" if came else ""
    return f"{order.pair} {levels}{due}"


def quoted(quote: Quote | NoQuote, token_out: str) -> str:
    """Return what a venue offers, in a line."""
    if isinstance(quote, NoQuote):
        return f"{quote.venue}: {quote.error}"
    return (
        f"{quote.venue}: {quote.amount_out} {token_out}, at least {quote.min_amount_out}, "
        f"fee {quote.fee} {quote.fee_token}, impact {quote.price_impact_bps} bps"
    )


def moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def step(update: Update) -> str:
    """Return a state of an order in a line: seq, status, milliseconds since it was placed."""
    order = update.order
    elapsed = (update.at - order.created_at).total_seconds() * 1000
    beside = ""
    if update.status == "confirmed":
        beside = f"  {order.amount_out} {order.token_out} at {order.executed_price}"
    elif update.status == "failed" and order.error:
        beside = f"  {order.error.code}: {order.error.detail}"
    elif order.attempts > 1:
        beside = f"  attempt {order.attempts}"
    return f"{update.seq}  {update.status}  {elapsed:.0f} ms{beside}"


class Teller(Protocol):
    """Tells updates as they come."""

    def __call__(self, update: Update) -> None: ...


class Lines:
    """A line an update, with the order's id if there are many orders."""

    def __init__(self, *, many: bool = False) -> None:
        self._many = many

    def __call__(self, update: Update) -> None:
        line(f"{update.order_id}  {step(update)}" if self._many else step(update))


class Documents:
    """A JSON document an update."""

    def __call__(self, update: Update) -> None:
        document(update.json_text())


class Screen:
    """A live list on a terminal: the steps of one order, or the newest state of each of many."""

    def __init__(self, live: Any, *, many: bool) -> None:
        self._live, self._many = live, many
        self._rows: dict[str, Update] = {}

    def __call__(self, update: Update) -> None:
        name = update.order_id if self._many else str(update.seq)
        self._rows.pop(name, None)
        self._rows[name] = update
        self._live.update(self._drawn())

    def _drawn(self) -> Any:
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        newest = [*self._rows.values()][-40:]
        for update in newest:
            words = step(update).split("  ")
            style = _COLOURS.get(update.status, "cyan")
            first = [Text(update.order_id)] if self._many else []
            mark = Text("✓" if update.status == "confirmed" else "•", style=style)
            if update is newest[-1] and not update.final:
                grid.add_row(Spinner("dots", style=style), *first, *_styled(words, style))
            else:
                grid.add_row(mark, *first, *_styled(words, style))
        return grid


def _styled(words: Sequence[str], style: str) -> Iterator[Any]:
    from rich.text import Text

    for at, word in enumerate(words):
        yield Text(word, style=style if at == 1 else "")


@contextmanager
def telling(*, as_json: bool, many: bool = False) -> Iterator[Teller]:
    """Tell updates as the output is for: a program, a terminal, a pipe."""
    if as_json:
        yield Documents()
    elif sys.stdout.isatty():
        from rich.live import Live

        with Live(refresh_per_second=12) as live:
            yield Screen(live, many=many)
    else:
        yield Lines(many=many)


def plain(value: Mapping[str, Any], indent: str = "") -> None:
    """Print a document of operators as names and values, however deep."""
    for name, each in value.items():
        if isinstance(each, Mapping):
            line(f"{indent}{name}")
            plain(each, indent + "  ")
        elif isinstance(each, list):
            line(f"{indent}{name}: {len(each)}")
            for item in each:
                text = _row(item) if isinstance(item, Mapping) else str(item)
                line(f"{indent}  {text}")
        else:
            line(f"{indent}{name}: {'-' if each is None else each}")


def _row(item: Mapping[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in item.items() if value is not None)
