"""What has to be seen to while orders rest: that somebody ticks."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.domain.errors import QueueUnavailable
from engine.observability import log
from engine.ports.clock import Clock
from engine.ports.resting import RestingIndex, Tickers


@dataclass(slots=True, eq=False, repr=False)
class TickerWatch:
    """Sees to it that what rests is ticked."""

    tickers: Tickers
    clock: Clock

    def ensure(self, pair: str = "") -> None:
        """Start the ticker, if it has ended or does not tick a pair of which an order came to rest.

        If it can't be started now, `revive` does so within a minute.
        """
        ticker = self.tickers.read()
        if (not pair or pair in ticker.pairs) and self.clock.now() < ticker.until:
            return
        try:
            self.tickers.start([pair] if pair else [])
        except QueueUnavailable:
            log.warning("ticker not started", extra={"pair": pair})

    def revive(self, index: RestingIndex, pairs: Iterable[str]) -> None:
        """Start a ticker that has died, or that does not tick a pair of which something rests."""
        if not index.rests():
            return
        self.ensure()
        ticked = self.tickers.read().pairs
        for pair in pairs:
            if pair not in ticked and index.rests(pair):
                self.ensure(pair)
