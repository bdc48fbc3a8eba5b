"""Read, change and cancel orders."""

import itertools
from collections.abc import Iterator
from typing import Annotated

import typer

from oee import tell, terms
from oee.client import Engine
from oee.client.models import Order, OrderType, Status
from oee.talk import Json, talking, usage

OrderId = Annotated[str, typer.Argument(help="The order's id.")]


def orders(
    context: typer.Context,
    status: Annotated[Status | None, typer.Option(help="In this state only.")] = None,
    kind: Annotated[OrderType | None, typer.Option("--type", help="Of this type only.")] = None,
    pair: Annotated[str | None, typer.Option(help="Of this pair only: SOL/USDC.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: Json = False,
) -> None:
    """List orders, newest first; with --json one document a line."""
    with talking(context, as_json=as_json) as engine:
        found: Iterator[Order] = engine.list(status=status, type=kind, pair=pair)
        wanted = list(found if every else itertools.islice(found, limit))
    if as_json:
        for order in wanted:
            tell.document(order.json_text())
        return
    head = ("order", "placed", "type", "side", "pair", "amount", "status", "got")
    tell.table(
        head,
        [
            (
                order.order_id,
                tell.moment(order.created_at),
                order.type,
                order.side,
                order.pair,
                f"{order.amount} {order.token_in}",
                order.status,
                order.amount_out and f"{order.amount_out} {order.token_out}",
            )
            for order in wanted
        ],
    )


def show(
    context: typer.Context,
    order_id: Annotated[str | None, typer.Argument(help="The order's id.")] = None,
    key: Annotated[str | None, typer.Option("--id", help="Your id of it.")] = None,
    story: Annotated[
        bool, typer.Option("--story", help="What happened, function by function (operators).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show an order, by its id or by yours."""
    if (order_id is None) == (key is None):
        usage("name an order: by its id, or by yours with --id")
    with talking(context, as_json=as_json) as engine:
        if story and order_id is not None:
            tell_story(engine, order_id, as_json=as_json)
            return
        order = engine.get_by_client_id(key) if key is not None else engine.get(str(order_id))
        if story:
            tell_story(engine, order.order_id, as_json=as_json)
        elif as_json:
            tell.document(order.json_text())
        else:
            _show(order)


def _show(order: Order) -> None:
    tell.facts(tell.summary(order))
    tell.line("")
    for past in order.history:
        elapsed = (past.at - order.created_at).total_seconds() * 1000
        tell.line(f"{past.seq}  {past.status}  {elapsed:.0f} ms  {tell.moment(past.at)}")
    for tried in order.tries:
        what = tried.code or tried.tx_hash or ""
        tell.line(f"try {tried.attempt}  {tried.outcome}  {tell.moment(tried.at)}  {what}")


def tell_story(engine: Engine, order_id: str, *, as_json: bool) -> None:
    """Tell what happened to an order, from the logs."""
    told = engine.ops.story(order_id)
    if as_json:
        tell.document(told.json_text())
        return
    for each in told.lines:
        facts = [f"{name}={value}" for name, value in each.facts.items() if value is not None]
        tell.line("  ".join([each.at, each.function, each.what, *facts]))


def change(
    context: typer.Context,
    order_id: OrderId,
    limit: Annotated[str | None, typer.Option(metavar="PRICE")] = None,
    stop: Annotated[str | None, typer.Option(metavar="PRICE")] = None,
    take_profit: Annotated[str | None, typer.Option(metavar="PRICE")] = None,
    trail: Annotated[str | None, typer.Option(metavar="BPS|%")] = None,
    activation: Annotated[str | None, typer.Option(metavar="PRICE")] = None,
    slippage: Annotated[str | None, typer.Option(metavar="BPS|%")] = None,
    stop_slippage: Annotated[str | None, typer.Option(metavar="BPS|%")] = None,
    take_profit_slippage: Annotated[str | None, typer.Option(metavar="BPS|%")] = None,
    expires: Annotated[str | None, typer.Option(metavar="TIME")] = None,
    if_seq: Annotated[
        int | None, typer.Option(min=1, help="Only if the order is still at this seq.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change an order that rests, in the words it was placed with."""
    asked = terms.Asked(
        limit=limit,
        stop=stop,
        take_profit=take_profit,
        trail=trail,
        activation=activation,
        slippage=slippage,
        stop_slippage=stop_slippage,
        take_profit_slippage=take_profit_slippage,
        expires=expires,
    )
    with talking(context, as_json=as_json) as engine:
        kind = engine.get(order_id).type
        _told(engine.change(order_id, terms.change(kind, asked), if_seq=if_seq), as_json=as_json)


def cancel(context: typer.Context, order_id: OrderId, as_json: Json = False) -> None:
    """Cancel an order that no worker has begun; harmless if it is cancelled already."""
    with talking(context, as_json=as_json) as engine:
        _told(engine.cancel(order_id), as_json=as_json)


def _told(order: Order, *, as_json: bool) -> None:
    if as_json:
        tell.document(order.json_text())
    else:
        tell.line(f"{order.order_id}  {order.status}  {order.summary}")


def cancel_all(
    context: typer.Context,
    pair: Annotated[str | None, typer.Option(help="Of this pair only: SOL/USDC.")] = None,
    as_json: Json = False,
) -> None:
    """Cancel every order that rests, at once."""
    with talking(context, as_json=as_json) as engine:
        done = engine.cancel_all(pair)
    if as_json:
        tell.document(done.json_text())
    else:
        tell.line(f"{tell.moment(done.cancelled_at)}  {pair or 'all'}: cancelled")
