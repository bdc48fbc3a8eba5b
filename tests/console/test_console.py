"""The console in a browser, on the real stack: what a trader does with it, and what it costs."""

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from engine.adapters.aws.keys import DynamoAccess
from engine.ports.access import Role
from local.console import INSTALLED
from local.ops.keys import create
from local.system import System
from tests.console.conftest import Trader, digits

MARKET = {"type": "market", "tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"}
SCRIPT = "<script>window.hit = 1</script>"
#: What every kind is filled in with, of a pair at 1: so that it rests, then where the price goes.
KINDS: dict[str, tuple[dict[str, float], float | None]] = {
    "market": ({}, None),
    "limit": ({"limitPrice": 1.05}, 1.08),
    "stop": ({"stopPrice": 0.95}, 0.93),
    "stopLimit": ({"stopPrice": 0.95, "limitPrice": 0.80}, 0.93),
    "takeProfit": ({"stopPrice": 1.05}, 1.08),
    "trailingStop": ({}, 0.90),
    "oco": ({"profitPrice": 1.05, "lossPrice": 0.9}, 1.08),
    "twap": ({}, None),  # two parts, a second apart, whatever the price
}
#: A pair each, so that one's price is nobody else's: base, and what of it is sold.
PAIRS = {
    "market": ("SOL/USDC", "1"),
    "limit": ("RAY/USDC", "20"),
    "stop": ("JUP/USDC", "30"),
    "stopLimit": ("SOL/USDT", "1"),
    "takeProfit": ("RAY/SOL", "20"),
    "trailingStop": ("BONK/USDC", "1000000"),
    "oco": ("SOL/USDC", "1"),
    "twap": ("SOL/USDC", "3"),
}


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        field = page.locator(f"#{name}")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def send(page: Page) -> str:
    """Send the ticket; return the id of the order that it became."""
    before = page.locator(".placed").count()
    page.locator("form button.send").click()
    expect(page.locator(".placed")).to_have_count(before + 1)
    found = page.locator(".placed").first.get_attribute("data-order")
    assert found
    return found


def placed(page: Page, order_id: str, status: str) -> None:
    """Wait until a placed order shows a status."""
    shown = page.locator(f".placed[data-order='{order_id}'] .status")
    expect(shown).to_have_text(status, timeout=30_000)


def sell(page: Page) -> None:
    page.locator("input[value=sell]").check(force=True)


def longest_task(page: Page, act: Callable[[], None]) -> float:
    """Return the longest task of the page's thread during `act`, in milliseconds of CPU.

    By the clock it would count what else runs on these cores.
    """
    browser = page.context.browser
    assert browser
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
    act()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks: list[float] = [
        e["tdur"] / 1000 for e in events if "tdur" in e and (e["pid"], e["tid"]) in main
    ]
    assert len(tasks) > 100
    return max(tasks)


def test_each_kind_is_placed_and_ends_and_what_fails_says_why(trader: Trader) -> None:
    page = trader.page()
    expect(page.locator(".quote")).to_have_count(2)
    sell(page)
    fill(page, pair="XFAIL/USDC")
    failing = send(page)  # it takes seconds: meanwhile
    goes_to, kinds = {}, {}
    for kind, (fields, factor) in KINDS.items():
        pair, amount = PAIRS[kind]
        price = trader.price(pair)
        fill(page, pair=pair, kind=kind, amount=amount)
        fill(page, **{name: digits(price * each) for name, each in fields.items()})
        if kind != "market":
            fill(page, expires="2026-12-20T10:00:00")
        if kind == "twap":
            fill(page, parts="2", intervalSeconds="1")
        if factor is not None:
            goes_to[pair] = price * factor
        promised = page.locator("#summary").inner_text()
        order_id = send(page)
        kinds[order_id] = kind, promised
        placed(page, order_id, "confirmed" if factor is None else "resting")
    for pair, price in goes_to.items():
        trader.move(pair, price)
    for order_id, (kind, promised) in kinds.items():
        placed(page, order_id, "confirmed")
        order = trader.http.get(f"/api/orders/{order_id}").json()
        assert (order["type"], order["summary"]) == (kind, promised)
    placed(page, failing, "failed")
    page.locator(f".placed[data-order='{failing}'] a").click()
    expect(page.locator("main")).to_contain_text("3 attempts")
    expect(page.locator(".tries tbody tr")).to_have_count(3)
    expect(page.locator("main .error code").first).to_have_text("VENUES_UNAVAILABLE")


