"""How much processor time and memory other processes have had, from /proc."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local.cloud import function_of
from local.system import System


@dataclass(frozen=True, slots=True)
class Shares:
    """Processor seconds so far of the parts of a running system."""

    functions: float
    emulator: float
    front_door: float

    def since(self, before: "Shares", orders: int) -> dict[str, float]:
        """Return the milliseconds an order since `before`."""
        each = 1000 / orders
        return {
            "functions_cpu_ms": round((self.functions - before.functions) * each, 1),
            "emulator_cpu_ms": round((self.emulator - before.emulator) * each, 1),
            "front_door_cpu_ms": round((self.front_door - before.front_door) * each, 1),
        }


def shares(system: System, front_door: int) -> Shares:
    """Return what a system's processes have had so far."""
    ours = [p for p in system.cloud.processes() if function_of(p.command)]
    return Shares(
        processor_seconds(p.pid for p in ours),
        processor_seconds([system.cloud.group]),
        processor_seconds([front_door]),
    )


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
