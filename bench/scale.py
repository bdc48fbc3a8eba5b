"""Simulate the measured run, then 10, 1,000 and 100,000 times today's load.

python -m bench.scale    print the simulated runs, from what bench/results.json measured
"""

import sys
from dataclasses import asdict
from typing import Any

from bench.cost import slowed
from bench.figures import Figures, Results, load
from bench.simulation import CHANGES, Outcome, simulated
from bench.stage import Progress, Stage
from bench.targets import markdown

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
CASES: dict[str, dict[str, Any]] = {
    "today, as deployed": {"times": 1},
    "10x, as deployed": {"times": 10},
    "1,000x, as deployed": {"times": 1_000},
    "1,000x, 300 workers": {"times": 1_000, "workers": 300},
    "1,000x, 300 workers, 24 shards of 10 lanes": {"times": 1_000, "workers": 300, **_LANES},
    "2,000x, twice that": {
        "times": 2_000,
        "workers": 600,
        "stream_shards": 48,
        "lanes": 10,
    },
    "2,000x, and 16 shards of open orders": {
        "times": 2_000,
        "workers": 600,
        "stream_shards": 48,
        "lanes": 10,
        "open_shards": 16,
    },
}
_MOST_ORDERS, _SECONDS = 60_000, 30


def scale(stage: Stage, results: Results) -> Figures:
    """Simulate the measured bursts on the embedded cloud, and say how far off that is."""
    stage.tell(0.1)
    measured = results.parts.get("throughput", {})
    if "ten_per_s" not in measured:
        raise LookupError("needs the part throughput")
    figures: Figures = {}
    for name, each in (("ten", 10), ("one", 1)):
        outcome = reproduced(results, name, each)
        figures[f"{name}_simulated_per_s"] = round(outcome.per_s, 2)
        figures[f"{name}_measured_per_s"] = measured[f"{name}_per_s"]
        figures[f"{name}_ratio"] = round(outcome.per_s / measured[f"{name}_per_s"], 2)
    figures["cases"] = {}
    for n, (named, case) in enumerate(CASES.items()):
        stage.tell((n + 1) / (len(CASES) + 1), named)
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
    clouds = [cpu["emulator"] * share for share in _CLOUDS_SHARE]
    return simulated(
        orders=int(measured["orders"]),
        orders_per_worker=orders_per_worker,
        accept_cpu=cpu["execute"] + cpu["front_door"],
        settle_cpu=cpu["worker"],
        announce_run_cpu=0.0,
        announce_cpu=cpu["ws_notify"] / CHANGES,
        cloud_accept=clouds[0],
        cloud_settle=clouds[1],
        cloud_announce=clouds[2] / CHANGES,
        call=(results.value("emulator", "plain_call_ms") or 1.0) / 1000,
        **_EMBEDDED,
    )


def scaled(case: dict[str, Any], results: Results) -> Outcome:
    """Simulate a multiple of today's load on AWS, half a minute of it or 150,000 orders."""
    setup = {name: value for name, value in case.items() if name != "times"}
    rate = TODAY_PER_MINUTE / 60 * case["times"]
    alone, of_ten = (_on_aws(results, f"announce{n}_ms", "ws_notify") for n in ("", "_ten"))
    each = (10 * of_ten - alone) / 9  # a batch of n takes run + n * each
    return simulated(
        rate=rate,
        orders=max(100, min(_MOST_ORDERS, round(rate * _SECONDS))),
        accept_cpu=_on_aws(results, "place_ms", "execute"),
        settle_cpu=_on_aws(results, "settle_ten_ms", "worker"),
        announce_run_cpu=alone - each,
        announce_cpu=each,
        **setup,
    )


def _on_aws(results: Results, name: str, function: str) -> float:
    """Return the seconds that measured processor time takes with a function's share of one."""
    return slowed(function, results.value("request", name) or 5.0) / 1000


HEAD = (
    "load",
    "settled a second",
    "settled p50, s",
    "p99, s",
    "told p99, s",
    "orders a batch",
    "changes a batch",
    "longest queue",
)


def table(results: Results) -> str:
    """Return the table of simulated runs at every scale, from what was kept of them."""
    rows: list[tuple[str, ...]] = [HEAD]
    for name, run in results.parts.get("scale", {}).get("cases", {}).items():
        outcome = Outcome(**run)
        rows.append(
            (
                name,
                f"{outcome.per_s:,.1f}",
                f"{outcome.settle_p50:.2f}",
                f"{outcome.settle_p99:.2f}",
                f"{outcome.push_p99:.2f}",
                f"{outcome.orders_in_batch:.1f}",
                f"{outcome.changes_in_batch:.1f}",
                f"{outcome.longest_queue:,}",
            )
        )
    return markdown(rows, tuple(range(1, len(HEAD))))


def main() -> int:
    results = load()
    figures = scale(Stage(Progress(1.0)), results)
    results.parts["scale"] = figures
    print({name: value for name, value in figures.items() if name != "cases"})
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
