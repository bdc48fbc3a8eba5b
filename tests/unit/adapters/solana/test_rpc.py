"""A node that is slow, overloaded, behind, or talks nonsense: said to be so, and never believed."""

import json
from typing import Any

import pytest
import urllib3

from engine.adapters.solana.rpc import Node, NodeError, NodeTimeout, NodeUnavailable
from tests.fakes import FakeClock


class Answers:
    """Answers of HTTP in turn; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]

    def request(self, method: str, url: str, *, body: str, **_: Any) -> Any:
        self.asked.append(json.loads(body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, told, headers = answer
        data = told if isinstance(told, bytes) else json.dumps({"id": len(self.asked) - 1, **told})
        return urllib3.HTTPResponse(
            data if isinstance(data, bytes) else data.encode(), headers=headers, status=status
        )


def a_node(*answers: Any) -> tuple[Node, Answers, FakeClock]:
    clock, pool = FakeClock(), Answers(*answers)
    return Node("http://node", clock, _pool=pool), pool, clock  # type: ignore[arg-type]


def ok(result: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    return 200, {"result": result}, {}


def accounts(slot: int) -> tuple[int, dict[str, Any], dict[str, str]]:
    value = {"owner": "o", "lamports": 1, "data": ["AAE=", "base64"]}
    return ok({"context": {"slot": slot}, "value": [value, None]})


def test_a_node_with_too_much_to_do_is_asked_again_when_it_says() -> None:
    node, _, clock = a_node((429, b"", {"Retry-After": "0.5"}), ok(7))
    before = clock.now()
    assert node.call("getSlot") == 7
    assert (clock.now() - before).total_seconds() == 0.5


def test_but_not_after_the_deadline() -> None:
    node, pool, _ = a_node((429, b"", {"Retry-After": "30"}))
    with pytest.raises(NodeUnavailable, match="too many requests"):
        node.call("getSlot")
    assert len(pool.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (urllib3.exceptions.ReadTimeoutError(None, "", "slow"), NodeTimeout),  # type: ignore[arg-type]
        (urllib3.exceptions.ProtocolError("reset"), NodeUnavailable),
        ((200, b"<html>", {}), NodeUnavailable),
        ((200, b"[" * 100_000, {}), NodeUnavailable),
        ((200, b"[]", {}), NodeUnavailable),
        ((502, b"", {}), NodeUnavailable),
        ((200, {"id": 99, "result": 1}, {}), NodeUnavailable),
        ((200, {}, {}), NodeUnavailable),
        ((200, {"error": {"code": -32016, "message": "behind"}}, {}), NodeError),
        ((200, {"error": "broken"}, {}), NodeUnavailable),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(answer: Any, error: type[Exception]) -> None:
    node, _, _ = a_node(answer)
    with pytest.raises(error):
        node.call("getSlot")


def test_nothing_older_is_read_than_was_read_before() -> None:
    node, pool, _ = a_node(accounts(10), accounts(11), accounts(9))
    told = node.accounts(["a", "b"])
    assert told.slot == 10
    assert told.found["b"] is None
    node.accounts(["a", "b"])
    assert pool.asked[1]["params"][1]["minContextSlot"] == 10
    with pytest.raises(NodeUnavailable, match="behind 11"):
        node.accounts(["a", "b"])


@pytest.mark.parametrize(
    "value",
    [
        [],
        [{"owner": "o", "lamports": 1, "data": ["AA", "base64"]}, None],
        [{"owner": "o", "lamports": 1, "data": ["AA==", "base58"]}, None],
        [{"owner": "o", "lamports": -1, "data": ["AA==", "base64"]}, None],
        ["x", None],
    ],
)
def test_accounts_that_can_not_be_read_are_refused(value: Any) -> None:
    node, _, _ = a_node(ok({"context": {"slot": 1}, "value": value}))
    with pytest.raises(NodeUnavailable, match="getMultipleAccounts"):
        node.accounts(["a", "b"])
