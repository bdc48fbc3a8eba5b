"""The transaction of an order: what is built, and what is allowed to be signed."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from engine.adapters.solana import instructions as made
from engine.adapters.solana.instructions import Call
from engine.adapters.solana.layouts import (
    ASSOCIATED,
    COMPUTE_BUDGET,
    SPL_TOKEN,
    SYSTEM,
    associated_account,
)
from engine.adapters.solana.message import MAX_WIRE, SIGNATURE_SIZE, BadMessage, read
from engine.adapters.solana.pools import PROGRAMS, Found, Kind
from engine.domain.errors import EngineError, MarketError, TransactionRefused
from engine.domain.order import Instruction, Order
from engine.domain.tokens import SOL
from engine.market.meteora import DlmmPool

#: What a signature costs, in lamports.
SIGNATURE_FEE = 5_000
#: What an account that pays must keep, in lamports, so as not to be cleared away.
PAYER_RENT = 890_880
#: Units of computing: the frame of a trade, a swap, and a bin that it walks through, each measured
#: with the programs and rounded up; `SPARE_BINS` more may be crossed until it lands.
FRAME_UNITS, BIN_UNITS, SPARE_BINS = 60_000, 5_000, 12
SWAP_UNITS = {Kind.CPMM: 60_000, Kind.AMM_V4: 60_000, Kind.DLMM: 70_000}
MAX_UNITS = 1_400_000
_MICRO = 10**6


@dataclass(frozen=True, slots=True)
class Plan:
    """What a transaction of an order is made of.

    `pools` are those of its legs, by venue; `seed` names its temporary account; `priority_fee` is
    the most that it may pay to be taken sooner, in lamports.
    """

    order: Order
    steps: tuple[Instruction, ...]
    pools: Mapping[str, Found]
    payer: str
    seed: str
    priority_fee: int
    creates_account: bool = False

    @property
    def swaps(self) -> list[Instruction]:
        return [step for step in self.steps if step.pool is not None]

    @property
    def source(self) -> str:
        return self._holds(self.order.token_in, self.order.terms.sell.mint)

    @property
    def destination(self) -> str:
        return self._holds(self.order.token_out, self.order.terms.buy.mint)

    def _holds(self, symbol: str, mint: str) -> str:
        if symbol == SOL.symbol:
            return made.temporary_account(self.payer, self.seed)
        return associated_account(self.payer, mint)

    @property
    def lamports(self) -> int:
        """What the payer needs to have: what is sold, fees, and what is lent while it runs."""
        sold = self.order.terms.amount if self.order.token_in == SOL.symbol else 0
        lent = made.TOKEN_ACCOUNT_RENT * (self._wraps + self.creates_account)
        return sold + lent + SIGNATURE_FEE + self.priority_fee + PAYER_RENT

    @property
    def _wraps(self) -> bool:
        return SOL.symbol in (self.order.token_in, self.order.token_out)

    @property
    def units(self) -> int:
        """The most units of computing that it may use."""
        units = FRAME_UNITS
        for step in self.swaps:
            found = self.pools[step.program]
            units += SWAP_UNITS[found.listing.kind]
            if isinstance(found.pool, DlmmPool):
                bins = _bins(found.pool, self.order.token_in, step.amount_in)
                units += BIN_UNITS * (bins + SPARE_BINS)
        return min(units, MAX_UNITS)

    def calls(self, micro_lamports: int) -> list[Call]:
        """Return the instructions: budget, wrap, swaps, unwrap."""
        order, units = self.order, self.units
        price = min(micro_lamports, self.priority_fee * _MICRO // units)
        calls = [*made.compute_budget(units, price)]
        if self.creates_account:
            calls.append(made.create_associated(self.payer, order.terms.buy.mint))
        if self._wraps:
            sold = sum(step.amount_in for step in self.swaps)
            wrapped = sold if order.token_in == SOL.symbol else 0
            calls += made.open_temporary(self.payer, self.seed, wrapped)
        calls += [
            made.swap(
                self.pools[step.program],
                order.token_in,
                self.payer,
                self.source,
                self.destination,
                step.amount_in,
                step.min_amount_out,
            )
            for step in self.swaps
        ]
        if self._wraps:
            calls.append(made.close_temporary(self.payer, self.seed))
        return calls


def seed_of(order: Order) -> str:
    """Return what names the temporary account of an order's attempt, 32 letters at most."""
    return sha256(f"{order.order_id}|{order.seq}|{order.lease_by}".encode()).hexdigest()[:32]


def _bins(pool: DlmmPool, token_in: str, amount: int) -> int:
    try:
        return len(pool.swap_exact_in(amount, token_in == pool.token_x).per_bin)
    except MarketError:
        return 0