def test_a_sniper_rests_until_its_token_launches_and_buys_it(trader: Trader) -> None:
    page = trader.page()
    fill(page, kind="sniper")
    fill(page, token="CONSOLE", amount="100", maxAgeSeconds="60", expires="2026-12-20T10:00:00")
    promised = page.locator("#summary").inner_text()
    order_id = send(page)
    placed(page, order_id, "resting")
    launch = {"symbol": "CONSOLE", "price": "0.5", "liquidityUsd": 1_000_000}
    trader.http.post("/api/simulation/launches", json=launch).raise_for_status()
    placed(page, order_id, "confirmed")
    order = trader.http.get(f"/api/orders/{order_id}").json()
    assert (order["type"], order["tokenOut"]) == ("sniper", "CONSOLE")
    assert promised.startswith("Buy CONSOLE with 100 USDC when it launches, within 60 s of that")


def test_an_operator_sees_dead_letters_redrives_halts_and_resumes_and_all_is_noted(
    system: System, trader: Trader
) -> None:
    trader.expected = ("403",)
    refused = trader.page("#/operation")
    expect(refused.get_by_role("alert")).to_contain_text("takes an operator's key")
    failing = trader.place(tokenIn="XFAIL")["orderId"]
    key = create(DynamoAccess(system.table), "console-operator", Role.OPERATOR)
    page = replace(trader, key=key).page("#/operation")
    expect(page.locator("h1")).to_have_text("Operation")
    letter = page.locator("section", has=page.locator("#letters-title"))
    expect(letter.get_by_role("link", name=failing)).to_be_visible(timeout=30_000)
    audit = page.locator("section", has=page.locator("#audit-title"))

    def act(button: str, reason: str) -> None:
        page.get_by_role("button", name=button).first.click()
        page.locator("dialog button.danger").click()
        expect(page.locator("dialog")).to_contain_text("Say why")
        fill(page, reason=reason)
        page.locator("dialog button.danger").click()
        expect(page.locator("dialog")).to_have_count(0)
        expect(audit).to_contain_text(reason)

    act("Redrive", "the venues are back")
    expect(letter.get_by_role("link", name=failing)).to_have_count(0)
    act("Halt trading", f"a rehearsal {SCRIPT}")
    tiles = page.locator(".tiles")
    expect(tiles).to_contain_text("halted")
    until(lambda: trader.http.post("/api/orders/execute", json=MARKET).status_code == 503)
    act("Resume trading", "it is over")
    expect(tiles).to_contain_text("open")
    until(lambda: all(status == 202 for status in placed_at_once(trader)))  # by every process
    for did in ("redrive", "halt", "resume"):
        expect(audit.locator("td", has_text=re.compile(f"^{did}$")).first).to_be_visible()
    assert page.evaluate("window.hit") is None


def placed_at_once(trader: Trader) -> list[int]:
    with ThreadPoolExecutor(8) as at_once:
        answers = at_once.map(
            lambda _: trader.http.post("/api/orders/execute", json=MARKET), range(8)
        )
        return [answer.status_code for answer in answers]


