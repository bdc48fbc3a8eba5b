"""Simulate the measured run, then 10 to 2,000 times today's load."""

from dataclasses import asdict
from typing import Any

from bench.cost import slowed
from bench.figures import Figures, Results
from bench.simulation import Outcome, simulated
from bench.stage import Stage

#: What one account may place by default, a minute: the load that the system is made for today.
TODAY_PER_MINUTE = 100
#: How the embedded cloud's own work for an order divides over placing, settling and announcing.
_CLOUDS_SHARE = 0.25, 0.40, 0.35
CORES = 2
#: How the embedded cloud differs from AWS: four requests at once, one stream shard, one lane.
_EMBEDDED = {
    "door": 4,
    "cores": CORES,
    "stream_shards": 1,
    "lanes": 1,
    "push": 0.005,
    "pick_up": 0.005,
}
#: What is turned at each scale; the rest is as the template has it.
_LANES = {"stream_shards": 24, "lanes": 10}
_TWICE = {"workers": 600, "stream_shards": 48, "lanes": 10}
CASES: dict[str, dict[str, Any]] = {
    "today, as deployed": {"times": 1},
    "10x, as deployed": {"times": 10},
    "1,000x, as deployed": {"times": 1_000},
    "1,000x, 300 workers": {"times": 1_000, "workers": 300},
    "1,000x, 300 workers, 24 shards of 10 lanes": {"times": 1_000, "workers": 300, **_LANES},
    "2,000x, twice that": {"times": 2_000, **_TWICE},
    "2,000x, and 16 shards of open orders": {"times": 2_000, **_TWICE, "open_shards": 16},
}
_MAX_ORDERS, _SECONDS = 60_000, 30


def scale(stage: Stage) -> Figures:
    """Simulate the measured bursts on the embedded cloud, and say how far off that is.

    Raises Failed.
    """
    results = stage.results
    measured, *_ = results.needed("throughput", "emulator", "request", "life")
    figures: Figures = {}
    for name, each in (("ten", 10), ("one", 1)):
        outcome = reproduced(results, name, each)
        figures[f"{name}_simulated_per_s"] = round(outcome.per_s, 2)
        figures[f"{name}_measured_per_s"] = measured[f"{name}_per_s"]
        figures[f"{name}_ratio"] = round(outcome.per_s / measured[f"{name}_per_s"], 2)
    figures["cases"] = {}
    for named, case in CASES.items():
        stage.tell(named)
        run = asdict(scaled(case, results))
        figures["cases"][named] = {name: round(value, 3) for name, value in run.items()}
    return figures


def reproduced(results: Results, name: str, orders_per_worker: int) -> Outcome:
    """Simulate a measured burst from its processor time an order."""
    measured = results.parts["throughput"]
    cpu = {
        function: measured[f"{name}_{function}_cpu_ms"] / 1000
        for function in ("execute", "worker", "ws_notify", "emulator", "front_door")
    }
    # Whoever else was at work took its part of the processors: everything took so much longer.
    slower = CORES / max(0.5, CORES - measured.get(f"{name}_others_cores", 0.0))
    cpu = {function: seconds * slower for function, seconds in cpu.items()}
    changes = round(results.parts["life"]["changes"])
    clouds = [cpu["emulator"] * share for share in _CLOUDS_SHARE]
    return simulated(
        orders=int(measured["orders"]),
        orders_per_worker=orders_per_worker,
        accept_cpu=cpu["execute"] + cpu["front_door"],
        settle_cpu=cpu["worker"],
        announce_run_cpu=0.0,
        announce_cpu=cpu["ws_notify"] / changes,
        cloud_accept=clouds[0],
        cloud_settle=clouds[1],
        cloud_announce=clouds[2] / changes,
        changes=changes,
        call=results.parts["emulator"]["plain_call_ms"] / 1000,
        **_EMBEDDED,
    )


def scaled(case: dict[str, Any], results: Results) -> Outcome:
    """Simulate a multiple of today's load on AWS, half a minute of it or 60,000 orders."""
    setup = {name: value for name, value in case.items() if name != "times"}
    rate = TODAY_PER_MINUTE / 60 * case["times"]
    alone, of_ten = (_on_aws(results, f"announce{n}_ms", "ws_notify") for n in ("", "_ten"))
    each = (10 * of_ten - alone) / 9  # a batch of n takes run + n * each
    return simulated(
        rate=rate,
        orders=max(100, min(_MAX_ORDERS, round(rate * _SECONDS))),
        accept_cpu=_on_aws(results, "place_ms", "execute"),
        settle_cpu=_on_aws(results, "settle_ten_ms", "worker"),
        announce_run_cpu=alone - each,
        announce_cpu=each,
        changes=round(results.parts["life"]["changes"]),
        **setup,
    )


def _on_aws(results: Results, name: str, function: str) -> float:
    """Return the seconds that measured processor time takes with a function's share of one."""
    return slowed(function, results.parts["request"][name]) / 1000
