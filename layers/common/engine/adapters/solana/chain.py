"""Solana: build, have signed, send, and learn what became of it; see docs/solana.md."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.adapters.solana import trades
from engine.adapters.solana.addresses import decode, encode
from engine.adapters.solana.instructions import compiled
from engine.adapters.solana.layouts import (
    AMM_V4,
    CPMM,
    DLMM,
    SPL_TOKEN,
    SYSTEM,
    TOKEN_ACCOUNT,
    BadAccount,
    associated_account,
)
from engine.adapters.solana.message import SIGNATURE_SIZE, message_of, read, signed
from engine.adapters.solana.pools import Found
from engine.adapters.solana.rpc import Account, Node, NodeError, NodeUnavailable, whole
from engine.adapters.solana.signers import Signer
from engine.adapters.solana.venues import PoolBook
from engine.domain.errors import ChainUnavailable, FailureCode, InsufficientFunds, MarketError
from engine.domain.order import Instruction, Order, Transaction
from engine.domain.tokens import SOL
from engine.observability import log
from engine.ports.chain import Expired, Landed, Landing, Reverted, Unknown
from engine.ports.clock import Clock

#: How many blocks a blockhash is good for.
VALIDITY = 150
#: What a block takes at the least speed that is reckoned with, in seconds: a transaction that may
#: land for so long is given so many blocks.
_SLOWEST_BLOCK = 0.4
#: Blocks looked back at to find one with the height that is wanted: some slots have none.
_NEIGHBOURS = 12
_LOOK_FIRST, _LOOK_EVERY = 0.025, 0.2
_REACHED = frozenset({"confirmed", "finalized"})

#: What the programs' own numbers mean: (program, number) of `Custom` errors.
_CODES: Mapping[tuple[str, Any], str] = {
    (DLMM, 6003): FailureCode.SLIPPAGE_EXCEEDED,
    (CPMM, 6005): FailureCode.SLIPPAGE_EXCEEDED,
    (AMM_V4, 30): FailureCode.SLIPPAGE_EXCEEDED,
    (DLMM, 6036): "INSUFFICIENT_LIQUIDITY",
    (DLMM, 6037): "INSUFFICIENT_LIQUIDITY",
    (DLMM, 6042): "POOL_DISABLED",
    (AMM_V4, 40): FailureCode.INSUFFICIENT_FUNDS,
    (SYSTEM, 1): FailureCode.INSUFFICIENT_FUNDS,
    (SPL_TOKEN, 1): FailureCode.INSUFFICIENT_FUNDS,
    (DLMM, 1): FailureCode.INSUFFICIENT_FUNDS,  # the token program's, passed on
    (CPMM, 1): FailureCode.INSUFFICIENT_FUNDS,
}
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError)


@dataclass(slots=True, eq=False, repr=False)
class SolanaChain:
    """A chain behind a node; `max_priority_fee` is in lamports.

    Without a `signer` it sends and looks, and signs nothing.
    """

    node: Node
    book: PoolBook
    clock: Clock
    signer: Signer | None
    max_priority_fee: int
    _prices: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def sign(
        self, order: Order, instructions: Sequence[Instruction], *, valid_for: timedelta
    ) -> Transaction:
        """Build, check and have signed; raises ChainUnavailable, InsufficientFunds,
        TransactionRefused.
        """
        if self.signer is None:
            raise ChainUnavailable("nobody signs here")
        try:
            plan = self._plan(order, tuple(instructions), self.signer.address)
            blockhash, last_valid = self._blockhash(valid_for)
            price = self._unit_price(plan)
        except NodeUnavailable as error:
            raise ChainUnavailable(str(error)) from error
        message = compiled(plan.payer, plan.calls(price), blockhash)
        trades.check(message, plan)
        signature = self.signer.sign(message)
        if not _verified(signature, plan.payer, message):
            raise ChainUnavailable("what signs is not the key of the account")
        now = self.clock.now()
        return Transaction(
            encode(signature),
            now,
            now + valid_for,
            tuple(instructions),
            signed(message, signature),
            last_valid,
        )

    def send(self, order: Order, transaction: Transaction) -> None:  # noqa: ARG002 - the bytes say
        """Send the bytes as they are stored. Raises ChainUnavailable: they may have been taken."""
        config = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        wire = b64encode(_wire(transaction)).decode()
        try:
            self.node.call("sendTransaction", wire, config)
        except NodeUnavailable as error:
            raise ChainUnavailable(str(error)) from error

    def landing(self, transaction: Transaction, *, wait: timedelta) -> Landing:
        """Tell what became of a transaction. Raises ChainUnavailable, which means Unknown."""
        give_up, pause = self.clock.now() + wait, _LOOK_FIRST
        try:
            while True:
                landing = self._look(transaction)
                left = (give_up - self.clock.now()).total_seconds()
                if not isinstance(landing, Unknown) or left <= 0:
                    return landing
                self.clock.sleep(min(pause, left))
                pause = min(2 * pause, _LOOK_EVERY)
        except NodeUnavailable as error:
            raise ChainUnavailable(str(error)) from error
        except _MALFORMED as error:
            raise ChainUnavailable(f"the node's answer can't be read: {error!r:.200}") from error

    # Building

    def _plan(self, order: Order, steps: tuple[Instruction, ...], payer: str) -> trades.Plan:
        answers = self.book.of_pair(order.terms.pair)
        pools: dict[str, Found] = {}
        for step in steps:
            if step.pool is None:
                continue
            found = answers.get(step.program)
            if isinstance(found, MarketError) or found is None:
                raise ChainUnavailable(f"{step.program} has no pool any more") from found
            if found.listing.address != step.pool:
                raise ChainUnavailable(f"{step.program} trades in another pool now")
            pools[step.program] = found
        fee, seed = self.max_priority_fee, trades.seed_of(order)
        return self._funded(trades.Plan(order, steps, pools, payer, seed, fee))

    def _funded(self, plan: trades.Plan) -> trades.Plan:
        """Return the plan, with an account for what is bought if there is none.

        Raises InsufficientFunds.
        """
        sell, buy = plan.order.terms.sell, plan.order.terms.buy
        held = {
            token: associated_account(plan.payer, token.mint)
            for token in (sell, buy)
            if token != SOL
        }
        found = self.node.accounts([plan.payer, *held.values()]).found
        if buy in held and found[held[buy]] is None:
            plan = replace(plan, creates_account=True)
        if sell in held and _amount(found[held[sell]]) < plan.order.terms.amount:
            raise InsufficientFunds(f"the account holds too little {sell.symbol}")
        payer = found[plan.payer]
        if payer is None or payer.lamports < plan.lamports:
            raise InsufficientFunds(f"the account needs {plan.lamports} lamports, with all fees")
        return plan

    def _blockhash(self, valid_for: timedelta) -> tuple[str, int]:
        """Return a blockhash that is good for `valid_for` at most, and its last block."""
        latest = self.node.call("getLatestBlockhash", {"commitment": "confirmed"})
        try:
            slot, value = whole(latest["context"]["slot"]), latest["value"]
            last_valid = whole(value["lastValidBlockHeight"])
            blocks = int(valid_for.total_seconds() / _SLOWEST_BLOCK)
            if blocks >= VALIDITY:
                return str(value["blockhash"]), last_valid
            older = slot - (VALIDITY - max(1, blocks))
            return self._older(older, last_valid - (VALIDITY - max(1, blocks)))
        except _MALFORMED as error:
            raise NodeUnavailable(f"getLatestBlockhash: {error!r:.200}") from error

    def _older(self, slot: int, last_valid: int) -> tuple[str, int]:
        """Return the hash of a block that expires at `last_valid`, or of one shortly before it."""
        config = {"transactionDetails": "none", "rewards": False, "commitment": "confirmed"}
        for earlier in range(_NEIGHBOURS):
            try:
                block = self.node.call("getBlock", max(0, slot - earlier), config)
            except NodeError:  # there is none in this slot
                continue
            expires = whole(block["blockHeight"]) + VALIDITY
            if expires <= last_valid or earlier == _NEIGHBOURS - 1:
                return str(block["blockhash"]), expires
        raise NodeUnavailable("no block of the wanted age")

    def _unit_price(self, plan: trades.Plan) -> int:
        """Return what a unit of computing is paid, in micro-lamports: three in four pay less."""
        pools = sorted(found.listing.address for found in plan.pools.values())
        name, now = ",".join(pools), self.clock.now()
        known = self._prices.get(name)
        if known and now < known[0]:
            return known[1]
        try:
            told = self.node.call("getRecentPrioritizationFees", pools)
            paid = sorted(whole(row["prioritizationFee"]) for row in told)
        except (NodeError, *_MALFORMED):  # it costs speed only, and the cap bounds it
            paid = []
        price = paid[len(paid) * 3 // 4] if paid else 0
        self._prices[name] = now + timedelta(seconds=10), price
        return price

    # Learning

    def _look(self, transaction: Transaction) -> Landing:
        status, _ = self._status(transaction, history=False)
        if status is None and self._past(transaction):
            # Past its last block for good: so whatever is found from now on has always been so.
            epoch = self.node.call("getEpochInfo", {"commitment": "finalized"})
            if whole(epoch["blockHeight"]) <= (transaction.last_valid_height or 0):
                return Unknown()
            status, slot = self._status(transaction, history=True)
            if status is None:
                return Expired() if slot >= whole(epoch["absoluteSlot"]) else Unknown()
        if status is None or status.get("confirmationStatus") not in _REACHED:
            return Unknown()
        return self._landed(transaction)

    def _past(self, transaction: Transaction) -> bool:
        height = whole(self.node.call("getBlockHeight", {"commitment": "finalized"}))
        return height > (transaction.last_valid_height or 0)

    def _status(
        self, transaction: Transaction, *, history: bool
    ) -> tuple[Mapping[str, Any] | None, int]:
        told = self.node.call(
            "getSignatureStatuses",
            [transaction.signature],
            {"searchTransactionHistory": history},
        )
        (status,) = told["value"]
        if status is not None and "confirmationStatus" not in status:
            raise ValueError("a status without its commitment")
        return status, whole(told["context"]["slot"])

    def _landed(self, transaction: Transaction) -> Landing:
        """Tell what a transaction on the chain has done, by the balances before and after."""
        told = self.node.call(
            "getTransaction",
            transaction.signature,
            {
                "encoding": "base64",
                "commitment": "confirmed",
                "maxSupportedTransactionVersion": 1,
            },
        )
        if told is None:
            return Unknown()
        meta = told["meta"]
        if meta["err"] is not None:
            return _reverted(meta["err"], transaction)
        when = told.get("blockTime")
        at = self.clock.now() if when is None else datetime.fromtimestamp(whole(when), UTC)
        amount = _amount_out(meta, transaction)
        minimum = sum(step.min_amount_out for step in transaction.instructions)
        if amount < minimum:  # no transaction of ours lands so: what is told is not believed
            log.error("landed below its minimum", extra={"signature": transaction.signature})
            raise ValueError(f"{amount} came out, of {minimum} at least")
        return Landed(amount, at)


def _verified(signature: bytes, address: str, message: bytes) -> bool:
    from solders.pubkey import Pubkey
    from solders.signature import Signature

    if len(signature) != SIGNATURE_SIZE:
        return False
    return Signature.from_bytes(signature).verify(Pubkey.from_bytes(decode(address)), message)


def _wire(transaction: Transaction) -> bytes:
    if transaction.wire is None or transaction.last_valid_height is None:
        raise ChainUnavailable("the transaction was not made for this chain")
    return transaction.wire


def _amount(account: Account | None) -> int:
    if account is None:
        return 0
    try:
        return int(TOKEN_ACCOUNT.decode(account.data)["amount"])
    except BadAccount as error:
        raise NodeUnavailable(str(error)) from error


def _amount_out(meta: Mapping[str, Any], transaction: Transaction) -> int:
    """Return what the payer has more of after a transaction: one token, or SOL plus its fee."""
    payer = read(message_of(_wire(transaction))).payer
    if any(step.program == "unwrap-sol" for step in transaction.instructions):
        before, after = whole(meta["preBalances"][0]), whole(meta["postBalances"][0])
        return after - before + whole(meta["fee"])
    before_after = [_held(meta[name], payer) for name in ("preTokenBalances", "postTokenBalances")]
    gained = [
        amount - before_after[0].get(mint, 0)
        for mint, amount in before_after[1].items()
        if amount > before_after[0].get(mint, 0)
    ]
    if len(gained) != 1:
        raise ValueError(f"{len(gained)} tokens came in")
    return gained[0]


def _held(balances: Sequence[Mapping[str, Any]], owner: str) -> dict[str, int]:
    """Return what an owner holds of each token, by mint."""
    held: dict[str, int] = {}
    for row in balances:
        if row["owner"] == owner:
            amount = int(row["uiTokenAmount"]["amount"])
            held[row["mint"]] = held.get(row["mint"], 0) + amount
    return held


def _reverted(error: Any, transaction: Transaction) -> Reverted:
    """Say by name why a transaction was undone."""
    detail = f"the chain undid it: {error}"
    if isinstance(error, str) or "InstructionError" not in error:
        name = error if isinstance(error, str) else next(iter(error))
        funds = str(name).startswith("InsufficientFunds")
        code = FailureCode.INSUFFICIENT_FUNDS if funds else FailureCode.TRANSACTION_FAILED
        return Reverted(code, detail)
    place, why = error["InstructionError"]
    program = read(message_of(_wire(transaction))).calls[place].program
    if why == "InsufficientFunds":
        return Reverted(FailureCode.INSUFFICIENT_FUNDS, detail)
    number = why.get("Custom") if isinstance(why, Mapping) else None
    told = _CODES.get((program, number), FailureCode.TRANSACTION_FAILED)
    return Reverted(told, f"{program} undid it: {why}")
