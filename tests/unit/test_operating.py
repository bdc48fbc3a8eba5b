"""Operators: who may, what is done, what is written down of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest

from engine.api.operating import OperatorApi
from engine.domain.errors import QueueUnavailable, StoreUnavailable
from engine.domain.order import Failure, Settlement
from engine.ports.access import Caller, Role, TradingState
from engine.ports.logs import LogLine
from engine.ports.metrics import Metric
from engine.ports.operations import LyingLetter, Result
from engine.service.acting import Acting
from engine.service.identity import Identity, new_key
from engine.service.measuring import times
from engine.service.operating import Operating, percentiles
from tests.contract.test_contracts import check, component
from tests.fakes import (
    START,
    FakeChance,
    FakeClock,
    MemoryAccess,
    MemoryAudit,
    MemoryBreakers,
    MemoryLatencies,
    MemoryLogs,
    MemoryOrders,
    MemoryPriceBook,
    MemoryQueues,
    MemoryTickers,
    a_life,
    an_order,
)

CALLS = [
    ("GET", "/api/ops/status"),
    ("GET", "/api/ops/dead-letters"),
    ("POST", "/api/ops/redrive"),
    ("POST", "/api/ops/halt"),
    ("POST", "/api/ops/resume"),
    ("GET", "/api/ops/audit"),
    ("GET", "/api/ops/orders/o1/story"),
]


@dataclass
class World:
    required: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    chance: FakeChance = field(default_factory=FakeChance)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    audit: MemoryAudit = field(default_factory=MemoryAudit)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    queues: MemoryQueues = field(default_factory=MemoryQueues)
    latencies: MemoryLatencies = field(default_factory=MemoryLatencies)
    logs: MemoryLogs = field(default_factory=MemoryLogs)

    def __post_init__(self) -> None:
        self.identity = Identity(self.access, self.clock, self.chance, self.required)
        acting = Acting(self.access, self.audit, self.clock, self.chance)
        operating = Operating(
            acting,
            self.access,
            self.orders,
            self.queues,
            MemoryTickers(),
            MemoryPriceBook(),
            MemoryBreakers(),
            self.latencies,
            lambda: self.logs,
            self.clock,
            Settlement.SIMULATED,
        )
        self.api = OperatorApi(self.identity, operating)
        self.operator = self.new("olga", Role.OPERATOR)
        self.trader = self.new("tom", Role.TRADER)

    def new(self, account: str, role: Role) -> str:
        text, stored = new_key(account, self.chance, role)
        self.access.add_key(stored)
        return text

    def ask(
        self, method: str, path: str, key: str | None, body: object = None, query: str = ""
    ) -> tuple[int, Any]:
        headers = {"x-api-key": key} if key else {}
        if body is not None:
            headers["content-type"] = "application/json"
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "queryStringParameters": dict(each.split("=") for each in query.split("&") if each),
            "headers": headers,
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
            "requestContext": {
                "requestId": "r1",
                "stage": "$default",
                "http": {"method": method, "path": path},
            },
        }
        answer = _handler()(event, None, using=self.api)
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    def told(self) -> list[tuple[str, str, str | None, str]]:
        return [(a.account, a.act, a.reason, a.result.value) for a in self.audit.rows.values()]


def _handler() -> Callable[..., Any]:
    spec = spec_from_file_location("operate_app", "functions/operate/app.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[..., Any] = module.lambda_handler
    return handler


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("required", [True, False])
def test_a_traders_key_is_refused_and_noted_once_a_minute_and_changes_nothing(
    method: str, path: str, required: bool
) -> None:
    world = World(required)
    world.queues.letters.append(LyingLetter("m1", "o1", 1, START, None))
    body = {"reason": "mine"} if method == "POST" else None
    for _ in range(3):
        status, problem = world.ask(method, path, world.trader, body)
        assert (status, problem["code"]) == (403, "OPERATOR_ONLY")
    route = path.replace("o1", "{orderId}")
    assert world.told() == [("tom", f"{method} {route}", None, "refused")]
    assert world.access.state is TradingState.ACTIVE
    assert len(world.queues.letters) == 1
    world.clock.advance(60)
    assert world.ask(method, path, world.trader, body)[0] == 403
    assert len(world.audit.rows) == 2


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("required", [True, False])
def test_nobody_gets_in_without_a_key_that_is_known(method: str, path: str, required: bool) -> None:
    world = World(required)
    for key in (None, "oek_0", world.operator[:-1] + "x"):
        status, problem = world.ask(method, path, key, {} if method == "POST" else None)
        assert (status, problem["code"]) == (401, "UNAUTHENTICATED")
    assert not world.audit.rows


def test_a_key_that_is_revoked_or_loses_its_role_is_out_at_once() -> None:
    world = World()
    assert world.ask("GET", "/api/ops/audit", world.operator)[0] == 200
    key_id = world.operator.split("_")[1]
    world.access.keys[key_id] = replace(world.access.keys[key_id], role=Role.TRADER)
    assert world.ask("GET", "/api/ops/audit", world.operator)[0] == 403
    world.access.revoke_key(key_id)
    assert world.ask("GET", "/api/ops/audit", world.operator)[0] == 401


def test_a_halt_says_why_and_since_when_and_stands_in_the_audit() -> None:
    world = World()
    status, told = world.ask("POST", "/api/ops/halt", world.operator, {"reason": "a venue lies"})
    assert status == 200
    since = told["trading"]["since"]
    assert told["trading"] == {"state": "halted", "reason": "a venue lies", "since": since}
    world.clock.advance(5)
    _, again = world.ask("POST", "/api/ops/halt", world.operator, {"reason": "and the other"})
    assert again["trading"] == {"state": "halted", "reason": "and the other", "since": since}
    _, now = world.ask("GET", "/api/ops/status", world.operator)
    assert now["trading"] == again["trading"]
    _, resumed = world.ask("POST", "/api/ops/resume", world.operator, {"reason": "mended"})
    assert resumed["trading"]["state"] == "open"
    assert resumed["trading"]["since"] != since
    assert world.told() == [
        ("olga", "halt", "a venue lies", "done"),
        ("olga", "halt", "and the other", "done"),
        ("olga", "resume", "mended", "done"),
    ]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 201}, {"why": "x"}, []])
def test_a_halt_without_a_reason_is_none(body: object) -> None:
    world = World()
    status, problem = world.ask("POST", "/api/ops/halt", world.operator, body)
    assert (status, problem["code"]) == (422, "INVALID_BODY")
    assert world.access.state is TradingState.ACTIVE
    assert not world.audit.rows


def test_an_act_that_can_not_be_written_down_is_not_done() -> None:
    class Away(MemoryAudit):
        def note(self, *_: Any, **__: Any) -> None:
            raise StoreUnavailable("away")

    world = World(audit=Away())
    for key, path in ((world.operator, "/api/ops/halt"), (world.trader, "/api/ops/halt")):
        status, problem = world.ask("POST", path, key, {"reason": "why"})
        assert (status, problem["code"]) == (503, "STORE_UNAVAILABLE")
    assert world.access.state is TradingState.ACTIVE


def test_an_act_is_written_down_before_it_is_done_and_a_failure_as_one() -> None:
    seen: list[list[Result]] = []

    class Failing(MemoryQueues):
        def move(self, *_: Any, **__: Any) -> Any:
            seen.append([act.result for act in world.audit.rows.values()])
            raise QueueUnavailable("away")

    world = World(queues=Failing())
    status, problem = world.ask("POST", "/api/ops/redrive", world.operator)
    assert (status, problem["code"]) == (503, "STORE_UNAVAILABLE")
    assert seen == [[Result.BEGUN]]
    assert world.told() == [("olga", "redrive", None, "failed")]


def test_what_is_done_but_not_written_as_done_is_no_failure() -> None:
    class Forgetful(MemoryAudit):
        def finish(self, *_: Any) -> None:
            raise StoreUnavailable("away")

    world = World(audit=Forgetful())
    assert world.ask("POST", "/api/ops/halt", world.operator, {"reason": "why"})[0] == 200
    assert world.told() == [("olga", "halt", "why", "begun")]


def test_letters_are_shown_with_their_orders_and_moved() -> None:
    world = World()
    life = a_life(an_order(), at=START)
    failed = life[1].fail(Failure("VENUES_UNAVAILABLE", "none"), at=START)
    world.orders.rows[failed.order_id] = failed
    world.queues.letters += [
        LyingLetter("m1", failed.order_id, 2, START, "VENUES_UNAVAILABLE"),
        LyingLetter("m2", None, 11, START, None),
    ]
    _, told = world.ask("GET", "/api/ops/dead-letters", world.operator, query="limit=5")
    check(component("DeadLetters"), told)
    assert [(each["status"], each["error"]) for each in told["deadLetters"]] == [
        ("failed", "VENUES_UNAVAILABLE"),
        (None, None),
    ]
    assert told["count"] == 2
    _, moved = world.ask("POST", "/api/ops/redrive", world.operator, {"reason": "repaired"})
    assert moved == {"moved": 2, "remaining": 0}
    assert world.told() == [("olga", "redrive", "repaired", "done")]


def test_a_redrive_ends_after_its_seconds_and_says_what_is_left() -> None:
    class Slow(MemoryQueues):
        def move(self, goes_on: Any, *, patience: float) -> Any:
            def slowly() -> bool:
                world.clock.advance(3)
                return bool(goes_on())

            return super().move(slowly, patience=patience)

    world = World(queues=Slow([LyingLetter(f"m{n}", "o1", 1, START, None) for n in range(5)]))
    _, told = world.ask("POST", "/api/ops/redrive", world.operator)
    assert told == {"moved": 2, "remaining": 3}


def test_the_status_reads_as_the_contract_says() -> None:
    world = World()
    order = a_life(an_order(), at=START)[-1]
    world.latencies.add([(order.order_id, times(order))], at=START)
    waiting = an_order(order_id="22222222-1111-4111-8111-111111111111", at=START)
    world.orders.rows[waiting.order_id] = waiting
    world.clock.advance(7)
    _, told = world.ask("GET", "/api/ops/status", world.operator)
    check(component("SystemStatus"), told)
    assert told["trading"] == {"state": "open", "reason": None, "since": None}
    assert told["queue"]["oldestSeconds"] == pytest.approx(7, abs=0.1)
    assert set(told["breakers"]) == {"raydium", "meteora"}
    assert told["latency"]["orders"] == 1
    assert told["latency"]["steps"]["total"]["p50"] == times(order)[Metric.TIME_TO_END]


def test_the_audit_is_read_page_by_page() -> None:
    world = World()
    acting = world.api.operating.acting
    for n in range(5):
        acting.set_trading(TradingState.HALTED, f"{n}", by=Caller("olga"))
        world.clock.advance(1)
    seen, cursor = [], ""
    while True:
        query = "limit=2" + (f"&cursor={cursor}" if cursor else "")
        _, told = world.ask("GET", "/api/ops/audit", world.operator, query=query)
        check(component("Acts"), told)
        seen += [act["reason"] for act in told["acts"]]
        cursor = told["nextCursor"]
        if not cursor:
            break
    assert seen == ["4", "3", "2", "1", "0"]
    status, problem = world.ask("GET", "/api/ops/audit", world.operator, query="cursor=x")
    assert (status, problem["code"]) == (422, "INVALID_QUERY")


def test_a_story_is_of_any_accounts_order_and_of_none_that_is_not_there() -> None:
    world = World()
    order = an_order()
    world.orders.rows[order.order_id] = order
    line = {"timestamp": "t", "message": "order placed", "order_id": order.order_id, "seq": 1}
    world.logs.lines.append(LogLine("execute", json.dumps(line)))
    path = f"/api/ops/orders/{order.order_id}/story"
    _, told = world.ask("GET", path, world.operator)
    check(component("Story"), told)
    said = {"at": "t", "function": "execute", "what": "order placed", "facts": {"seq": 1}}
    assert told == {"orderId": order.order_id, "lines": [said]}
    status, problem = world.ask("GET", "/api/ops/orders/o2/story", world.operator)
    assert (status, problem["code"]) == (404, "ORDER_NOT_FOUND")


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([]) is None
    assert percentiles([7]) == (7, 7, 7)
    assert percentiles(range(1, 101)) == (50, 95, 99)
    assert percentiles([*range(1, 11)]) == (5, 10, 10)


def test_only_an_order_that_has_just_ended_has_times() -> None:
    *going, ended = a_life(an_order(), at=START)
    assert [times(order) for order in going] == [{}] * len(going)
    assert set(times(ended)) == {
        Metric.TIME_TO_END,
        Metric.QUEUE_TIME,
        Metric.QUOTE_TIME,
        Metric.BUILD_TIME,
        Metric.LANDING_TIME,
    }
    assert times(an_order().cancel(at=START + timedelta(1))) == {}
