"""Place an order, or ask what one would do."""

import uuid
from collections.abc import Callable
from typing import Annotated

import typer

from oee import tell, terms
from oee.commands.watching import Timeout, follow
from oee.talk import Json, talking, unknown

Amount = Annotated[str, typer.Argument(help="How much of what is sold.")]
Slippage = Annotated[
    str | None, typer.Option(help="How much less than quoted may come out: 50 (bps) or 0.5%.")
]


def _price(text: str, *names: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(*names, help=text, metavar="PRICE")
    return found


def trade(side: str) -> Callable[..., None]:
    """Return the command that buys or sells."""

    def place(
        context: typer.Context,
        token: Annotated[str, typer.Argument(help=f"The token to {side}: a symbol, SOL.")],
        other: Annotated[str, typer.Argument(help="The token on the other side.")],
        amount: Amount,
        limit: Annotated[str | None, _price("At this price or better.")] = None,
        stop: Annotated[
            str | None,
            _price("When the price has turned as far as this; with --limit a stop-limit."),
        ] = None,
        take_profit: Annotated[
            str | None, _price("When it has come as far as this; with --stop one cancels the other")
        ] = None,
        trail: Annotated[
            str | None,
            typer.Option(metavar="BPS|%", help="When it turns by so much from its best: 500, 5%."),
        ] = None,
        activation: Annotated[str | None, _price("Of --trail: follow from here on.")] = None,
        twap: Annotated[
            str | None, typer.Option(metavar="PARTS/INTERVAL", help="In parts: 10/60s, 12/5m.")
        ] = None,
        min_price: Annotated[str | None, _price("Of --twap: no part below it.")] = None,
        max_price: Annotated[str | None, _price("Of --twap: no part above it.")] = None,
        launch: Annotated[
            bool, typer.Option("--launch", help="When the token, or mint, is launched.")
        ] = False,
        max_age: Annotated[
            str | None,
            typer.Option(metavar="TIME", help="Of --launch: how old a signal may be, 30s."),
        ] = None,
        min_liquidity: Annotated[
            str | None, typer.Option(metavar="USD", help="Of --launch: what its pools must hold.")
        ] = None,
        slippage: Slippage = None,
        stop_slippage: Annotated[
            str | None, typer.Option(metavar="BPS|%", help="Of the --stop leg of two.")
        ] = None,
        take_profit_slippage: Annotated[
            str | None, typer.Option(metavar="BPS|%", help="Of the --take-profit leg of two.")
        ] = None,
        expires: Annotated[
            str | None, typer.Option(metavar="TIME", help="90s, 5m, 2h, 7d, or RFC 3339.")
        ] = None,
        reject_if_due: Annotated[
            bool, typer.Option("--reject-if-due", help="Refuse it if it would be due at once.")
        ] = False,
        key: Annotated[
            str | None, typer.Option("--id", help="Your id: the same again is the same order.")
        ] = None,
        watch: Annotated[bool, typer.Option("--watch", "-w", help="Watch it to its end.")] = False,
        timeout: Timeout = None,
        as_json: Json = False,
    ) -> None:
        asked = terms.Asked(
            limit=limit,
            stop=stop,
            take_profit=take_profit,
            trail=trail,
            activation=activation,
            twap=twap,
            min_price=min_price,
            max_price=max_price,
            launch=launch,
            max_age=max_age,
            min_liquidity=min_liquidity,
            slippage=slippage,
            stop_slippage=stop_slippage,
            take_profit_slippage=take_profit_slippage,
            expires=expires,
            reject_if_due=reject_if_due,
        )
        token_in, token_out = (token, other) if side == "sell" else (other, token)
        with talking(context, as_json=as_json) as engine:
            body = terms.order(token_in, token_out, amount, asked)
            named = key or str(uuid.uuid4())
            try:
                order = engine.place(body, key=named)
            except KeyboardInterrupt:
                unknown(named)
                raise
            if watch:
                if not as_json:
                    tell.line(f"{order.order_id}  {order.summary}")
                follow(engine, order.order_id, timeout=timeout, as_json=as_json)
            elif as_json:
                tell.document(order.json_text())
            else:
                tell.line(f"{order.order_id}  {order.status}  {order.summary}")

    place.__name__ = side
    place.__doc__ = (
        "Sell AMOUNT of TOKEN for OTHER, now or when the options say."
        if side == "sell"
        else "Buy TOKEN with AMOUNT of OTHER, now or when the options say."
    ) + (
        "\n\nPrices are in quote tokens for one base token, as `oee tokens` has the pairs, on "
        "either side. Exit: 0 placed (with --watch: confirmed), 1 it ended otherwise, 2 usage, "
        "3 unreachable, 4 refused, 5 timeout."
    )
    return place


def quote(
    context: typer.Context,
    token_in: Annotated[str, typer.Argument(help="The token to sell.")],
    token_out: Annotated[str, typer.Argument(help="The token to buy.")],
    amount: Amount,
    slippage: Slippage = None,
    as_json: Json = False,
) -> None:
    """Ask what selling AMOUNT of TOKEN_IN for TOKEN_OUT would do now, and why."""
    with talking(context, as_json=as_json) as engine:
        bps = None if slippage is None else terms.bps(slippage)
        offer = engine.quote(token_in, token_out, terms.number(amount), slippage_bps=bps)
    if as_json:
        tell.document(offer.json_text())
        return
    told: list[tuple[str, object]] = [("network", f"{offer.network} ({offer.settlement})")]
    told += [("quote", tell.quoted(each, offer.token_out)) for each in offer.quotes]
    if offer.route:
        legs = " + ".join(f"{leg.venue} {leg.share * 100:.4g} %" for leg in offer.route.legs)
        told += [("route", legs), ("why", offer.route.reason)]
        told.append(("out", f"{offer.amount_out} {offer.token_out}"))
        told.append(("at least", f"{offer.min_amount_out} {offer.token_out}"))
    else:
        told.append(("route", "none: no venue can fill it"))
    tell.facts(told)
