"""What operators do; it takes an operator's key."""

from collections.abc import Callable
from typing import Annotated

import typer

from oee import tell
from oee.client import Engine
from oee.client.base import Told
from oee.talk import Json, talking

app = typer.Typer(no_args_is_help=True, help="Operate the engine; it takes an operator's key.")
Reason = Annotated[str, typer.Argument(help="Why; it is kept.")]
Limit = Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many.")]


def _tell(context: typer.Context, ask: Callable[[Engine], Told], as_json: bool) -> None:
    with talking(context, as_json=as_json) as engine:
        told = ask(engine)
    if as_json:
        tell.document(told.json_text())
    else:
        tell.plain(told.model_dump(mode="json", exclude_unset=True))


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show trading state, queue, dead letters, ticker, breakers and latency."""
    _tell(context, lambda engine: engine.ops.status(), as_json)


@app.command("dead-letters")
def dead_letters(context: typer.Context, limit: Limit = None, as_json: Json = False) -> None:
    """List the dead letters."""
    _tell(context, lambda engine: engine.ops.dead_letters(limit), as_json)


@app.command()
def redrive(
    context: typer.Context,
    reason: Annotated[str | None, typer.Argument(help="Why; it is kept.")] = None,
    as_json: Json = False,
) -> None:
    """Send the dead letters back to the order queue."""
    _tell(context, lambda engine: engine.ops.redrive(reason), as_json)


@app.command()
def halt(context: typer.Context, reason: Reason, as_json: Json = False) -> None:
    """Take no new orders; those under way are finished."""
    _tell(context, lambda engine: engine.ops.halt(reason), as_json)


@app.command()
def resume(context: typer.Context, reason: Reason, as_json: Json = False) -> None:
    """Take new orders again."""
    _tell(context, lambda engine: engine.ops.resume(reason), as_json)


@app.command()
def audit(
    context: typer.Context,
    limit: Limit = None,
    cursor: Annotated[str | None, typer.Option(help="nextCursor of the page before.")] = None,
    as_json: Json = False,
) -> None:
    """List what operators did, newest first."""
    _tell(context, lambda engine: engine.ops.audit(limit, cursor), as_json)
