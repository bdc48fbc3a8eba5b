"""Metrics as CloudWatch's embedded format: lines of the log, which cost no call."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from engine.ports.metrics import DIMENSIONS, TIMES, Metric

Fact = tuple[Metric, float, str | None]


@dataclass(slots=True, eq=False, repr=False)
class EmbeddedMetrics:
    """Collects facts, and prints a line for each dimension's value that they have.

    Namespace and service come from the environment, as with all of Powertools. Counts of a batch
    are added up; times are kept, so that percentiles are true.
    """

    _facts: deque[Fact] = field(default_factory=deque, init=False)

    def record(self, metric: Metric, value: float = 1, *, by: str | None = None) -> None:
        self._facts.append((metric, value, by))

    def emit(self) -> None:
        lines: dict[tuple[str, str] | None, dict[Metric, list[float]]] = {}
        while self._facts:
            metric, value, by = self._facts.popleft()
            dimension = (DIMENSIONS[metric], by) if by is not None else None
            lines.setdefault(dimension, {}).setdefault(metric, []).append(value)
        for dimension, measured in lines.items():
            _print(dimension, measured)


def _print(dimension: tuple[str, str] | None, measured: Mapping[Metric, Sequence[float]]) -> None:
    metrics = EphemeralMetrics()
    if dimension is not None:
        metrics.add_dimension(*dimension)
    for metric, values in measured.items():
        if metric in TIMES:
            for value in values:
                metrics.add_metric(metric, MetricUnit.Milliseconds, value)
        else:
            metrics.add_metric(metric, MetricUnit.Count, sum(values))
    if metrics.metric_set:  # a hundredth value has them printed at once
        metrics.flush_metrics()
