"""The operators' part of the HTTP API."""

from dataclasses import dataclass
from functools import cached_property

from engine.api.doorway import Doorway
from engine.api.resolver import Resolver
from engine.api.routes.operations import add_operations
from engine.ports.access import Caller
from engine.service.identity import Identity
from engine.service.operating import Operating


@dataclass(eq=False, repr=False)
class OperatorApi(Doorway):
    """The use cases behind it; every call needs an operator's key, whatever the others need."""

    identity: Identity
    operating: Operating

    @cached_property
    def resolver(self) -> Resolver:
        app = Resolver()
        add_operations(app, self.operating)
        return app

    def caller(self, key: str | None, method: str, path: str) -> Caller:
        act = f"{method} {self.resolver.template_of(path)}"
        return self.operating.acting.admitted(self.identity, key, act)
