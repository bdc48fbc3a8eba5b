"""What trades here, and at what price."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from engine.api import models
from engine.api.contract import answers
from engine.api.problems import invalid
from engine.api.resolver import Resolver
from engine.api.views import offer_view, token_view
from engine.domain.errors import InvalidOrder
from engine.domain.tokens import PAIRS, TOKENS
from engine.service.placing import Placing, Wish

if TYPE_CHECKING:
    from engine.service.quoting import Quoting

_TAG: dict[str, Any] = {"tags": ["Market"]}


def add_market(app: Resolver, placing: Placing, quoting: Callable[[], "Quoting"]) -> None:
    """Add the calls about the market; `quoting` is made when it is first asked for."""

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
            terms = placing.terms(Wish(token_in, token_out, amount, slippage_bps))
        except InvalidOrder as error:
            raise invalid("INVALID_QUERY", error.problems) from None
        return offer_view(quoting().offer(terms), terms)

    @app.get(
        "/api/tokens",
        operation_id="getTokens",
        summary="List what trades here",
        description="Tokens with their decimals, and the pairs.",
        responses=answers(200),
        **_TAG,
    )
    def get_tokens() -> models.Tokens:
        known = [t for t in TOKENS.values() if not t.fault or placing.test_tokens]
        pairs = [[a.symbol, b.symbol] for a, b in PAIRS if a in known and b in known]
        return models.Tokens(tokens=[token_view(token) for token in known], pairs=pairs)
