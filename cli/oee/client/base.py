"""What the models share: how they read and write, and the fields that JSON has no word for."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


class Told(BaseModel):
    """What the engine tells; fields that a newer engine adds are kept."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="allow",
        frozen=True,
        serialize_by_alias=True,
        validate_by_name=True,
    )

    def json_text(self) -> str:
        """Return the document as the engine wrote it."""
        return self.model_dump_json(exclude_unset=True)


class Sent(BaseModel):
    """What is sent to the engine; what is None is left out."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        serialize_by_alias=True,
        validate_by_name=True,
    )


class Open(StrEnum):
    """An enumeration that takes what a newer engine adds to it."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


def _exact(value: object) -> object:
    if isinstance(value, float | bool):
        raise ValueError("must be a Decimal, an int or a str: a float is not exact")
    return value


def digits(value: Decimal) -> str:
    """Return a number without an exponent, as the API takes it."""
    return f"{value:f}"


def rfc3339(at: datetime) -> str:
    """Return a time in UTC, to the millisecond. Raises ValueError if it has no offset."""
    if at.tzinfo is None:
        raise ValueError("a time needs its offset")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


#: An exact decimal number, as text on the wire.
Digits = Annotated[Decimal, PlainSerializer(digits)]
#: The same to send; floats are refused.
Amount = Annotated[Decimal, BeforeValidator(_exact), PlainSerializer(digits)]
#: In UTC, to the millisecond.
Time = Annotated[datetime, PlainSerializer(rfc3339)]
