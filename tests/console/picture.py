"""Take the picture of the console that the README shows: `make picture`."""

import shutil
import time
from pathlib import Path

import httpx
from playwright.sync_api import expect, sync_playwright

from engine.adapters.aws.keys import DynamoAccess
from local import console
from local.cloud.embedded import ROOT
from local.errors import Refused
from local.ops.keys import create
from local.system import running
from tests.console.conftest import CHROMIUM, Trader, digits

PICTURE = ROOT / "docs/console.png"


def take(to: Path = PICTURE) -> None:
    """Trade a little, and photograph the ticket. Raises Refused without a browser or npm."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise Refused("there is no Chromium here")
    console.build()
    with running({"Auth": "api-key", "OrdersPerMinute": "0"}) as system, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1180, "height": 800}, color_scheme="dark")
        key = create(DynamoAccess(system.table), "picture")
        http = httpx.Client(base_url=system.url, headers={"X-Api-Key": key}, timeout=30)
        trader = Trader(system.url, key, context, http)
        page = trader.page()
        page.locator("#amount").fill("2000")
        price = trader.price("SOL/USDC")
        trader.place(type="stop", amount="40", stopPrice=digits(price * 0.97))
        trader.place(type="limit", amount="25", limitPrice=digits(price * 1.04))
        trader.place(tokenIn="USDC", tokenOut="BONK", amount="1500")
        for factor in (1.0015, 1.004, 1.001, 1.006, 1.009):
            trader.move("SOL/USDC", price * factor)
            time.sleep(2)  # the page looks at prices every two seconds
        page.locator("form button.send").click()
        expect(page.locator(".placed .status")).to_have_text("confirmed", timeout=30_000)
        page.locator("#kind").select_option("limit")
        page.locator("#limitPrice").fill(digits(price * 1.05))
        expect(page.locator(".quote.best")).to_have_count(1)
        time.sleep(1)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=to)
        browser.close()


if __name__ == "__main__":
    take()
