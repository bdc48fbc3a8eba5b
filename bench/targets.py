"""What issue 6 asks for, beside what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Results


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and its bound: at most `most`, or at least `least`; `aim` is what is hoped for."""

    what: str
    part: str
    figure: str
    unit: str = ""
    most: float | None = None
    least: float | None = None
    aim: float | None = None

    def measured(self, results: Results) -> float | None:
        return results.value(self.part, self.figure)

    def verdict(self, results: Results) -> str:
        """Return `met`, `not met`, or that it was not measured."""
        value = self.measured(results)
        if value is None:
            return "not measured"
        good = (self.most is None or value <= self.most) and (
            self.least is None or value >= self.least
        )
        return "met" if good else "not met"

    @property
    def bound(self) -> str:
        text = f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}"
        return f"{text}{' (aim ' + format(self.aim, 'g') + ')' if self.aim else ''}"


TARGETS = (
    Target(
        "throughput, ten orders a worker, of the ideal of ten one-order workers",
        "throughput",
        "ten_share_of_ten_workers",
        "x",
        least=1.2,
        aim=2,
    ),
    Target(
        "throughput, one order a worker, of its ideal",
        "throughput",
        "one_share_of_its_ideal",
        "x",
        least=0.6,
    ),
    Target("overhead, p50", "overhead", "p50_ms", "ms", most=100, aim=50),
    Target("push, p50", "push", "p50_ms", "ms", most=50),
    Target("POST to 202, one client, p50", "submit", "one_p50_ms", "ms", most=60, aim=30),
    Target("orders a second, nothing simulated", "zero", "per_s", "/s", least=15, aim=30),
    Target("orders a second, no cloud", "engine", "per_s", "/s", least=1_000),
    Target(
        "CPU of all functions, one order, no emulator",
        "overhead",
        "functions_cpu_ms",
        "ms",
        most=30,
        aim=15,
    ),
    *(
        Target(f"start-up of {name}, of import boto3", "startup", f"{name}_ratio", "x", most=1.3)
        for name in ("execute", "worker", "ws_connect", "ws_notify", "reconcile")
    ),
    Target("write units an order", "life", "order_write_units", most=8),
    Target("AWS calls of the worker an order", "life", "worker_calls", most=9),
    Target("AWS calls of execute an order", "life", "execute_calls", most=2),
    Target("the same with keys and rates", "life", "keyed_execute_calls", most=3),
    Target("a million orders, ten a worker", "cost", "ten_usd", "USD", most=13),
    Target("the same, capacity by the hour", "cost", "ten_provisioned_usd", "USD", most=13),
    Target("largest process", "memory", "largest_mb", "MB", most=128),
    Target("submit, 100,000 orders of 1,000", "growth", "submit_ratio", "x", most=1.3),
    Target("get, 100,000 orders of 1,000", "growth", "get_ratio", "x", most=1.3),
    Target("list, 100,000 orders of 1,000", "growth", "list_ratio", "x", most=1.3),
)


def table(results: Results, parts: set[str] | None = None) -> str:
    """Return every target of some parts, or of all, as a table."""
    rows = [("what", "target", "measured", "")]
    for target in TARGETS:
        if parts is not None and target.part not in parts:
            continue
        value = target.measured(results)
        shown = "-" if value is None else f"{value:g} {target.unit}".strip()
        rows.append((target.what, target.bound, shown, target.verdict(results)))
    return markdown(rows, numbers=(2,))


def markdown(rows: Sequence[tuple[str, ...]], numbers: tuple[int, ...]) -> str:
    """Return rows, the first of them the head, as a Markdown table whose columns line up."""
    widths = [max(3, *(len(row[n]) for row in rows)) for n in range(len(rows[0]))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.rjust(width) if n in numbers else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(cells)} |"

    rule = [
        f"{'-' * (width - 1)}:" if n in numbers else "-" * width for n, width in enumerate(widths)
    ]
    return "\n".join([line(rows[0]), f"|{'|'.join(f' {r} ' for r in rule)}|", *map(line, rows[1:])])
