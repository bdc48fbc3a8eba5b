"""A JSON-RPC node over LiteSVM: blocks by the clock, commitments, expiry, and faults at will.

What is real is the SPL Token, associated token, system and compute budget programs, signatures and
fees; what is not: the venues' programs (`venues.py`), votes and leaders. A block is made of what
has arrived; `Faults` say what goes wrong.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from threading import Lock
from typing import Any

from engine.adapters.solana import layouts
from engine.adapters.solana.addresses import decode, encode
from engine.adapters.solana.message import MAX_WIRE
from engine.adapters.solana.rpc import Account
from engine.ports.clock import Clock
from local.solana.runtime import Malformed, Outcome, Parsed, Runtime, parse, token_balances

#: The slot that a chain begins at, how long a slot lasts, how many blocks a blockhash is good for.
FIRST_SLOT, SLOT_SECONDS, VALIDITY = 1_000_000, 0.2, 150
#: One slot in so many has no block.
_SKIPS = 23
#: How many slots pass until a block is confirmed, and until it is final.
CONFIRMED, FINALIZED = 1, 31
_BASE58_SIZE = 32


@dataclass(slots=True)
class Faults:
    """What goes wrong, in percent of what could; `silent` answers nobody at all.

    A send is lost, delayed by `delay_slots`, or executed twice; its block is forked away before it
    is confirmed; an answer about heights is `ahead_slots` ahead; a call is told to come again
    (429) or is never answered.
    """

    lose: int = 0
    delay: int = 0
    double: int = 0
    fork: int = 0
    ahead: int = 0
    refuse: int = 0
    stall: int = 0
    delay_slots: int = 10
    ahead_slots: int = 200
    silent: bool = False


class RpcError(Exception):
    """An error of JSON-RPC."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction on the chain."""

    slot: int
    unix: int
    parsed: Parsed
    outcome: Outcome


