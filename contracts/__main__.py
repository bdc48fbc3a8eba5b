"""Write the contracts, or say which are not as the code has them.

python -m contracts [--check]
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import yaml

from contracts import client, errors, postman, stream
from engine.api.document import document
from engine.api.http import HttpApi

ROOT = Path(__file__).resolve().parent.parent


def api() -> HttpApi:
    """Return the HTTP API as far as its contract goes: there is nothing behind it."""
    no = cast("Any", None)
    return HttpApi(
        no, no, no, no, no, no, no, lambda: no, signalling=lambda: no, opening=lambda: no
    )


def openapi() -> str:
    return json.dumps(document(api().contract()), indent=2) + "\n"


def asyncapi() -> str:
    plain = json.loads(json.dumps(stream.document()))  # no anchors: nothing is shared
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def collection() -> str:
    return postman.text(document(api().contract()))


def models() -> str:
    """Return the client's models, in the house's format."""
    ruff = Path(sys.executable).with_name("ruff")
    name = "cli/oee/client/models.py"
    made = client.text(document(api().contract()))
    for command in (["check", "--fix", "--quiet"], ["format"]):
        made = subprocess.run(
            [ruff, *command, "--stdin-filename", name, "-"],
            input=made, capture_output=True, text=True, check=True, cwd=ROOT,
        ).stdout  # fmt: skip
    return made


#: What is made, and by what.
FILES: dict[Path, Callable[[], str]] = {
    ROOT / "docs/openapi.json": openapi,
    ROOT / "docs/asyncapi.yaml": asyncapi,
    ROOT / "docs/errors.md": errors.text,
    ROOT / "docs/postman.json": collection,
    ROOT / "cli/oee/client/models.py": models,
}


def stale() -> list[str]:
    """Return the files that are not as the code has them."""
    return [
        str(path.relative_to(ROOT))
        for path, made in FILES.items()
        if not path.exists() or path.read_text() != made()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        found = stale()
        if found:
            print(f"Not as the code has them: {', '.join(found)}. Run make contracts.")
        return 1 if found else 0
    for path, made in FILES.items():
        path.write_text(made())
    return 0


if __name__ == "__main__":
    sys.exit(main())
