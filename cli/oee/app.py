"""`oee`: the order execution engine from a terminal."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from oee.commands import doctor, market, ops, orders, trade, watching

app = typer.Typer(
    name="oee",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Trade by the order execution engine.\n\nIt is found by ENGINE_URL, ENGINE_WS_URL and "
    "ENGINE_KEY, or by ~/.config/oee/config.toml (OEE_CONFIG), else on this machine.",
)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"oee {version('oee')}")
        except PackageNotFoundError:
            typer.echo("oee, not installed")
        raise typer.Exit


@app.callback()
def options(
    url: Annotated[str | None, typer.Option(help="The HTTP API's address.")] = None,
    ws_url: Annotated[str | None, typer.Option(help="The stream's address.")] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Take what stands before the command."""


app.command("buy")(trade.trade("buy"))
app.command("sell")(trade.trade("sell"))
app.command()(trade.quote)
app.command()(watching.watch)
app.command()(orders.orders)
app.command()(orders.show)
app.command()(orders.change)
app.command()(orders.cancel)
app.command("cancel-all")(orders.cancel_all)
app.command()(market.prices)
app.command()(market.tokens)
app.add_typer(ops.app, name="ops")
app.command()(doctor.doctor)


def main() -> None:
    """Run a command; a Ctrl-C ends with 130."""
    app()
