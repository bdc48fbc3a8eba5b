"""The parts of the benchmark, in the order in which they share a running system best."""

from collections.abc import Callable

from bench.cost import cost
from bench.emulator import emulator
from bench.figures import Figures
from bench.growth import growth
from bench.latency import overhead, push, submit, watchers
from bench.launches import launches
from bench.life import life
from bench.localnet import localnet
from bench.request import observed, profile, request, startup
from bench.routing import arithmetic
from bench.scale import scale
from bench.stage import Stage
from bench.throughput import memory, throughput, zero
from bench.triggers import triggers

#: `request` needs figures of `life`, `cost` of both and of `overhead`; `scale` of most.
_IN_TURN: tuple[Callable[[Stage], Figures], ...] = (
    *(
        arithmetic,
        startup,
        life,
        request,
        observed,
        profile,
        overhead,
        cost,
        push,
        watchers,
        submit,
    ),
    *(emulator, memory, throughput, zero, growth, triggers, launches, localnet, scale),
)
PARTS = {part.__name__: part for part in _IN_TURN}