@dataclass(eq=False)
class LocalNode:
    """A chain and its one node. `landed` are the transactions on it, by signature."""

    clock: Clock
    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    confirmed_after: int = CONFIRMED
    finalized_after: int = FINALIZED
    runtime: Runtime = field(default_factory=Runtime)
    landed: dict[str, Entry] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    #: What was executed and is not final: its accounts are told as of a commitment.
    _recent: list[Entry] = field(default_factory=list)
    _waiting: list[tuple[int, Parsed]] = field(default_factory=list)
    _forking: bool = False
    _fork: int = 0
    _ahead: int = 0
    _forked: dict[int, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    slot_seconds: float = SLOT_SECONDS
    _began: datetime = field(init=False)
    _chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self._began, self._chance = self.clock.now(), Random(self.seed)  # noqa: S311 - a seed, to repeat

    # The chain

    @property
    def slot(self) -> int:
        passed = (self.clock.now() - self._began).total_seconds()
        return FIRST_SLOT + self._ahead + int(passed / self.slot_seconds + 1e-6)

    def time_of(self, slot: int) -> datetime:
        """Return when a slot begins, if the chain never ran ahead."""
        return self._began + timedelta(seconds=(slot - FIRST_SLOT) * self.slot_seconds)

    def passed(self, height: int) -> datetime:
        """Return when the chain's tip is past a height, if it never ran ahead."""
        slot = height  # heights leave out what was skipped
        while self._height(slot) <= height:
            slot += max(1, height - self._height(slot))
        return self.time_of(slot)

    def skip(self, slots: int) -> None:
        """Let the chain run ahead by so many slots at once."""
        with self._lock:
            self._ahead += slots
            self._catch_up()

    def give(self, accounts: Mapping[str, Account | None]) -> None:
        """Write accounts as they are, outside of any transaction."""
        with self._lock:
            for address, account in accounts.items():
                self.runtime.write(address, account)

    def account(self, address: str) -> Account | None:
        """Return an account as it stands at the tip."""
        with self._lock:
            return self.runtime.account(address)

    def _unix(self) -> int:
        return int(self.clock.now().timestamp())

    @staticmethod
    def _height(slot: int) -> int:
        return slot - (slot + _SKIPS // 2) // _SKIPS

    @classmethod
    def _skipped(cls, slot: int) -> bool:
        return cls._height(slot) == cls._height(slot - 1)

    def _hash(self, slot: int) -> str:
        name = f"{self.seed}:{slot}:{self._forked.get(slot, 0)}"
        return encode(sha256(name.encode()).digest()[: _BASE58_SIZE - 8] + slot.to_bytes(8))

    def _with_block(self, slot: int) -> int:
        return slot - 1 if self._skipped(slot) else slot

    def _valid(self, blockhash: str, slot: int) -> bool:
        of = int.from_bytes(decode(blockhash)[-8:])
        if not FIRST_SLOT - 1_000 <= of <= slot or self._hash(of) != blockhash:
            return False
        return self._height(slot) - self._height(of) <= VALIDITY

    def _catch_up(self) -> int:
        """Execute what is due by now, forget what is final; return the slot at the tip."""
        slot = self.slot
        self.runtime.set_clock(slot, self._unix())
        if self._forking:
            self._fork_away(slot)
        if self._skipped(slot):  # no block, so nothing is executed
            return slot
        due = [parsed for at, parsed in self._waiting if at <= slot]
        self._waiting = [(at, parsed) for at, parsed in self._waiting if at > slot]
        for parsed in due:
            self._execute(parsed, slot)
        final = slot - self.finalized_after
        self._recent = [entry for entry in self._recent if entry.slot > final]
        return slot

    def _execute(self, parsed: Parsed, slot: int) -> None:
        if parsed.signature in self.landed or not self._valid(parsed.blockhash, slot):
            return
        unix = self._unix()
        outcome = self.runtime.execute(parsed, unix)
        if outcome is None:  # nobody pays for it: no block takes it
            return
        entry = Entry(slot, unix, parsed, outcome)
        self.landed[parsed.signature] = entry
        self._recent.append(entry)
        self._forking = self._forking or self._happens(self.faults.fork)

    def _fork_away(self, slot: int) -> None:
        """Undo the blocks that are not confirmed; what was in them comes again, or does not."""
        self._forking = False
        self._fork += 1
        confirmed = slot - self.confirmed_after
        gone = [entry for entry in self._recent if entry.slot > confirmed]
        for entry in reversed(gone):
            for address, account in entry.outcome.before.items():
                self.runtime.write(address, account)
            del self.landed[entry.parsed.signature]
            self._recent.remove(entry)
            if self._happens(50):
                self._waiting.append((slot + 1, entry.parsed))
        for each in range(confirmed + 1, slot + 1):
            self._forked[each] = self._fork

    def _happens(self, percent: int) -> bool:
        return percent > 0 and self._chance.random() * 100 < percent

    def _as_of(self, address: str, slot: int) -> Account | None:
        """Return an account as of a slot that is not older than the last final one."""
        if address == layouts.CLOCK:
            fields = {"slot": slot, "unix_timestamp": self._unix()}
            return Account("Sysvar1111111111111111111111111111111111111", 1_169_280, _CLOCK(fields))
        for entry in self._recent:
            if entry.slot > slot and address in entry.outcome.before:
                return entry.outcome.before[address]
        return self.runtime.account(address)

    # JSON-RPC

    def answer(self, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """Answer a POST with status, headers and body; None is no answer."""
        with self._lock:
            if self.faults.silent or self._happens(self.faults.stall):
                return None
            if self._happens(self.faults.refuse):
                return 429, {"Retry-After": "0.05"}, b"{}"
            number: Any = None
            try:
                asked = json.loads(body)
                number, method, params = asked["id"], asked["method"], asked.get("params", [])
                told: dict[str, Any] = {"result": self.call(method, params)}
            except RpcError as error:
                told = {"error": {"code": error.number, "message": str(error)}}
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                told = {"error": {"code": -32602, "message": f"{error!r:.200}"}}
            return 200, {}, json.dumps({"jsonrpc": "2.0", "id": number} | told).encode()

    def call(self, method: str, params: Sequence[Any]) -> Any:
        """Return the result of a method. Raises RpcError."""
        known = _METHODS.get(method)
        if known is None:
            raise RpcError(-32601, "Method not found")
        self.calls.append(method)
        slot = self._catch_up()
        return known(self, slot, *params)

    def _at(self, slot: int, config: Mapping[str, Any] | None) -> int:
        """Return the slot that a call with this commitment is answered as of."""
        config = config or {}
        back = {"processed": 0, "confirmed": self.confirmed_after}.get(
            config.get("commitment", "finalized"), self.finalized_after
        )
        at = self._with_block(slot - back)
        if at < config.get("minContextSlot", 0):
            raise RpcError(-32016, "Minimum context slot has not been reached")
        return at

    def _told_ahead(self) -> int:
        return self.faults.ahead_slots if self._happens(self.faults.ahead) else 0

    def _get_multiple_accounts(
        self, slot: int, addresses: Sequence[str], config: Mapping[str, Any] | None = None
    ) -> Any:
        if len(addresses) > 100:
            raise RpcError(-32602, "Too many inputs provided; max 100")
        at = self._at(slot, config)
        return {"context": {"slot": at}, "value": [_shown(self._as_of(a, at)) for a in addresses]}

    def _get_latest_blockhash(self, slot: int, config: Mapping[str, Any] | None = None) -> Any:
        at = self._at(slot, config)
        last = self._height(at) + VALIDITY
        value = {"blockhash": self._hash(at), "lastValidBlockHeight": last}
        return {"context": {"slot": at}, "value": value}

    def _get_block(self, slot: int, of: int, config: Mapping[str, Any] | None = None) -> Any:
        if of > self._at(slot, config):
            raise RpcError(-32004, f"Block not available for slot {of}")
        if self._skipped(of):
            raise RpcError(-32007, f"Slot {of} was skipped")
        return {"blockhash": self._hash(of), "blockHeight": self._height(of), "parentSlot": of - 1}

    def _get_block_height(self, slot: int, config: Mapping[str, Any] | None = None) -> Any:
        return self._height(self._at(slot, config) + self._told_ahead())

    def _get_slot(self, slot: int, config: Mapping[str, Any] | None = None) -> Any:
        return self._at(slot, config)

    def _get_epoch_info(self, slot: int, config: Mapping[str, Any] | None = None) -> Any:
        at = self._at(slot, config) + self._told_ahead()
        return {
            "absoluteSlot": at,
            "blockHeight": self._height(at),
            "epoch": at // 432_000,
            "slotIndex": at % 432_000,
            "slotsInEpoch": 432_000,
        }

    def _get_fees(self, slot: int, addresses: Sequence[str] = ()) -> Any:  # noqa: ARG002
        return [{"slot": slot - n, "prioritizationFee": 100 * (n % 7)} for n in range(VALIDITY)]

    def _send(self, slot: int, wire: str, config: Mapping[str, Any] | None = None) -> Any:
        if (config or {}).get("encoding") != "base64":
            raise RpcError(-32602, "only base64 is known here")
        try:
            data = b64decode(wire, validate=True)
            if len(data) > MAX_WIRE:
                raise RpcError(-32602, f"{len(data)} bytes are more than {MAX_WIRE}")
            parsed = parse(data)
        except (Malformed, NotBase64) as error:
            raise RpcError(-32003, str(error)) from error
        if self._happens(self.faults.lose):
            return parsed.signature
        late = self.faults.delay_slots if self._happens(self.faults.delay) else 0
        self._waiting += [(slot + late, parsed)] * (2 if self._happens(self.faults.double) else 1)
        self._catch_up()
        return parsed.signature

    def _get_statuses(
        self, slot: int, signatures: Iterable[str], config: Mapping[str, Any] | None = None
    ) -> Any:
        recent = not (config or {}).get("searchTransactionHistory")
        told = [self._status(slot, self.landed.get(each), recent) for each in signatures]
        return {"context": {"slot": slot}, "value": told}

    def _status(self, slot: int, entry: Entry | None, recent: bool) -> Any:
        if entry is None or (recent and entry.slot < slot - VALIDITY):
            return None
        reached = "processed"
        if entry.slot <= slot - self.confirmed_after:
            reached = "confirmed"
        if entry.slot <= slot - self.finalized_after:
            reached = "finalized"
        error = entry.outcome.error
        return {"slot": entry.slot, "confirmationStatus": reached, "err": error}

    def _get_transaction(
        self,
        slot: int,
        signature: str,
        config: Mapping[str, Any] | None = None,  # noqa: ARG002 - confirmed, in base 64
    ) -> Any:
        entry = self.landed.get(signature)
        if entry is None or entry.slot > slot - self.confirmed_after:
            return None
        did, keys = entry.outcome, entry.parsed.keys
        meta = {
            "err": did.error,
            "fee": did.fee,
            "computeUnitsConsumed": did.units,
            "preBalances": _lamports(did.before, keys),
            "postBalances": _lamports(did.after, keys),
            "preTokenBalances": token_balances(did.before, keys),
            "postTokenBalances": token_balances(did.after, keys),
        }
        return {"slot": entry.slot, "blockTime": entry.unix, "version": 0, "meta": meta}


_CLOCK = layouts.CLOCK_SYSVAR.encode

_METHODS: Mapping[str, Callable[..., Any]] = {
    "getMultipleAccounts": LocalNode._get_multiple_accounts,
    "getLatestBlockhash": LocalNode._get_latest_blockhash,
    "getBlock": LocalNode._get_block,
    "getBlockHeight": LocalNode._get_block_height,
    "getEpochInfo": LocalNode._get_epoch_info,
    "getRecentPrioritizationFees": LocalNode._get_fees,
    "sendTransaction": LocalNode._send,
    "getSignatureStatuses": LocalNode._get_statuses,
    "getTransaction": LocalNode._get_transaction,
    "getSlot": LocalNode._get_slot,
    "getVersion": lambda *_: {"solana-core": "LiteSVM"},
    "getHealth": lambda *_: "ok",
}


def _shown(account: Account | None) -> Any:
    if account is None:
        return None
    return {
        "owner": account.owner,
        "lamports": account.lamports,
        "data": [b64encode(account.data).decode(), "base64"],
        "executable": False,
        "rentEpoch": 0,
        "space": len(account.data),
    }


def _lamports(accounts: Mapping[str, Account | None], keys: Sequence[str]) -> list[int]:
    held = (accounts.get(key) for key in keys)
    return [0 if account is None else account.lamports for account in held]
