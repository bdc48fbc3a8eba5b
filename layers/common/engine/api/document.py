"""The HTTP API as an OpenAPI document and as a page: Powertools' own, and what they leave out."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from typing import Any

from aws_lambda_powertools.event_handler.openapi.models import (
    APIKey,
    HTTPBearer,
    License,
    Server,
    Tag,
)
from aws_lambda_powertools.event_handler.openapi.swagger_ui import generate_swagger_html
from pydantic.json_schema import models_json_schema

from engine.api.catalogue import CHAPTERS
from engine.api.contract import ALWAYS
from engine.api.models import GatewayMessage, Problem
from engine.api.problems import PROBLEM_JSON
from engine.api.resolver import BODY_OPTIONAL, Resolver

#: The page's own scripts, next to it; nothing else may run, be asked for, or stand around it.
POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
#: What Powertools adds to every document, for errors that are ours here.
_NOT_OURS = ("HTTPValidationError", "ResponseValidationError", "ValidationError")


def document(app: Resolver) -> dict[str, Any]:
    """Return the OpenAPI document of what `app` answers."""
    text = app.get_openapi_json_schema(
        title="Order execution engine",
        version="1.0.0",
        openapi_version="3.1.0",
        summary="Orders for Solana tokens, now or at a price, routed to the better of two venues.",
        description="Every call but those of the service wants an API key, unless the stack runs "
        "with `Auth=none`. An account sees its own orders only: others' are `404`. "
        "Those of operations want an operator's key, always.\n\n"
        "`HEAD` answers as `GET` does, without the body. Another method is `405` with `Allow`, "
        "another path `404`, both problem documents.",
        tags=[
            Tag(name="Orders", description="Place, read, list, change and cancel."),
            Tag(name="Market", description="What trades, and at what price."),
            Tag(name="Simulation", description="Move the market; on stacks for trying out only."),
            Tag(name="Signals", description="News of launches, signed by whoever tells them."),
            Tag(name="Stream", description="Orders as they happen; see docs/asyncapi.yaml."),
            Tag(name="Operations", description="See how it stands, and act; for operators' keys."),
            Tag(name="Service", description="For everybody, without a key."),
        ],
        servers=[Server(url="/", description="Where this document was read.")],
        license_info=License(name="MIT", identifier="MIT"),
        security_schemes={
            "bearer": HTTPBearer(description="An API key."),
            "apiKey": APIKey.model_validate({"name": "X-Api-Key", "in": "header"}),
        },
        security=[{"bearer": []}, {"apiKey": []}],
        openapi_extensions={"jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema"},
    )
    told: dict[str, Any] = json.loads(text, parse_float=_whole)
    schemas = told["components"]["schemas"]
    for name in _NOT_OURS:
        del schemas[name]
    _, ours = models_json_schema(
        [(Problem, "serialization"), (GatewayMessage, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas |= ours["$defs"]
    told["components"]["headers"] = ALWAYS
    for operation in _operations(told):
        responses = operation["responses"]
        if PROBLEM_JSON not in responses["422"]["content"]:
            del responses["422"]
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _given(parameter["schema"])
    for path in BODY_OPTIONAL:
        for operation in told["paths"][path].values():
            del operation["requestBody"]["required"]
    for schema in schemas.values():
        schema.pop("title", None)
    return told


def page(told: dict[str, Any]) -> tuple[str, str]:
    """Return Swagger UI of a document with what every code means beside it, and its policy.

    Its two files lie below /docs.
    """
    spec = json.dumps(told).replace("</", "<\\/")
    html = generate_swagger_html(
        spec, "docs/swagger-ui-bundle.min.js", "docs/swagger-ui.min.css", "docs", None
    )
    scripts = " ".join(
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE.findall(html)
    )
    return html.replace("</body>", f"{_codes()}</body>"), POLICY.format(scripts=scripts)


def _codes() -> str:
    """Return the catalogue of codes; each has its id once, for problems' `type` to lead to."""
    seen: set[str] = set()
    lines = ['<section class="swagger-ui"><div class="wrapper">']
    for chapter in CHAPTERS:
        lines.append(f"<h2>{escape(chapter.title)}</h2><p>{escape(chapter.where)}</p><dl>")
        for code, said in chapter.said.items():
            name = "" if code in seen else f' id="{code}"'
            seen.add(code)
            lines.append(f"<dt{name}><code>{code}</code></dt><dd>{escape(' '.join(said))}</dd>")
        lines.append("</dl>")
    return "\n".join([*lines, "</div></section>"])


def _operations(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in told["paths"].values():
        yield from methods.values()


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: it is left out rather than null."""
    found = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    return {
        name: value
        for name, value in {**schema, **dict(*found)}.items()
        if name not in {"title", "description"}  # the parameter's own
    }


def _whole(text: str) -> float:
    """Read a number; Powertools writes whole ones with a point."""
    return int(text[:-2]) if text.endswith(".0") else float(text)
