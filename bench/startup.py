"""What a cold start costs: CPU of import and first use, as a multiple of `import boto3`."""

from statistics import median

from bench.figures import Figures, ms
from bench.lambdas import FUNCTIONS, bare, child, event_file, last_line, unpacked
from bench.stage import Stage

TIMES = 15
#: What `SnapStart=on` is for.
SNAPPED = "execute", "ws_connect"


def startup(stage: Stage) -> Figures:
    """Run each function's first event in fresh processes, in turn, so that noise hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in ("bare", "boto3", *FUNCTIONS)}
    restored: dict[str, list[float]] = {name: [] for name in SNAPPED}
    stage.tell(f"{TIMES} rounds")
    with unpacked() as lambdas:
        for _ in range(TIMES + 1):  # the first so that every file has been read once
            taken["bare"].append(bare())
            taken["boto3"].append(float(last_line(child("import", "boto3", environment={}))))
            for name in FUNCTIONS:
                taken[name].append(lambdas.seconds(name, "first", event_file(name)))
            for name, seconds in restored.items():
                seconds.append(lambdas.seconds(name, "restored", event_file(name)))
    start = median(taken.pop("bare")[1:])
    own = {name: median(seconds[1:]) - start for name, seconds in taken.items()}
    return (
        {"n": TIMES, "bare_ms": ms(start)}
        | {f"{name}_ms": ms(own[name]) for name in own}
        | {f"{name}_restored_ms": ms(median(seconds[1:])) for name, seconds in restored.items()}
    )
