"""Keep the ticks going while anything rests, and only then."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from engine.domain.tokens import Token, listed_pairs
from engine.ports.clock import Chance, Clock
from engine.ports.metrics import UNMEASURED, Metric, Metrics
from engine.ports.resting import RestingIndex, Tickers
from engine.service.pricing import Pricing
from engine.service.triggering import Swept, Triggering

#: So many of a pair's resting orders are counted; more read as this many.
MAX_COUNTED = 1_000


@dataclass(slots=True, eq=False, repr=False)
class Ticking:
    """Ticks every `every` while anything rests, and costs nothing when nothing does.

    One process holds the ticker's row for `lease` at a time and hands on after `run`. Two of them
    at once would only cost more: every write of a tick is conditional. A pair is dropped when
    nothing of it rests; who places an order of a pair that is not ticked starts it again.
    """

    triggering: Triggering
    index: RestingIndex
    pricing: Pricing
    tickers: Tickers
    clock: Clock
    chance: Chance
    every: timedelta = timedelta(milliseconds=500)
    lease: timedelta = timedelta(seconds=5)
    run: timedelta = timedelta(seconds=50)
    look_every: timedelta = timedelta(seconds=10)
    metrics: Metrics = UNMEASURED
    launched: Callable[[], Iterable[Token]] = tuple

    def tick_on(self, pairs: Iterable[str]) -> Swept:
        """Tick these pairs and those that are ticked already, until nothing rests or `run` ends."""
        listed = listed_pairs(test_tokens=True)
        if added := frozenset(pairs):
            self.tickers.add(added)
        holder = self.chance.token_bytes().hex()
        now = began = looked = self.clock.now()
        swept, pairs_ticked = Swept(), frozenset[str]()
        while now - began < self.run:
            ticker = self.tickers.take(holder, until=now + self.lease, now=now)
            if ticker is None:  # another ticks, and has heard of the new pairs by now
                return swept
            if not ticker.pairs <= listed.keys():
                listed = listed_pairs(test_tokens=True, launched=self.launched())
            ticked = [listed[pair] for pair in sorted(ticker.pairs) if pair in listed]
            pairs_ticked = ticker.pairs
            swept += self.triggering.tick(self.pricing.prices(ticked))
            if not ticker.pairs:
                self.tickers.release(holder)
                return swept
            if now - looked >= self.look_every:
                looked = now
                self._drop_idle(ticker.pairs)
            spent = self.clock.now() - now
            self.clock.sleep(max(timedelta(0), self.every - spent).total_seconds())
            now = self.clock.now()
        for pair in sorted(pairs_ticked):
            self.metrics.record(
                Metric.ORDERS_RESTING, self.index.population(pair, limit=MAX_COUNTED), by=pair
            )
        self.tickers.release(holder)
        self.tickers.start(())
        return swept

    def _drop_idle(self, pairs: Iterable[str]) -> None:
        """Drop the pairs of which nothing rests.

        An order may be placed in this moment, by somebody who has seen its pair ticked: so look
        again after the drop. What the index shows later still, the reconciler finds.
        """
        for pair in pairs:
            if not self.index.rests(pair):
                self.tickers.drop(pair)
                if self.index.rests(pair):
                    self.tickers.add([pair])
