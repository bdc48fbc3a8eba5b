"""Signals from outside: each is answered right, and only a good one wakes anybody, once."""

import json
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from engine.domain.order import Status
from engine.domain.signatures import signed_headers
from engine.ports.metrics import Metric
from engine.ports.signals import Source
from tests.proof.world import TICKS, World

OLD, NEW, GONE = (f"whsec_{b64encode(bytes([n]) * 32).decode()}" for n in (1, 2, 3))
ECHOED = "Bearer oes_0123456789abcdef"
MINT = "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6S"
SECONDS = timedelta(seconds=1)


@dataclass
class Request:
    """A signal as it is sent; `headers` are those of Standard Webhooks, and more."""

    body: bytes
    headers: dict[str, str]
    source: str = "launchpad"
    coded: bool = False

    def but(self, **headers: str | None) -> "Request":
        """Return it with some headers changed, or left out."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        changed = {**self.headers, **named}
        return replace(self, headers={n: text for n, text in changed.items() if text is not None})

    @property
    def signature(self) -> str:
        return self.headers["webhook-signature"]


@dataclass
class Door:
    """The HTTP API over a world with a sniper in it, and three sources."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        sources = self.world.sources.known
        sources["launchpad"] = Source("launchpad", (NEW, OLD))
        sources["echo"] = Source("echo", (NEW,), ECHOED)
        sources["empty"] = Source("empty", ("", "whsec_", "whsec_YWJj"))
        self.api = self.world.engine.http_api
        self.order_id = str(self.world.snipe(MINT).body["orderId"])

    def body(self, **changes: Any) -> bytes:
        at = self.world.clock.now() - SECONDS
        data = {"mint": MINT, "symbol": "MOON", "decimals": 6}
        told = {"type": "token.launched", "timestamp": at.isoformat(), "data": data, **changes}
        return json.dumps(told).encode()

    def good(
        self, secret: str = NEW, late: float = 0, body: bytes | None = None, name: str = "m1"
    ) -> Request:
        body = self.body() if body is None else body
        at = self.world.clock.now() - late * SECONDS
        return Request(body, signed_headers(name, at, body, secret))

    def send(self, asked: Request) -> tuple[int, Any]:
        text = b64encode(asked.body).decode() if asked.coded else asked.body.decode("latin-1")
        path = f"/api/signals/{asked.source}"
        event = {
            "version": "2.0",
            "routeKey": "ANY /{proxy+}",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/json", **asked.headers},
            "requestContext": {
                "requestId": "r",
                "stage": "$default",
                "http": {"method": "POST", "path": path},
            },
            "body": text,
            "isBase64Encoded": asked.coded,
        }
        answer = self.api.handle(event)
        return answer["statusCode"], json.loads(answer["body"])

    @property
    def calls(self) -> int:
        """How often the ticker was called for a launch."""
        return sum("launches" in message.body for message in self.world.sqs.messages(TICKS))

    @property
    def counted(self) -> Counter[tuple[Metric, str | None]]:
        """The signals that were counted, and why some were refused."""
        signals = {Metric.SIGNALS_ACCEPTED, Metric.SIGNALS_REFUSED}
        emitted = self.world.metrics.emitted
        return Counter((metric, by) for metric, _, by in emitted if metric in signals)

    @property
    def asleep(self) -> bool:
        return self.calls == 0 and self.world.launches.find(MINT) is None


GOOD: dict[str, Callable[[Door], Request]] = {
    "signed by the newest secret": lambda d: d.good(),
    "signed by the one before, while it is rotated": lambda d: d.good(OLD),
    "in base64, as API Gateway may hand it over": lambda d: replace(d.good(), coded=True),
    "just as late as may be": lambda d: d.good(late=299),
    "just as early as may be": lambda d: d.good(late=-299),
    "with a good signature among bad ones": lambda d: d.good().but(
        webhook_signature=f"v1,AAAA v2,BBBB {d.good().signature}"
    ),
    "with an authorization that its source may send": lambda d: Request(
        d.body(), {"authorization": ECHOED}, "echo"
    ),
}

