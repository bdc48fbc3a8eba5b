"""Say whether everything that a trader needs is there."""

import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from oee import tell
from oee.client import Engine, EngineError, Forbidden, NotFound, Refused, Unauthenticated
from oee.settings import Settings
from oee.talk import Exit, Json, found_settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `exit` is how the command ends if it is bad."""

    what: str
    good: bool
    detail: str
    exit: Exit = Exit.OK


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Look at settings, address, key, market and stream, and say what is wrong.

    Exit: 0 all is well, 1 something is not, 3 unreachable, 4 the key is refused.
    """
    found = found_settings(context)
    findings = [_settings(found)]
    where = found.address
    with Engine(where.url, where.ws_url, where.key, patience=min(found.patience, 5)) as engine:
        for name, look in (
            ("engine", _health),
            ("key", _key),
            ("market", _market),
            ("stream", _stream),
            ("operator", _operator),
        ):
            findings.append(_looked(name, look, engine))
            if findings[-1].exit in {Exit.UNREACHABLE, Exit.REFUSED}:
                break
    for each in findings:
        if as_json:
            tell.document({"what": each.what, "good": each.good, "detail": each.detail})
        else:
            tell.line(f"{'ok ' if each.good else 'BAD'}  {each.what:<9} {each.detail}")
    bad = [each.exit for each in findings if not each.good]
    raise typer.Exit(bad[0] if bad else Exit.OK)


def _settings(found: Settings) -> Finding:
    where = found.address
    names = ", ".join(f"{name} by {source}" for name, source in found.sources.items())
    detail = f"{where.url}, {where.ws_url} ({names or 'all by default'})"
    if found.sources.get("key") == str(found.file) and _readable_by_others(found.file):
        return Finding("settings", False, f"others can read the key: {found.file}", Exit.FAILED)
    return Finding("settings", True, detail)


def _readable_by_others(file: Path) -> bool:
    return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _looked(name: str, look: Callable[[Engine], str], engine: Engine) -> Finding:
    try:
        return Finding(name, True, look(engine))
    except Refused as error:
        code = Exit.REFUSED if isinstance(error, Unauthenticated) else Exit.FAILED
        return Finding(name, False, str(error), code)
    except EngineError as error:
        code = Exit.FAILED if name == "stream" else Exit.UNREACHABLE
        return Finding(name, False, str(error), code)


def _health(engine: Engine) -> str:
    began = time.perf_counter()
    engine.health()
    return f"up, answers in {(time.perf_counter() - began) * 1000:.0f} ms"


def _key(engine: Engine) -> str:
    engine.tokens()
    return "is taken" if engine.address.key else "none, and none is asked for"


def _market(engine: Engine) -> str:
    found = engine.prices()
    stale = [price.pair for price in found if price.stale]
    first = found[0]
    told = f"{first.network} ({first.settlement}), {len(found)} pairs"
    return told + (f"; stale: {', '.join(stale)}" if stale else "")


def _stream(engine: Engine) -> str:
    began = time.perf_counter()
    engine.ping()
    return f"connects and answers in {(time.perf_counter() - began) * 1000:.0f} ms"


def _operator(engine: Engine) -> str:
    try:
        state = engine.ops.status().trading.state
    except (Forbidden, Unauthenticated):
        return "this key is no operator's"
    except NotFound:
        return "this engine has no routes for operators"
    return f"yes; trading is {state}"