def test_a_cut_in_mid_order_misses_nothing_and_doubles_nothing(trader: Trader) -> None:
    page = trader.page()
    expect(page.locator(".link.live")).to_be_visible()
    first = trader.place(tokenIn="XFAIL")["orderId"]  # it takes seconds
    expect(page.locator(f".tape li[data-order='{first}']").first).to_be_visible()
    trader.expected = ("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED", "WebSocket")
    trader.context.set_offline(True)
    expect(page.locator(".link.cut")).to_be_visible()
    meanwhile = [trader.place()["orderId"] for _ in range(3)]
    for order_id in meanwhile:
        until(
            lambda i=order_id: trader.http.get(f"/api/orders/{i}").json()["status"] == "confirmed"
        )
    trader.context.set_offline(False)
    expect(page.locator(".link.live")).to_be_visible()
    until(lambda: trader.http.get(f"/api/orders/{first}").json()["status"] == "failed")
    told = trader.http.get(f"/api/orders/{first}").json()
    tape = page.locator(f".tape li[data-order='{first}']")
    expect(tape).to_have_count(told["seq"])
    seqs = tape.evaluate_all("lines => lines.map((line) => Number(line.dataset.seq))")
    assert sorted(seqs) == list(range(1, told["seq"] + 1))
    page.goto(f"{trader.url}/#/orders")
    for order_id in meanwhile:
        row = page.locator(f".row[data-order='{order_id}'] .status")
        expect(row).to_have_text("confirmed")


def until(holds: Any) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_tabs_agree_and_a_limit_is_changed_and_cancelled(trader: Trader) -> None:
    one, other = trader.page("#/orders"), trader.page("#/orders?status=resting")
    price = trader.price("USDT/USDC")
    limit = digits(price * 1.2)
    order = trader.place(tokenIn="USDT", amount="5", type="limit", limitPrice=limit)
    row = f".row[data-order='{order['orderId']}']"
    for page in (one, other):
        expect(page.locator(row)).to_be_visible()
        expect(page.locator(f"{row} .light")).to_contain_text("% far")
    one.locator(row).get_by_role("button", name="Change").click()
    fill(one, **{"c-limitPrice": digits(price * 1.3)})
    one.locator("dialog button[type=submit]").click()
    expect(one.locator("dialog")).to_have_count(0)
    expect(other.locator(row)).to_contain_text(f"{price * 1.3:.4f}"[:5])
    other.locator(row).get_by_role("button", name="Cancel").click()
    other.locator("dialog button.danger").click()
    expect(other.locator(row)).to_have_count(0)
    expect(one.locator(f"{row} .status")).to_have_text("cancelled")


def test_all_that_rest_are_cancelled_at_once_and_saved_as_files(trader: Trader) -> None:
    for at in (300, 400):
        trader.place(type="limit", limitPrice=str(at * 10), clientOrderId=f"-x{at}")
    page = trader.page("#/orders")
    expect(page.locator(".status.resting")).to_have_count(2)
    page.get_by_role("button", name="Cancel all resting").click()
    page.locator("dialog button.danger").click()
    expect(page.locator(".row .status.cancelled")).to_have_count(2)
    with page.expect_download() as csv:
        page.get_by_role("button", name="CSV").click()
    lines = csv.value.path().read_text().splitlines()
    assert len(lines) == 3
    assert "'-x400" in lines[1]  # no spreadsheet takes it for a formula
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()
    assert len(json.loads(saved.value.path().read_text())) == 2


def test_a_wrong_key_is_refused_and_the_right_one_let_in_for_this_tab_only(trader: Trader) -> None:
    trader.expected = ("401",)
    page = trader.page(key=False)
    expect(page.locator("#key")).to_be_visible()
    fill(page, key="oek_nobody")
    page.locator("form button.send").click()
    expect(page.locator("#key-error")).to_contain_text("does not know this key")
    fill(page, key=trader.key)
    page.locator("form button.send").click()
    expect(page.locator(".quote")).to_have_count(2)
    assert (
        page.evaluate("[...Array(localStorage.length).keys()].map((i) => localStorage.key(i))")
        == []
    )
    assert trader.context.cookies() == []
    expect(trader.page(key=False).locator("#key")).to_be_visible()


def hostile(order: Any) -> Any:
    """Return a document with markup for each text that it has."""
    if isinstance(order, dict):
        return {name: hostile(value) for name, value in order.items()}
    if isinstance(order, list):
        return [hostile(each) for each in order]
    return SCRIPT if isinstance(order, str) else order


