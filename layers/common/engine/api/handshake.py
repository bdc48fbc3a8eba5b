"""What a client asks for as it connects: by its query and its subprotocols."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from engine.api.frames import ConnectQuery, Subscribe, Watched
from engine.domain.errors import EngineError
from engine.ports.subscriptions import Subscription, account_topic, order_topic

#: The stream's subprotocol. A client that offers any needs one of them chosen.
PROTOCOL = "orders.v1"
#: What begins a subprotocol that is no protocol but carries a ticket.
TICKET = "ticket."


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
    subscription: Callable[[str, str], Subscription] | None


def read_handshake(query: Mapping[str, Sequence[str]], offered: str) -> Handshake:
    """Return what a handshake asks for; `offered` is its `Sec-WebSocket-Protocol`.

    Raises BadHandshake, saying what is wrong.
    """
    repeated = [name for name, texts in query.items() if len(texts) > 1]
    if repeated:
        raise BadHandshake(f"{', '.join(repeated)}: stands more than once in the query")
    try:
        asked = ConnectQuery.model_validate({name: texts[0] for name, texts in query.items()})
    except ValidationError as error:
        raise BadHandshake(words_for(error)) from None
    protocols = [name.strip() for name in offered.split(",")]
    carried = [name.removeprefix(TICKET) for name in protocols if name.startswith(TICKET)]
    if carried and PROTOCOL not in protocols:
        raise BadHandshake(f"a ticket among the subprotocols needs {PROTOCOL} beside it")
    tickets = carried if asked.ticket is None else [*carried, asked.ticket]
    if len(tickets) > 1:
        raise BadHandshake("send one ticket")
    protocol = PROTOCOL if PROTOCOL in protocols else None
    return Handshake(tickets[0] if tickets else None, protocol, watcher_of(asked))


def watcher_of(asked: Watched) -> Callable[[str, str], Subscription] | None:
    """Return what makes a subscription of a connection and its account, None if none is wanted."""
    after_seq = asked.after_seq if isinstance(asked, Subscribe | ConnectQuery) else 0
    if asked.orders:
        return lambda connection_id, account: Subscription(
            account_topic(account), connection_id, account
        )
    if asked.order_id is None:
        return None
    topic = order_topic(asked.order_id)
    return lambda connection_id, account: Subscription(topic, connection_id, account, after_seq)


def words_for(error: ValidationError) -> str:
    """Return what is wrong first, by its name if it has one."""
    first = error.errors()[0]
    said = "not known" if first["type"] == "extra_forbidden" else first["msg"]
    return f"{first['loc'][0]}: {said}" if first["loc"] else said
