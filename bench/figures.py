"""What a run of the benchmark found, where, and when; kept as JSON."""

import json
import math
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results.json"

Figures = dict[str, Any]


@dataclass
class Results:
    """The figures of each part, and what they were made on. A part that failed has an `error`."""

    machine: dict[str, str]
    commit: str
    date: str
    parts: dict[str, Figures] = field(default_factory=dict)

    def value(self, part: str, name: str) -> float | None:
        """Return one figure, None if it was not measured."""
        found = self.parts.get(part, {}).get(name)
        return None if found is None else float(found)

    def save(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(path: Path = RESULTS) -> Results:
    return Results(**json.loads(path.read_text()))


def begun() -> Results:
    """Return results without figures, of this machine and commit, now."""
    now = datetime.now(UTC)
    return Results(machine(), commit(), now.strftime("%Y-%m-%d %H:%M UTC"))


def machine() -> dict[str, str]:
    """Return what figures depend on: processor, memory, system, Python, and how busy it was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    busy = " ".join(f"{load:.1f}" for load in os.getloadavg())
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load before": busy,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """Return the commit that is checked out; with a `+` if files of the engine were changed."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "layers", "functions", "template.yaml", "local")
    return f"{head or 'unknown'}{'+' if changed else ''}"


def _git(*words: str) -> str:
    ran = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of `values` do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def spread(seconds: Sequence[float]) -> Figures:
    """Return median, 99th percentile and number of some durations, in milliseconds."""
    return {
        "p50_ms": round(statistics.median(seconds) * 1000, 1),
        "p99_ms": round(percentile(seconds, 99) * 1000, 1),
        "n": len(seconds),
    }
