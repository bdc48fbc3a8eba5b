"""What the local chain says of each transaction, in the words of the simulated one's ledger."""

from collections.abc import Mapping, Sequence

from engine.adapters.codec import to_ms
from engine.adapters.solana import layouts
from engine.domain.order import Order, Transaction
from engine.domain.tokens import SOL, Token
from local.solana.localnet import Localnet
from local.solana.node import Entry, Faults

#: A call that is never answered takes all of a caller's time: so many times fewer.
_RARER = 4


def faults(percent: int) -> Faults:
    """Return a node's troubles, each so often."""
    return Faults(
        lose=percent,
        delay=percent,
        double=percent,
        fork=percent,
        ahead=percent,
        refuse=percent,
        stall=percent // _RARER,
    )


def ledger(chain: Localnet, states: Mapping[str, Sequence[Order]]) -> dict[str, Mapping[str, str]]:
    """Return what became of all that landed, and of all that was signed; see `History.ledger`."""
    signed: dict[str, tuple[Order, Transaction]] = {}
    for each in states.values():
        for state in each:
            if state.transaction:
                signed[state.transaction.signature] = state, state.transaction
    entries: dict[str, Mapping[str, str]] = {}
    for signature, landed in chain.node.landed.items():
        told = {"at": str(to_ms(chain.node.time_of(landed.slot)))}
        order = signed[signature][0] if signature in signed else None
        if order:
            told["order"] = order.order_id
        if landed.outcome.error:
            told["code"] = str(landed.outcome.error)
        else:
            told["out"] = str(_got(chain, landed, order.terms.buy) if order else 0)
        entries[signature] = told
    for signature, (_, transaction) in signed.items():
        expired = chain.node.passed(transaction.last_valid_height or 0)
        if signature not in entries and expired < chain.node.clock.now():
            entries[signature] = {"expired": str(to_ms(expired))}
    return entries


def _got(chain: Localnet, landed: Entry, token: Token) -> int:
    """Return what the wallet had more of a token after a transaction, fees aside."""
    wallet, outcome = str(chain.wallet), landed.outcome
    if token == SOL:
        one, other = outcome.before[wallet], outcome.after[wallet]
        held = [account.lamports if account else 0 for account in (one, other)]
        return held[1] - held[0] + outcome.fee
    address = layouts.associated_account(wallet, token.mint)
    amounts = [
        int(layouts.TOKEN_ACCOUNT.decode(account.data)["amount"]) if account else 0
        for account in (outcome.before.get(address), outcome.after.get(address))
    ]
    return amounts[1] - amounts[0]
