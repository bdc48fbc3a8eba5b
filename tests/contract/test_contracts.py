"""The contracts are what the code says, and what the code says is in the contracts."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from contracts.__main__ import FILES
from contracts.codes import chapters
from contracts.http import CALLS
from contracts.schemas import PLACE_ORDER, SCHEMAS, Schema
from engine.api.http import ROUTES
from engine.api.problems import PROBLEMS, Problem
from engine.api.requests import read_place_order
from engine.api.sockets import FRAMES
from engine.api.views import (
    error_message,
    message,
    offer_view,
    order_view,
    pong_message,
    token_view,
    unknown_order_message,
)
from engine.domain.order import (
    Failure,
    Order,
    Quote,
)
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC
from engine.service.quoting import Offer
from tests.fakes import START, a_life, an_order

ROOT = Path(__file__).parents[2]
OPENAPI = json.loads((ROOT / "docs/openapi.json").read_text())
ASYNCAPI = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())
PAGE = (ROOT / "layers/common/engine/api/docs.html").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_committed_file_is_what_the_code_makes(path: Path) -> None:
    assert path.read_text() == FILES[path](), "run make contracts"


def test_the_openapi_document_is_one() -> None:
    validate(OPENAPI)


def test_what_is_served_is_what_is_committed() -> None:
    served = ROOT / "layers/common/engine/api/openapi.json"
    assert json.loads(served.read_text()) == OPENAPI


def test_every_route_is_in_the_document_and_no_other() -> None:
    routes = {
        (path.replace("<order_id>", "{orderId}"), method.lower())
        for path, methods in ROUTES.items()
        for method in methods
    }
    assert {(p, m) for p, methods in OPENAPI["paths"].items() for m in methods} == routes


def test_every_problem_is_answered_somewhere() -> None:
    told = {code for call in CALLS.values() for code in call.problems}
    assert told == PROBLEMS.keys() - {"NOT_FOUND", "METHOD_NOT_ALLOWED"}  # these have no route


def test_every_code_has_its_place_on_the_page_that_types_lead_to() -> None:
    class Ids(HTMLParser):
        found: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [value for name, value in attrs if name == "id" and value]

    ids = Ids()
    ids.found = []
    ids.feed(PAGE)
    assert len(ids.found) == len(set(ids.found))
    assert {entry.code for chapter in chapters() for entry in chapter.entries} <= set(ids.found)
    assert set(re.findall(r'href="#([^"]+)"', PAGE)) <= set(ids.found)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    assert not re.findall(r'(?:src|href)="(?!#|/openapi\.json)', PAGE)
    assert "<script" not in PAGE
    assert "@import" not in PAGE
    assert "url(" not in PAGE
    assert len(PAGE) < 80_000  # it lies in every function's layer


# Requests: what the schema takes is read, what it refuses is refused


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "0"}, {"amount": "1e3"}, {"amount": "-1"}, {"amount": 0}, {"amount": True},
        {"amount": ""}, {"amount": "."}, {"amount": "1" * 65}, {"type": "limit"}, {"tokenIn": ""},
        {"slippageBps": 10_001}, {"slippageBps": 1.5}, {"clientOrderId": "a b"}, {"x": 1},
        {"amount": "1."}, {"amount": ".5"}, {"amount": "01"}, {"amount": 1.5}, {"amount": 1e-9},
        {"slippageBps": 50.0}, {"clientOrderId": None}, {"clientOrderId": "a:b"}, {"amount": "1"},
    ],
)  # fmt: skip
def test_the_schema_and_the_reader_agree(changes: dict[str, Any]) -> None:
    body = {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": 1} | changes
    try:
        wish = read_place_order(json.dumps(body), None)
        read = wish.amount > 0  # that is for the use case to say
    except Problem:
        read = False
    assert Draft202012Validator(PLACE_ORDER).is_valid(body) is read


# Answers: every field is in its schema, and nothing else is


def closed(schema: Any) -> Any:
    """Return a schema that takes no field it does not name."""
    if isinstance(schema, dict):
        inner = {key: closed(value) for key, value in schema.items()}
        return {**inner, "additionalProperties": False} if "properties" in schema else inner
    return [closed(each) for each in schema] if isinstance(schema, list) else schema


def check(schema: Schema, value: Any) -> None:
    whole = {"components": {"schemas": closed(SCHEMAS)}, **closed(schema)}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def orders() -> list[Order]:
    life = a_life(an_order(client_order_id="k"), at=START)
    quotes = (Quote("raydium", error="VENUE_TIMEOUT"),)
    return [
        *life,
        an_order().cancel(at=START),
        life[1].wait(quotes, "VENUES_UNAVAILABLE", at=START, until=START),
        life[3].rebuild(at=START),
        life[3].fail(Failure("SLIPPAGE_EXCEEDED", "too far"), at=START),
    ]


@pytest.mark.parametrize("order", orders(), ids=lambda order: str(order.status))
def test_orders_read_as_the_contract_says(order: Order) -> None:
    check(SCHEMAS["Order"], order_view(order))
    assert list(order_view(order)) == list(SCHEMAS["Order"]["properties"])


@pytest.mark.parametrize("routed", [True, False])
def test_offers_and_tokens_read_as_the_contract_says(routed: bool) -> None:
    order = orders()[3]
    offer = Offer(order.quotes, order.route if routed else None, START)
    check(SCHEMAS["Offer"], offer_view(offer, Terms(SOL, USDC, 10**9, 50)))
    check(SCHEMAS["Tokens"]["properties"]["tokens"]["items"], token_view(SOL))


def payload(name: str) -> Schema:
    schema: Schema = ASYNCAPI["components"]["messages"][name]["payload"]
    return schema


def test_messages_of_the_stream_read_as_the_contract_says() -> None:
    for order in orders():
        for kind in ("snapshot", "status"):
            check(payload(kind), json.loads(message(kind, order)))
    check(payload("pong"), json.loads(pong_message()))
    check(payload("error"), json.loads(unknown_order_message("o")))
    for code in payload("error")["properties"]["code"]["enum"]:
        check(payload("error"), json.loads(error_message(code, "why")))


def test_the_stream_knows_the_frames_of_the_contract() -> None:
    receive = [n for n, o in ASYNCAPI["operations"].items() if o["action"] == "receive"]
    assert set(receive) == set(FRAMES)
    for name in receive:
        assert payload(name)["properties"].keys() - {"action"} == FRAMES[name]
        assert payload(name)["properties"]["action"] == {"const": name}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        yield from (each for inner in value.values() for each in references(inner))
    elif isinstance(value, list):
        yield from (each for inner in value for each in references(inner))


@pytest.mark.parametrize("document", [OPENAPI, ASYNCAPI], ids=["openapi", "asyncapi"])
def test_no_reference_leads_nowhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        assert found


def test_every_schema_of_the_stream_is_one() -> None:
    for name in ASYNCAPI["components"]["messages"]:
        Draft202012Validator.check_schema(payload(name))
    judge = Draft202012Validator(payload("subscribe"))
    assert judge.is_valid({"action": "subscribe", "orderId": "o", "afterSeq": 1})
    assert judge.is_valid({"action": "subscribe", "orders": "mine"})
    assert not judge.is_valid({"action": "subscribe"})
    assert not judge.is_valid({"action": "subscribe", "orders": "mine", "orderId": "o"})
