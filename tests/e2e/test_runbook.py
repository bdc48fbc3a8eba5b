"""Every command of the runbook runs: those of AWS's CLI as calls of the running system."""

import json
import re
import shlex
import subprocess
from typing import Any

import jmespath
import pytest
from botocore import xform_name

from local.system import System
from local.up import told
from tests.contract.transform import ROOT
from tests.e2e.client import Trader

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if line.strip()
]
AWS = [words for words in COMMANDS if words[0] == "aws"]
#: These take the place of what the runbook calls by these names.
OUTPUTS = {
    "TABLE": "TableName",
    "RECONCILE_FUNCTION:live": "ReconcileFunctionName",
    "TICK_QUEUE": "TickQueueUrl",
    "DEAD_LETTER_QUEUE": "DeadLetterQueueUrl",
}


def asked(client: Any, operation: str, options: dict[str, list[str]]) -> dict[str, Any]:
    """Return the parameters that AWS's CLI would send for these options."""
    method = client.meta.method_to_api_mapping[operation]
    shapes = client.meta.service_model.operation_model(method).input_shape.members
    named = {xform_name(member, "-"): (member, shape) for member, shape in shapes.items()}
    parameters: dict[str, Any] = {}
    for option, words in options.items():
        member, shape = named[option]
        match shape.type_name:
            case "boolean":
                parameters[member] = True
            case "integer":
                parameters[member] = int(words[0])
            case "structure" | "map":
                parameters[member] = json.loads(words[0])
            case "list":
                parameters[member] = words
            case _:
                parameters[member] = words[0]
    return parameters


@pytest.mark.parametrize("words", AWS, ids=lambda words: " ".join(words[1:3]))
def test_a_command_of_the_runbook_runs(words: list[str], trader: Trader, system: System) -> None:
    order_id = trader.place()
    outputs = system.stack.outputs
    here = {"STACK": system.stack.name} | {n: outputs[name] for n, name in OUTPUTS.items()}
    _, service, operation, *rest = words
    client, options = system.client(service), dict[str, list[str]]()
    values: list[str] = []
    for word in rest:
        if word.startswith("--"):
            values = options.setdefault(word[2:], [])
        elif not word.startswith("/dev/"):
            values.append(here.get(word, word.replace("ORDER#ID", f"ORDER#{order_id}")))
    query = options.pop("query", ["@"])[0]
    options.pop("output", None)
    method = operation.replace("-", "_")
    parameters = asked(client, method, options)
    answer = getattr(client, method)(**parameters)
    assert "FunctionError" not in answer
    ticking = "TICKER" in json.dumps(parameters)  # nobody ticks while nothing rests
    assert ticking or jmespath.search(query, answer) is not None


def test_the_others_are_targets_of_make_and_run(trader: Trader, system: System) -> None:
    order_id = trader.place()
    trader.wait_for(order_id)
    with told(system):
        for words in COMMANDS:
            if words[0] == "aws":
                continue
            assert (words[0], words[-1]) == ("make", "STACK=...")
            asked = [word.replace("ORDER=ID", f"ORDER={order_id}") for word in words[1:-1]]
            command = ["make", "--silent", *asked, f"PORT={system.port}"]
            ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr
            assert order_id in ran.stdout or "dead-letter queue" in ran.stdout
