"""Where the CPU of a start and of a request goes, by package."""

import json

from bench.figures import Figures
from bench.lambdas import FUNCTIONS, Lambdas, bare, child, event_file, last_line, unpacked
from bench.request import BEFORE, events
from bench.stage import Stage

_MOST, _TIMES = 8, range(3)
_REQUESTS = "place", "settle", "announce"
_THIRD_PARTY = (
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "dateutil",
    "engine",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
    "annotated_types",
    "urllib3",
)


def profile(stage: Stage) -> Figures:
    """Return milliseconds by package: of imports at a start, and of warm requests."""
    figures: Figures = {"starts": {}, "requests": {}}
    wanted = events()
    with unpacked() as lambdas:
        for function in FUNCTIONS:
            stage.tell(f"start of {function}")
            figures["starts"][function] = _start(lambdas, function)
        for name in _REQUESTS:
            stage.tell(name)
            function, some = wanted[name]
            path = lambdas.keep(f"profile-{name}", some)
            taken = last_line(lambdas.run(function, "profile", path, str(BEFORE)))
            figures["requests"][name] = _top(json.loads(taken))
    return figures


def _start(lambdas: Lambdas, function: str) -> dict[str, float]:
    """Return the least of some runs by package: `importtime` takes wall time, with noise."""
    words, options = ("first", event_file(function)), ("-X", "importtime")
    empty = _least([imported(child("bare", environment={}, options=options)) for _ in _TIMES])
    told = _least([imported(lambdas.run(function, *words, options=options)) for _ in _TIMES])
    of_imports = {name: ms - empty.get(name, 0.0) for name, ms in told.items()}
    began = min(bare() for _ in _TIMES)
    whole = (min(lambdas.seconds(function, *words) for _ in _TIMES) - began) * 1000
    rest = max(0.0, whole - sum(of_imports.values()))
    return {**_top(of_imports), "not imports: clients and the first event": round(rest, 1)}


def _least(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: min(run.get(name, 0.0) for run in runs) for name in runs[0]}


def imported(told: str) -> dict[str, float]:
    """Add up what `-X importtime` tells: own milliseconds by package."""
    taken: dict[str, float] = {}
    for line in told.splitlines():
        cells = line.removeprefix("import time:").split("|")
        if len(cells) != 3 or not cells[0].strip().isdecimal():
            continue
        top = cells[2].strip().partition(".")[0]
        name = top if top in _THIRD_PARTY else "standard library"
        taken[name] = taken.get(name, 0.0) + int(cells[0]) / 1000
    return taken


def _top(taken: dict[str, float]) -> dict[str, float]:
    """Return the largest, and the sum of the others."""
    ranked = sorted(taken.items(), key=lambda row: -row[1])
    rest = sum(ms for _, ms in ranked[_MOST:])
    return {
        **{name: round(ms, 2) for name, ms in ranked[:_MOST]},
        **({"others": round(rest, 2)} if rest else {}),
    }
