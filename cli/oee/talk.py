"""A command's conversation with the engine: what it ends with, and what is said of a failure."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, NoReturn

import typer

from oee import settings, tell
from oee.client import Engine, EngineError, Refused, TimedOut, Unreachable
from oee.terms import BadTerms


class Exit(IntEnum):
    """How a command ends."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    TIMEOUT = 5
    INTERRUPTED = 130


Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def usage(text: str) -> NoReturn:
    """End with a word about how the command is used."""
    tell.note(f"oee: {text}")
    raise typer.Exit(Exit.USAGE)


def found_settings(context: typer.Context) -> settings.Settings:
    """Return the settings, with what the options before the command say."""
    said = context.find_root().params
    try:
        return settings.read(said.get("url"), said.get("ws_url"))
    except settings.BadSettings as error:
        usage(str(error))


@contextmanager
def talking(context: typer.Context, *, as_json: bool = False) -> Iterator[Engine]:
    """Talk to the engine; end the command with its exit code if something goes wrong."""
    found = found_settings(context)
    where = found.address
    try:
        with Engine(where.url, where.ws_url, where.key, patience=found.patience) as engine:
            yield engine
    except BadTerms as error:
        usage(str(error))
    except EngineError as error:
        _say(error, where.url, as_json=as_json)
        raise typer.Exit(_code(error)) from None


def _code(error: EngineError) -> Exit:
    match error:
        case Refused():
            return Exit.REFUSED
        case TimedOut():
            return Exit.TIMEOUT
    return Exit.UNREACHABLE


def _say(error: EngineError, url: str, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, object] = {"code": _code(error).name, "detail": str(error)}
        if isinstance(error, Refused):
            told = {"code": error.code, "detail": error.detail, "status": error.status}
            told["errors"] = [
                {"pointer": each.pointer, "code": each.code, "detail": each.detail}
                for each in error.errors
            ]
        if isinstance(error, Unreachable) and error.key:
            told["key"] = error.key
        tell.note(json.dumps({"error": told}))
        return
    match error:
        case Refused():
            tell.note(f"oee: refused: {error}")
        case TimedOut():
            tell.note(f"oee: {error}")
        case _:
            tell.note(f"oee: {url} can't be reached: {error}")
    if isinstance(error, Unreachable) and error.key:
        unknown(error.key)


def unknown(key: str) -> None:
    """Say what to do when it is not known whether an order was placed."""
    tell.note(
        f"It is not known whether the order was placed. Look for it: oee show --id {key}\n"
        f"Or run the same again with --id {key}: it is one order at most."
    )
