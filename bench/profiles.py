"""Where the CPU of a start and of a request goes, by package."""

from bench.figures import Figures
from bench.lambdas import FUNCTIONS, Lambdas, unpacked
from bench.request import BEFORE, events
from bench.stage import Stage

_MOST, _TIMES = 8, 3
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
        for n, function in enumerate(FUNCTIONS):
            stage.tell(n / 8, f"start of {function}")
            figures["starts"][function] = _start(lambdas, function)
        for n, name in enumerate(_REQUESTS):
            stage.tell((5 + n) / 8, name)
            function, some = wanted[name]
            path = lambdas.keep(f"profile-{name}", some)
            taken = lambdas.profile(function, "profile", path, str(BEFORE))
            figures["requests"][name] = _top(taken)
    return figures


def _start(lambdas: Lambdas, function: str) -> dict[str, float]:
    words = "first", lambdas.event(function)
    bare, told = _quickest(lambdas, None, "bare"), _quickest(lambdas, function, *words)
    of_imports = {name: ms - bare.get(name, 0.0) for name, ms in told.items()}
    began = min(lambdas.seconds(None, "bare") for _ in range(_TIMES))
    whole = (min(lambdas.seconds(function, *words) for _ in range(_TIMES)) - began) * 1000
    rest = max(0.0, whole - sum(of_imports.values()))
    return {**_top(of_imports), "not imports: clients and the first event": round(rest, 1)}


def _quickest(lambdas: Lambdas, function: str | None, *words: str) -> dict[str, float]:
    """Return the least of some runs by package: `importtime` takes wall time, with noise."""
    runs = [
        imported(lambdas.run(function, *words, options=("-X", "importtime"))) for _ in range(_TIMES)
    ]
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
