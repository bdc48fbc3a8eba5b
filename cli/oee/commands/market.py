"""What trades, and at what price."""

from typing import Annotated

import typer

from oee import tell
from oee.talk import Json, talking


def prices(
    context: typer.Context,
    pair: Annotated[str | None, typer.Argument(help="SOL/USDC; without it, all.")] = None,
    as_json: Json = False,
) -> None:
    """Show the reference prices, which triggers go by, and the venues' own."""
    with talking(context, as_json=as_json) as engine:
        found = engine.prices(pair)
    if as_json:
        for price in found:
            tell.document(price.json_text())
        return
    rows = []
    for price in found:
        venues = ", ".join(f"{venue.venue} {venue.price}" for venue in price.venues)
        at = price.at and tell.moment(price.at)
        rows.append((price.pair, price.price, at, "stale" if price.stale else "", venues))
    tell.table(("pair", "price", "at", "", "venues"), rows)


def tokens(context: typer.Context, as_json: Json = False) -> None:
    """List the tokens and the pairs that trade here."""
    with talking(context, as_json=as_json) as engine:
        found = engine.tokens()
    if as_json:
        tell.document(found.json_text())
        return
    rows = [
        (
            token.symbol,
            token.decimals,
            token.mint,
            " ".join("/".join(pair) for pair in found.pairs if pair[0] == token.symbol),
        )
        for token in found.tokens
    ]
    tell.table(("token", "decimals", "mint", "pairs"), rows)
