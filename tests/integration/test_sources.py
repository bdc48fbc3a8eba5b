"""Sources of signals in SSM: what an operator makes, the engine reads, and nothing else."""

from typing import Any

import boto3
import pytest

from engine.adapters.aws.signals import SsmSources
from engine.ports.signals import Source
from local.errors import Refused
from local.ops.signals import SourceBook


@pytest.fixture
def ssm(cloud: None) -> Any:
    return boto3.client("ssm")


@pytest.fixture
def book(ssm: Any) -> SourceBook:
    return SourceBook(ssm, "stack")


def read(ssm: Any, name: str = "pad") -> Source | None:
    """Read as a process that has just begun does."""
    return SsmSources(lambda: ssm, "/stack/signals").find(name)


def test_a_source_is_read_as_it_was_made_and_kept_as_a_secure_string(
    ssm: Any, book: SourceBook
) -> None:
    assert read(ssm) is None
    made = book.create("pad")
    assert read(ssm) == made
    assert made.authorization is None
    (stored,) = ssm.get_parameters_by_path(Path="/stack/signals")["Parameters"]
    assert stored["Type"] == "SecureString"


def test_two_secrets_are_good_from_a_rotation_until_the_former_is_retired(
    ssm: Any, book: SourceBook
) -> None:
    first = book.create("pad", echoes=True)
    second, third = book.rotate("pad"), book.rotate("pad")
    assert second.secrets[1:] == first.secrets
    assert read(ssm) == third
    assert third.secrets[1:] == second.secrets[:1]
    assert third.authorization == first.authorization
    book.retire("pad")
    assert read(ssm) == Source("pad", third.secrets[:1], first.authorization)


def test_a_revoked_source_is_unknown(ssm: Any, book: SourceBook) -> None:
    book.create("pad")
    book.revoke("pad")
    assert read(ssm) is None
    for act in (book.rotate, book.retire, book.revoke):
        with pytest.raises(Refused, match="no source"):
            act("pad")


@pytest.mark.parametrize("name", ["", "Pad", "a/b", "a" * 33, "simulation"])
def test_a_name_that_no_source_may_have_is_refused(book: SourceBook, name: str) -> None:
    with pytest.raises(Refused, match="NAME"):
        book.create(name)


def test_a_source_is_not_made_twice(ssm: Any, book: SourceBook) -> None:
    made = book.create("pad")
    with pytest.raises(Refused, match="ROTATE"):
        book.create("pad")
    assert read(ssm) == made
