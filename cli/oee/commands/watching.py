"""Watch orders."""

from typing import Annotated

import typer

from oee import tell
from oee.client import Engine, Update
from oee.talk import Exit, Json, talking

Timeout = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Wait no longer than that; exit 5.")
]


def follow(
    engine: Engine,
    order_id: str,
    *,
    after: int = 0,
    timeout: float | None = None,
    as_json: bool = False,
) -> None:
    """Tell an order's states to its end; end the command with 1 if it was not confirmed.

    Ctrl-C leaves the order alone and says how to go on.
    """
    last: Update | None = None
    try:
        with tell.telling(as_json=as_json) as told:
            for update in engine.watch(order_id, after_seq=after, timeout=timeout):
                told(update)
                last = update
    except KeyboardInterrupt:
        seq, status = (last.seq, last.status) if last else (after, "as it was")
        tell.note(
            f"\nThe order is left alone; it is {status}.\n"
            f"Go on watching: oee watch {order_id} --after {seq}\n"
            f"Cancel it:      oee cancel {order_id}"
        )
        raise typer.Exit(Exit.INTERRUPTED) from None
    if last and last.status != "confirmed":
        raise typer.Exit(Exit.FAILED)


def watch(
    context: typer.Context,
    order_id: Annotated[
        str | None, typer.Argument(help="The order; without it, all of the account.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="Tell what came after this seq.")] = 0,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """Watch an order to its end, or all orders until Ctrl-C.

    Exit: 0 confirmed, 1 it ended otherwise, 3 unreachable, 4 refused, 5 timeout.
    """
    with talking(context, as_json=as_json) as engine:
        if order_id is not None:
            follow(engine, order_id, after=after, timeout=timeout, as_json=as_json)
            return
        try:
            with tell.telling(as_json=as_json, many=True) as told:
                for update in engine.watch_all(timeout=timeout):
                    told(update)
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None
