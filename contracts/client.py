"""The models of the Python client, written from the OpenAPI document's schemas."""

import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
_REF = "#/components/schemas/"
_HEAD = '''"""The documents of the API, made from docs/openapi.json by `make contracts`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from oee.client.base import Amount, Digits, Open, Sent, Time, Told

'''


def text(document: Schema) -> str:
    """Return the module's source."""
    schemas: dict[str, Schema] = document["components"]["schemas"]
    sent = set(_reached(document, *_bodies(document)))
    blocks = [_block(name, schemas[name], name in sent) for name in _sorted(schemas)]
    orders = document["paths"]["/api/orders/execute"]["post"]["requestBody"]
    kinds = [_name(each) for each in orders["content"]["application/json"]["schema"]["oneOf"]]
    union = "\n    | ".join(kinds)
    blocks.append(f"#: An order to place, of any kind.\nNewOrder = (\n    {union}\n)\n")
    return _HEAD + "\n" + "\n\n".join(blocks)


def _bodies(document: Schema) -> Iterator[Schema]:
    for methods in document["paths"].values():
        for operation in methods.values():
            if "requestBody" in operation:
                yield operation["requestBody"]


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str) and schema["$ref"].startswith(_REF):
            yield schema["$ref"].removeprefix(_REF)
        for key, each in schema.items():
            if key != "mapping":
                yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _reached(document: Schema, *roots: Schema) -> Iterator[str]:
    """Yield the schemas that lead from `roots`."""
    for root in roots:
        for name in _references(root):
            yield name
            yield from _reached(document, document["components"]["schemas"][name])


def _sorted(schemas: dict[str, Schema]) -> list[str]:
    """Return the names, each after those it refers to."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in done:
            for other in _references(schemas[name]):
                visit(other)
            done[name] = None

    for name in sorted(schemas):
        visit(name)
    return list(done)


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).removeprefix(_REF)


def _block(name: str, schema: Schema, sent: bool) -> str:
    said = _docstring(schema.get("description") or f"{name}.")
    if "enum" in schema:
        members = (f'    {_snake(value).upper()} = "{value}"' for value in schema["enum"])
        return "\n".join([f"class {name}(Open):", said, "", *members, ""])
    lines = [f"class {name}({'Sent' if sent else 'Told'}):", said, ""]
    required = set(schema.get("required", ()))
    for field, of in schema.get("properties", {}).items():
        lines += _comment(of)
        lines.append(f"    {_snake(field)}: {_field(of, field in required, sent)}")
    return "\n".join(lines).rstrip() + "\n"


def _docstring(said: str) -> str:
    first, *more = textwrap.wrap(said, 90)
    if not more:
        return f'    """{first}"""'
    return "\n".join([f'    """{first}', *(f"    {line}" for line in more), '    """'])


def _comment(schema: Schema) -> list[str]:
    said = schema.get("description", "")
    values = schema.get("enum", ())
    if values:
        said = f"{said} One of {', '.join(map(str, values))}.".strip()
    return [f"    #: {line}" for line in textwrap.wrap(said, 90)]


def _field(schema: Schema, required: bool, sent: bool) -> str:
    of = _type(schema, sent)
    if sent and "const" in schema:
        return f"{of} = {json.dumps(schema['const'])}"
    if required:
        return of
    return f"{of} = None" if of.endswith("| None") else f"{of} | None = None"


def _type(schema: Schema, sent: bool) -> str:
    if "$ref" in schema:
        return _name(schema)
    if sent and ("const" in schema or "enum" in schema):
        values = schema.get("enum") or [schema["const"]]
        return f"Literal[{', '.join(json.dumps(value) for value in values)}]"
    if one_of := schema.get("anyOf") or schema.get("oneOf"):
        return _union(one_of, sent)
    match schema.get("type"):
        case "string" if schema.get("format") == "date-time":
            return "Time"
        case "string" if schema.get("pattern", "").startswith("^[0-9]+(\\."):
            return "Digits"
        case "array":
            return f"list[{_type(schema['items'], sent)}]"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"dict[str, {_type(schema['additionalProperties'], sent)}]"
        case kind:
            number = "Amount" if sent else "float"
            simple = {"string": "str", "integer": "int", "number": number, "boolean": "bool"}
            return simple.get(str(kind), "dict[str, Any]" if kind == "object" else "Any")


def _union(schemas: list[Schema], sent: bool) -> str:
    none = " | None" if any(each.get("type") == "null" for each in schemas) else ""
    if any(each.get("type") == "number" for each in schemas):  # or, sent, the same as text
        return ("Amount" if sent else "float") + none
    types = [_type(each, sent) for each in schemas if each.get("type") != "null"]
    if len(types) > 1:
        return f'Annotated[{" | ".join(types)}, Field(union_mode="left_to_right")]{none}'
    return types[0] + none


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
