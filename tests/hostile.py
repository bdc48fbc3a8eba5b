"""What a broken or a newer program may leave behind: values of the wrong kind, in any place."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

#: Each stands where something else should: wrong types, absurd sizes, texts that are no UTF-8.
WRONG: list[Any] = [
    None, True, -1, 0, 1, 7, 10**30, -(10**18), 1.5, float("inf"), float("nan"), "", "x", "0", "-1",
    "1e9", "٣", "\ud800", "9" * 5_000, [], {}, [[]], [None], {"S": "x"},
]  # fmt: skip
#: No document at all, or one that is no end.
NO_JSON = ["", "{", "[" * 3_000, '{"a":' * 3_000, "nul", "\x00", "\ud800", "1e999999", "9" * 5_000]


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*at, key))


@st.composite
def spoilt(draw: DrawFn, value: Any) -> Any:
    """Return a copy of a JSON value in which one or two places are wrong, missing or doubled."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 2))):
        places = [place for place in _places(value) if place]
        if not places:
            return draw(st.sampled_from(WRONG))
        *way, last = draw(st.sampled_from(places))
        holder = value
        for key in way:
            holder = holder[key]
        match draw(st.sampled_from(["wrong", "wrong", "missing", "doubled"])):
            case "missing":
                del holder[last]
            case "doubled" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[last]))
            case _:
                holder[last] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return value


def spoilt_text(text: str) -> st.SearchStrategy[str]:
    """Return a JSON text in which something is wrong, or that is none."""
    cut = st.integers(0, len(text) - 1).map(lambda n: text[:n])
    return spoilt(json.loads(text)).map(json.dumps) | cut | st.sampled_from(NO_JSON)


def spoilt_row(row: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return an order's row as DynamoDB might hold it; its keys are strings, and there."""
    wrong = st.sampled_from([{"S": ""}, {"S": "x"}, {"N": "-1"}, {"N": "1E+30"}, {"BOOL": True}])
    documents = spoilt_text(row["doc"]["S"]).map(lambda text: {**row, "doc": {"S": text}})
    attributes = st.tuples(st.sampled_from(["doc", "seq", "v"]), wrong).map(
        lambda change: {**row, change[0]: change[1]}
    )
    missing = st.sampled_from(["doc", "seq"]).map(
        lambda name: {key: value for key, value in row.items() if key != name}
    )
    places = st.sampled_from(["", "x", "-1#x", "9" * 30]).map(
        lambda text: {**row, "placed": {"S": text}}
    )
    newer = st.sampled_from(["3", "99"]).map(lambda version: {**row, "v": {"N": version}})
    return documents | attributes | missing | places | newer
