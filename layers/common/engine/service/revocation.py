"""Close what was connected by a key that is revoked."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from engine.domain.errors import ConnectionGone, PushFailed, StoreUnavailable
from engine.observability import log
from engine.ports.access import Caller
from engine.ports.background import Background
from engine.ports.clock import Clock
from engine.ports.subscriptions import Push, Subscriptions
from engine.service.identity import Identity

#: How long a connection may be in the making, in which it can't be closed.
ARRIVAL = timedelta(seconds=1)


@dataclass(slots=True, eq=False, repr=False)
class Revocation:
    """The use case and what it needs; `farewell` is the last message of a connection."""

    identity: Identity
    subscriptions: Subscriptions
    push: Push
    background: Background
    clock: Clock
    farewell: bytes

    def close_connections(self, revoked: Caller) -> bool:
        """Say farewell to whoever connected by a key, and close; False if that is to be repeated.

        It costs one call for each connection that the key made in two hours.
        """
        self.identity.is_good(revoked.key_id or "", fresh=True)
        found = self.subscriptions.connected_by(revoked, at=self.clock.now())
        if found:
            young = max(at for _, at in found) + ARRIVAL - self.clock.now()
            self.clock.sleep(min(max(young, timedelta(0)), ARRIVAL).total_seconds())
        closing = [
            self.background.submit(partial(self._close, connection_id))
            for connection_id, _ in found
        ]
        closed = [each.result() for each in closing]
        log.info("key revoked", extra={"key_id": revoked.key_id, "connections": len(closed)})
        return all(closed)

    def _close(self, connection_id: str) -> bool:
        try:
            self.push(connection_id, self.farewell)
            self.push.close(connection_id)
        except ConnectionGone:
            pass
        except PushFailed:
            return False
        try:
            self.subscriptions.forget_connection(connection_id)
        except StoreUnavailable:
            return False
        return True
