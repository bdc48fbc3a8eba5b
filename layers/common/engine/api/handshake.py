"""What a client asks for as it connects: by its query and its subprotocols."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.domain.errors import EngineError
from engine.ports import Watcher, account_topic, order_topic

#: The stream's subprotocol. A client that offers any needs one of them chosen.
PROTOCOL = "orders.v1"
#: What begins a subprotocol that is no protocol but carries a ticket.
TICKET = "ticket."
QUERY = ("orderId", "afterSeq", "orders", "ticket")
_ORDER_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class BadFrame(EngineError):
    """A frame that asks for nothing we know."""

    code = "BAD_FRAME"


class BadHandshake(EngineError):
    """A handshake whose query or subprotocols ask for nothing we know."""

    code = "BAD_HANDSHAKE"


@dataclass(frozen=True, slots=True)
class Handshake:
    """`watcher` makes the first subscription of an account, if one was asked for."""

    ticket: str | None
    protocol: str | None
    watcher: Callable[[str, str], Watcher] | None


def read_handshake(query: Mapping[str, Sequence[str]], offered: str) -> Handshake:
    """Return what a handshake asks for; `offered` is its `Sec-WebSocket-Protocol`.

    Raises BadHandshake, saying what is wrong.
    """
    unknown = sorted(query.keys() - set(QUERY))
    if unknown:
        known = ", ".join(QUERY)
        raise BadHandshake(f"{', '.join(unknown)}: not known in the query, which has {known}")
    repeated = [name for name, texts in query.items() if len(texts) > 1]
    if repeated:
        raise BadHandshake(f"{', '.join(repeated)}: stands more than once in the query")
    asked = {name: texts[0] for name, texts in query.items()}
    protocols = [name.strip() for name in offered.split(",")]
    carried = [name.removeprefix(TICKET) for name in protocols if name.startswith(TICKET)]
    if carried and PROTOCOL not in protocols:
        raise BadHandshake(f"a ticket among the subprotocols needs {PROTOCOL} beside it")
    tickets = [*carried, asked.pop("ticket")] if "ticket" in asked else carried
    if len(tickets) > 1:
        raise BadHandshake("send one ticket")
    try:
        watcher = asked_for(asked)
    except BadFrame as error:
        raise BadHandshake(str(error)) from None
    protocol = PROTOCOL if PROTOCOL in protocols else None
    return Handshake(tickets[0] if tickets else None, protocol, watcher)


def asked_for(asked: Mapping[str, Any]) -> Callable[[str, str], Watcher] | None:
    """Return what makes a subscription of a connection and its account, None if none is asked for.

    Raises BadFrame.
    """
    after_seq = _after_seq(asked.get("afterSeq", 0))
    if "orders" in asked:
        if asked["orders"] != "mine" or asked.keys() & {"orderId", "afterSeq"}:
            raise BadFrame('orders can only be "mine", and stands alone')
        return lambda connection_id, account: Watcher(
            account_topic(account), connection_id, account
        )
    if "orderId" not in asked:
        if "afterSeq" in asked:
            raise BadFrame("afterSeq needs an orderId")
        return None
    order_id = asked["orderId"]
    if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
        raise BadFrame("orderId must be the id of an order")
    topic = order_topic(order_id)
    return lambda connection_id, account: Watcher(topic, connection_id, account, after_seq)


def _after_seq(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 7:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**6:
        raise BadFrame("afterSeq must be a whole number, 0 or more")
    return value
