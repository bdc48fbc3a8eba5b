"""Transactions executed by LiteSVM, with the venues stood in for: one at a time, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from solders.account import Account as SvmAccount
from solders.clock import Clock as SvmClock
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from engine.adapters.solana import layouts
from engine.adapters.solana.instructions import (
    CREATE_IDEMPOTENT,
    INITIALIZE_ACCOUNT_3,
    SET_LIMIT,
    SET_PRICE,
    Call,
    Meta,
)
from engine.adapters.solana.layouts import ASSOCIATED, COMPUTE_BUDGET, SPL_TOKEN
from engine.adapters.solana.rpc import Account
from local.solana import venues
from local.solana.venues import Effect, Fails, Transfer

SIGNATURE_FEE = 5_000
_MICRO = 10**6
_UNITS_A_CALL, _MAX_UNITS = 200_000, 1_400_000
_TRANSFER = b"\x03"
#: No instruction of the SPL Token program: what stands where a venue's program fails.
_NONSENSE = b"\xfe"
Json = Any


@dataclass(frozen=True, slots=True)
class Parsed:
    """A transaction as `solders` reads it; `keys` are its accounts, the payer first."""

    signature: str
    blockhash: str
    keys: tuple[str, ...]
    writable: tuple[str, ...]
    signers: int
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did: its error as JSON-RPC has it, its fee in lamports, its units.

    `before` and `after` are the accounts that it named to be written, and those of the pools.
    """

    error: Json
    fee: int
    units: int
    before: Mapping[str, Account | None]
    after: Mapping[str, Account | None]


class Malformed(ValueError):
    """Bytes are no transaction, or nobody signed it."""


def parse(wire: bytes) -> Parsed:
    """Read a transaction and verify its signatures. Raises Malformed."""
    try:
        transaction = VersionedTransaction.from_bytes(wire)
        transaction.sanitize()
    except Exception as error:  # solders raises its own, of no common kind
        raise Malformed(f"no transaction: {error!s:.100}") from error
    message = transaction.message
    if not isinstance(message, MessageV0) or message.address_table_lookups:
        raise Malformed("only version 0 without look-up tables is known here")
    if not all(transaction.verify_with_results()):
        raise Malformed("signature verification failure")
    keys = [str(key) for key in message.account_keys]
    metas = [
        Meta(key, message.is_signer(n), message.is_maybe_writable(n)) for n, key in enumerate(keys)
    ]
    calls = tuple(
        Call(keys[each.program_id_index], tuple(metas[n] for n in each.accounts), bytes(each.data))
        for each in message.instructions
    )
    return Parsed(
        str(transaction.signatures[0]),
        str(message.recent_blockhash),
        tuple(keys),
        tuple(meta.address for meta in metas if meta.writable),
        message.header.num_required_signatures,
        calls,
    )


