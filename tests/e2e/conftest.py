"""The whole system on the embedded cloud, through its front door, with real clients."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.table import Table
from engine.ports.access import Role
from local.ops.keys import create, revoke
from local.system import System, running
from tests.e2e.client import Trader

#: A stack whose callers need keys, with a quick market, and few enough orders a minute to exceed.
KEYED = {
    "Auth": "api-key",
    "AllowedOrigins": "https://desk.example,https://mobile.example",
    "OrdersPerMinute": "30",
    "QuoteDelayMinMs": "0",
    "QuoteDelayMaxMs": "20",
    "ConfirmDelayMinMs": "50",
    "ConfirmDelayMaxMs": "150",
}
_NUMBERS = itertools.count(1)

#: The files that take longest, so that none of them is begun last.
_FIRST = ("stopping", "waiting", "crashes", "busy", "chaos", "trading")

#: Makes a trader of a new account; the name is the beginning of the account's.
Accounts = Callable[[str], Trader]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files (`--no-loadscope-reorder` keeps the order when they are shared out)."""
    first = {f"test_{name}": at for at, name in enumerate(_FIRST)}
    items.sort(key=lambda item: first.get(item.path.stem, len(first)))


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    with running() as system:
        yield system


@pytest.fixture
def trader(system: System) -> Iterator[Trader]:
    with Trader(system) as trader:
        yield trader


@pytest.fixture(scope="session")
def keyed() -> Iterator[System]:
    with running(KEYED) as system:
        yield system


@pytest.fixture(scope="session")
def table(keyed: System) -> Table:
    """The keyed system's table, with the engine's own adapter."""
    return keyed.table


@pytest.fixture(scope="session")
def access(table: Table) -> DynamoAccess:
    return DynamoAccess(table)


@pytest.fixture(scope="session")
def stored(table: Table) -> DynamoOrders:
    """Orders written past the API: no worker hears of them."""
    return DynamoOrders(table)


@pytest.fixture
def account(keyed: System, access: DynamoAccess) -> Iterator[Accounts]:
    with ExitStack() as open_until_then:

        def new(name: str) -> Trader:
            unique = f"{name}-{next(_NUMBERS)}"
            return open_until_then.enter_context(Trader(keyed, create(access, unique), unique))

        yield new


@pytest.fixture
def operator(keyed: System, access: DynamoAccess) -> Iterator[httpx.Client]:
    key = create(access, "olga", Role.OPERATOR)
    with httpx.Client(base_url=keyed.url, headers={"X-Api-Key": key}, timeout=60) as client:
        yield client
    revoke(access, key)
    refused = httpx.get(f"{keyed.url}/api/ops/status", headers={"X-Api-Key": key}, timeout=60)
    assert refused.status_code == 401
