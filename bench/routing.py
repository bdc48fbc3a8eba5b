"""Count what routing gains in a thousand seeded quotes, and what its arithmetic costs.

python -m bench.routing            print the figures
python -m bench.routing --write    put them into docs/routing.md
python -m bench.routing --check    fail if the page's counted figures differ; timings may
"""

import argparse
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.figures import ROOT, Figures, percentile
from bench.markdown import between
from bench.stage import Stage
from engine.domain.tokens import PAIRS, Token
from engine.market.router import Answer, Decision, choose
from engine.market.simulation import VENUES, SimulatedMarket

PAGE = ROOT / "docs" / "routing.md"
SEED = 7
START = datetime(2026, 1, 5, tzinfo=UTC)
EVERY = timedelta(seconds=977)
QUOTES = 1_000
DOLLARS = (100, 1_000, 10_000, 100_000, 300_000)
#: What a dollar's worth is when the walks begin: orders need a size, not a valuation.
PRICES = {"SOL": 163_000_000, "RAY": 2_100_000, "JUP": 520_000, "BONK": 20}


@dataclass(frozen=True, slots=True)
class Case:
    """One order of the thousand and what became of it."""

    pair: str
    dollars: int
    decision: Decision
    cpu_us: float

    def paid(self, venue: str) -> int:
        """Return what one venue alone would have paid, 0 if it could not fill."""
        return next(q.amount_out for q in self.decision.quotes if q.venue == venue)

    def winner(self) -> str:
        """Return the venue whose quote for the whole order is the best."""
        return max(VENUES, key=self.paid)

    def gain(self, alone: int) -> int | None:
        """Return what the route pays above `alone`, in 10**-6; None if that was nothing."""
        if not alone or self.decision.route is None:
            return None
        return (self.decision.route.amount_out - alone) * 10**6 // alone


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
        pools = [Answer(v, market.pool(v, sold.symbol, bought.symbol, at)) for v in VENUES]
        began = time.thread_time_ns()
        decision = choose(pools, sold, bought, amount)
        took = time.thread_time_ns() - began
        base, quote = real[i % len(trades) // 2]
        yield Case(f"{base.symbol}/{quote.symbol}", dollars, decision, took / 1_000)


def _share(part: int, whole: int) -> str:
    return f"{(part * 1_000 // whole + 5) // 10} %"


def _mean_bps(gains: Iterable[int | None]) -> str:
    known = [gain for gain in gains if gain is not None]
    tenths = sum(known) // (10 * len(known)) if known else 0
    return f"{tenths // 10}.{tenths % 10}"


def row(name: str, some: list[Case]) -> str:
    """Return one line of a table: who won, how many were divided, what the router gained."""
    cells = [name, str(len(some))]
    cells += [_share(sum(c.winner() == venue for c in some), len(some)) for venue in VENUES]
    divided = sum(c.decision.route is not None and len(c.decision.route.legs) > 1 for c in some)
    cells.append(_share(divided, len(some)))
    cells += [_mean_bps(c.gain(c.paid(venue)) for c in some) for venue in VENUES]
    cells.append(_mean_bps(c.gain(max(c.paid(venue) for venue in VENUES)) for c in some))
    cells += [_share(sum(not c.paid(venue) for c in some), len(some)) for venue in VENUES]
    return f"| {' | '.join(cells)} |"


def counted(all_cases: list[Case]) -> str:
    """Return the tables that are the same wherever they are made."""
    head = (
        "| {} | quotes | Raydium best | Meteora best | split | over Raydium | over Meteora "
        "| over best single | Raydium can't fill | Meteora can't fill |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    sizes = [row(f"${d:,}", [c for c in all_cases if c.dollars == d]) for d in DOLLARS]
    names = dict.fromkeys(case.pair for case in all_cases)
    pairs = [row(name, [c for c in all_cases if c.pair == name]) for name in names]
    return "\n".join(
        [
            head.format("order") + "\n".join([*sizes, row("all", all_cases)]),
            "",
            head.format("pair") + "\n".join(pairs),
        ]
    )


def timed(all_cases: list[Case]) -> str:
    """Return the line about CPU time, which differs from machine to machine."""
    took = [case.cpu_us for case in all_cases]
    middle, last = median(took) / 1_000, percentile(took, 99) / 1_000
    return (
        f"Both quotes, the split search and the minimum out of one order: {middle:.2f} ms of CPU "
        f"at the median, {last:.2f} ms at the 99th percentile "
        f"(Python {platform.python_version()}, {platform.machine()})."
    )


def arithmetic(_: Stage) -> Figures:
    """Both quotes, the search for a split and the minimum out: CPU of one order."""
    took = [case.cpu_us / 1_000 for case in cases()]
    return {"p50_ms": round(median(took), 3), "p99_ms": round(percentile(took, 99), 3), "n": QUOTES}


def main() -> int:
    """Run the thousand orders and print, write or check the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help=f"rewrite {PAGE.name}")
    parser.add_argument("--check", action="store_true", help="fail if the page is out of date")
    chosen = parser.parse_args()
    made = list(cases())
    figures, timing = counted(made), timed(made)
    page = PAGE.read_text()
    if chosen.check:
        if between(page, "figures") != figures:
            print("docs/routing.md is out of date: run python -m bench.routing --write")
            return 1
        return 0
    if chosen.write:
        PAGE.write_text(between(between(page, "figures", figures), "timing", timing))
    print(figures, timing, sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
