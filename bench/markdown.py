"""Markdown whose source reads as well as what it becomes."""

from pathlib import Path
from textwrap import fill
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader


def render(name: str, **known: Any) -> str:
    """Return what a template of `bench/pages` makes of what it may name."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("pages")),
        undefined=ChainableUndefined,  # of a part that failed
        autoescape=False,  # noqa: S701 - Markdown, of our own figures
    )
    return laid_out(templates.get_template(name).render(known))


def laid_out(text: str) -> str:
    """Line up the columns of every table and wrap every paragraph; leave the rest as it is."""
    return "\n\n".join(_block(block) for block in text.strip("\n").split("\n\n"))


def _block(block: str) -> str:
    if block.startswith("|"):
        return aligned(block)
    if block.startswith(("#", " ")):
        return block
    return fill(block, 100, break_long_words=False, break_on_hyphens=False)


def aligned(table: str) -> str:
    """Line up the columns of a table; those of its rule (`--:`) to the right."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    rule = rows[1]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rows[1] = [
        "-" * (width - 1) + ":" if cell.endswith(":") else "-" * width
        for cell, width in zip(rule, widths, strict=True)
    ]
    lines = (
        " | ".join(
            cell.rjust(width) if ruled.endswith(":") else cell.ljust(width)
            for cell, width, ruled in zip(row, widths, rule, strict=True)
        )
        for row in rows
    )
    return "\n".join(f"| {line} |" for line in lines)


def between(text: str, name: str, new: str | None = None) -> str:
    """Return what stands between a page's markers; with `new`, the page with that in its place."""
    start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    before, rest = text.split(start)
    old, after = rest.split(end)
    return old if new is None else before + start + new + end + after
