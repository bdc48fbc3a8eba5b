"""An engine that answers from a script, over HTTP and the stream, without a network."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from oee.client import Engine, sync
from tests.unit.test_http import World

Answer = httpx.Response | httpx.TransportError


def an_order(**changes: Any) -> dict[str, Any]:
    """Return an order as the engine itself tells it, with `changes`."""
    body = {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": 1}
    told: dict[str, Any] = World().post(body).body
    return told | changes


def a_problem(status: int, code: str, **headers: str) -> httpx.Response:
    told = {"code": code, "detail": f"{code} it is", "requestId": "r", "status": status}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=told, headers=named)


@dataclass
class Script:
    """Answers in turn what it was given, and keeps what it was asked."""

    answers: list[Answer]
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer


def an_engine(*answers: Answer, patience: float = 30) -> tuple[Engine, Script]:
    script = Script([*answers])
    transport = httpx.MockTransport(script)
    return Engine("http://127.0.0.1:1", patience=patience, transport=transport), script


def a_message(seq: int, status: str, **changes: Any) -> str:
    order = an_order(seq=seq, status=status)
    at = order["updatedAt"]
    told = {"type": "status", "orderId": "o", "seq": seq, "status": status, "at": at}
    return json.dumps(told | {"order": order} | changes)


@dataclass
class Socket:
    """A connection to the stream: what it is told in turn, then it is cut."""

    frames: list[str | Exception]
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(self, frame: str) -> None:
        self.sent.append(json.loads(frame))

    def recv(self, timeout: float) -> str:
        frame = self.frames.pop(0) if self.frames else ConnectionResetError("cut")
        if isinstance(frame, Exception):
            raise frame
        return frame

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep the waits of the client instead of waiting; time passes by them alone."""
    kept: list[float] = []
    monkeypatch.setattr(time, "sleep", kept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(kept))
    return kept


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Socket]]:
    """Make the stream's connections those that are named, in turn."""

    def connections(*of: Socket | Exception) -> list[Socket]:
        coming: Iterator[Socket | Exception] = iter(of)

        def connect(*_: object, **__: object) -> Socket:
            socket = next(coming)
            if isinstance(socket, Exception):
                raise socket
            return socket

        monkeypatch.setattr(sync, "connect", connect)
        return [socket for socket in of if isinstance(socket, Socket)]

    return connections
