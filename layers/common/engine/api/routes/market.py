"""What trades here, and at what price."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from engine.api import models
from engine.api.contract import answers
from engine.api.problems import invalid
from engine.api.resolver import Resolver
from engine.api.views import offer_view, price_view, token_view
from engine.domain.errors import FieldCode, FieldProblem, InvalidOrder
from engine.domain.tokens import Token
from engine.service.placing import NewOrder, Placing

if TYPE_CHECKING:
    from engine.service.pricing import Pricing
    from engine.service.quoting import Quoting

_TAG: dict[str, Any] = {"tags": ["Market"]}


def add_market(
    app: Resolver,
    placing: Placing,
    quoting: Callable[[], "Quoting"],
    pricing: Callable[[], "Pricing"],
) -> None:
    """Add the calls about the market; `quoting` and `pricing` are made when first asked for."""

    @app.get(
        "/api/quotes",
        operation_id="getQuotes",
        summary="Ask what an order would do now",
        description="Every venue's quote, the route that would be taken, and why. Nothing is "
        "promised: an order asks again.",
        responses=answers(200, "INVALID_QUERY"),
        **_TAG,
    )
    def get_quotes(
        token_in: Annotated[
            models.Wanted,
            Query(alias="tokenIn", description="The token to sell.", examples=["SOL"]),
        ],
        token_out: Annotated[
            models.Wanted,
            Query(alias="tokenOut", description="The token to buy.", examples=["USDC"]),
        ],
        amount: Annotated[models.QueryAmount, Query(description="How much of tokenIn.")],
        slippage_bps: Annotated[
            models.QueryBps,
            Query(alias="slippageBps", description="What the least output is reckoned with."),
        ] = 50,
    ) -> models.Offer:
        try:
            terms = placing.terms(NewOrder(token_in, token_out, amount, slippage_bps))
        except InvalidOrder as error:
            raise invalid("INVALID_QUERY", error.problems) from None
        return offer_view(quoting().offer(terms), terms, placing.settlement)

    @app.get(
        "/api/prices",
        operation_id="getPrices",
        summary="Ask for reference prices",
        description="What triggers go by: the mid of both venues' pools, weighted by their depth. "
        "Of one pair its price, without `pair` the prices of all.",
        responses=answers(200, "INVALID_QUERY"),
        **_TAG,
    )
    def get_prices(
        pair: Annotated[
            models.Wanted | None, Query(description="BASE/QUOTE.", examples=["SOL/USDC"])
        ] = None,
    ) -> models.Price | models.Prices:
        if pair is None:
            pairs = placing.pairs(placing.launched())
            priced = pricing().prices(list(pairs.values()))
            return models.Prices(prices=[price_view(each, placing.settlement) for each in priced])
        base, quote = named_pair(pair, placing, "INVALID_QUERY")
        return price_view(pricing().price(base, quote), placing.settlement)

    @app.get(
        "/api/tokens",
        operation_id="getTokens",
        summary="List what trades here",
        description="Tokens with their decimals, and the pairs.",
        responses=answers(200),
        **_TAG,
    )
    def get_tokens() -> models.Tokens:
        listed = placing.pairs(placing.launched()).values()
        traded = dict.fromkeys(token for pair in listed for token in pair)
        return models.Tokens(
            tokens=[token_view(token) for token in traded],
            pairs=[[base.symbol, quote.symbol] for base, quote in listed],
        )


def named_pair(name: str, placing: Placing, code: str) -> tuple[Token, Token]:
    """Return base and quote of a pair that trades here. Raises Problem `code`."""
    listed = placing.pairs()
    if name not in listed:
        listed = placing.pairs(placing.launched())
    if name not in listed:
        detail = f"is not traded here; known are {', '.join(listed)}"
        raise invalid(code, [FieldProblem("/pair", FieldCode.UNSUPPORTED_PAIR, detail)])
    return listed[name]
