"""CPU of each function: of its start, as a multiple of `import boto3`, and of a warm request."""

from contextlib import ExitStack
from statistics import median
from typing import Any

from bench.figures import Figures, ms
from bench.lambdas import FUNCTIONS, an_event, child, of_orders, stream_batch, unpacked
from bench.stage import Stage

STARTS = 15
#: What `SnapStart=on` is for.
SNAPPED = "execute", "ws_connect"
BEFORE, TIMES = 20, 200
#: Runs of which the quickest counts.
OBSERVED = 9
#: Of ten orders or changes each.
TENS = BEFORE + TIMES // 10
Events = list[dict[str, Any]]
#: Those whose processor time is told by package.
_PROFILED = "place", "settle", "announce"


def startup(stage: Stage) -> Figures:
    """Run each function's first event in fresh processes, in turn, so that noise hits all alike."""
    taken: dict[str, list[float]] = {}
    stage.tell(f"{STARTS} rounds")
    with unpacked() as lambdas:
        for _ in range(STARTS + 1):  # the first so that every file has been read once
            round_ = {"bare": child("bare"), "boto3": child("import", "boto3")}
            round_ |= {name: lambdas.first(name) for name in FUNCTIONS}
            round_ |= {f"{name}_restored": lambdas.first(name, "restored") for name in SNAPPED}
            for name, seconds in round_.items():
                taken.setdefault(name, []).append(seconds)
    whole = {name: median(seconds[1:]) for name, seconds in taken.items()}
    for name in ("boto3", *FUNCTIONS):
        whole[name] -= whole["bare"]
    return {"n": STARTS} | {f"{name}_ms": ms(seconds) for name, seconds in whole.items()}


def events() -> dict[str, tuple[str, Events]]:
    """Return what is measured: the function and its events, the first of them to warm up."""
    whole = BEFORE + TIMES
    ids = [[f"ten-{n}-{m}" for m in range(10)] for n in range(TENS)]
    return {
        "place": ("execute", [an_event("http_place_order")] * whole),
        "read": ("execute", [an_event("http_get_order")] * whole),
        "settle": ("worker", [of_orders([f"one-{n}"]) for n in range(whole)]),
        "settle_ten": ("worker", [of_orders(ten) for ten in ids]),
        "connect": ("ws_connect", [an_event("ws_connect")] * whole),
        "disconnect": ("ws_connect", [an_event("ws_disconnect")] * whole),
        "announce": ("ws_notify", [stream_batch([f"seen-{n}"], n) for n in range(whole)]),
        "announce_ten": ("ws_notify", [stream_batch(ten, 10 * n) for n, ten in enumerate(ids)]),
        "reconcile": ("reconcile", [an_event("schedule")] * whole),
    }


def request(stage: Stage) -> Figures:
    """Measure each in the function's own process: calls answered inside, then by a stub's server.

    Raises Failed.
    """
    (life,) = stage.results.needed("life")
    figures: Figures = {"n": TIMES}
    with unpacked() as lambdas:
        for name, (function, some) in events().items():
            stage.tell(name)
            path = lambdas.keep(name, some)
            orders = 10 if name.endswith("_ten") else 1
            for mode, figure in (("answered", f"{name}_alone_ms"), ("warm", f"{name}_ms")):
                seconds = lambdas.run(function, mode, path, str(BEFORE))
                figures[figure] = round(seconds * 1000 / orders, 2)
    alone = figures["place_alone_ms"] + figures["settle_alone_ms"]
    told = life["changes"] * figures["announce_alone_ms"]
    return {
        **figures,
        "order_cpu_ms": round(alone, 2),
        "per_s": round(1000 / alone),
        "watched_per_s": round(1000 / (alone + told)),
    }


def observed(stage: Stage) -> Figures:
    """Measure a watched order's CPU in the functions: with all, without metrics, without logs."""
    (life,) = stage.results.needed("life")
    times = {"place": 1, "settle": 1, "announce": life["changes"]}
    wanted = events()
    cases = {
        "all": {},
        "no_metrics": {"POWERTOOLS_METRICS_DISABLED": "true"},
        "no_logs": {"POWERTOOLS_METRICS_DISABLED": "true", "POWERTOOLS_LOG_LEVEL": "ERROR"},
    }
    taken = dict.fromkeys(cases, 0.0)
    with ExitStack() as open_until_then:
        of = {
            case: open_until_then.enter_context(unpacked(environment=e))
            for case, e in cases.items()
        }
        for name, count in times.items():
            stage.tell(name)
            function, some = wanted[name]
            paths = {case: lambdas.keep(name, some) for case, lambdas in of.items()}
            runs = [
                {
                    case: each.run(function, "warm", paths[case], str(BEFORE))
                    for case, each in of.items()
                }
                for _ in range(OBSERVED)  # in turn: what else the machine does is the same for all
            ]
            for case in cases:
                taken[case] += count * min(run[case] for run in runs) * 1000
    return {
        **{f"{case}_ms": round(ms, 2) for case, ms in taken.items()},
        "metrics_percent": round((taken["all"] / taken["no_metrics"] - 1) * 100, 1),
        "logs_percent": round((taken["no_metrics"] / taken["no_logs"] - 1) * 100, 1),
    }


def profile(stage: Stage) -> Figures:
    """Return milliseconds by package: of imports and first event, and of warm requests."""
    wanted = events()
    with unpacked() as lambdas:
        stage.tell("starts")
        starts = {name: largest(lambdas.first(name, "profile")) for name in FUNCTIONS}
        stage.tell("requests")
        requests = {}
        for name in _PROFILED:
            function, some = wanted[name]
            path = lambdas.keep(f"profile-{name}", some)
            requests[name] = largest(lambdas.run(function, "profile", path, str(BEFORE)))
    return {"starts": starts, "requests": requests}


def largest(taken: dict[str, float], maximum: int = 8) -> dict[str, float]:
    """Return the largest, and the sum of the others."""
    ranked = sorted(taken.items(), key=lambda row: -row[1])
    rest = sum(ms for _, ms in ranked[maximum:])
    return {name: round(ms, 2) for name, ms in [*ranked[:maximum], ("others", rest)] if ms}
