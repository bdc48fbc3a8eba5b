"""Let a client connect: not too often, and not by a key that is revoked."""

from dataclasses import dataclass

from engine.domain.errors import ConnectRateExceeded, Unauthenticated
from engine.ports.access import Caller
from engine.ports.clock import Clock
from engine.ports.subscriptions import ARRIVAL, Subscription, Subscriptions
from engine.service.identity import Identity
from engine.service.watching import Watching


@dataclass(slots=True, eq=False, repr=False)
class Connecting:
    """The use case and what it needs; `limit` is an account's connects a minute, 0 for any."""

    identity: Identity
    subscriptions: Subscriptions
    clock: Clock
    limit: int = 0

    def connect(
        self,
        connection_id: str,
        caller: Caller,
        first: Subscription | None = None,
        ticket: str | None = None,
    ) -> None:
        """Store a connection and what it watches from the start, and use up its ticket if any.

        Raises ConnectRateExceeded, Unauthenticated if the ticket is used or the key is revoked.
        """
        watching = Watching(self.subscriptions, self.clock)
        if caller.key_id is not None:
            now = self.clock.now()
            if not self.subscriptions.count_connect(
                connection_id, caller, at=now, limit=self.limit
            ):
                raise ConnectRateExceeded(self.limit, 60 - now.second)
        if ticket is not None:
            self.identity.use_ticket(ticket)
        began = self.clock.now()
        watching.connect(connection_id, caller, first)
        # Asked last: a revocation from here on finds the connection, one before is seen here.
        if caller.key_id is not None and not self.identity.is_good(caller.key_id, fresh=True):
            watching.leave(connection_id)
            raise Unauthenticated("the key is revoked")
        if self.clock.now() - began >= ARRIVAL:  # it may have been given up meanwhile
            watching.connect(connection_id, caller, first)
