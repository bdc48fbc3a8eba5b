"""The whole system on the embedded cloud, through its front door, with real clients."""

from collections.abc import Iterator

import pytest

from local.system import System, running
from tests.e2e.client import Trader


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    with running() as system:
        yield system


@pytest.fixture
def trader(system: System) -> Iterator[Trader]:
    with Trader(system) as trader:
        yield trader
