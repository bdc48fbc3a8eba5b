"""For everybody, without a key: whether it is up, and what it is."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from aws_lambda_powertools.event_handler import Response

from engine.api import models
from engine.api.contract import answers
from engine.api.problems import JSON
from engine.api.resolver import Resolver
from engine.service.placing import Placing

_SWAGGER = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
_HTML = "text/html; charset=utf-8"
_PUBLIC: dict[str, Any] = {"tags": ["Service"], "openapi_extensions": {"security": []}}
_HIDDEN: dict[str, Any] = {"include_in_schema": False, "compress": True}


def add_service(app: Resolver, placing: Placing, contract: Callable[[], Resolver]) -> None:
    """Add the calls that need no key; the document, of `contract`, is made when first asked for."""

    @cache
    def document() -> dict[str, Any]:
        from engine.api.document import document

        return document(contract())

    @app.get(
        "/healthz",
        operation_id="getHealth",
        summary="Ask whether it is up",
        responses=answers(200, public=True),
        **_PUBLIC,
    )
    def get_health() -> models.Health:
        settled = placing.settlement
        return models.Health(status="ok", network=settled.network, settlement=settled)

    @app.get(
        "/openapi.json",
        operation_id="getOpenApi",
        summary="Read this document",
        responses=answers(200, public=True, content={JSON: {"schema": {"type": "object"}}}),
        **_PUBLIC,
    )
    def get_open_api() -> dict[str, Any]:
        return document()

    @app.get(
        "/docs",
        operation_id="getDocs",
        summary="Read this document as a page",
        responses=answers(200, public=True, content={"text/html": {"schema": {"type": "string"}}}),
        **_PUBLIC,
    )
    def get_docs() -> Response[str]:
        from engine.api.document import page

        html, policy = page(document())
        return Response(200, _HTML, html, {"Content-Security-Policy": policy})

    @app.get("/docs/swagger-ui-bundle.min.js", **_HIDDEN)
    def get_script() -> Response[str]:
        return _file("swagger-ui-bundle.min.js", "text/javascript; charset=utf-8")

    @app.get("/docs/swagger-ui.min.css", **_HIDDEN)
    def get_style() -> Response[str]:
        return _file("swagger-ui.min.css", "text/css; charset=utf-8")


def _file(name: str, content_type: str) -> Response[str]:
    """Return one of the two files of Swagger UI that Powertools brings."""
    return Response(200, content_type, files(_SWAGGER).joinpath(name).read_text("utf-8"))
