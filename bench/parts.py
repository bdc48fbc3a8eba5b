"""The parts of the benchmark, in the order in which they share a running system best."""

from collections.abc import Callable

from bench.cost import cost
from bench.emulator import emulator
from bench.figures import Figures
from bench.growth import growth
from bench.latency import overhead, push, submit, watchers
from bench.life import life
from bench.request import profile, request, startup
from bench.routing import arithmetic
from bench.scale import scale
from bench.stage import Stage
from bench.throughput import memory, throughput, zero

Part = Callable[[Stage], Figures]
PARTS: dict[str, Part] = {
    part.__name__: part
    for part in (
        arithmetic,
        startup,
        life,
        request,  # with life
        profile,
        overhead,
        cost,  # of life, request, overhead
        push,
        watchers,
        submit,
        emulator,
        memory,
        throughput,
        zero,
        growth,
        scale,  # of throughput, emulator, request, life
    )
}