def test_markup_in_every_text_of_an_order_shows_as_text(trader: Trader) -> None:
    order = trader.place(type="limit", limitPrice="1000")
    until(lambda: trader.http.get(f"/api/orders/{order['orderId']}").json()["status"] == "resting")
    real = trader.http.get(f"/api/orders/{order['orderId']}").json()
    done = trader.http.get(f"/api/orders/{trader.place()['orderId']}").json()
    page = trader.page("#/market", key=False)
    bad = hostile({**real, **{n: v for n, v in done.items() if v not in (None, [])}})
    bad["error"] = {"code": SCRIPT, "detail": SCRIPT}
    bad["tries"] = [dict.fromkeys(("at", "txHash", "outcome", "code", "price"), SCRIPT)]
    page.add_init_script(f"sessionStorage.setItem('engine-key', {json.dumps(trader.key)})")
    trader.expected = ("401",)
    listed = json.dumps({"orders": [bad], "nextCursor": None})
    page.route("**/api/orders?*", lambda route: route.fulfill(body=listed))
    page.route("**/api/orders/*", lambda route: route.fulfill(body=json.dumps(bad)))
    page.goto(f"{trader.url}/?#/orders")
    page.locator(".row[data-order] a").filter(has_text=SCRIPT).click()
    expect(page.locator("h1")).to_contain_text(SCRIPT)
    expect(page.locator(".life")).to_contain_text(SCRIPT)
    assert page.evaluate("window.hit") is None
    assert page.locator("#app script").count() == 0


@pytest.mark.parametrize("settlement", ["simulated", "paper", "live"])
def test_nobody_can_miss_what_is_traded_with_and_what_landed_is_found_in_an_explorer(
    trader: Trader, settlement: str
) -> None:
    real = settlement != "simulated"
    where = {"network": "solana" if real else "simulated", "settlement": settlement}
    order = trader.http.get(f"/api/orders/{trader.place()['orderId']}").json()
    until(lambda: trader.http.get(f"/api/orders/{order['orderId']}").json()["txHash"])
    order = trader.http.get(f"/api/orders/{order['orderId']}").json() | where
    health = trader.http.get("/healthz").json() | where
    page = trader.page("#/market")
    page.route("**/healthz", lambda route: route.fulfill(body=json.dumps(health)))
    page.route("**/api/orders/*", lambda route: route.fulfill(body=json.dumps(order)))
    page.goto(f"{trader.url}/?#/orders/{order['orderId']}")
    expect(page.locator(".banner")).to_contain_text(re.compile(settlement, re.IGNORECASE))
    expect(page.locator("h1")).to_contain_text("SOL")
    link = page.locator("a[href^='https://explorer.solana.com/tx/']")
    expect(link).to_have_count(1 if settlement == "live" else 0)
    if settlement == "live":
        assert link.get_attribute("href") == f"https://explorer.solana.com/tx/{order['txHash']}"


@pytest.mark.parametrize("colours", ["dark", "light"])
def test_nothing_is_in_the_way_of_a_screen_reader_or_a_phone(trader: Trader, colours: Any) -> None:
    trader.place(type="limit", limitPrice="1000")
    order_id = trader.place()["orderId"]
    trader.expected = ("403", "404")  # what an operator is asked for
    page = trader.page()
    page.emulate_media(color_scheme=colours)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    axe = (INSTALLED / "node_modules/axe-core/axe.min.js").read_text()
    for way in ("#/", "#/orders", f"#/orders/{order_id}", "#/market", "#/operation"):
        page.goto(f"{trader.url}/{way}")
        page.set_viewport_size({"width": 1360, "height": 900})
        expect(page.locator("main h1")).to_be_visible()
        if way == "#/market":
            expect(page.locator(".chart canvas")).to_have_count(2)
        page.evaluate(axe)  # by the debugger: no policy is relaxed for it
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], way
        page.set_viewport_size({"width": 360, "height": 740})
        until(lambda: page.evaluate(wide) == 0)


