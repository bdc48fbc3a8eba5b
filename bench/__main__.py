"""Measure, print a table, keep the figures in bench/results.json, and write the pages from them.

python -m bench              everything
python -m bench PART ...     some parts; the figures of the others stay
python -m bench --page       nothing: only the pages are written
"""

import argparse
import json
import sys
import time
import traceback
from contextlib import closing

from bench import page
from bench.figures import Results, load, stamp
from bench.lambdas import import_boto3
from bench.parts import PARTS
from bench.stage import Stage
from bench.targets import table
from local.signals import stop_on_signals


def measure(names: list[str], results: Results) -> None:
    """Run parts one after another; one that fails says why and spoils no other."""
    with closing(Stage(results)) as stage:
        for name in names:
            stage.tell(name)
            began = time.monotonic()
            figures = {**stamp(), "boto3_ms": round(import_boto3() * 1000, 1)}
            try:
                figures |= PARTS[name](stage)
            except Exception as error:  # noqa: BLE001 - the other parts are still to be measured
                traceback.print_exc()
                stage.close()
                figures["error"] = f"{type(error).__name__}: {error}"
            results.parts[name] = figures | {"took_s": round(time.monotonic() - began, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--page", action="store_true", help="write the pages only")
    chosen = parser.parse_args()
    if unknown := set(chosen.part) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    stop_on_signals()
    results = load() if chosen.part or chosen.page else Results()
    if chosen.page:
        page.write(results)
        return 0
    names = [name for name in PARTS if name in (chosen.part or PARTS)]
    measure(names, results)
    results.save()
    page.write(results)
    print(table(results, set(names)))
    for name in names:
        figures = results.parts[name].items()
        plain = {key: value for key, value in figures if not isinstance(value, dict)}
        print(f"{name}: {json.dumps(plain)[1:-1]}")
    return int(any("error" in results.parts[name] for name in names))


if __name__ == "__main__":
    sys.exit(main())
