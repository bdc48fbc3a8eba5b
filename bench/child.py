"""What runs in a fresh process, in a function's own environment. Nothing is imported here before it
is measured but `sys`, `time` and `os`; the answer is the last line of standard output.

python bench/child.py bare
python bench/child.py import MODULE
python bench/child.py first FUNCTION EVENT.json            import, and one event
python bench/child.py warm FUNCTION EVENTS.json WARM       a line of JSON events; CPU of one
"""

import os
import sys
import time


def first(function: str, path: str) -> float:
    """Import a function and let it answer one event; return the CPU seconds so far."""
    handler = handler_of(function)
    import json

    with open(path) as file:  # noqa: PTH123 - pathlib would be imported for us alone
        event = json.load(file)
    handler(event, Context())
    return time.process_time()


def warm(function: str, path: str, before: int) -> float:
    """Return the CPU seconds of answering one event, after `before` that do not count."""
    import json

    with open(path) as file:  # noqa: PTH123
        events = json.load(file)
    handler = handler_of(function)
    for event in events[:before]:
        handler(event, Context())
    began = time.process_time()
    for event in events[before:]:
        handler(event, Context())
    return (time.process_time() - began) / (len(events) - before)


def handler_of(function: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Import `functions/FUNCTION/app.py`, whose directory is on the path."""
    import app

    return app.lambda_handler


class Context:
    """What Lambda tells a function of its invocation."""

    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def main() -> None:
    mode, *rest = sys.argv[1:]
    if mode == "bare":
        took = time.process_time()
    elif mode == "import":
        __import__(rest[0])
        took = time.process_time()
    elif mode == "first":
        took = first(rest[0], rest[1])
    else:
        took = warm(rest[0], rest[1], int(rest[2]))
    sys.stdout.write(f"\n{took}\n")
    sys.stdout.flush()
    os._exit(0)  # what ends a process is not what starts one


if __name__ == "__main__":
    main()
