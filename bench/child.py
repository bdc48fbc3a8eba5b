"""What runs in a fresh process, in a function's own environment. Nothing is imported here before it
is measured but `sys`, `time` and `os`; the answer is the last line of standard output.

python bench/child.py bare
python bench/child.py import MODULE
python bench/child.py first EVENT.json                  import, and one event
python bench/child.py restored EVENT.json               one event, from a snapshot on
python bench/child.py warm EVENTS.json BEFORE           CPU of one event, after some not counted
python bench/child.py answered EVENTS.json BEFORE       the same, AWS calls answered in the process
python bench/child.py profile EVENTS.json BEFORE        the same as `warm` by package, as JSON
python bench/child.py profile EVENT.json                the same of `first`
"""

import os
import sys
import time

TYPE_CHECKING = False  # typing would be imported for us alone
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Context:
    """What Lambda tells a function of its invocation."""

    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def first(path: str) -> None:
    """Import a function and let it answer one event."""
    handler_of()(_read(path), Context())


def restored(path: str) -> float:
    """Return the CPU seconds from a snapshot on: what the function does after it, and one event."""
    from snapshot_restore_py import get_after_restore, get_before_snapshot

    handler, event = handler_of(), _read(path)
    before: list[Any] = get_before_snapshot()
    after: list[Any] = get_after_restore()
    for call, args, kwargs in reversed(before):
        call(*args, **kwargs)
    began = time.process_time()
    for call, args, kwargs in after:
        call(*args, **kwargs)
    handler(event, Context())
    return time.process_time() - began


def warm(path: str, before: int, watched: "Callable[[Callable[[], None]], None]") -> float:
    """Return the CPU seconds of answering one event, after `before` that do not count.

    `watched` runs what it is given, which is what counts.
    """
    events = _read(path)
    handler = handler_of()

    def answer(some: "list[object]") -> None:
        for event in some:
            handler(event, Context())

    answer(events[:before])
    start = time.process_time()
    watched(lambda: answer(events[before:]))
    return (time.process_time() - start) / (len(events) - before)


def profile(path: str, before: int | None) -> str:
    """Return where the CPU time of one event goes, in milliseconds by package, as JSON."""
    import cProfile
    import json
    import pstats
    from concurrent.futures import Future, ThreadPoolExecutor

    def at_once(_, call, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Run a call where it is submitted: a profile sees one thread only."""
        future = Future()  # type: ignore[var-annotated]
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - for whoever asks
            future.set_exception(error)
        return future

    ThreadPoolExecutor.submit = at_once  # type: ignore[method-assign]
    profiler = cProfile.Profile(time.process_time, builtins=False)  # they count for who calls
    events = 1
    if before is None:
        profiler.runcall(first, path)
    else:
        warm(path, before, profiler.runcall)
        events = len(_read(path)) - before
    taken: dict[str, float] = {}
    for (file, _, _), (_, _, own, *_) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        taken[package_of(file)] = taken.get(package_of(file), 0.0) + own * 1000 / events
    return json.dumps(taken)


def package_of(file: str) -> str:
    """Return the package that a source file belongs to; the engine's by their layer."""
    parts = file.split("/")
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if "engine" in parts:
        return "/".join(["engine", *parts[parts.index("engine") + 1 : -1]])
    return "standard library"


def handler_of() -> "Callable[[object, object], object]":
    """Import the `app.py` of a function, whose directory is on the path."""
    import app  # type: ignore[import-not-found]

    handler: Callable[[object, object], object] = app.lambda_handler
    return handler


def _read(path: str) -> "list[object]":
    import json

    with open(path) as file:  # noqa: PTH123 - pathlib would be imported for us alone
        events: list[object] = json.load(file)
    return events


def main() -> None:
    mode, *rest = sys.argv[1:]
    took: float | str
    if mode in {"warm", "answered"}:
        if mode == "answered":
            from bench.stub import answer_inside  # on the path for this alone

            answer_inside()
        took = warm(rest[0], int(rest[1]), lambda call: call())
    elif mode == "restored":
        took = restored(rest[0])
    elif mode == "profile":
        took = profile(rest[0], int(rest[1]) if rest[1:] else None)
    else:
        if mode == "import":
            __import__(rest[0])
        elif mode == "first":
            first(rest[0])
        took = time.process_time()
    sys.stdout.write(f"\n{took}\n")
    sys.stdout.flush()
    os._exit(0)  # what ends a process is not what starts one


if __name__ == "__main__":
    main()
