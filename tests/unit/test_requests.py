"""The readers of requests judge as the models do, from which the contract is made."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from contracts.models import AskQuotes, ListOrders, PlaceOrder
from engine.api.problems import Problem
from engine.api.requests import read_ask_quotes, read_list_orders, read_place_order

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 20_000),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: round(x, 6)),
    st.text(max_size=70),
    st.sampled_from(["market", "SOL", "USDC", "1", "1.5", "0", "a.b:c-d_e", "x" * 65, "pending"]),
    st.lists(st.integers(), max_size=1),
    st.just({}),
)
TEXTS = st.one_of(
    st.text(max_size=12), st.sampled_from(["1", "50", "101", "confirmed", "1.5", "SOL", "010", "٣"])
)


def _near(good: dict[str, Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return dicts that are almost `good`: some fields changed, gone or added."""
    changes = st.dictionaries(st.sampled_from([*good, "more"]), values, max_size=2)
    gone = st.sets(st.sampled_from(sorted(good)), max_size=1)
    return st.builds(
        lambda c, g: {k: v for k, v in {**good, **c}.items() if k not in g}, changes, gone
    )


def _by_model(model: type[BaseModel], value: object) -> set[str] | None:
    try:
        model.model_validate(value)
    except ValidationError as error:
        return {"".join(f"/{part}" for part in e["loc"]) for e in error.errors()}
    return None


def _by_reader(read: Callable[[], object]) -> set[str] | None:
    try:
        read()
    except Problem as problem:
        return {e.pointer.replace("~1", "/").replace("~0", "~") for e in problem.errors}
    return None


ORDER = {
    "type": "market",
    "tokenIn": "SOL",
    "tokenOut": "USDC",
    "amount": "1.5",
    "slippageBps": 50,
    "clientOrderId": "k",
}
QUOTES = {"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1", "slippageBps": "50"}


@given(_near(ORDER, VALUES))
@example(ORDER)
@example([])
@example("x")
def test_an_order_is_read_as_the_model_reads_it(body: object) -> None:
    from decimal import Decimal

    text = json.dumps(body)
    as_read = json.loads(text, parse_float=Decimal)
    assert _by_reader(lambda: read_place_order(text, None)) == _by_model(PlaceOrder, as_read)


@given(_near({"status": "pending", "limit": "5", "cursor": "c"}, TEXTS))
def test_a_list_is_read_as_the_model_reads_it(query: dict[str, str]) -> None:
    assert _by_reader(lambda: read_list_orders(query)) == _by_model(ListOrders, query)


@given(_near(QUOTES, TEXTS))
def test_a_question_is_read_as_the_model_reads_it(query: dict[str, str]) -> None:
    assert _by_reader(lambda: read_ask_quotes(query)) == _by_model(AskQuotes, query)


def test_what_is_left_out_has_the_models_defaults() -> None:
    wish = read_place_order('{"type":"market","tokenIn":"SOL","tokenOut":"USDC","amount":1}', None)
    assert (wish.slippage_bps, wish.key) == (50, None)
    listed = read_list_orders({})
    assert (listed.status, listed.limit, listed.cursor) == (None, 50, None)
    asked = read_ask_quotes({"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"})
    assert asked.slippage_bps == 50


def test_a_start_costs_no_models_and_no_framework() -> None:
    import subprocess
    import sys
    from pathlib import Path

    engine = str(Path(__file__).parents[2] / "layers/common")
    code = (
        f"import sys; sys.path.insert(0, {engine!r}); import engine.api.http; "
        "print({'pydantic_core', 'aws_lambda_powertools.event_handler'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.parametrize("model", [PlaceOrder, ListOrders, AskQuotes])
def test_the_models_take_nothing_unknown(model: type[BaseModel]) -> None:
    assert model.model_config.get("extra") == "forbid"
