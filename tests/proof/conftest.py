"""What the proof did, in one line at the end of the run; and a log that is quiet meanwhile."""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest

from engine.adapters import codec
from engine.adapters.aws import orders
from engine.observability import log

TALLY = pytest.StashKey[Counter[str]]()
#: All of it: every harm at every call. Without, what a change is most likely to break.
THOROUGH = os.environ.get("CI", "") not in {"", "0", "false"}


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Counter[str]:
    """Count here what is to be told at the end."""
    return pytestconfig.stash.setdefault(TALLY, Counter())


@pytest.fixture(scope="session")
def thorough() -> bool:
    """Whether time is no object."""
    return THOROUGH


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    """Read each text of an order once: thousands of stories have the same beginnings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "decode_rest", lru_cache(10_000)(codec.decode_rest))
        yield


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    level = log.log_level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(level)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the tally over, where the tests ran in a process beside the one that tells."""
    if hasattr(session.config, "workeroutput"):
        tally = session.config.stash.get(TALLY, Counter())
        session.config.workeroutput["proof"] = dict(tally)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the tally of a process that is done."""
    told = getattr(node, "workeroutput", {}).get("proof", {})
    node.config.stash.setdefault(TALLY, Counter()).update(told)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    tally = config.stash.get(TALLY, Counter())
    if tally:
        told = ", ".join(f"{count:,} {what}" for what, count in tally.items())
        terminalreporter.write_line(f"proof: {told}")
