"""Leave a venue alone that fails in a row, and try it again after a while."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from engine.domain.breaker import OPEN_FOR, Breaker
from engine.domain.errors import StoreUnavailable, Undecodable
from engine.observability import log
from engine.ports.breakers import Board, Breakers
from engine.ports.clock import Chance, Clock
from engine.ports.metrics import Metric, Metrics

#: How long what the table said is believed, while a venue is in trouble and while none is.
TROUBLED, CALM = timedelta(seconds=1), timedelta(seconds=5)
_TRIES = 3


@dataclass(slots=True, eq=False, repr=False)
class Breaking:
    """The use case and what it needs.

    All processes share one board. A process reads it once a second at most, and writes only what
    changes it: while all venues answer nothing is written. Without the table it goes by what it
    knows; to ask a venue in vain does no harm.
    """

    breakers: Breakers
    clock: Clock
    chance: Chance
    metrics: Metrics
    #: What this process last knew of the board.
    board: Board = field(default_factory=Board, init=False)
    _read_at: datetime | None = field(default=None, init=False)

    def standing(self) -> Board:
        """Return the board as it was a moment ago."""
        now = self.clock.now()
        troubled = any(b.failures for b in self.board.breakers.values())
        believed = TROUBLED if troubled else CALM
        if self._read_at is None or not self._read_at <= now < self._read_at + believed:
            self._read(now)
        return self.board

    def admitted(self, venues: Iterable[str]) -> set[str]:
        """Return which venues are to be asked now; of one whose probe is due, by one caller."""
        board, now = self.standing(), self.clock.now()
        return {v for v in venues if board.of(v).until is None or self._probes(v, now)}

    def answered(self, venue: str) -> None:
        """Note that a venue answered: in time, or late but well."""
        if self.board.of(venue).failures:
            self._change(venue, Breaker.answered)

    def failed(self, venue: str) -> None:
        """Note that a venue failed, or did not answer in time."""
        self.metrics.record(Metric.VENUE_FAILURES, by=venue)
        now = self.clock.now()
        stands = self._change(venue, lambda breaker: breaker.failed(now))
        if stands.until == now + OPEN_FOR:  # by this failure, and nobody else's
            self.metrics.record(Metric.BREAKERS_OPENED, by=venue)
            log.warning("venue not asked for a while", extra={"venue": venue})

    def _probes(self, venue: str, now: datetime) -> bool:
        """Tell whether this caller is the one who tries a venue that was left alone."""
        probing = self.board.of(venue).probe(now)
        if probing is None:
            return False
        wanted = self.board.with_(probing, self._by())
        if self._write(wanted) and self.board == wanted:
            log.info("venue is tried again", extra={"venue": venue})
            return True
        return self.board.of(venue).until is None  # somebody else tries it, or has

    def _change(self, venue: str, change: Callable[[Breaker], Breaker]) -> Breaker:
        """Write a change of a venue's breaker; return what stands, as far as this process knows."""
        for _ in range(_TRIES):
            changed = change(self.board.of(venue))
            if changed == self.board.of(venue):
                return changed
            wanted = self.board.with_(changed, self._by())
            if not self._write(wanted):  # then only this process knows, until it reads again
                self.board = replace(wanted, version=wanted.version - 1)
                return changed
            if self.board == wanted:
                return changed
        return self.board.of(venue)

    def _by(self) -> str:
        return self.chance.token_bytes().hex()[:12]

    def _write(self, board: Board) -> bool:
        """Write a board, and believe what stands then; tell whether that is known."""
        try:
            self.board = self.breakers.write(board)
        except (StoreUnavailable, Undecodable) as error:
            log.warning("breakers not written", extra={"why": str(error)})
            return False
        self._read_at = self.clock.now()
        return True

    def _read(self, now: datetime) -> None:
        self._read_at = now
        try:
            self.board = self.breakers.read()
        except (StoreUnavailable, Undecodable) as error:
            log.warning("breakers not read", extra={"why": str(error)})
