"""Move the simulated market, so that anybody can see an order wake."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.errors import Conflict, FieldCode, FieldProblem, InvalidOrder
from engine.domain.launches import Opened
from engine.domain.prices import price_text
from engine.domain.tokens import TOKENS, Token, pair_name
from engine.domain.triggers import Tick
from engine.market.reference import reference_digits
from engine.market.simulation import movable
from engine.ports.clock import Clock
from engine.ports.prices import PriceBook, PriceRow, Simulation
from engine.service.pricing import Priced, Pricing


@dataclass(slots=True, eq=False, repr=False)
class Moving:
    """The use case and what it needs."""

    simulation: Simulation
    pricing: Pricing
    book: PriceBook
    clock: Clock
    launched: Callable[[], Mapping[str, Opened]] = dict

    def move(self, base: Token, quote: Token, price: Decimal) -> Priced:
        """Set a pair's price; when this returns, every process goes by it.

        The price row has seen it, so that no tick misses it even if it is moved back at once.
        Raises InvalidOrder for a price at which the simulated pools can't stand.
        """
        launched = None if base.symbol in TOKENS else self.launched().get(base.symbol)
        minimum, maximum = movable(base, quote, launched)
        if not minimum <= price <= maximum:
            detail = f"must be from {price_text(minimum)} to {price_text(maximum)}"
            raise InvalidOrder(FieldProblem("/price", FieldCode.PRICE_OUT_OF_RANGE, detail))
        since = self.simulation.move(pair_name(base, quote), price)
        self.clock.sleep((since - self.clock.now()).total_seconds())
        priced = self.pricing.price(base, quote)
        self._note(priced.pair, reference_digits(price), priced.source)
        return priced

    def _note(self, pair: str, price: Decimal, source: tuple[str, ...]) -> None:
        while True:
            row, now = self.book.get(pair), self.clock.now()
            tick = row.tick.seen(price, now) if row else Tick.of(price, now)
            version = row.version if row else 0
            try:
                self.book.put(PriceRow(pair, tick, source), expected_version=version)
            except Conflict:  # a tick was first, or another move
                continue
            return
