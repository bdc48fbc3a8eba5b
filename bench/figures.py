"""What a run of the benchmark found, where, and when; kept as JSON."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results.json"

Figures = dict[str, Any]


class Failed(RuntimeError):
    """The system did not answer as it should; the part can't be measured."""


@dataclass
class Results:
    """The figures of each part. A part that failed has an `error`.

    Each says on which `machine` it was measured, under which `load`, of which `commit`, on which
    `date`, and `boto3_ms`: the CPU time of `import boto3` right before it.
    """

    parts: dict[str, Figures] = field(default_factory=dict)

    def value(self, part: str, name: str) -> float | None:
        """Return one figure, None if it was not measured."""
        found = self.parts.get(part, {}).get(name)
        return None if found is None else float(found)

    def multiple(self, part: str, name: str) -> float | None:
        """Return a time in milliseconds as a multiple of `import boto3`."""
        value, boto3 = self.value(part, name), self.value(part, "boto3_ms")
        return None if value is None or not boto3 else float(f"{value / boto3:.3g}")

    def needed(self, *parts: str) -> list[Figures]:
        """Return the figures of other parts. Raises Failed if one was not measured."""
        for part in parts:
            if "error" in self.parts.get(part, {"error": ""}):
                raise Failed(f"needs the part {part}")
        return [self.parts[part] for part in parts]

    def save(self, path: Path = RESULTS) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(path: Path = RESULTS) -> Results:
    return Results(**json.loads(path.read_text()))


def stamp() -> Figures:
    """Return what belongs to the figures of one part: which code, when, where, how busy it was."""
    busy = " ".join(f"{load:.1f}" for load in os.getloadavg())
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"commit": _commit(), "date": now, "machine": machine(), "load": busy}


def machine() -> str:
    """Return what times depend on: processor, memory, system, Python."""
    cpuinfo = Path("/proc/cpuinfo")
    told = cpuinfo.read_text() if cpuinfo.exists() else ""
    named = re.search(r"^model name\s*: (.*)", told, re.MULTILINE)
    processor = named[1] if named else platform.processor()
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} x {processor}, {memory:.0f} GiB, {system}, {python}"


def _commit() -> str:
    """Return the commit that is checked out; with a `+` if files of the engine were changed."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "layers", "functions", "template.yaml", "local")
    return f"{head or 'unknown'}{'+' if changed else ''}"


def _git(*words: str) -> str:
    ran = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value below which `percent` of the values lie."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def spread(seconds: Sequence[float], prefix: str = "") -> Figures:
    """Return median, 99th percentile and number of some durations, in milliseconds."""
    return {
        f"{prefix}p50_ms": ms(median(seconds)),
        f"{prefix}p99_ms": ms(percentile(seconds, 99)),
        f"{prefix}n": len(seconds),
    }


def ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
