"""Measure, print a table, and keep the figures.

python -m bench              everything: bench/results.json and docs/performance.md are written
python -m bench PART ...     some parts: build/bench.json is written, the page is not
python -m bench --page       nothing: docs/performance.md is written from bench/results.json
"""

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

from bench import page
from bench.figures import RESULTS, ROOT, Figures, Results, begun, load
from bench.parts import PARTS, Part, wanted
from bench.stage import Progress, Stage
from bench.targets import table
from local.signals import stop_on_signals

ASIDE = ROOT / "build" / "bench.json"


def measure(parts: list[Part]) -> Results:
    """Run parts one after another; one that fails says why and spoils no other."""
    results = begun()
    progress = Progress(sum(part.seconds for part in parts))
    stage = Stage(progress)
    try:
        for part in parts:
            progress.begin(part.name, part.seconds)
            began = time.monotonic()
            results.parts[part.name] = _ran(part, stage, results)
            results.parts[part.name]["took_s"] = round(time.monotonic() - began, 1)
    finally:
        stage.close()
        progress.end()
    return results


def _ran(part: Part, stage: Stage, results: Results) -> Figures:
    try:
        return part.run(stage, results)
    except Exception as error:  # noqa: BLE001 - the other parts are still to be measured
        traceback.print_exc()
        stage.close()
        return {"error": f"{type(error).__name__}: {error}"}


def shown(results: Results, names: set[str] | None) -> str:
    """Return what was found: the targets, and every figure of the parts that were asked for."""
    lines = [table(results, names)]
    for name, figures in results.parts.items():
        plain = {key: value for key, value in figures.items() if not isinstance(value, dict)}
        lines.append(f"{name}: {json.dumps(plain)[1:-1]}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = [part.name for part in PARTS]
    parser.add_argument("part", nargs="*", help=", ".join(names))
    parser.add_argument("--page", action="store_true", help="write the page only")
    chosen = parser.parse_args()
    if unknown := set(chosen.part) - set(names):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if chosen.page:
        page.write(load())
        return 0
    stop_on_signals()
    results = measure(wanted(chosen.part))
    path: Path = ASIDE if chosen.part else RESULTS
    results.save(path)
    if not chosen.part:
        page.write(results)
    print(shown(results, set(chosen.part) or None))
    print(f"\n{path.relative_to(ROOT)} has every figure.")
    return int(any("error" in figures for figures in results.parts.values()))


if __name__ == "__main__":
    sys.exit(main())
