"""Place an order on an embedded cloud, move the price if it waits for one, watch it to the end."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from local.errors import CloudFailed, Refused
from local.smoke import Broken, print_status, refusal, summary, trade
from local.system import System, running

if TYPE_CHECKING:
    from engine.domain.order import Settlement

_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Story:
    """An order of one type: what it asks for beside the trade, and where the price goes then.

    Prices are multiples of the one that the order is placed at, above 1 where the trader gains.
    """

    asks: Callable[[Callable[[str], str]], Mapping[str, Any]]
    moves: tuple[str, ...] = ()
    #: The token that is launched then, for 100 USDC.
    launch: str | None = None


def _market(_: Callable[[str], str]) -> Mapping[str, Any]:
    return {}


STORIES: dict[str, Story] = {
    "market": Story(_market),
    "limit": Story(lambda at: {"limitPrice": at("1.02")}, ("1.03",)),
    "stop": Story(lambda at: {"stopPrice": at("0.98")}, ("0.97",)),
    "stopLimit": Story(lambda at: {"stopPrice": at("0.98"), "limitPrice": at("0.95")}, ("0.97",)),
    "takeProfit": Story(lambda at: {"stopPrice": at("1.02")}, ("1.03",)),
    "trailingStop": Story(lambda _: {"trailingBps": 200}, ("1.05", "1.02")),
    "oco": Story(
        lambda at: {"takeProfit": {"price": at("1.02")}, "stopLoss": {"price": at("0.98")}},
        ("0.97",),
    ),
    "twap": Story(lambda _: {"parts": 4, "intervalSeconds": 1}),
    "sniper": Story(lambda _: {"minLiquidityUsd": "50000"}, launch="MOON"),
}


@dataclass(slots=True)
class Price:
    """The reference price of a pair on a system, as the demo finds it and moves it."""

    system: System
    pair: str
    base_sold: bool
    start: Decimal

    @classmethod
    def of(cls, system: System, token_in: str, token_out: str) -> "Price":
        """Find the pair of two tokens. Raises Refused if there is none."""
        told = httpx.get(f"{system.url}/api/prices", trust_env=False).raise_for_status().json()
        for sold, pair in ((True, f"{token_in}/{token_out}"), (False, f"{token_out}/{token_in}")):
            for priced in told["prices"]:
                if priced["pair"] == pair:
                    return cls(system, pair, sold, Decimal(priced["price"]))
        raise Refused(f"{token_in} and {token_out} are no pair")

    def at(self, gain: str) -> str:
        """Return a price, of four digits, that is better for the trader by the factor `gain`."""
        moved = self.start * Decimal(gain) if self.base_sold else self.start / Decimal(gain)
        return f"{moved:.4g}" if moved < 1 else f"{moved:.2f}"

    def move(self, gain: str) -> None:
        price = self.at(gain)
        if self.system.localnet:
            self.system.localnet.move(self.pair, Decimal(price))
        else:
            sent = {"pair": self.pair, "price": price}
            url = f"{self.system.url}/api/simulation/prices"
            httpx.post(url, json=sent, trust_env=False, timeout=30).raise_for_status()
        print(f"             {self.pair} is moved to {price}", flush=True)


def launch(url: str, symbol: str) -> None:
    """Launch a token in a system's simulated market."""
    sent = {"symbol": symbol, "price": "0.01", "liquidityUsd": 100_000}
    answer = httpx.post(
        f"{url}/api/simulation/launches", json=sent, trust_env=False, timeout=30
    ).raise_for_status()
    print(f"             {symbol} is launched, its mint is {answer.json()['mint']}", flush=True)


def _held(system: System, *symbols: str) -> dict[str, Decimal]:
    """Return what the wallet of a local chain has of tokens; of no wallet nothing is told."""
    chain = system.localnet
    if chain is None or chain.wallet is None:
        return {}
    from engine.domain.tokens import TOKENS

    return {
        symbol: Decimal(chain.held(TOKENS[symbol])).scaleb(-TOKENS[symbol].decimals)
        for symbol in symbols
    }


@dataclass(slots=True)
class Watching:
    """Prints what the stream tells, and takes the next steps once the order rests."""

    steps: Sequence[Callable[[], None]]
    moving: "asyncio.Task[None] | None" = field(default=None)

    def __call__(self, order: Mapping[str, Any]) -> None:
        print_status(order)
        if order["status"] == "resting" and self.moving is None:
            self.moving = asyncio.create_task(self._move())

    async def _move(self) -> None:
        for step in self.steps:
            await asyncio.to_thread(step)
            await asyncio.sleep(1)  # a tick or two


def demonstrate(
    kind: str, token_in: str, token_out: str, amount: str, settlement: "Settlement | None" = None
) -> None:
    """Start everything, trade once, end everything. Raises Refused if it was not confirmed.

    With a `settlement` the order trades on a chain of this machine.
    """
    if settlement and STORIES[kind].launch:
        raise Refused(f"TYPE={kind} needs a launch, which is simulated: leave NETWORK out")
    print("Starting the embedded cloud ...", flush=True)
    began = time.perf_counter()
    with running(settlement=settlement) as system:
        print(f"Up at {system.url} after {time.perf_counter() - began:.1f} s.\n")
        story = STORIES[kind]
        if story.launch is not None:
            token_in, token_out, amount = "USDC", story.launch, "100"
            price = Price(system, f"{token_out}/USDC", False, Decimal(1))
        else:
            price = Price.of(system, token_in, token_out)
        print(f"{kind} order: {amount} {token_in} for {token_out}", end="")
        print(f", {price.pair} at {price.start}\n" if story.moves else "\n", flush=True)
        body = {"type": kind, "tokenIn": token_in, "tokenOut": token_out, "amount": amount}
        steps = [partial(price.move, gain) for gain in story.moves]
        if story.launch is not None:
            steps.append(partial(launch, system.url, story.launch))
        heard = Watching(steps)
        held = _held(system, token_in, token_out)
        trading = trade(
            system.url, f"{system.ws_url}/live", body | dict(story.asks(price.at)), heard=heard
        )
        try:
            order = asyncio.run(asyncio.wait_for(trading, _PATIENCE_SECONDS))
        except TimeoutError:
            raise CloudFailed("the order did not end", system.cloud.log) from None
        except Broken as error:
            raise CloudFailed(str(error), system.cloud.log) from error
        moved = [
            f"{now - before:+f} {symbol}"
            for (symbol, before), now in zip(
                held.items(), _held(system, token_in, token_out).values(), strict=True
            )
        ]
    if "orderId" not in order:
        raise Refused(f"The order was not confirmed: refused: {refusal(order)}.")
    print(f"\n{summary(order)}")
    print(f"  wallet  {', '.join(moved)}, fees included\n" if moved else "")
    if order["status"] != "confirmed":
        raise Refused(f"The order was not confirmed: {order['status']}, see its error above.")
