"""The collection as it is committed."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def collection() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "docs/postman.json").read_text())
    return read


def routes() -> set[tuple[str, str]]:
    """Return the routes of the contract, as (method, path)."""
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    return {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
