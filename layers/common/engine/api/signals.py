"""What is answered to signals and simulated launches."""

from pydantic import Field

from engine.api.base import Time, Told
from engine.api.models import Pair, Symbol


class SignalTaken(Told):
    """The signal was taken."""

    replayed: bool = Field(description="It was taken before, and has had no effect now.")


class Launched(Told):
    """A token that trades from now on."""

    symbol: Symbol
    mint: str = Field(description="Its address in the simulated market.")
    pair: Pair
    launched_at: Time
