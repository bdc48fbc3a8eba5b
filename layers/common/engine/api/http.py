"""The HTTP API: its use cases behind one resolver."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.api.doorway import Doorway, Event, raw_body
from engine.api.resolver import Resolver
from engine.api.routes.market import add_market
from engine.api.routes.orders import add_orders
from engine.api.routes.service import add_service
from engine.api.routes.signals import add_launches, add_signals
from engine.api.routes.simulation import add_simulation
from engine.api.routes.stream import add_stream
from engine.ports.access import Caller
from engine.ports.metrics import UNMEASURED, Metrics
from engine.service.cancelling import Cancelling
from engine.service.changing import Changing
from engine.service.identity import Identity
from engine.service.placing import Placing
from engine.service.reading import Reading

if TYPE_CHECKING:
    from engine.service.moving import Moving
    from engine.service.opening import Opening
    from engine.service.pricing import Pricing
    from engine.service.quoting import Quoting
    from engine.service.signalling import Signal, Signalling

#: What lies below is signed by its source, and asks for no key.
_SIGNALS = "/api/signals/"


@dataclass(eq=False, repr=False)
class HttpApi(Doorway):
    """The use cases behind the HTTP API."""

    identity: Identity
    placing: Placing
    reading: Reading
    changing: Changing
    cancelling: Cancelling
    # Made when they are first asked for: they bring the market. What is not simulated is not moved.
    quoting: Callable[[], "Quoting"]
    pricing: Callable[[], "Pricing"]
    moving: Callable[[], "Moving"] | None = None
    metrics: Metrics = UNMEASURED
    signalling: Callable[[], "Signalling"] | None = None
    opening: Callable[[], "Opening"] | None = None

    @cached_property
    def resolver(self) -> Resolver:
        """What answers; made once a process."""
        return self._with_its_calls(Resolver())

    def contract(self) -> Resolver:
        """Return what has every call of the HTTP API, also those that another function answers."""
        from engine.api.routes.operations import add_operations

        app = self._with_its_calls(Resolver())
        add_operations(app)
        return app

    def caller(self, key: str | None, method: str, path: str) -> Caller:  # noqa: ARG002
        return self.identity.caller_of_key(key)

    def verified(self, path: str, headers: Mapping[str, str], event: Event) -> "Signal | None":
        if self.signalling is None or not path.startswith(_SIGNALS):
            return None
        return self.signalling().verified(path.removeprefix(_SIGNALS), headers, raw_body(event))

    def _with_its_calls(self, app: Resolver) -> Resolver:
        add_orders(app, self.placing, self.reading, self.changing, self.cancelling)
        add_market(app, self.placing, self.quoting, self.pricing)
        if self.moving:
            add_simulation(app, self.placing, self.moving)
        if self.opening:
            add_launches(app, self.opening)
        if self.signalling:
            add_signals(app, self.signalling)
        add_stream(app, self.identity)
        add_service(app, self.placing, self.contract)
        return app