def test_the_keyboard_is_enough(trader: Trader) -> None:
    page = trader.page()
    expect(page.locator(".quote")).to_have_count(2)
    page.locator("#amount").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator(".placed .status")).to_have_text("confirmed")
    page.keyboard.press("Alt+2")
    expect(page.locator("h1")).to_have_text("Orders")


def test_the_market_shows_both_venues_and_moves_the_simulated_price(trader: Trader) -> None:
    page = trader.page("#/market?pair=XDROP%2FUSDC")
    expect(page.locator(".depth tbody tr")).to_have_count(7)
    price = trader.price("XDROP/USDC")
    trader.place(tokenIn="XDROP", type="limit", limitPrice=digits(price * 1.02))
    expect(page.locator(".waiting li")).to_have_count(1)
    fill(page, move=digits(price * 1.05))
    page.get_by_role("button", name="Move").click()
    expect(page.locator(".waiting li")).to_have_count(0)


def test_it_loads_little_and_soon(trader: Trader) -> None:
    def first_load() -> tuple[int, float]:
        """Return the bytes over the wire, and the milliseconds until one can use it."""
        trader.fresh()
        page = trader.page()
        expect(page.locator(".quote")).to_have_count(2)
        sent: int = page.evaluate(
            "['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))"
            ".filter((e) => !e.name.includes('/api/')).reduce((sum, e) => sum + e.transferSize, 0)"
        )
        return sent, page.evaluate("performance.getEntriesByName('interactive')[0].startTime")

    loads = [first_load() for _ in range(3)]
    assert all(10_000 < sent <= 100_000 for sent, _ in loads)
    assert min(ready for _, ready in loads) <= 1_000  # others share the cores
    headers = trader.http.get("/").headers
    assert headers["cache-control"] == "no-cache"
    assert "unsafe" not in headers["content-security-policy"]


def test_a_burst_of_200_orders_shows_without_a_long_task(trader: Trader) -> None:
    page = trader.page("#/orders")
    expect(page.locator(".link.live")).to_be_visible()

    def burst() -> None:
        with ThreadPoolExecutor(8) as at_once:
            list(at_once.map(lambda _: trader.place(), range(200)))
        expect(page.locator("p[role=status]")).to_contain_text("200 orders", timeout=30_000)
        until(lambda: page.locator(".row .status.confirmed").count() > 10)

    assert longest_task(page, burst) <= 100


def test_5000_orders_scroll_without_a_long_task(trader: Trader) -> None:
    real = trader.http.get(f"/api/orders/{trader.place()['orderId']}").json()

    def a_page(route: Route) -> None:
        begin = int(re.search(r"cursor=(\d+)|$", route.request.url)[1] or 0)  # type: ignore[index]
        orders = [
            {
                **real,
                "orderId": f"o{i}",
                "createdAt": f"2026-11-01T{i // 60:02}:{i % 60:02}:00.000Z",
            }
            for i in range(begin, begin + 100)
        ]
        after = str(begin + 100) if begin + 100 < 5_000 else None
        route.fulfill(body=json.dumps({"orders": orders, "nextCursor": after}))

    page = trader.page("#/market")
    page.route("**/api/orders?*", a_page)
    page.goto(f"{trader.url}/#/orders")
    expect(page.locator("p[role=status]")).to_contain_text(re.compile("^10[01] orders"))

    def scroll() -> None:
        page.get_by_role("button", name="Load all").click()
        loaded = re.compile("^5,00[01] orders")
        expect(page.locator("p[role=status]")).to_contain_text(loaded, timeout=60_000)
        page.evaluate(
            """async () => {
              const box = document.querySelector(".scroll");
              for (let at = 0; at < 60; at += 1) {
                box.scrollTop = (box.scrollHeight * at) / 60;
                await new Promise(requestAnimationFrame);
              }
            }"""
        )

    assert longest_task(page, scroll) <= 50
    assert page.locator(".row[data-order]").count() < 60