@dataclass(eq=False)
class Runtime:
    """The accounts, and what executes transactions on them."""

    svm: LiteSVM = field(
        default_factory=lambda: (
            LiteSVM.default()
            .with_builtins()
            .with_default_programs()
            .with_sysvars()
            .with_lamports(10**18)
            .with_sigverify(False)  # `parse` has verified; the pools' authorities have no keys
            .with_blockhash_check(False)  # LiteSVM knows one; the chain knows 150
            .with_transaction_history(0)
        )
    )

    def account(self, address: str) -> Account | None:
        found = self.svm.get_account(Pubkey.from_string(address))
        if found is None or (not found.lamports and not found.data):
            return None
        return Account(str(found.owner), found.lamports, bytes(found.data))

    def write(self, address: str, account: Account | None) -> None:
        told = account or Account(layouts.SYSTEM, 0, b"")
        owner = Pubkey.from_string(told.owner)
        self.svm.set_account(
            Pubkey.from_string(address), SvmAccount(told.lamports, told.data, owner)
        )

    def set_clock(self, slot: int, unix: int) -> None:
        self.svm.set_clock(SvmClock(slot, unix, slot // 432_000, slot // 432_000, unix))

    def execute(self, parsed: Parsed, now: int) -> Outcome | None:
        """Execute a transaction at `now`, chain time; None if nobody can pay its fee."""
        run = _Run(self, parsed, now)
        return run.outcome()


class _Run:
    """One transaction on its way."""

    def __init__(self, runtime: Runtime, parsed: Parsed, now: int) -> None:
        self.runtime, self.parsed, self.now = runtime, parsed, now
        self.limit, price = _budget(parsed.calls)
        self.fee = SIGNATURE_FEE * parsed.signers + -(-self.limit * price // _MICRO)
        self.effects: dict[int, Effect] = {}
        self.seen: dict[str, Account | None] = {}
        self.opened: dict[str, str] = {}

    def outcome(self) -> Outcome | None:
        payer = self.runtime.account(self.parsed.keys[0])
        if payer is None or payer.lamports < self.fee:
            return None
        stop = self._plan()
        touched = dict.fromkeys((*self.parsed.writable, *self._written()))
        before = {address: self.runtime.account(address) for address in touched}
        error, units = self._submitted(stop)
        spent = sum(each.units for n, each in self.effects.items() if error is None or n < error[0])
        if error is None and units + spent > self.limit:
            for address, account in before.items():
                self.runtime.write(address, account)
            error, units = self._submitted((max(self.effects), "ComputationalBudgetExceeded"))
            spent = self.limit - units
        if error is None:
            for address, data in self._written().items():
                self.runtime.write(address, replace(self._there(address), data=data))
        told = None if error is None else _told(error)
        after = {address: self.runtime.account(address) for address in touched}
        return Outcome(told, self.fee, units + spent, before, after)

    def _plan(self) -> tuple[int, Json] | None:
        """Find what the venues do, one after the other; return where one fails, and how."""
        for n, call in enumerate(self.parsed.calls):
            if call.program == SPL_TOKEN and call.data[:1] == INITIALIZE_ACCOUNT_3:
                self.opened[call.accounts[0].address] = call.accounts[1].address
            if call.program == ASSOCIATED and call.data[:1] == CREATE_IDEMPOTENT:
                self.opened[call.accounts[1].address] = call.accounts[3].address
            if call.program not in venues.PROGRAMS:
                continue
            try:
                found = venues.effect(call, self._mint_of, self._look, self.now)
            except Fails as failure:
                return n, failure.error
            self.effects[n] = found
            for address, data in found.written.items():
                self.seen[address] = replace(self._there(address), data=data)
            for transfer in found.transfers:
                self._moved(transfer.source, -transfer.amount)
                self._moved(transfer.destination, transfer.amount)
        return None

    def _look(self, address: str) -> Account | None:
        return self.seen[address] if address in self.seen else self.runtime.account(address)

    def _moved(self, address: str, amount: int) -> None:
        """Note what a token account holds after a transfer; those of traders nobody looks at."""
        account = self._look(address)
        if account is None or account.owner != SPL_TOKEN:
            return
        held = layouts.TOKEN_ACCOUNT.decode(account.data)["amount"] + amount
        if 0 <= held < 1 << 64:
            data = layouts.TOKEN_ACCOUNT.encode({"amount": held}, account.data)
            self.seen[address] = replace(account, data=data)

    def _there(self, address: str) -> Account:
        account = self._look(address)
        if account is None:
            raise LookupError(f"{address} is gone")
        return account

    def _mint_of(self, address: str) -> str | None:
        if address in self.opened:
            return self.opened[address]
        account = self._look(address)
        if account is None or account.owner != SPL_TOKEN:
            return None
        return str(layouts.TOKEN_ACCOUNT.decode(account.data)["mint"])

    def _written(self) -> dict[str, bytes]:
        return {a: data for each in self.effects.values() for a, data in each.written.items()}

    def _submitted(self, stop: tuple[int, Json] | None) -> tuple[tuple[int, Json] | None, int]:
        """Have LiteSVM execute it; return where and how it failed, if so, and units used.

        The owners of what the pools give sign as well, which LiteSVM charges for: the payer is
        given that first, and does not keep it.
        """
        calls: list[Instruction] = []
        origin: list[int] = []
        for n, call in enumerate(self.parsed.calls):
            if stop and n == stop[0]:
                made = [Instruction(Pubkey.from_string(SPL_TOKEN), _NONSENSE, [])]
            elif n in self.effects:
                made = [_transfer(each) for each in self.effects[n].transfers]
            else:
                made = [_instruction(call)]
            calls += made
            origin += [n] * len(made)
            if stop and n == stop[0]:
                break  # nothing after it is executed; a second venue's call could not be loaded
        payer = self.parsed.keys[0]
        message = MessageV0.try_compile(Pubkey.from_string(payer), calls, [], Hash.default())
        signers = message.header.num_required_signatures
        account = self.runtime.account(payer) or Account(layouts.SYSTEM, 0, b"")
        extra = SIGNATURE_FEE * (signers - self.parsed.signers)
        self.runtime.write(payer, replace(account, lamports=account.lamports + extra))
        transaction = VersionedTransaction.populate(message, [Signature.default()] * signers)
        result: Any = self.runtime.svm.send_transaction(transaction)
        if not isinstance(result, FailedTransactionMetadata):
            return None, _units(result)
        units = _units(result.meta())
        index, why = _failure(result.err())
        if index is None:
            return (-1, why), units
        place = origin[index]
        return (stop if stop and place == stop[0] else (place, why)), units


def _budget(calls: Sequence[Call]) -> tuple[int, int]:
    """Return the units that a transaction may use, and what it pays for each, micro-lamports."""
    limit = min(_MAX_UNITS, _UNITS_A_CALL * sum(c.program != COMPUTE_BUDGET for c in calls))
    price = 0
    for call in calls:
        if call.program == COMPUTE_BUDGET and call.data[:1] == SET_LIMIT:
            limit = min(_MAX_UNITS, int.from_bytes(call.data[1:5], "little"))
        if call.program == COMPUTE_BUDGET and call.data[:1] == SET_PRICE:
            price = int.from_bytes(call.data[1:9], "little")
    return limit, price


def _instruction(call: Call) -> Instruction:
    metas = [
        AccountMeta(Pubkey.from_string(m.address), m.signer, m.writable) for m in call.accounts
    ]
    return Instruction(Pubkey.from_string(call.program), call.data, metas)


def _transfer(transfer: Transfer) -> Instruction:
    data = _TRANSFER + transfer.amount.to_bytes(8, "little")
    metas = (
        Meta(transfer.source, False, True),
        Meta(transfer.destination, False, True),
        Meta(transfer.owner, True, False),
    )
    return _instruction(Call(SPL_TOKEN, metas, data))


def _units(meta: Any) -> int:
    told = meta.compute_units_consumed
    return int(told() if callable(told) else told)


def _failure(error: Any) -> tuple[int | None, Json]:
    """Return where LiteSVM says that a transaction failed, and why."""
    name = str(error).rpartition(".")[2]
    if not hasattr(error, "index"):
        return None, name
    why = error.err
    return error.index, (
        {"Custom": why.code} if hasattr(why, "code") else str(why).rpartition(".")[2]
    )


def _told(error: tuple[int, Json]) -> Json:
    place, why = error
    return why if place < 0 else {"InstructionError": [place, why]}


def token_balances(accounts: Mapping[str, Account | None], keys: Sequence[str]) -> list[Json]:
    """Return what the token accounts among `accounts` hold, as `getTransaction` tells it."""
    rows = []
    for address, account in accounts.items():
        if account is None or account.owner != SPL_TOKEN or address not in keys:
            continue
        if len(account.data) != layouts.TOKEN_ACCOUNT.size:
            continue
        told = layouts.TOKEN_ACCOUNT.decode(account.data)
        rows.append(
            {
                "accountIndex": keys.index(address),
                "mint": told["mint"],
                "owner": told["owner"],
                "programId": SPL_TOKEN,
                "uiTokenAmount": {"amount": str(told["amount"])},
            }
        )
    return rows
