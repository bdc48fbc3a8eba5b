"""The way to the stream."""

from engine.api import models
from engine.api.contract import NO_BODY, answers
from engine.api.resolver import Resolver, no_body
from engine.api.views import timestamp
from engine.service.identity import Identity


def add_stream(app: Resolver, identity: Identity) -> None:
    """Add the call that gives out tickets."""

    @app.post(
        "/api/stream-tickets",
        status_code=201,
        operation_id="createStreamTicket",
        summary="Get a ticket for the stream",
        description="For clients that can't set headers on a WebSocket: connect with `?ticket=`, "
        "once, within 60 seconds.",
        tags=["Stream"],
        responses=answers(201, *NO_BODY),
        middlewares=[no_body],
    )
    def create_stream_ticket() -> models.Ticket:
        ticket = identity.issue_ticket(app.caller)
        return models.Ticket(ticket=ticket.text, expires_at=timestamp(ticket.expires_at))
