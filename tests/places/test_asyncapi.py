"""AsyncAPI's own parser takes the stream's document; it comes from npm."""

import json
import subprocess
from pathlib import Path

import pytest

from local.console import node

ROOT = Path(__file__).parents[2]
PARSE = """
import { Parser } from '@asyncapi/parser';
import { readFileSync } from 'node:fs';
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'));
const worse = diagnostics.filter(({ severity }) => severity < 2);
console.log(JSON.stringify({
  worse: worse.map(({ message, path }) => `${path.join('/')}: ${message}`),
  messages: document?.messages().all().map((message) => message.id()),
}));
"""


def test_the_official_parser_reads_every_message_and_warns_of_nothing(tmp_path: Path) -> None:
    install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "@asyncapi/parser@3.6.6"]
    installed = subprocess.run(
        [*node("npm"), *install], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if installed.returncode:
        pytest.skip(f"npm gives no parser: {installed.stderr[-200:]}")
    (tmp_path / "parse.mjs").write_text(PARSE)
    parsed = subprocess.run(
        [*node("node"), tmp_path / "parse.mjs", ROOT / "docs/asyncapi.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(parsed.stdout) == {
        "worse": [],
        "messages": ["subscribe", "unsubscribe", "ping", "snapshot", "status", "pong", "error"],
    }
