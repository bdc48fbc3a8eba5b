"""/docs: the HTTP API, the stream and the codes as one page that needs nothing else."""

import json
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from contracts import http, stream
from contracts.codes import chapters
from contracts.schemas import SCHEMAS, Schema

_STYLE = Path(__file__).with_name("page.css")
_CURL = """\
curl -s "$URL/api/orders/execute" -H "Authorization: Bearer $KEY" \\
     -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-order' \\
     -d '{"type":"market","tokenIn":"SOL","tokenOut":"USDC","amount":"1.5","slippageBps":50}'"""


def text() -> str:
    """Return the page."""
    document = http.document()
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(document['info']['title'])}: the API</title>",
        f"<style>{_squeezed(_STYLE.read_text())}</style>",
        '<a class="skip" href="#main">To the content</a>',
        _nav(document),
        '<main id="main">',
        f"<h1>{escape(document['info']['title'])}</h1>",
        f'<p class="lead">{escape(document["info"]["summary"])}</p>',
        '<p>As a file: <a href="/openapi.json">/openapi.json</a>.</p>',
        _prose(document["info"]["description"]),
        "<h4>In short</h4>",
        f'<pre tabindex="0"><code>{escape(_CURL)}</code></pre>',
    ]
    for tag in document["tags"]:
        parts.append(f'<h2 id="{_slug(tag["name"])}">{escape(tag["name"])}</h2>')
        parts.append(_prose(tag["description"]))
        parts += [_operation(*each) for each in _of_tag(document, tag["name"])]
        if tag["name"] == "Stream":
            parts.append(_stream())
    parts.append('<h2 id="schemas">Schemas</h2>')
    parts += [_schema(name, schema) for name, schema in SCHEMAS.items()]
    parts.append('<h2 id="codes">Codes</h2>')
    parts.append(_prose("Programs go by codes. They stay; more may come."))
    parts += list(_codes())
    return "\n".join([*parts, "</main>", "</html>", ""])


