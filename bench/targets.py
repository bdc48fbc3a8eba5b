"""What is asked for, beside what was measured. Times are multiples of the machine's `import boto3`:
on two machines whose speed differed by 1.9 these held, the milliseconds did not.
"""

from dataclasses import dataclass

from bench.figures import Results
from bench.markdown import aligned

BOTO3 = "x boto3"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and its bound: at most `maximum`, or at least `minimum`.

    In the unit BOTO3 the figure is a time in milliseconds, and its bound a multiple.
    """

    what: str
    part: str
    figure: str
    unit: str = ""
    maximum: float | None = None
    minimum: float | None = None

    def measured(self, results: Results) -> float | None:
        measure = results.multiple if self.unit == BOTO3 else results.value
        return measure(self.part, self.figure)

    def verdict(self, results: Results) -> str:
        """Return `met`, `not met`, or that it was not measured."""
        value = self.measured(results)
        if value is None:
            return "not measured"
        good = (self.maximum is None or value <= self.maximum) and (
            self.minimum is None or value >= self.minimum
        )
        return "met" if good else "not met"

    @property
    def bound(self) -> str:
        return f"<= {self.maximum:g}" if self.maximum is not None else f">= {self.minimum:g}"


def _time(what: str, part: str, figure: str, maximum: float) -> Target:
    return Target(what, part, figure, BOTO3, maximum=maximum)


_TEN = "throughput, of the ideal of ten one-order workers"
_ONE = "throughput, one order a worker, of its ideal"
TARGETS = (
    _time("CPU of all functions, a watched order", "overhead", "functions_cpu_ms", 0.30),
    _time("POST to 202, one client, p50", "submit", "one_p50_ms", 0.15),
    _time("POST to `confirmed` less what is simulated, p50", "overhead", "p50_ms", 0.35),
    _time("table write to the watcher, p50", "push", "p50_ms", 0.2),
    _time("CPU of an order without the cloud", "request", "order_cpu_ms", 0.02),
    Target("CPU of an order, more for metrics", "observed", "metrics_percent", "%", maximum=10),
    _time("an order with nothing to wait for", "zero", "order_ms", 0.2),
    _time("start-up of `execute`", "startup", "execute_ms", 2.6),
    *(
        _time(f"start-up of `{name}`", "startup", f"{name}_ms", 1.9)
        for name in ("worker", "ws_connect", "ws_notify", "reconcile")
    ),
    Target(_TEN, "throughput", "ten_share_of_ten_workers", "x", minimum=6),
    Target(_ONE, "throughput", "one_share_of_its_ideal", "x", minimum=0.6),
    Target("write units an order", "life", "order_write_units", maximum=9),
    Target("AWS calls of the worker an order", "life", "worker_calls", maximum=9),
    Target("AWS calls of `execute` an order", "life", "execute_calls", maximum=2),
    Target("the same with keys and rates", "life", "keyed_execute_calls", maximum=3),
    Target("a million orders, ten a worker", "cost", "ten_usd", "USD", maximum=13),
    Target("the same, capacity by the hour", "cost", "ten_provisioned_usd", "USD", maximum=13),
    Target("largest process", "memory", "largest_mb", "MB", maximum=128),
    *(
        Target(f"{name}, 100,000 orders of 1,000", "growth", f"{name}_ratio", "x", maximum=1.3)
        for name in ("submit", "get", "list")
    ),
    Target(
        "a quiet tick reads, a pair and direction", "triggers", "direction_units_1000000", maximum=1
    ),
    *(
        Target(f"{what}, 1,000,000 resting of 1,000", "triggers", f"{name}_ratio", "x", maximum=1.1)
        for what, name in (
            ("a quiet tick reads", "quiet_read_units"),
            ("a quiet tick's CPU", "quiet_ms"),
            ("a tick that crosses 100 reads", "cross_read_units"),
            ("and writes", "cross_write_units"),
            ("and its CPU", "cross_ms"),
        )
    ),
    Target("price moved to `pending`, p50", "triggers", "wake_p50_ticks", "ticks", maximum=0.7),
    Target("price moved to `pending`, p99", "triggers", "wake_p99_ticks", "ticks", maximum=2),
    Target("500 crossed by one tick, all confirmed", "triggers", "burst_s", "s", maximum=20),
    Target("confirmed twice", "triggers", "burst_twice", maximum=0),
    Target("a market order beside 10,000 resting", "triggers", "beside_ratio", "x", maximum=1.2),
    Target(
        *("a launch's signal to `submitted`, less the quotes", "launches", "p50_ms", "ms"),
        maximum=1000,
    ),
    Target(
        *("of 1,000 snipers' first 100, of one of 50 accounts", "launches", "snipers_of_one"),
        maximum=10,
    ),
    Target("of these confirmed twice", "launches", "snipers_twice", maximum=0),
    Target(
        "POST to landed on the local chain, no delays, p50", "localnet", "p50_ms", "ms", maximum=150
    ),
    Target("a quote of both venues there, p50", "localnet", "quote_p50_ms", "ms", maximum=10),
    Target(
        "start of a worker on Solana, of a simulated one",
        "localnet",
        "start_ratio",
        "x",
        maximum=1.3,
    ),
    Target(
        "a million resting orders, above market ones", "triggers", "more_usd", "USD", maximum=2.5
    ),
)


def table(results: Results, parts: set[str] | None = None) -> str:
    """Return every target of some parts, or of all, as a table."""
    rows = ["| what | target | measured | unit | |", "|---|---|--:|---|---|"]
    for target in TARGETS:
        if parts is None or target.part in parts:
            value = target.measured(results)
            shown = "-" if value is None else f"{value:g}"
            cells = target.what, target.bound, shown, target.unit, target.verdict(results)
            rows.append(f"| {' | '.join(cells)} |")
    return aligned("\n".join(rows))
