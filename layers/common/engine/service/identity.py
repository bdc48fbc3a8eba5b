"""Who is asking: API keys, and tickets for clients that can't send headers."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.domain.errors import Unauthenticated
from engine.ports.access import Access, ApiKey, Caller, Role
from engine.ports.clock import Chance, Clock

#: The account of every caller where no keys are asked for.
ANYONE = "anyone"
#: How long a key's check is believed, and so how long a revoked one may still pass.
BELIEVED = timedelta(seconds=10)
TICKET_LIFETIME = timedelta(seconds=60)

_KEY = re.compile(r"oek_([a-f0-9]{16})_([A-Za-z0-9]{32,64})")
_ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_REMEMBERED = 1_000
_NO_TICKET = "the ticket is not valid, or not any more"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is handed out; only its digest is stored."""

    text: str
    expires_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Identity:
    """Tells accounts from keys and tickets. With `required` off, everybody is ANYONE."""

    access: Access
    clock: Clock
    chance: Chance
    required: bool
    _seen: dict[str, tuple[datetime, ApiKey | None]] = field(default_factory=dict)

    def account_of_key(self, key: str | None) -> str:
        """Return the account of an API key. Raises Unauthenticated."""
        return self.caller_of_key(key).account

    def caller_of_key(self, key: str | None) -> Caller:
        """Return whose key it is, and which. Raises Unauthenticated."""
        if not self.required:
            return Caller(ANYONE)
        stored = self.key_of(key)
        return Caller(stored.account, stored.key_id)

    def key_of(self, key: str | None, *, fresh: bool = False) -> ApiKey:
        """Return what is stored of a key: as known up to 10 s ago, or, if `fresh`, now.

        It is asked for also where no keys are required. Raises Unauthenticated.
        """
        match = _KEY.fullmatch(key or "")
        if match and fresh:
            self._seen.pop(match[1], None)
        stored = self._stored(match[1]) if match else None
        # One comparison whatever was found: the time it takes tells nothing.
        good = hmac.compare_digest(digest_of(key or ""), stored.digest if stored else "0" * 64)
        if stored is None or not good:
            raise Unauthenticated("send a valid API key")
        return stored

    def is_good(self, key_id: str, *, fresh: bool = False) -> bool:
        """Tell whether a key is not revoked: as known up to 10 s ago, or, if `fresh`, now."""
        if fresh:
            self._seen.pop(key_id, None)
        return self._stored(key_id) is not None

    def issue_ticket(self, caller: Caller) -> Ticket:
        """Return a ticket that lets one WebSocket connection be `caller`'s, within a minute."""
        text = "oet_" + (self.chance.token_bytes() + self.chance.token_bytes()).hex()
        ticket = Ticket(text, self.clock.now() + TICKET_LIFETIME)
        self.access.add_ticket(digest_of(text), caller, until=ticket.expires_at)
        return ticket

    def caller_of_ticket(self, text: str) -> Caller:
        """Return who drew a ticket, which is not used up by that. Raises Unauthenticated.

        Whether the key by which it was drawn is still good is not looked at.
        """
        caller = self.access.ticket(digest_of(text), now=self.clock.now())
        if caller is None or (self.required and caller.key_id is None):
            raise Unauthenticated(_NO_TICKET)
        return caller

    def use_ticket(self, text: str) -> None:
        """Use up a ticket, which is good once. Raises Unauthenticated."""
        if not self.access.use_ticket(digest_of(text), now=self.clock.now()):
            raise Unauthenticated(_NO_TICKET)

    def _stored(self, key_id: str) -> ApiKey | None:
        now = self.clock.now()
        seen = self._seen.get(key_id)
        if seen and now < seen[0]:
            return seen[1]
        stored = self.access.key(key_id)
        if len(self._seen) >= _MAX_REMEMBERED:
            self._seen.clear()
        self._seen[key_id] = (now + BELIEVED, stored)
        return stored


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a key or ticket, in hex: all of it that is ever stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key(account: str, chance: Chance, role: Role = Role.TRADER) -> tuple[str, ApiKey]:
    """Return a new key's text, to be shown once, and what is stored of it.

    Raises ValueError unless `account` is 1 to 64 of `A-Z a-z 0-9 . _ -`: it becomes part of keys
    of rows and of what is hashed, where it must not look like more than one thing.
    """
    if not _ACCOUNT.fullmatch(account):
        raise ValueError("an account's name is 1 to 64 of A-Z a-z 0-9 . _ -")
    key_id = chance.token_bytes()[:8].hex()
    text = f"oek_{key_id}_{(chance.token_bytes() + chance.token_bytes()).hex()}"
    return text, ApiKey(key_id, account, digest_of(text), role)
