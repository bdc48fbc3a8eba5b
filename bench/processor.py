"""How much processor time and memory other processes have had, from /proc."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local.cloud import function_of
from local.system import System


@dataclass(frozen=True, slots=True)
class Shares:
    """Processor seconds so far of the parts of a running system."""

    functions: dict[str, float]
    emulator: float
    front_door: float
    machine: float
    at: float

    def _all(self) -> tuple[float, ...]:
        return *self.functions.values(), self.emulator, self.front_door

    def since(self, before: "Shares", orders: int) -> dict[str, float]:
        """Return the milliseconds an order since `before`, of each function and in all.

        `others_cores`: how many processors everybody else kept busy, the measuring client included.
        """
        each = 1000 / orders
        passed = self.at - before.at
        figures = {
            f"{name}_cpu_ms": round((seconds - before.functions[name]) * each, 1)
            for name, seconds in self.functions.items()
        }
        own = sum(self._all()) - sum(before._all())
        return {
            **figures,
            "others_cores": round(max(0.0, (self.machine - before.machine - own) / passed), 2),
            "functions_cpu_ms": round(sum(figures.values()), 1),
            "emulator_cpu_ms": round((self.emulator - before.emulator) * each, 1),
            "front_door_cpu_ms": round((self.front_door - before.front_door) * each, 1),
        }


def shares(system: System, front_door: int) -> Shares:
    """Return what a system's processes have had so far."""
    running = system.cloud.processes()
    return Shares(
        {
            name: processor_seconds(p.pid for p in running if function_of(p.command) == full_name)
            for name, full_name in system.stack.functions.items()
        },
        processor_seconds([system.cloud.group]),
        processor_seconds([front_door]),
        busy_seconds(),
        time.monotonic(),
    )


def busy_seconds() -> float:
    """Return the processor seconds that the whole machine has spent on anything so far."""
    cells = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, _, _, irq, softirq, steal = map(int, cells)
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def processor_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of some processes; one that has ended counts nothing."""
    ticks = 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            continue
        user, system = stat.rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """Return the most memory that a process has had resident, in MB (10**6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