def _of_tag(document: Schema, tag: str) -> Iterable[tuple[str, str, Schema]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if tag in operation["tags"]:
                yield path, method, operation


def _nav(document: Schema) -> str:
    lines = ['<nav aria-label="Contents">']
    for tag in document["tags"]:
        lines.append(f'<h2><a href="#{_slug(tag["name"])}">{escape(tag["name"])}</a></h2><ul>')
        for _, method, operation in _of_tag(document, tag["name"]):
            lines.append(
                f'<li><a href="#{operation["operationId"]}">{_verb(method)}'
                f"{escape(operation['summary'])}</a>"
            )
        if tag["name"] == "Stream":
            lines.append('<li><a href="#messages">Messages</a>')
        lines.append("</ul>")
    lines.append('<h2>More</h2><ul><li><a href="#schemas">Schemas</a>')
    lines.append('<li><a href="#codes">Codes</a></ul></nav>')
    return "\n".join(lines)


def _operation(path: str, method: str, operation: Schema) -> str:
    title = f'{_verb(method)} <code class="path">{escape(path)}</code>'
    said = f"<strong>{escape(operation['summary'])}.</strong> "
    parts = [
        f'<h3 id="{operation["operationId"]}">{title}</h3>',
        f"<p>{said}{_inline(operation.get('description', ''))}</p>",
    ]
    if "parameters" in operation:
        rows = [
            (
                f"<code>{escape(each['name'])}</code>{_need(each['required'])}",
                escape(each["in"]),
                _kind(each["schema"]),
                _inline(each.get("description", "")),
            )
            for each in operation["parameters"]
        ]
        parts.append(_table("Parameters", ("name", "in", "type", ""), rows))
    if "requestBody" in operation:
        parts.append(f"<h4>Body</h4><p>{_link('PlaceOrder')}, as JSON.</p>")
    answers = [_response(*each) for each in operation["responses"].items()]
    parts.append(_table("Answers", ("status", "", ""), answers))
    return "\n".join(parts)


def _response(status: str, response: Schema) -> tuple[str, str, str]:
    bad = int(status) >= 400
    shown = f'<code class="bad">{status}</code>' if bad else f"<code>{status}</code>"
    if not bad:
        (content,) = response["content"].values()
        headers = [
            f"<code>{name}</code>"
            for name, each in response["headers"].items()
            if "$ref" not in each
        ]
        note = f"Headers: {', '.join(headers)}" if headers else ""
        return shown, _kind(content["schema"]), note
    problem = response["content"].get("application/problem+json", {}).get("schema", {})
    codes = [
        code
        for part in problem.get("allOf", ())
        for code in part.get("properties", {}).get("code", {}).get("enum", ())
    ]
    return shown, " ".join(map(_code, codes)), _inline(response["description"])


def _stream() -> str:
    document = stream.document()
    parts = ['<h3 id="messages">Messages</h3>', _prose(document["info"]["description"])]
    rows = []
    for name, operation in document["operations"].items():
        payload = document["components"]["messages"][name]["payload"]
        who = "client" if operation["action"] == "receive" else "server"
        fields = ", ".join(
            f"<code>{field}</code>{'' if field in payload['required'] else '?'}"
            for field in payload["properties"]
        )
        rows.append((f"<code>{name}</code>", who, fields, _inline(payload["description"])))
    parts.append(_table("Messages of the stream", ("message", "from", "fields", ""), rows))
    frame = json.dumps({"action": "subscribe", "orderId": "ORDER_ID", "afterSeq": 3})
    parts.append(f'<pre tabindex="0"><code>{escape(frame)}</code></pre>')
    return "\n".join(parts)


def _schema(name: str, schema: Schema) -> str:
    parts = [f'<h3 id="schema-{name}">{name}</h3>', _prose(schema.get("description", ""))]
    variants = schema.get("oneOf", [schema])
    for variant in variants:
        if "properties" not in variant:
            parts.append(f"<p>{_kind(variant)}</p>")
            continue
        rows = [
            (
                f"<code>{escape(field)}</code>{_need(field in variant.get('required', ()))}",
                _kind(each),
                _inline(each.get("description", "")),
            )
            for field, each in variant["properties"].items()
        ]
        caption = variant["description"] if len(variants) > 1 else f"Fields of {name}"
        parts.append(_table(caption, ("field", "type", ""), rows))
    return "\n".join(part for part in parts if part)


def _codes() -> Iterable[str]:
    seen: set[str] = set()
    for chapter in chapters():
        rows, ids = [], []
        for entry in chapter.entries:
            status = chapter.statuses.get(entry.code)
            shown = f"<code>{entry.code}</code>" + (f" {status}" if status else "")
            rows.append((shown, _inline(entry.meaning), _inline(entry.advice)))
            ids.append(entry.code if entry.code not in seen else "")
            seen.add(entry.code)
        yield f'<h3 id="codes-{_slug(chapter.title)}">{escape(chapter.title)}</h3>'
        yield _prose(f"{chapter.where[0].upper()}{chapter.where[1:]}.")
        yield _table(chapter.title, ("code", "what it means", "what to do"), rows, ids)


def _table(
    caption: str,
    heads: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    ids: Iterable[str] | None = None,
) -> str:
    head = "".join(f'<th scope="col">{h}</th>' if h else "<td></td>" for h in heads)
    named = ids or ("" for _ in iter(int, 1))
    body = "\n".join(
        f"<tr{f' id={name}' if name else ''}>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for name, row in zip(named, rows, strict=False)
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _kind(schema: Schema) -> str:
    """Return what a value looks like, in a few words."""
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    kind: Any = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        words += f" {low}…{'' if high is None else high}"
    if "exclusiveMinimum" in schema:
        words += f" above {schema['exclusiveMinimum']}"
    if schema.get("format") == "date-time":
        words += ", date-time"
    if schema.get("default") is not None:
        words += f", {schema['default']} if left out"
    return escape(words)


def _link(name: str) -> str:
    return f'<a href="#schema-{name}">{name}</a>'


def _code(code: str) -> str:
    return f'<a href="#{code}"><code>{code}</code></a>'


def _verb(method: str) -> str:
    return f'<span class="verb {method}">{method.upper()}</span>'


def _need(required: bool) -> str:
    return ' <span class="need">required</span>' if required else ""


def _prose(words: str) -> str:
    return "\n".join(f"<p>{_inline(part)}</p>" for part in words.split("\n\n") if part)


def _inline(words: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words, quote=False))


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def _squeezed(css: str) -> str:
    return re.sub(r"\s*([{};:,])\s+|\n\s*", lambda found: found[1] or "", css.strip())
