"""Move the simulated market, where `SimulatedFaults` is on; elsewhere there is no such path."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from engine.api import models
from engine.api.contract import PRICES, answers
from engine.api.problems import invalid
from engine.api.resolver import Resolver
from engine.api.routes.market import named_pair
from engine.api.views import price_view
from engine.domain.errors import FieldCode, InvalidOrder
from engine.service.placing import Placing

if TYPE_CHECKING:
    from engine.service.moving import Moving


def add_simulation(app: Resolver, placing: Placing, moving: Callable[[], "Moving"]) -> None:
    """Add the calls that move the simulated market; `moving` is made when first asked for."""

    @app.post(
        "/api/simulation/prices",
        operation_id="movePrice",
        summary="Move a simulated price",
        description="From the answer on every venue, quote, landing and trigger goes by it, and a "
        "tick sees it even if it is moved back at once. Only with `SimulatedFaults`, else it is "
        "`404`.",
        responses=answers(
            200,
            "MALFORMED_JSON",
            "BODY_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "INVALID_BODY",
            fields=PRICES
            | {FieldCode.REQUIRED, FieldCode.UNKNOWN_FIELD, FieldCode.UNSUPPORTED_PAIR},
        ),
        tags=["Simulation"],
    )
    def move_price(move: Annotated[models.MovePrice, Body()]) -> models.Price:
        base, quote = named_pair(move.pair, placing, "INVALID_BODY")
        try:
            return price_view(moving().move(base, quote, move.price), placing.settlement)
        except InvalidOrder as error:
            raise invalid("INVALID_BODY", error.problems) from None