#: Each with the status that it is answered by. None has any effect.
HOSTILE: dict[str, tuple[int, Callable[[Door], Request]]] = {
    "301 seconds old": (401, lambda d: d.good(late=301)),
    "an hour old": (401, lambda d: d.good(late=3_600)),
    "301 seconds ahead": (401, lambda d: d.good(late=-301)),
    "of 1970": (401, lambda d: d.good().but(webhook_timestamp="0")),
    "a new time on an old signature": (
        401,
        lambda d: d.good(late=400).but(webhook_timestamp=d.good().headers["webhook-timestamp"]),
    ),
    "a time that is no number": (401, lambda d: d.good().but(webhook_timestamp="now")),
    "a negative time": (401, lambda d: d.good().but(webhook_timestamp="-1")),
    "a time of milliseconds": (401, lambda d: d.good().but(webhook_timestamp="1763800000000")),
    "a time with a fraction": (
        401,
        lambda d: d.good().but(webhook_timestamp=d.good().headers["webhook-timestamp"] + ".0"),
    ),
    "digits of another script": (401, lambda d: d.good().but(webhook_timestamp="١٧٦٣٨٠٠٠٠٠")),
    "no time": (401, lambda d: d.good().but(webhook_timestamp=None)),
    "no id": (401, lambda d: d.good().but(webhook_id=None)),
    "an empty id": (401, lambda d: d.good().but(webhook_id="")),
    "another id": (401, lambda d: d.good().but(webhook_id="m2")),
    "an id with a full stop": (401, lambda d: d.good().but(webhook_id="m1.1")),
    "an id that ends a header": (401, lambda d: d.good().but(webhook_id="m1\r\nx: y")),
    "an id of a kilobyte": (401, lambda d: d.good().but(webhook_id="m" * 1_024)),
    "no signature": (401, lambda d: d.good().but(webhook_signature=None)),
    "an empty signature": (401, lambda d: d.good().but(webhook_signature="")),
    "a signature of nothing": (401, lambda d: d.good().but(webhook_signature="v1,")),
    "a version alone": (401, lambda d: d.good().but(webhook_signature="v1")),
    "another version": (
        401,
        lambda d: d.good().but(webhook_signature="v1a" + d.good().signature[2:]),
    ),
    "no version": (401, lambda d: d.good().but(webhook_signature=d.good().signature[3:])),
    "a signature cut by a character": (
        401,
        lambda d: d.good().but(webhook_signature=d.good().signature[:-1]),
    ),
    "a signature without its first byte": (
        401,
        lambda d: d.good().but(webhook_signature="v1," + d.good().signature[7:]),
    ),
    "a signature that is no base64": (401, lambda d: d.good().but(webhook_signature="v1,%%%%")),
    "a list of signatures by commas": (
        401,
        lambda d: d.good().but(webhook_signature=f"v1,AAAA,{d.good().signature}"),
    ),
    "ten thousand signatures": (
        401,
        lambda d: d.good().but(webhook_signature=f"{'v1,AAAA ' * 10_000}{d.good().signature}"),
    ),
    "a body changed by a byte": (
        401,
        lambda d: replace(d.good(), body=d.good().body.replace(b"MOON", b"MOOM")),
    ),
    "a body with a blank more": (401, lambda d: replace(d.good(), body=d.good().body + b" ")),
    "a body without its last byte": (401, lambda d: replace(d.good(), body=d.good().body[:-1])),
    "no body": (401, lambda d: replace(d.good(), body=b"")),
    "its base64 sent as text": (
        401,
        lambda d: replace(d.good(), body=b64encode(d.good().body)),
    ),
    "a secret that is retired": (401, lambda d: d.good(GONE)),
    "another source's secret": (401, lambda d: replace(d.good(OLD), source="echo")),
    "a secret of nothing": (
        401,
        lambda d: replace(d.good(), source="empty"),
    ),
    "an authorization where signing is asked": (
        401,
        lambda d: Request(d.body(), {"authorization": ECHOED}),
    ),
    "another authorization": (
        401,
        lambda d: Request(d.body(), {"authorization": ECHOED + "0"}, "echo"),
    ),
    "an empty authorization": (401, lambda d: Request(d.body(), {"authorization": ""}, "echo")),
    "an old body under a good authorization": (
        401,
        lambda d: Request(
            d.body(timestamp="2026-11-22T08:00:00Z"), {"authorization": ECHOED}, "echo"
        ),
    ),
    "the simulation's, without its secret": (401, lambda d: replace(d.good(), source="simulation")),
    "an unknown source": (404, lambda d: replace(d.good(), source="nobody")),
    "a source that is a path": (404, lambda d: replace(d.good(), source="..%2Flaunchpad")),
    "a source in capitals": (404, lambda d: replace(d.good(), source="LAUNCHPAD")),
    "no source": (404, lambda d: replace(d.good(), source="")),
    "a megabyte": (413, lambda d: d.good(body=b" " * 1_048_576)),
    "more than is read, in base64": (
        413,
        lambda d: replace(d.good(body=b" " * 17_000), coded=True),
    ),
    "signed, and no JSON": (400, lambda d: d.good(body=b"{")),
    "signed, and no UTF-8": (400, lambda d: replace(d.good(body=b"\xff"), coded=True)),
    "signed, and a name twice": (400, lambda d: d.good(body=b'{"type":1,"type":2}')),
    "signed, of another type": (422, lambda d: d.good(body=d.body(type="token.delisted"))),
    "signed, of no token": (422, lambda d: d.good(body=d.body(data={}))),
    "signed, with a mint that is none": (
        422,
        lambda d: d.good(body=d.body(data={"mint": "0OIl", "symbol": "M", "decimals": 6})),
    ),
    "signed, with more than is known": (422, lambda d: d.good(body=d.body(more=1))),
    "signed, not declared as JSON": (
        415,
        lambda d: d.good().but(content_type="application/x-www-form-urlencoded"),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_signal_wakes_its_snipers_once(name: str) -> None:
    door = Door()
    assert door.send(GOOD[name](door)) == (200, {"replayed": False})
    calls = door.calls
    assert door.send(GOOD[name](door)) == (200, {"replayed": True})
    assert door.counted == Counter({(Metric.SIGNALS_ACCEPTED, None): 1})
    assert calls == door.calls == 2  # one at once, one for whom the index showed late
    assert door.world.tick()
    woken = door.world.states[door.order_id][-1]
    assert (woken.status, woken.terms.buy.mint) == (Status.PENDING, MINT)


def test_there_are_at_least_forty_hostile_signals() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_signal_is_answered_right_and_wakes_nobody(name: str) -> None:
    door = Door()
    status, make = HOSTILE[name]
    answered, document = door.send(make(door))
    assert answered == status, document
    assert door.asleep
    assert door.world.states[door.order_id][-1].status is Status.RESTING
    code = document["code"]
    refused = code in {"SIGNATURE_INVALID", "UNKNOWN_SOURCE"}
    assert door.counted == Counter({(Metric.SIGNALS_REFUSED, code): 1} if refused else {})
    assert not any(text in json.dumps(document) for text in (OLD, NEW, "0123456789abcdef"))


def test_a_rotated_secret_is_good_until_it_is_retired_and_a_revoked_source_is_none() -> None:
    door, sources = Door(), None
    sources = door.world.sources.known
    assert door.send(door.good(OLD, name="a"))[0] == 200
    sources["launchpad"] = Source("launchpad", (NEW,))
    assert door.send(door.good(OLD, name="b"))[0] == 401
    assert door.send(door.good(NEW, name="c"))[0] == 200
    del sources["launchpad"]
    assert door.send(door.good(NEW, name="d"))[0] == 404


def test_the_same_message_of_two_sources_is_two_messages_and_one_launch() -> None:
    door = Door()
    asked = door.good(NEW)
    assert door.send(asked) == (200, {"replayed": False})
    assert door.send(replace(asked, source="echo")) == (200, {"replayed": False})
    assert len(door.world.launches.since(door.world.clock.now() - 60 * SECONDS)) == 1


def test_a_wrong_signature_takes_as_long_whatever_of_it_is_right() -> None:
    """The comparison is of constant time: only the least of many runs tells, and roughly."""
    door = Door()
    right = door.good().signature
    wrong = {
        "first": "v1," + ("A" if right[3] != "A" else "B") + right[4:],
        "last": right[:-2] + ("A" if right[-2] != "A" else "E") + right[-1],
    }
    best = dict.fromkeys(wrong, 1.0)
    for _ in range(40):
        for name, signature in wrong.items():
            asked = door.good().but(webhook_signature=signature)
            began = time.perf_counter()
            assert door.send(asked)[0] == 401
            best[name] = min(best[name], time.perf_counter() - began)
    assert max(best.values()) < 3 * min(best.values())


def _outcome(door: Door, asked: Request) -> tuple[int, bool]:
    return door.send(asked)[0], door.asleep


#: What each guard keeps out: broken, it lets that through.
GUARDS: Mapping[str, tuple[str, str, Any, Callable[[Door], Request]]] = {
    "the timestamp": (
        "engine.domain.signatures",
        "TOLERANCE",
        timedelta(days=36_500),
        HOSTILE["an hour old"][1],
    ),
    "the comparison of signatures": (
        "engine.domain.signatures.hmac",
        "compare_digest",
        lambda one, other: True,
        HOSTILE["a body changed by a byte"][1],
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_broken_lets_a_hostile_signal_through(
    guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, broken, make = GUARDS[guard]
    door = Door()
    assert _outcome(door, make(door)) == (401, True)
    monkeypatch.setattr(f"{where}.{name}", broken)
    assert _outcome(door, make(door)) == (200, False)


def test_a_replay_store_that_forgets_lets_a_replay_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door = Door()
    monkeypatch.setattr(type(door.world.replays), "heard", lambda *_: False)
    asked = door.good()
    assert [door.send(asked)[1] for _ in range(2)] == [{"replayed": False}] * 2
    assert door.calls == 4
