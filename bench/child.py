"""What runs in a fresh process, in a function's own environment. Nothing is imported here before it
is measured but `sys`, `time` and `os`; the answer is the last line of standard output.

python bench/child.py bare
python bench/child.py import MODULE
python bench/child.py first EVENT.json                  import, and one event
python bench/child.py restored EVENT.json               one event, from a snapshot on
python bench/child.py warm EVENTS.json BEFORE           CPU of one event, after some not counted
python bench/child.py answered EVENTS.json BEFORE       the same, AWS calls answered in the process
python bench/child.py profile EVENTS.json BEFORE        the same as `warm` by package, in ms
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


def first(path: str) -> float:
    """Import a function and let it answer one event; return the CPU seconds of the process."""
    handler_of()(_read(path))
    return time.process_time()


def restored(path: str) -> float:
    """Return the CPU seconds from a snapshot on: what the function does after it, and one event."""
    from snapshot_restore_py import get_after_restore, get_before_snapshot

    answer, event = handler_of(), _read(path)
    before: list[Any] = get_before_snapshot()
    after: list[Any] = get_after_restore()
    for call, args, kwargs in reversed(before):
        call(*args, **kwargs)
    began = time.process_time()
    for call, args, kwargs in after:
        call(*args, **kwargs)
    answer(event)
    return time.process_time() - began


def warm(path: str, before: str, watched: "Callable[..., object]" = lambda call: call()) -> float:
    """Return the CPU seconds of answering one event, after `before` that do not count.

    `watched` runs what counts.
    """
    events, answer = _read(path), handler_of()
    some, others = events[: int(before)], events[int(before) :]
    list(map(answer, some))
    start = time.process_time()
    watched(lambda: list(map(answer, others)))
    return (time.process_time() - start) / len(others)


def answered(path: str, before: str) -> float:
    """Do the same with AWS calls answered in the process."""
    from bench.stub import answer_inside  # on the path for this alone

    answer_inside()
    return warm(path, before)


def profile(path: str, *before: str) -> dict[str, float]:
    """Return where the CPU time of one event goes, in milliseconds by package."""
    import cProfile
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
    if before:
        warm(path, before[0], profiler.runcall)
        events = len(_read(path)) - int(before[0])
    else:
        profiler.runcall(first, path)
    taken: dict[str, float] = {}
    for (file, _, _), (_, _, own, *_) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        taken[package_of(file)] = taken.get(package_of(file), 0.0) + own * 1000 / events
    return taken


def package_of(file: str) -> str:
    """Return the package that a source file belongs to; the engine's by their layer."""
    parts = file.split("/")
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if "engine" in parts:
        return "/".join(["engine", *parts[parts.index("engine") + 1 : -1]])
    return "standard library"


def handler_of() -> "Callable[[object], object]":
    """Import the `app.py` of a function, whose directory is on the path."""
    import app  # type: ignore[import-not-found]

    return lambda event: app.lambda_handler(event, Context())


def _read(path: str) -> "Any":
    import json

    with open(path) as file:  # noqa: PTH123 - pathlib would be imported for us alone
        return json.load(file)


def main() -> None:
    mode, *words = sys.argv[1:]
    if mode == "import":
        __import__(words[0])
    modes = {each.__name__: each for each in (first, restored, warm, answered, profile)}
    found = modes[mode](*words) if mode in modes else time.process_time()
    import json

    sys.stdout.write(f"\n{json.dumps(found)}\n")
    sys.stdout.flush()
    os._exit(0)  # what ends a process is not what starts one


if __name__ == "__main__":
    main()
