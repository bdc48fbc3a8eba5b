"""Every route and every status it can answer, through the front door, against the contract."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoOrders
from engine.ports.signals import Source
from local.ops.signals import SourceBook
from local.system import ALIAS, System
from tests.e2e.cases import CASES, PUBLIC, SIGNALLED, World, plain, routes, signal
from tests.e2e.client import a_body, until
from tests.e2e.conftest import Accounts

CONTRACT = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": CONTRACT["components"]}


def check(route: str, status: int, answer: httpx.Response) -> None:
    """Compare an answer with what the contract says of this route."""
    assert answer.status_code == status, answer.text
    method, path = route.split()
    said = CONTRACT["paths"][path][method.lower()]["responses"][str(status)]
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in said["content"]
    if kind.endswith("json"):
        Draft202012Validator(resolved(said["content"][kind]["schema"])).validate(answer.json())
    for name, described in said["headers"].items():
        common = described.get("$ref", "").rpartition("/")[2]
        header = CONTRACT["components"]["headers"][common] if common else described
        assert name in answer.headers or not header["required"], name
        if name in answer.headers:
            Draft202012Validator(header["schema"]).validate(answer.headers[name])
    if status >= 400:
        assert kind == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.json()["requestId"] == answer.headers["x-request-id"]
    if status in {429, 503}:
        assert int(answer.headers["retry-after"]) > 0


@pytest.fixture(scope="module")
def nobody(keyed: System) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=keyed.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def source(keyed: System) -> Source:
    name = f"launchpad-{uuid.uuid4().hex[:8]}"
    return SourceBook(keyed.client("ssm"), keyed.stack.name).create(name)


@pytest.fixture
def world(
    account: Accounts,
    nobody: httpx.Client,
    stored: DynamoOrders,
    access: DynamoAccess,
    operator: httpx.Client,
    source: Source,
) -> World:
    return World(account("ann"), account("bob"), nobody, stored, access, operator, source)


@pytest.mark.parametrize(("route", "status"), CASES, ids=str)
def test_a_route_answers_as_the_contract_says(world: World, route: str, status: int) -> None:
    check(route, status, CASES[route, status](world))


#: The functions that answer the calls of the contract.
ANSWERING = ("execute", "operate")


@contextmanager
def broken(system: System, function: str, **changes: Any) -> Iterator[None]:
    """Put a version of a function of another configuration into service, then the old one again."""
    functions = system.client("lambda")
    name = system.stack.functions[function]
    before = functions.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
    as_it_was = functions.get_function_configuration(FunctionName=name)
    functions.update_function_configuration(FunctionName=name, **changes)
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, **{part: as_it_was[part] for part in changes}
        )
        functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=before)


def elsewhere(system: System, function: str, table: str) -> dict[str, Any]:
    """Return an environment of a function with another table."""
    name = system.stack.functions[function]
    config = system.client("lambda").get_function_configuration(FunctionName=name)
    return {"Variables": config["Environment"]["Variables"] | {"TABLE_NAME": table}}


def test_a_table_that_is_away_is_a_503_on_every_route_that_needs_it(
    world: World, keyed: System
) -> None:
    with ExitStack() as away:
        for function in ANSWERING:
            environment = elsewhere(keyed, function, "nowhere")
            away.enter_context(broken(keyed, function, Environment=environment))
        for method, path in routes():
            answer = plain(world.ann.http, method, path)
            if path.startswith("/api/signals/"):  # only what is signed gets as far as the table
                answer = signal(world, json.dumps(SIGNALLED).encode())
            check(f"{method} {path}", 200 if path in PUBLIC else 503, answer)
    assert world.ann.http.get("/api/tokens").status_code == 200


def test_a_function_that_can_not_start_is_a_500_on_every_route(world: World, keyed: System) -> None:
    with ExitStack() as broken_all:
        for function in ANSWERING:
            broken_all.enter_context(broken(keyed, function, Handler="app.nothing"))
        for method, path in routes():
            check(f"{method} {path}", 500, plain(world.ann.http, method, path))
    assert world.ann.http.get("/api/tokens").status_code == 200


@pytest.mark.parametrize("path", sorted({path for _, path in routes()}))
def test_another_method_is_a_405_that_tells_the_right_ones(world: World, path: str) -> None:
    allowed = {method for method, known in routes() if known == path}
    for method in sorted({"DELETE", "PUT", "PATCH"} - allowed):
        answer = world.nobody.request(
            method, path.replace("{orderId}", "any").replace("{clientOrderId}", "any")
        )
        assert answer.status_code == 405
        assert answer.json()["code"] == "METHOD_NOT_ALLOWED"
        assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == allowed


def test_head_is_get_without_a_body(world: World) -> None:
    for method, path in routes():
        if method == "GET" and path in PUBLIC:
            answer = world.nobody.head(path)
            assert (answer.status_code, answer.content) == (200, b"")


def test_another_path_is_a_404_problem(world: World) -> None:
    for path in (
        "/nothing",
        "/api/orders/",
        "/api/orders/a/b",
        "/API/orders",
        "/docs/",
        "/api/orders/%0A",
    ):
        answer = world.ann.http.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["code"] in {"NOT_FOUND", "ORDER_NOT_FOUND"}


def test_a_repeat_is_marked_and_the_quota_told(world: World) -> None:
    first = world.ann.post(a_body(), **{"Idempotency-Key": "again"})
    again = world.ann.post(a_body(), **{"Idempotency-Key": "again"})
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert first.headers["ratelimit-policy"] == '"orders";q=30;w=60'
    assert first.headers["ratelimit"].startswith('"orders";r=')


def test_an_account_over_its_rate_waits_and_others_do_not(world: World) -> None:
    refused = until(world.ann.post, lambda answer: answer.status_code == 429, every=0)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"orders";r=0;t=')
    assert world.bob.post().status_code == 202
    assert world.ann.http.get("/api/orders").status_code == 200
