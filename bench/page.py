"""Write the measured parts of the pages from the figures, by the templates in `bench/pages`."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from bench import cost, growth, latency, launches, localnet, routing, stage, triggers
from bench.figures import ROOT, Results
from bench.lambdas import FUNCTIONS
from bench.markdown import between, render
from bench.targets import table
from bench.template import lambda_logs

#: What is written between which markers of which page of docs/.
PAGES = {"performance.md": "figures", "scale.md": "simulated", "routing.md": "figures"}
README = ROOT / "README.md"


def write(results: Results) -> None:
    """Put the figures into the pages."""
    for name, marker in PAGES.items():
        page = ROOT / "docs" / name
        page.write_text(between(page.read_text(), marker, rendered(name, results)))
    README.write_text(between(README.read_text(), "headline", headline(results)))


def headline(results: Results) -> str:
    """Return the one line of figures under the README's title."""
    of = results.value
    submit, push = _shown(of("submit", "one_p50_ms")), _shown(of("push", "p50_ms"))
    rate, cost_usd = of("throughput", "ten_per_s") or 0, of("cost", "ten_usd") or 0
    return (
        f"**{submit} ms** from a POST to its 202, **{push} ms** from the table to who watches, "
        f"**{rate:.0f} orders a second** by ten workers, on two cores of one machine; "
        f"**{cost_usd:.2f} USD** a million orders on AWS ([measured](docs/performance.md))."
    )


def rendered(name: str, results: Results) -> str:
    """Return what stands on a page; `f` shows a figure there, `x` its multiple of boto3."""
    parts = results.parts
    return render(
        name,
        f=lambda part, name: _shown(results.value(part, name)),
        x=lambda part, name: _shown(results.multiple(part, name)),
        parts=parts,
        runs=_runs(results),
        took=sum(figures["took_s"] for figures in parts.values()),
        failed=[name for name, figures in parts.items() if "error" in figures],
        functions=FUNCTIONS,
        targets=table(results),
        lambda_logs=lambda_logs("worker"),
        packages=_packages,
        cost=cost,
        growth=growth,
        latency=latency,
        triggers=triggers,
        localnet=localnet,
        launches=launches,
        stage=stage,
        routing=routing,
    )


def _runs(results: Results) -> list[dict[str, Any]]:
    """Return which parts were measured of which commit and where, when, and how fast that was."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, figures in results.parts.items():
        found.setdefault((figures["commit"], figures["machine"]), []).append(name)
    return [
        {
            "commit": commit,
            "machine": machine,
            "date": min(results.parts[name]["date"] for name in names),
            "boto3": median(results.parts[name]["boto3_ms"] for name in names),
            "names": ["everything"] if len(found) == 1 else names,
        }
        for (commit, machine), names in found.items()
    ]


def _packages(columns: Iterable[dict[str, float]]) -> list[str]:
    """Return the rows of a profile: the largest over all columns first."""
    some = list(columns)
    names = sorted({name for column in some for name in column})
    return sorted(names, key=lambda name: -sum(column.get(name, 0.0) for column in some))


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or value >= 1_000 else f"{value:g}"
