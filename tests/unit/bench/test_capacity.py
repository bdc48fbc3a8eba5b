"""DynamoDB's rules: sizes, units, and what an index costs."""

from typing import Any

import pytest

from bench.capacity import item_bytes, number_bytes, read_units, value_bytes, write_units
from bench.template import indexes


def a_row(size: int = 100, **attributes: Any) -> dict[str, Any]:
    """Return an item of exactly `size` bytes, filled up with text."""
    row = {"pk": {"S": "ORDER#1"}, "sk": {"S": "ORDER"}, **attributes, "t": {"S": ""}}
    row["t"] = {"S": "x" * (size - item_bytes(row))}
    return row


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 1), ("7", 2), ("42", 2), ("123", 3), ("-123", 4), ("1000", 2), ("1.25", 3)],
)
def test_a_number_takes_a_byte_for_two_digits_and_one_more(text: str, size: int) -> None:
    assert number_bytes(text) == size


def test_names_and_texts_count_their_utf_8() -> None:
    assert item_bytes({"é": {"S": "aü"}}) == 2 + 3


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "aü"}, 3),
        ({"N": "42"}, 2),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_every_kind_of_value_has_its_size(value: dict[str, Any], size: int) -> None:
    assert value_bytes(value) == size


def test_a_write_costs_a_unit_for_every_begun_kilobyte() -> None:
    assert write_units(None, a_row(1024)) == {"table": 1}
    assert write_units(None, a_row(1025)) == {"table": 2}


def test_an_update_costs_the_larger_of_both_items() -> None:
    assert write_units(a_row(3000), a_row(100)) == {"table": 3}


def test_a_deletion_costs_what_is_deleted_and_nothing_costs_one() -> None:
    assert write_units(a_row(1500), None) == {"table": 2}
    assert write_units(None, None) == {"table": 1}


def test_an_index_costs_a_write_when_the_row_enters_it_and_when_it_leaves() -> None:
    key = {name: {"S": "1"} for name in indexes()["open-orders"]}
    assert write_units(None, a_row(100, **key))["open-orders"] == 1
    assert write_units(a_row(100, **key), a_row())["open-orders"] == 1


def test_an_update_that_changes_nothing_projected_leaves_the_index_alone() -> None:
    key = {name: {"S": "1"} for name in indexes()["by-account"]}
    assert write_units(a_row(100, **key), a_row(200, **key)) == {"table": 1}


def test_another_index_key_costs_a_deletion_and_a_put() -> None:
    name, key = next(iter(indexes().items()))
    old, new = ({part: {"S": text} for part in key} for text in "ab")
    assert write_units(a_row(100, **old), a_row(100, **new))[name] == 2


def test_a_read_costs_a_unit_for_every_begun_four_kilobytes() -> None:
    assert read_units([a_row(4096)], consistent=True) == 1
    assert read_units([a_row(4097)], consistent=True) == 2
    assert read_units([a_row(4097)], consistent=False) == 1


def test_a_query_adds_its_items_up() -> None:
    assert read_units([a_row(100)] * 10, consistent=True) == 1
    assert read_units([a_row(1000)] * 10, consistent=True) == 3


def test_looking_in_vain_costs_a_read_too() -> None:
    assert read_units([], consistent=True) == 1
