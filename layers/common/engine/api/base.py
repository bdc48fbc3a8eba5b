"""What the models of all edges share: how they read and tell, and the fields that all know."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from engine.domain.errors import FieldCode
from engine.domain.order import ID_PATTERN

ID_EXAMPLES = ["7d1b5a3e-2c41-8f3a-9b57-0e6f4d2c1a90"]
KEY_EXAMPLES = ["rebalance-2026-11-22"]
_ID = re.compile(ID_PATTERN)
Id = Annotated[str, Field(pattern=ID_PATTERN, examples=ID_EXAMPLES)]
Seq = Annotated[int, Field(ge=1)]
Time = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        json_schema_extra={"format": "date-time"},
        description="RFC 3339, in UTC, to the millisecond.",
        examples=["2026-11-22T08:24:00.123Z"],
    ),
]
Code = Annotated[
    str, Field(pattern=r"^[A-Z][A-Z0-9_]+$", description="Stable; see docs/errors.md.")
]


def plain(schema: dict[str, Any]) -> None:
    """Take out what a schema says without anybody having said it: titles, and null as a default.

    What is always the same is always there.
    """
    schema.pop("title", None)
    for name, field in schema.get("properties", {}).items():
        field.pop("title", None)
        if field.get("default", "") is None:
            del field["default"]
        elif "const" in field and field.pop("default", None):
            schema["required"] = [name, *schema.get("required", ())]


class Sent(BaseModel):
    """What a client sends: nothing unknown, nothing converted."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        defer_build=True,
        extra="forbid",
        frozen=True,
        json_schema_extra=plain,
        strict=True,
    )


class Told(BaseModel):
    """What a client is told: camelCase outside, snake_case inside."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        defer_build=True,  # a function makes those that it needs
        frozen=True,
        json_schema_extra=plain,
        serialize_by_alias=True,
        validate_by_name=True,
    )


def is_id(text: str) -> bool:
    """Return whether `text` may be an order's id, or its client's."""
    return _ID.fullmatch(text) is not None


def optional(description: str | None = None) -> Any:
    """Return a field that may be left out: then it is not told, rather than told as null."""
    return Field(default=None, exclude_if=lambda value: value is None, description=description)


def left_out(description: str | None = None) -> Any:
    """Return a field of what is sent that may be left out, but is never null."""
    return Field(default=None, description=description)


def wrong(code: FieldCode, detail: str) -> PydanticCustomError:
    return PydanticCustomError(code.value, detail)


def count(value: object) -> int:
    """Read a query's digits; Python's other ways to write a number are not ours."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10):
        raise wrong(FieldCode.NOT_A_COUNT, "must be a whole number")
    return int(value)
