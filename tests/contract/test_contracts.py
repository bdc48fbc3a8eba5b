"""The contracts are what the models say; what they say of codes is what the code can answer."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from contracts.__main__ import FILES, api
from engine.api.catalogue import CHAPTERS
from engine.api.document import page
from engine.api.frames import CODES, error_message, pong_message, refusal_message
from engine.api.handshake import BadFrame
from engine.api.problems import PROBLEMS
from engine.api.sockets import REFUSED
from engine.api.views import (
    message,
    offer_view,
    order_view,
    token_view,
)
from engine.domain.errors import (
    EngineError,
    FailureCode,
    FieldCode,
    KeyRevoked,
    MarketError,
    OrderNotFound,
    SeqNotReached,
    StoreUnavailable,
    TooManySubscriptions,
    VenueError,
)
from engine.domain.order import (
    LIMIT_NOT_MET,
    TRANSACTION_EXPIRED,
    Failure,
    Order,
    Quote,
    Settlement,
)
from engine.domain.parts import PRICE_OUTSIDE_BAND
from engine.domain.terms import Terms
from engine.domain.tokens import SOL, USDC
from engine.service.quoting import Offer
from tests.fakes import START, a_life, an_order

ROOT = Path(__file__).parents[2]
OPENAPI = json.loads((ROOT / "docs/openapi.json").read_text())
ASYNCAPI = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())
Schema = dict[str, Any]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_committed_file_is_what_the_code_makes(path: Path) -> None:
    assert path.read_text() == FILES[path](), "run make contracts"


def test_the_openapi_document_is_one() -> None:
    validate(OPENAPI)


def test_every_route_is_in_the_document_and_no_other() -> None:
    known = {(p, m.lower()) for p, methods in api().contract().known.items() for m in methods}
    told = {(p, m) for p, methods in OPENAPI["paths"].items() for m in methods}
    assert known - told == {
        ("/docs/swagger-ui-bundle.min.js", "get"),
        ("/docs/swagger-ui.min.css", "get"),
    }
    assert told < known


def operations() -> Iterator[tuple[str, Schema]]:
    for path, methods in OPENAPI["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def codes_of(operation: Schema) -> set[str]:
    """Return the codes of the problems that an operation is said to answer."""
    return {
        code
        for answer in operation["responses"].values()
        for content in [answer["content"].get("application/problem+json")]
        if content
        for code in content["schema"]["allOf"][1]["properties"]["code"]["enum"]
    }


def test_every_problem_is_answered_somewhere() -> None:
    told = {code for _, operation in operations() for code in codes_of(operation)}
    assert told == PROBLEMS.keys() - {"NOT_FOUND", "METHOD_NOT_ALLOWED"}  # these have no route


def test_what_needs_a_key_says_so() -> None:
    for path, operation in operations():
        public = operation.get("security") == []
        signed = path.startswith("/api/signals/")  # by its source, which no key is
        assert public is (signed or not path.startswith("/api/"))
        assert ("UNAUTHENTICATED" in codes_of(operation)) is not public


def leaves(root: type[EngineError]) -> set[str]:
    """Return the codes of the errors below `root` that nothing is below."""
    below = root.__subclasses__()
    return {root.code} if not below else set[str]().union(*map(leaves, below))


def test_something_is_said_of_every_code_and_of_no_other() -> None:
    said = {chapter.title: set(chapter.said) for chapter in CHAPTERS}
    assert said == {
        "Problems": set(PROBLEMS),
        "Fields": set(FieldCode),
        "Failed orders": {*FailureCode, *leaves(MarketError)},
        "Tries": {TRANSACTION_EXPIRED, LIMIT_NOT_MET, PRICE_OUTSIDE_BAND},
        "Quotes": leaves(VenueError) | leaves(MarketError),
        "Stream": set(CODES),
        "Refused connections": set(REFUSED),
    }
    assert set(CODES) == {
        BadFrame.code,
        TooManySubscriptions.code,
        KeyRevoked.code,
        StoreUnavailable.code,
        OrderNotFound.code,
        SeqNotReached.code,
    }
    (refused,) = [c.statuses for c in CHAPTERS if c.title == "Refused connections"]
    assert refused == REFUSED


# The page


class Elements(HTMLParser):
    """What a page names and asks for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.asked: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.asked += [value for name, value in attrs if name in {"src", "href"} and value]


def test_every_code_has_its_place_on_the_page_that_types_lead_to() -> None:
    html, _ = page(OPENAPI)
    ids = Elements(html).ids
    assert len(ids) == len(set(ids))
    assert {code for chapter in CHAPTERS for code in chapter.said} <= set(ids)


def test_the_page_needs_its_own_two_files_only_and_may_ask_for_no_other() -> None:
    html, policy = page(OPENAPI)
    assert Elements(html).asked == ["docs/swagger-ui.min.css", "docs/swagger-ui-bundle.min.js"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-")
    assert "unsafe" not in policy
    assert "*" not in policy


# Answers: every field is in its schema, and nothing else is


def closed(schema: Any) -> Any:
    """Return a schema that takes no field it does not name."""
    if isinstance(schema, dict):
        inner = {key: closed(value) for key, value in schema.items()}
        return {**inner, "additionalProperties": False} if "properties" in schema else inner
    return [closed(each) for each in schema] if isinstance(schema, list) else schema


def check(schema: Schema, value: Any) -> None:
    whole = {"components": closed(OPENAPI["components"]), **closed(schema)}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def component(name: str) -> Schema:
    schema: Schema = OPENAPI["components"]["schemas"][name]
    return schema


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
    told = order_view(order).model_dump(mode="json")
    check(component("Order"), told)
    assert list(told) == list(component("Order")["properties"])


@pytest.mark.parametrize("routed", [True, False])
def test_offers_and_tokens_read_as_the_contract_says(routed: bool) -> None:
    order = orders()[3]
    offer = Offer(order.quotes, order.route if routed else None, START)
    told = offer_view(offer, Terms(SOL, USDC, 10**9, 50), Settlement.SIMULATED)
    check(component("Offer"), told.model_dump(mode="json"))
    check(component("Token"), token_view(SOL).model_dump(mode="json"))


def payload(name: str) -> Schema:
    schema: Schema = ASYNCAPI["components"]["messages"][name]["payload"]
    return schema


def test_messages_of_the_stream_read_as_the_contract_says() -> None:
    for order in orders():
        for kind in ("snapshot", "status"):
            check(payload(kind), json.loads(message(kind, order)))
    check(payload("pong"), json.loads(pong_message()))
    check(payload("error"), json.loads(refusal_message(OrderNotFound("no"), "o")))
    for code in payload("error")["properties"]["code"]["enum"]:
        check(payload("error"), json.loads(error_message(code, "why")))


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


# Those who read them


def test_a_client_that_is_generated_from_the_document_has_typed_errors(tmp_path: Path) -> None:
    made = subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none",
            "--path", ROOT / "docs/openapi.json", "--output-path", tmp_path / "client",
        ],
        env={"PATH": str(Path(sys.executable).parent)},  # its formatter
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    assert "WARNING" not in made.stdout + made.stderr
    refused = 0
    for _, operation in operations():
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation["operationId"]).lower()
        (source,) = (tmp_path / "client/api").glob(f"*/{name}.py")
        told = set(re.findall(r"if response.status_code == (\d+):\s+\w+ = \w+", source.read_text()))
        assert told >= {status for status in operation["responses"] if status != "200"}
        refused += len([status for status in told if int(status) >= 400])
    assert refused >= 42