def check(message: bytes, plan: Plan) -> None:
    """Raise TransactionRefused unless a message does what the order says, and nothing else.

    It is read anew from its bytes, whoever built them. Programs, instructions and accounts are
    those of this list, the payer pays, and what is sold and paid is no more than was ordered.
    """
    try:
        if 1 + SIGNATURE_SIZE + len(message) > MAX_WIRE:
            raise _Refusal(f"it is longer than {MAX_WIRE} bytes")
        told = read(message)
        if told.payer != plan.payer:
            raise _Refusal("somebody else pays")
        _Check(plan).calls(told.calls)
    except (_Refusal, BadMessage, struct.error) as error:
        raise TransactionRefused(f"not signed: {error}") from error


class _Refusal(EngineError):
    pass


class _Check:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.units, self.price = 0, 0
        self.left = list(plan.swaps)
        self.seen: set[bytes] = set()
        self.temporary = made.temporary_account(plan.payer, plan.seed)

    def calls(self, calls: Sequence[Call]) -> None:
        programs = {
            COMPUTE_BUDGET: self._budget,
            SYSTEM: self._create,
            SPL_TOKEN: self._token,
            ASSOCIATED: self._associated,
        }
        swapping = {PROGRAMS[found.listing.kind] for found in self.plan.pools.values()}
        for call in calls:
            if call.program in programs:
                programs[call.program](call)
            elif call.program in swapping:
                self._swap(call)
            else:
                raise _Refusal(f"it calls {call.program}")
        if self.left:
            raise _Refusal("it does not swap all of the route")
        if -(-self.units * self.price // _MICRO) > self.plan.priority_fee:
            raise _Refusal("it pays more than the cap to be taken sooner")
        wraps = SOL.symbol in (self.plan.order.token_in, self.plan.order.token_out)
        if wraps != (made.CREATE_WITH_SEED in self.seen) or wraps != (
            made.CLOSE_ACCOUNT in self.seen
        ):
            raise _Refusal("it does not open and close its account of wrapped SOL")

    def _once(self, kind: bytes) -> None:
        if kind in self.seen:
            raise _Refusal("it does the same twice")
        self.seen.add(kind)

    def _budget(self, call: Call) -> None:
        self._once(b"budget" + call.data[:1])
        if call.data[:1] == made.SET_LIMIT:
            (self.units,) = struct.unpack("<I", call.data[1:])
        elif call.data[:1] == made.SET_PRICE:
            (self.price,) = struct.unpack("<Q", call.data[1:])
        else:
            raise _Refusal("it asks the budget for something else")

    def _create(self, call: Call) -> None:
        self._once(made.CREATE_WITH_SEED)
        sold = self.plan.order.token_in == SOL.symbol
        amount = self.plan.order.terms.amount if sold else 0
        expected, _ = made.open_temporary(self.plan.payer, self.plan.seed, amount)
        self._same(call, expected, "wraps more or other than what is sold")

    def _token(self, call: Call) -> None:
        self._once(call.data[:1])
        if call.data[:1] == made.INITIALIZE_ACCOUNT_3:
            _, expected = made.open_temporary(self.plan.payer, self.plan.seed, 0)
        else:
            expected = made.close_temporary(self.plan.payer, self.plan.seed)
        self._same(call, expected, "moves tokens by itself")

    def _associated(self, call: Call) -> None:
        self._once(b"associated")
        expected = made.create_associated(self.plan.payer, self.plan.order.terms.buy.mint)
        self._same(call, expected, "opens another account than that of what is bought")

    def _swap(self, call: Call) -> None:
        for step in self.left:
            expected = made.swap(
                self.plan.pools[step.program],
                self.plan.order.token_in,
                self.plan.payer,
                self.plan.source,
                self.plan.destination,
                step.amount_in,
                step.min_amount_out,
            )
            if _said(call) == _said(expected):
                self.left.remove(step)
                break
        else:
            raise _Refusal("it swaps something else than the route")
        sold = sum(step.amount_in for step in self.plan.swaps)
        if sold > self.plan.order.terms.amount:
            raise _Refusal("it sells more than was ordered")

    @staticmethod
    def _same(call: Call, expected: Call, otherwise: str) -> None:
        if _said(call) != _said(expected):
            raise _Refusal(f"it {otherwise}")


def _said(call: Call) -> tuple[str, tuple[str, ...], bytes]:
    """Return whom a call names and what it says; who signs, the whole message decides."""
    return call.program, tuple(meta.address for meta in call.accounts), call.data
