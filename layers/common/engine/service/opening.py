"""Launch a token in the simulated market, so that anybody can see a sniper wake."""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from engine.domain.errors import Conflict, FieldCode, FieldProblem, InvalidOrder
from engine.domain.launches import Launch, Opened
from engine.domain.tokens import TOKENS
from engine.market.simulation import base58
from engine.ports.clock import Chance, Clock
from engine.ports.launches import KNOWN_WITHIN, SimulatedLaunches
from engine.service.signalling import SIMULATION, Signalling, launch_text, send_own

_DECIMALS = 6


@dataclass(slots=True, eq=False, repr=False)
class Opening:
    """The use case and what it needs."""

    simulated: SimulatedLaunches
    signalling: Signalling
    clock: Clock
    chance: Chance

    def open(self, symbol: str, price: Decimal, liquidity_usd: int) -> Opened:
        """Open a token's pools, and send its signal; from then on it trades.

        Raises InvalidOrder for a symbol that trades already.
        """
        mint = base58(b"\1" + sha256(b"launch:" + self.chance.token_bytes()).digest()[1:])
        at = self.clock.now() + KNOWN_WITHIN
        opened = Opened(Launch(mint, symbol, _DECIMALS, at, SIMULATION), price, liquidity_usd)
        try:
            if symbol in TOKENS:
                raise Conflict
            self.simulated.open(opened)
        except Conflict:
            problem = FieldProblem("/symbol", FieldCode.INVALID, "trades already")
            raise InvalidOrder(problem) from None
        self.clock.sleep((at - self.clock.now()).total_seconds())
        send_own(self.signalling, opened.launch, launch_text, f"sim-{mint}")
        return opened
