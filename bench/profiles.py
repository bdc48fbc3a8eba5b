"""Where the CPU of a start and of a request goes, by package."""

import json

from bench.figures import Figures
from bench.lambdas import FUNCTIONS, event_file, last_line, unpacked
from bench.request import BEFORE, events
from bench.stage import Stage

_MOST = 8
_REQUESTS = "place", "settle", "announce"


def profile(stage: Stage) -> Figures:
    """Return milliseconds by package: of imports and first event, and of warm requests."""
    figures: Figures = {"starts": {}, "requests": {}}
    wanted = events()
    with unpacked() as lambdas:
        stage.tell("starts")
        for function in FUNCTIONS:
            told = lambdas.run(function, "profile", event_file(function))
            figures["starts"][function] = largest(json.loads(last_line(told)))
        stage.tell("requests")
        for name in _REQUESTS:
            function, some = wanted[name]
            path = lambdas.keep(f"profile-{name}", some)
            told = lambdas.run(function, "profile", path, str(BEFORE))
            figures["requests"][name] = largest(json.loads(last_line(told)))
    return figures


def largest(taken: dict[str, float], most: int = _MOST) -> dict[str, float]:
    """Return the largest, and the sum of the others."""
    ranked = sorted(taken.items(), key=lambda row: -row[1])
    rest = sum(ms for _, ms in ranked[most:])
    return {name: round(ms, 2) for name, ms in [*ranked[:most], ("others", rest)] if ms}
