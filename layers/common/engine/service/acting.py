"""What operators do, and refused attempts, each with its row in the audit."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from engine.domain.errors import OperatorOnly, StoreUnavailable
from engine.observability import log
from engine.ports.access import Access, Caller, Role, Trading, TradingState
from engine.ports.clock import Chance, Clock
from engine.ports.operations import Act, Audit, Result
from engine.service.identity import Identity

T = TypeVar("T")

#: Whoever acts by `make` has no key, but the right to write the table.
SHELL = Caller("shell")
#: How long a refusal is kept; acts are kept for ever.
_REFUSALS_KEPT = timedelta(days=90)


@dataclass(slots=True, eq=False, repr=False)
class Acting:
    """The use case and what it needs.

    An act is written down before it is done and its result after: what a crash leaves half done
    stands in the audit as `begun`. If it can't be written down it is not done.
    """

    access: Access
    audit: Audit
    clock: Clock
    chance: Chance

    def admitted(self, identity: Identity, key: str | None, act: str) -> Caller:
        """Return whose operator's key it is, as its row says now.

        Raises Unauthenticated, OperatorOnly; the second is noted once a key, act and minute.
        """
        asked = identity.key_of(key, fresh=True)
        if asked.role is not Role.OPERATOR:
            self._refuse(Caller(asked.account, asked.key_id), act)
        return Caller(asked.account, asked.key_id)

    def set_trading(self, state: TradingState, reason: str, *, by: Caller) -> Trading:
        """Halt or resume the taking of orders; `since` is when the state was last another."""

        def change() -> Trading:
            standing = self.access.trading()
            since = self.clock.now() if standing.state is not state else standing.since
            changed = Trading(state, reason, since)
            self.access.set_trading(changed)
            return changed

        act = "halt" if state is TradingState.HALTED else "resume"
        return self.noted(act, reason, change, by=by)

    def noted(self, act: str, reason: str | None, do: Callable[[], T], *, by: Caller) -> T:
        """Do something with its row in the audit. Raises what it raises, StoreUnavailable."""
        act_id = self._id(self.chance.token_bytes())
        begun = Act(act_id, self.clock.now(), by.account, by.key_id, act, reason, Result.BEGUN)
        self.audit.note(begun)
        try:
            done = do()
        except Exception:
            self._finish(begun, Result.FAILED)
            raise
        self._finish(begun, Result.DONE)
        return done

    def _finish(self, act: Act, result: Result) -> None:
        facts = {"act": act.act, "act_id": act.act_id, "account": act.account, "result": result}
        log.info("operator acted", extra=facts)
        try:
            self.audit.finish(act.act_id, result)
        except StoreUnavailable:  # it is done, or not; the row says `begun`
            log.warning("result of an act not written", extra=facts)

    def _refuse(self, caller: Caller, act: str) -> None:
        now = self.clock.now()
        minute = now.replace(second=0, microsecond=0)
        named = hashlib.sha256(f"{caller.key_id} {act} {minute}".encode()).digest()
        act_id = self._id(named, minute.timestamp())
        refused = Act(act_id, now, caller.account, caller.key_id, act, None, Result.REFUSED)
        self.audit.note(refused, until=now + _REFUSALS_KEPT)
        log.warning("operator's call refused", extra={"act": act, "account": caller.account})
        raise OperatorOnly("this needs an operator's key")

    def _id(self, unique: bytes, at: float | None = None) -> str:
        seconds = self.clock.now().timestamp() if at is None else at
        return f"{int(seconds * 1000):014d}-{unique[:6].hex()}"
