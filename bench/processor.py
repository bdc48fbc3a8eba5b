"""How much processor time and memory other processes have had."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.cloud.embedded import function_of
from local.system import System


@dataclass(frozen=True, slots=True)
class Shares:
    """Processor seconds so far: of each function, the emulator, the front door; of the machine."""

    parts: dict[str, float]
    machine: float
    at: float

    def since(self, before: "Shares", orders: int) -> dict[str, float]:
        """Return the milliseconds an order since `before`, of each part and of all functions.

        `others_cores`: how many processors everybody else kept busy, the measuring client included.
        """
        used = {name: seconds - before.parts[name] for name, seconds in self.parts.items()}
        others = self.machine - before.machine - sum(used.values())
        used["functions"] = sum(used.values()) - used["emulator"] - used["front_door"]
        figures = {f"{n}_cpu_ms": round(took * 1000 / orders, 1) for n, took in used.items()}
        return figures | {"others_cores": round(max(0.0, others / (self.at - before.at)), 2)}


def shares(system: System, front_door: int) -> Shares:
    """Return what a system's processes have had so far."""
    running = system.cloud.processes()
    parts = {
        name: processor_seconds(p.pid for p in running if function_of(p.command) == full_name)
        for name, full_name in system.stack.functions.items()
    }
    parts["emulator"] = processor_seconds([system.cloud.group])
    parts["front_door"] = processor_seconds([front_door])
    whole = psutil.cpu_times()
    return Shares(parts, sum(whole[:8]) - whole.idle - whole.iowait, time.monotonic())


def processor_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of some processes; one that has ended counts nothing."""
    seconds = 0.0
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            used = psutil.Process(pid).cpu_times()
            seconds += used.user + used.system
    return seconds


def peak_mb(pid: int) -> float:
    """Return the most memory that a process has had resident, in MB (10**6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (maximum,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(maximum) * 1024 / 1e6
