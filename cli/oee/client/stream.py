"""What is said and heard on the stream, without any input or output."""

import json
from typing import Literal

from pydantic import ValidationError

from oee.client.base import Time, Told
from oee.client.errors import NotUnderstood, refusal
from oee.client.models import Order, Status

FINAL = frozenset({Status.CONFIRMED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})
#: Seconds of silence after which the engine is asked whether it is there, and then given up.
QUIET = 20.0
PING = json.dumps({"action": "ping"})


class Update(Told):
    """A state of an order: the newest that was (`snapshot`), one that was, or a new one."""

    type: Literal["snapshot", "status"]
    order_id: str
    seq: int
    status: Status
    at: Time
    order: Order

    @property
    def final(self) -> bool:
        return self.status in FINAL


def update_of(order: Order) -> Update:
    """Return an order as it was read as the update that says so."""
    return Update(
        type="snapshot",
        order_id=order.order_id,
        seq=order.seq,
        status=order.status,
        at=order.updated_at,
        order=order,
    )


class Feed:
    """What is known of the orders that are watched: one, or (None) all of the account."""

    def __init__(self, order_id: str | None, after_seq: int = 0) -> None:
        self._order_id = order_id
        self._after = after_seq
        self._seqs: dict[str, int] = {}
        self.heard = False
        self._over = False
        #: Orders that were not final when last heard of.
        self.open: set[str] = set()

    def over(self) -> bool:
        """Return whether nothing more can come."""
        return self._over

    @property
    def behind(self) -> frozenset[str]:
        """Return the orders that may have ended unheard: the stream of all tells open ones only."""
        return frozenset(self.open) if self._order_id is None else frozenset()

    def subscribe(self) -> str:
        """Return the frame that goes on from what is known."""
        if self._order_id is None:
            return json.dumps({"action": "subscribe", "orders": "mine"})
        after = self._seqs.get(self._order_id, self._after)
        frame = {"action": "subscribe", "orderId": self._order_id, "afterSeq": after}
        return json.dumps(frame)

    def hear(self, frame: str | bytes) -> Update | None:
        """Return what a frame tells that was not known. Raises Refused, NotUnderstood."""
        try:
            message = json.loads(frame)
            kind = message["type"]
            if kind in {"snapshot", "status"}:
                return self.learn(Update.model_validate(message))
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            raise NotUnderstood(f"the stream said {frame[:200]!r}") from error
        if kind == "error" and not (self.heard and message.get("code") == "SEQ_NOT_REACHED"):
            status = {"ORDER_NOT_FOUND": 404, "SEQ_NOT_REACHED": 409, "KEY_REVOKED": 401}
            code = str(message.get("code"))
            if code == "STORE_UNAVAILABLE":
                raise ConnectionError(code)
            raise refusal(status.get(code, 400), message)
        return None

    def learn(self, update: Update) -> Update | None:
        """Return an update if it is news, and keep how far its order has come."""
        known = self._seqs.get(update.order_id, self._after if self._order_id else 0)
        if update.seq <= known:
            return None
        self.heard = True
        self._seqs[update.order_id] = update.seq
        if update.final:
            self.open.discard(update.order_id)
            self._over = self._order_id is not None
        else:
            self.open.add(update.order_id)
        return update
