"""A browser before the running system: Debian's Chromium, driven by Playwright."""

import itertools
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from engine.adapters.aws.keys import DynamoAccess
from local import console
from local.errors import Refused
from local.ops.keys import create
from local.system import WARM, System, running

#: A quick market, and as many orders a minute as a test likes.
QUICK = {
    "Auth": "api-key",
    "OrdersPerMinute": "0",
    "ConnectsPerMinute": "0",
    "QuoteDelayMinMs": "0",
    "QuoteDelayMaxMs": "20",
    "ConfirmDelayMinMs": "50",
    "ConfirmDelayMaxMs": "150",
}
_NUMBERS = itertools.count(1)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
#: What the policy stops is an error.
_WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) => console.error(event.violatedDirective));
"""

expect.set_options(timeout=15_000)


def digits(price: float) -> str:
    """Return a price as one types it: six digits, no exponent."""
    return f"{Decimal(f'{price:.6g}'):f}"


@dataclass
class Trader:
    """An account with its key, its API and its browser."""

    url: str
    key: str
    context: BrowserContext
    http: httpx.Client
    #: What the browser said is wrong, and what a test expects of it.
    wrong: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def page(self, way: str = "#/", *, key: bool = True) -> Page:
        """Open a tab at a screen."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(f"{error}"))
        page.on(
            "console",
            lambda said: (
                self.wrong.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        if key:
            page.add_init_script(f"sessionStorage.setItem('engine-key', {json.dumps(self.key)})")
        page.goto(f"{self.url}/{way}")
        return page

    def fresh(self) -> None:
        """Go on with a browser that has seen nothing yet."""
        browser = self.context.browser
        assert browser
        self.context.close()
        self.context = a_context(browser)

    def place(self, **order: Any) -> dict[str, Any]:
        body = {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": "1", **order}
        answer = self.http.post("/api/orders/execute", json=body)
        placed: dict[str, Any] = answer.raise_for_status().json()
        return placed

    def price(self, pair: str) -> float:
        return float(self.http.get("/api/prices", params={"pair": pair}).json()["price"])

    def move(self, pair: str, price: float) -> None:
        body = {"pair": pair, "price": digits(price)}
        self.http.post("/api/simulation/prices", json=body).raise_for_status()


def a_context(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1360, "height": 900}, color_scheme="dark")
    context.add_init_script(_WATCH_POLICY)
    return context


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    try:
        console.build()
    except Refused as reason:
        pytest.skip(f"the console can't be built here: {reason}")
    with running(QUICK, warm=WARM | {"execute": 2, "console": 1}) as system:
        yield system


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("no Chromium is installed here")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def trader(system: System, browser: Browser) -> Iterator[Trader]:
    """A trader of a new account; at the end the browser has found nothing wrong."""
    key = create(DynamoAccess(system.table), f"console-{next(_NUMBERS)}")
    context = a_context(browser)
    with httpx.Client(base_url=system.url, headers={"X-Api-Key": key}, timeout=30) as http:
        trader = Trader(system.url, key, context, http)
        yield trader
        trader.context.close()
    unexpected = [w for w in trader.wrong if not any(known in w for known in trader.expected)]
    assert unexpected == []
