"""CPU of a warm request of each function, without and with its AWS calls."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.figures import Figures
from bench.inmemory import Engine, silenced, threads
from bench.lambdas import an_event, sqs_event, stream_event, unpacked
from bench.stage import Stage
from bench.stub import fresh_order
from engine.adapters.sqs import read_message
from engine.ports import Watcher, order_topic
from tests.fakes import MemoryWatchers

BEFORE, TIMES = 20, 200
Events = list[dict[str, Any]]


def events() -> dict[str, tuple[str, Events]]:
    """Return what is measured: the function and its events, the first of them to warm up."""
    whole = BEFORE + TIMES
    return {
        "place": ("execute", [an_event("http_place_order")] * whole),
        "read": ("execute", [an_event("http_get_order")] * whole),
        "settle": ("worker", [sqs_event([f"one-{n}"]) for n in range(whole)]),
        "settle_ten": (
            "worker",
            [sqs_event([f"ten-{n}-{m}" for m in range(10)]) for n in range(BEFORE + TIMES // 10)],
        ),
        "connect": ("ws_connect", [an_event("ws_connect")] * whole),
        "disconnect": ("ws_connect", [an_event("ws_disconnect")] * whole),
        "announce": ("ws_notify", [stream_event([f"seen-{n}"], n) for n in range(whole)]),
        "announce_ten": (
            "ws_notify",
            [
                stream_event([f"ten-{n}-{m}" for m in range(10)], 10 * n)
                for n in range(BEFORE + TIMES // 10)
            ],
        ),
        "reconcile": ("reconcile", [an_event("schedule")] * whole),
    }


def request(stage: Stage) -> Figures:
    """Measure each: in memory in this process, then in the function's own against a stub."""
    figures: Figures = {"n": TIMES}
    wanted = events()
    with unpacked() as lambdas:
        for n, (name, (function, some)) in enumerate(wanted.items()):
            stage.tell(n / len(wanted), name)
            figures[f"{name}_alone_ms"] = _ms(_alone(name, some), name)
            path = lambdas.keep(name, some)
            with_calls = lambdas.seconds(function, "warm", path, str(BEFORE))
            figures[f"{name}_ms"] = _ms(with_calls, name)
    return figures


def _ms(seconds: float, name: str) -> float:
    """Return milliseconds an order."""
    return round(seconds * 1000 / (10 if name.endswith("_ten") else 1), 2)


def _alone(name: str, some: Events) -> float:
    """Return the CPU seconds of one event over in-memory adapters."""
    handle = _handler(name)
    with silenced():
        for event in some[:BEFORE]:
            handle(event)
        began = time.process_time()
        for event in some[BEFORE:]:
            handle(event)
        return (time.process_time() - began) / (len(some) - BEFORE)


def _handler(name: str) -> Callable[[dict[str, Any]], Any]:
    engine = Engine(background=threads()) if name.startswith("settle") else Engine()
    match name:
        case "place" | "read":
            api = engine.http()
            _store(engine)
            return api.handle
        case "settle" | "settle_ten":
            work = engine.work()
            work.background = threads()

            def settle(event: dict[str, Any]) -> Any:
                _place(engine, event)
                return work.settle_batch(event)

            return settle
        case "announce" | "announce_ten":
            engine.notification.watchers = _EveryoneWatches()
            return engine.stream().announce_batch
        case "reconcile":
            repair = engine.reconciliation().repair
            return lambda _: repair()
    return engine.sockets().handle


class _EveryoneWatches(MemoryWatchers):
    """One watcher of every order."""

    def of(self, topics: Mapping[str, str]) -> dict[str, list[Watcher]]:
        return {
            topic: [Watcher(topic, "somebody", account)] * topic.startswith(order_topic(""))
            for topic, account in topics.items()
        }


def _store(engine: Engine) -> None:
    standing = fresh_order("11111111-1111-4111-8111-111111111111")
    engine.orders.rows[standing.order_id] = standing


def _place(engine: Engine, event: dict[str, Any]) -> None:
    for record in event["Records"]:
        order = read_message(record["body"]).snapshot
        assert order  # noqa: S101 - our own event
        engine.orders.rows[order.order_id] = order
