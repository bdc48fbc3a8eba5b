"""What a cold start costs: CPU of import and first use, as a multiple of `import boto3`."""

from statistics import median

from bench.figures import Figures
from bench.lambdas import FUNCTIONS, unpacked
from bench.stage import Stage

TIMES = 15


def startup(stage: Stage) -> Figures:
    """Run each function's first event in fresh processes, in turn, so that noise hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in ("bare", "boto3", *FUNCTIONS)}
    with unpacked() as lambdas:

        def once() -> None:
            taken["bare"].append(lambdas.seconds(None, "bare"))
            taken["boto3"].append(lambdas.seconds(None, "import", "boto3"))
            for name in FUNCTIONS:
                taken[name].append(lambdas.seconds(name, "first", lambdas.event(name)))

        once()  # so that every file has been read once
        for seconds in taken.values():
            seconds.clear()
        for n in range(TIMES):
            once()
            stage.tell((n + 1) / TIMES, f"{n + 1} of {TIMES} rounds")
    bare = median(taken.pop("bare"))
    boto3 = median(taken.pop("boto3")) - bare
    figures: Figures = {"n": TIMES, "bare_ms": _ms(bare), "boto3_ms": _ms(boto3)}
    for name, seconds in taken.items():
        own = median(seconds) - bare
        figures |= {f"{name}_ms": _ms(own), f"{name}_ratio": round(own / boto3, 2)}
    return figures


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
