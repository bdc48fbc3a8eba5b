"""The console: a page, and the files it is made of."""

from pathlib import Path
from typing import Any

from engine.api.pages import Pages
from engine.bootstrap import engine


def lambda_handler(event: dict[str, Any], context: Any, using: Pages | None = None) -> Any:
    """Answer one request for a file of the console."""
    use = using or engine().pages(Path(__file__).parent / "static")
    return use.handle(event)
