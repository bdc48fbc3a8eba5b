"""Whose requests are served on loopback without keys."""

import asyncio
from typing import Any

import pytest

from local.cloud.emulator import guarded
from local.door.origins import refusal


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "app.localhost:1", "[::1]:3000", "127.9.9.9"],
)
def test_a_program_that_asks_by_a_name_of_loopback_is_served(host: str) -> None:
    assert refusal(host, None) is None
    assert refusal(host, f"http://{host}") is None  # a page that was served here


@pytest.mark.parametrize(
    "host",
    [
        "",
        "rebound.example:3000",
        "localhost.example",
        "127.0.0.1.example",
        "10.0.0.1",
        "[",
        "::1:3",
    ],
)
def test_a_name_that_anybody_can_have_lead_here_is_refused(host: str) -> None:
    assert refusal(host, None)
    assert refusal(host, f"http://{host}")


@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "http://evil.example", "http://127.0.0.1:3001", "http://localhost:3000",
        "file://", "http://127.0.0.1:3000.evil.example",
    ],
)  # fmt: skip
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert refusal("127.0.0.1:3000", origin)


def asked(kind: str, **headers: str) -> list[str]:
    """Ask a guarded app that only says `served`; return the types of what is sent back."""
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "served"})

    raw = [(n.replace("_", "-").lower().encode(), text.encode()) for n, text in headers.items()]
    asyncio.run(guarded(app)({"type": kind, "headers": raw}, receive, send))
    return sent


def test_the_cloud_itself_serves_programs_and_what_the_front_door_has_judged() -> None:
    here = "127.0.0.1:4566"
    for kind in ("http", "websocket"):
        assert asked(kind, Host=here) == ["served"]
        assert asked(kind, Host="host.docker.internal:4566") == ["served"]
        assert asked(kind, Host=here, Origin="http://a", X_Forwarded_Host="a") == ["served"]
        for strange in ({"Host": "evil.example"}, {"Host": here, "Origin": "http://evil.example"}):
            assert "served" not in asked(kind, **strange)
    assert asked("lifespan") == ["served"]
