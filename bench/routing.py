"""Count what routing gains in a thousand seeded quotes, and what its arithmetic costs."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from statistics import median

from bench.figures import Figures, percentile
from bench.stage import Stage
from engine.domain.tokens import PAIRS, Token
from engine.market.router import Decision, VenueResponse, choose
from engine.market.simulation import VENUES, SimulatedMarket

SEED = 7
START = datetime(2026, 1, 5, tzinfo=UTC)
EVERY = timedelta(seconds=977)
QUOTES = 1_000
DOLLARS = (100, 1_000, 10_000, 100_000, 300_000)
#: What a dollar's worth is when the walks begin: orders need a size, not a valuation.
PRICES = {"SOL": 163_000_000, "RAY": 2_100_000, "JUP": 520_000, "BONK": 20}


@dataclass(frozen=True)
class Case:
    """One order of the thousand and what became of it."""

    pair: str
    dollars: int
    decision: Decision
    cpu_ms: float

    @cached_property
    def paid(self) -> dict[str, int]:
        """What each venue alone would have paid, 0 if it could not fill."""
        outs = {quote.venue: quote.amount_out for quote in self.decision.quotes}
        return {venue: outs.get(venue, 0) for venue in VENUES}

    @property
    def facts(self) -> set[str]:
        """What is true of it: which venue's quote was the best, who could not fill, a split."""
        route = self.decision.route
        return {
            f"{max(VENUES, key=self.paid.__getitem__)}_best",
            *(f"{venue}_cant" for venue in VENUES if not self.paid[venue]),
            *(["split"] if route and len(route.legs) > 1 else []),
        }

    def gain(self, alone: str) -> int | None:
        """Return what the route pays above a venue, or the best of them, in 10**-6; None if that
        was nothing.
        """
        single = {**self.paid, "best": max(self.paid.values())}[alone]
        if not single or self.decision.route is None:
            return None
        return (self.decision.route.amount_out - single) * 10**6 // single


def base_units(token: Token, dollars: int) -> int:
    """Return about so many dollars' worth of a token."""
    units: int = 10**token.decimals
    return dollars * 10**6 * units // PRICES.get(token.symbol, 10**6)


def cases() -> Iterator[Case]:
    """Yield the thousand orders: every pair in both directions, every size, hours apart."""
    market = SimulatedMarket(SEED)
    real = [pair for pair in PAIRS if not any(token.fault for token in pair)]
    trades = [(a, b) for pair in real for a, b in (pair, pair[::-1])]
    for i in range(QUOTES):
        sold, bought = trades[i % len(trades)]
        dollars = DOLLARS[i // len(trades) % len(DOLLARS)]
        amount, at = base_units(sold, dollars), START + i * EVERY
        pools = [VenueResponse(v, market.pool(v, sold.symbol, bought.symbol, at)) for v in VENUES]
        began = time.thread_time_ns()
        decision = choose(pools, sold, bought, amount)
        took = time.thread_time_ns() - began
        base, quote = real[i % len(trades) // 2]
        yield Case(f"{base.symbol}/{quote.symbol}", dollars, decision, took / 1e6)


def share(some: list[Case], fact: str) -> str:
    """Return of how many something is true."""
    true = sum(fact in case.facts for case in some)
    return f"{(true * 1_000 // len(some) + 5) // 10} %"


def gain(some: list[Case], alone: str) -> str:
    """Return the mean gain of those that have one, in basis points."""
    known = [found for case in some if (found := case.gain(alone)) is not None]
    tenths = sum(known) // (10 * len(known)) if known else 0
    return f"{tenths // 10}.{tenths % 10}"


def tables() -> Iterable[tuple[str, dict[str, list[Case]]]]:
    """Return the orders by their size and by their pair; the same wherever they are made."""
    made = list(cases())
    sizes = {f"${d:,}": [case for case in made if case.dollars == d] for d in DOLLARS}
    names = dict.fromkeys(case.pair for case in made)
    pairs = {name: [case for case in made if case.pair == name] for name in names}
    return ("order", {**sizes, "all": made}), ("pair", pairs)


def arithmetic(_: Stage) -> Figures:
    """Both quotes, the search for a split and the minimum out: CPU of one order."""
    took = [case.cpu_ms for case in cases()]
    return {"p50_ms": round(median(took), 3), "p99_ms": round(percentile(took, 99), 3), "n": QUOTES}
