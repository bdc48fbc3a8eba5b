"""The parts of the benchmark, in the order in which they share a running system best."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import (
    cost,
    emulator,
    engine_alone,
    growth,
    latency,
    life,
    memory,
    profiles,
    request,
    scale,
    startup,
    throughput,
)
from bench.figures import Figures, Results
from bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Part:
    """One part; `seconds` is what it took on 2 cores, for the progress bar."""

    name: str
    says: str
    seconds: float
    run: Callable[[Stage, Results], Figures]
    needs: tuple[str, ...] = ()


def _alone(run: Callable[[Stage], Figures]) -> Callable[[Stage, Results], Figures]:
    return lambda stage, _: run(stage)


def _cost(stage: Stage, results: Results) -> Figures:
    stage.tell(0.1)
    return cost.cost(results)


PARTS = (
    Part("arithmetic", "CPU of one order's arithmetic", 1, _alone(engine_alone.arithmetic)),
    Part("engine", "orders a second without the cloud", 5, _alone(engine_alone.engine)),
    Part("startup", "CPU of import and first use, of `import boto3`", 40, _alone(startup.startup)),
    Part("request", "CPU of a warm request", 20, _alone(request.request)),
    Part("life", "AWS calls, units and log bytes of an order", 10, _alone(life.life)),
    Part("profile", "where CPU goes, by package", 40, _alone(profiles.profile)),
    Part("overhead", "POST to confirmed, less what is simulated", 70, _alone(latency.overhead)),
    Part("cost", "dollars for a million orders", 1, _cost, ("life", "request", "overhead")),
    Part("push", "table write to the watcher", 15, _alone(latency.push)),
    Part("watchers", "one order, 1 to 200 watchers", 20, _alone(growth.watchers)),
    Part("submit", "POST to 202", 30, _alone(latency.submit)),
    Part("emulator", "what the embedded cloud itself costs", 15, _alone(emulator.emulator)),
    Part("memory", "peak memory of each function", 15, _alone(memory.memory)),
    Part("throughput", "a burst of 500 orders", 85, _alone(throughput.throughput)),
    Part("zero", "the same with nothing to wait for", 30, _alone(throughput.zero)),
    Part("growth", "1,000 to 100,000 stored orders", 70, _alone(growth.growth)),
    Part(
        "scale",
        "the simulation against the measured run, and at scale",
        15,
        scale.scale,
        ("throughput", "emulator"),
    ),
)


def wanted(names: list[str]) -> list[Part]:
    """Return the named parts and what they need, all if none is named. Raises KeyError."""
    known = {part.name: part for part in PARTS}
    if not names:
        return list(PARTS)
    chosen = set(names)
    for name in names:
        chosen.update(known[name].needs)
    return [part for part in PARTS if part.name in chosen]
