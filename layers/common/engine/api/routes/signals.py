"""Signals from outside: signed by their source, not by a key."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from engine.api import requests, signals
from engine.api.contract import answers
from engine.api.problems import invalid
from engine.api.resolver import Resolver
from engine.api.views import timestamp
from engine.domain.errors import FieldCode, InvalidOrder
from engine.domain.launches import Launch

if TYPE_CHECKING:
    from engine.service.opening import Opening
    from engine.service.signalling import Signalling

_SOURCE = Path(description="As the operator made it.", examples=["launchpad"])
_FIELDS = {
    FieldCode.REQUIRED,
    FieldCode.UNKNOWN_FIELD,
    FieldCode.TIME_TYPE,
    FieldCode.PRICE_TYPE,
    FieldCode.PRICE_OUT_OF_RANGE,
    FieldCode.PRICE_TOO_PRECISE,
}


def add_signals(app: Resolver, signalling: Callable[[], "Signalling"]) -> None:
    """Add the call that takes signals; the doorway has verified who sent one."""

    @app.post(
        "/api/signals/<source>",
        operation_id="sendSignal",
        summary="Tell of a launch",
        description="For sources that the operator knows, in the form of Standard Webhooks: "
        "`webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. The "
        "same message again has no effect. See docs/signals.md.",
        responses=answers(
            200,
            "MALFORMED_JSON",
            "SIGNATURE_INVALID",
            "UNKNOWN_SOURCE",
            "BODY_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "INVALID_BODY",
            "STORE_UNAVAILABLE",
            fields=_FIELDS,
            public=True,
        ),
        openapi_extensions={"security": []},
        tags=["Signals"],
    )
    def send_signal(
        source: Annotated[str, _SOURCE],  # noqa: ARG001 - in the context, verified
        told: Annotated[requests.LaunchSignal, Body()],
    ) -> signals.SignalTaken:
        data, signal = told.data, app.context["signal"]
        launch = Launch(data.mint, data.symbol, data.decimals, told.timestamp, signal.source)
        return signals.SignalTaken(replayed=signalling().launched(signal, launch))


def add_launches(app: Resolver, opening: Callable[[], "Opening"]) -> None:
    """Add the call that launches a simulated token."""

    @app.post(
        "/api/simulation/launches",
        operation_id="launchToken",
        summary="Launch a simulated token",
        description="It gets a mint and a pool at each venue, which hold what is asked for; then "
        "its signed signal is sent. Only with `SimulatedFaults`, else it is `404`.",
        responses=answers(
            200,
            "MALFORMED_JSON",
            "BODY_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "INVALID_BODY",
            fields=_FIELDS,
        ),
        tags=["Simulation"],
    )
    def launch_token(asked: Annotated[requests.LaunchToken, Body()]) -> signals.Launched:
        try:
            opened = opening().open(asked.symbol, asked.price, int(asked.liquidity_usd))
        except InvalidOrder as error:
            raise invalid("INVALID_BODY", error.problems) from None
        launch = opened.launch
        return signals.Launched(
            symbol=launch.symbol,
            mint=launch.mint,
            pair=f"{launch.symbol}/USDC",
            launched_at=timestamp(launch.at),
        )
