"""The trimmed service data is what botocore has, and no call of ours is missing from it."""

import ast
import re
from pathlib import Path

import pytest

from engine.adapters import aws
from local.aws_data import CALLS, drift

ADAPTERS = Path(__file__).parents[2] / "layers/common/engine/adapters"


def test_the_data_is_what_botocore_gives() -> None:
    assert drift() == []


def test_every_call_that_an_adapter_makes_is_in_it() -> None:
    """Calls of a client look like `self.client.put_item(...)`."""
    known = {
        re.sub("(?<!^)([A-Z])", r"_\1", call).lower() for calls in CALLS.values() for call in calls
    }
    made = {
        node.attr
        for path in ADAPTERS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "client"
    }
    assert made == known


def test_a_botocore_that_wants_more_than_our_data_uses_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setattr(aws, "_DATA", tmp_path)
    aws._session.cache_clear()
    try:
        assert aws._client("dynamodb").meta.service_model.service_name == "dynamodb"
    finally:
        aws._session.cache_clear()


def test_no_handler_of_botocore_that_we_take_wants_a_place_of_its_own() -> None:
    from botocore.handlers import BUILTIN_HANDLERS

    from engine.adapters.aws import is_ours

    taken = [spec for spec in BUILTIN_HANDLERS if is_ours(spec[0])]
    assert taken
    assert all(len(spec) == 2 for spec in taken)  # those of three ask to be first, or last
