"""Fuzz the running system from its own contract, through the front door.

python -m contracts.fuzz --cases 5000
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "docs/openapi.json"
#: No waiting, as many orders as come, and keys: the whole of the API.
PARAMETERS = {
    "Auth": "api-key",
    "OrdersPerMinute": "0",
    "ConnectsPerMinute": "0",
    "QuoteDelayMinMs": "0",
    "QuoteDelayMaxMs": "0",
    "ConfirmDelayMinMs": "0",
    "ConfirmDelayMaxMs": "0",
}

#: Tokens that trade, or nearly all orders would be refused for theirs. What a schema can't say
#: (which tokens, how many decimals, whose cursor) may be refused though the schema takes it.
_CONFIG = """\
[dictionaries.tokens]
values = ["SOL", "SOL", "RAY", "JUP", "BONK", "USDT", "DOGE"]
[dictionaries.dollars]
values = ["USDC", "USDC", "USDC", "SOL", "XFAIL"]
[dictionaries.amounts]
values = ["1", "0.5", "2.25", "100", "0.000000001", "1.23456789012"]
[parameters]
"query.tokenIn" = {dictionary = "tokens", probability = 0.8}
"query.tokenOut" = {dictionary = "dollars", probability = 0.8}
"query.amount" = {dictionary = "amounts", probability = 0.8}
"body.tokenIn" = {dictionary = "tokens", probability = 0.8}
"body.tokenOut" = {dictionary = "dollars", probability = 0.8}
"body.amount" = {dictionary = "amounts", probability = 0.8}
[auth.openapi.bearer]
bearer = "${ENGINE_KEY}"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 403, 404, 409, 412, 422, 429]
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found; `answers` counts (operation, status)."""

    answers: Counter[tuple[str, int]]
    passed: bool
    output: str

    @property
    def cases(self) -> int:
        return self.answers.total()

    @property
    def broken(self) -> int:
        """How many answers were 5xx."""
        return sum(count for (_, status), count in self.answers.items() if status >= 500)

    def table(self) -> str:
        """Return the answers, a line an operation."""
        told: dict[str, Counter[int]] = {}
        for (operation, status), count in self.answers.items():
            known = operation if operation in _operations() else "other methods"
            told.setdefault(known, Counter())[status] += count
        return "\n".join(
            f"  {operation:<34}" + "  ".join(f"{s}: {n}" for s, n in sorted(found.items()))
            for operation, found in sorted(told.items())
        )


def fuzz(url: str, key: str, *, examples: int, seed: int = 0, only: str = "") -> Report:
    """Send what the contract allows and what it forbids; check every answer against it.

    At most about `examples` requests an operation and phase; `only` is a pattern of paths.
    """
    with tempfile.TemporaryDirectory() as scratch:
        config, events = Path(scratch, "fuzz.toml"), Path(scratch, "events.ndjson")
        config.write_text(_CONFIG)
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(config), "run", str(CONTRACT), "--url", url),
            *("--max-examples", str(examples), "--generation-database", "none"),
            *("--report", "ndjson", "--report-ndjson-path", str(events)),
            *("--continue-on-failure", "--no-shrink", "--warnings", "off"),
            *(("--seed", str(seed)) if seed else ()),
            *(("--include-path-regex", only) if only else ()),
        ]
        ran = subprocess.run(
            command,
            cwd=scratch,
            env=os.environ | {"ENGINE_KEY": key, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        answers = Counter[tuple[str, int]]()
        for line in events.read_text().splitlines():
            answers.update(_answers(json.loads(line)))
    return Report(answers, ran.returncode == 0, ran.stdout + ran.stderr)


def _operations() -> set[str]:
    paths = json.loads(CONTRACT.read_text())["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def _answers(event: dict[str, Any]) -> list[tuple[str, int]]:
    recorder = event.get("ScenarioFinished", {}).get("recorder", {})
    operations = {
        case_id: case["value"]["method"] + " " + case["value"]["path"]
        for case_id, case in recorder.get("cases", {}).items()
    }
    return [
        (operations[case_id], interaction["response"]["status_code"])
        for case_id, interaction in recorder.get("interactions", {}).items()
        if interaction["response"]
    ]


def main() -> int:
    from engine.adapters.aws.keys import DynamoAccess
    from engine.ports.access import Role, Trading
    from local.ops.keys import create
    from local.signals import stop_on_signals
    from local.system import running

    parser = argparse.ArgumentParser(prog="python -m contracts.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    asked = parser.parse_args()
    stop_on_signals()
    answers = Counter[tuple[str, int]]()
    with running(PARAMETERS) as system:
        access = DynamoAccess(system.table)
        key, operator = create(access, "fuzz"), create(access, "fuzz", Role.OPERATOR)
        report = fuzz(system.url, operator, examples=max(20, asked.cases // 100), only="^/api/ops/")
        access.set_trading(Trading())
        if not report.passed:
            print(report.output)
            return 1
        answers += report.answers
        while answers.total() < asked.cases:  # each run has a seed of its own
            left = asked.cases - answers.total()
            report = fuzz(system.url, key, examples=max(20, left // 14))
            answers += report.answers
            print(f"{answers.total()} of {asked.cases} cases", flush=True)
            if not report.passed:
                print(report.output)
                return 1
    total = Report(answers, True, "")
    print(f"{total.table()}\n{total.cases} cases, {total.broken} 5xx, 0 contract violations")
    return 1 if total.broken else 0


if __name__ == "__main__":
    sys.exit(main())
