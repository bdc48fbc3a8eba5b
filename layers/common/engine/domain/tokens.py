"""The tokens that trade here: symbol, mint, decimals."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.domain.triggers import Side


class Fault(StrEnum):
    """What a test token makes go wrong, on purpose."""

    NO_QUOTES = "no-quotes"
    SLIPPAGE = "slippage"
    FIRST_SEND_LOST = "first-send-lost"


@dataclass(frozen=True, slots=True)
class Token:
    """A token; amounts of it are integers in base units, 10**-`decimals` of one token."""

    symbol: str
    mint: str
    decimals: int

    @property
    def fault(self) -> Fault | None:
        """What trading it is meant to show, whether or not it is listed any more."""
        return FAULTS.get(self.mint)


SOL = Token("SOL", "So11111111111111111111111111111111111111112", 9)
USDC = Token("USDC", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6)
USDT = Token("USDT", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6)
RAY = Token("RAY", "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R", 6)
JUP = Token("JUP", "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN", 6)
BONK = Token("BONK", "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5)

#: Test tokens: no mint on any chain; each trades against USDC and fails in its own way.
XFAIL = Token("XFAIL", "Fai1111111111111111111111111111111111111111", 6)
XSLIP = Token("XSLIP", "S1ip111111111111111111111111111111111111111", 6)
XDROP = Token("XDROP", "Drop111111111111111111111111111111111111111", 6)
FAULTS: dict[str, Fault] = {
    XFAIL.mint: Fault.NO_QUOTES,
    XSLIP.mint: Fault.SLIPPAGE,
    XDROP.mint: Fault.FIRST_SEND_LOST,
}

#: What is listed now. An order carries its own tokens: only what is new is looked up here.
TOKENS: dict[str, Token] = {
    token.symbol: token for token in (SOL, USDC, USDT, RAY, JUP, BONK, XFAIL, XSLIP, XDROP)
}

#: Base and quote token of every pool; either side may be sold.
PAIRS: tuple[tuple[Token, Token], ...] = (
    (SOL, USDC),
    (USDT, USDC),
    (RAY, USDC),
    (JUP, USDC),
    (BONK, USDC),
    (SOL, USDT),
    (RAY, SOL),
    (XFAIL, USDC),
    (XSLIP, USDC),
    (XDROP, USDC),
)


#: What a token that launches trades against.
LAUNCH_QUOTE = USDC


def pair_name(base: Token, quote: Token) -> str:
    """Return a pair as it is listed, BASE/QUOTE."""
    return f"{base.symbol}/{quote.symbol}"


def listed_pairs(
    *, test_tokens: bool, launched: Iterable[Token] = ()
) -> dict[str, tuple[Token, Token]]:
    """Return the pairs that trade here by their names; those of test tokens only if asked for."""
    return {
        pair_name(base, quote): (base, quote)
        for base, quote in (*PAIRS, *((token, LAUNCH_QUOTE) for token in launched))
        if test_tokens or not (base.fault or quote.fault)
    }


def pair_of(token_in: Token, token_out: Token) -> tuple[Token, Token] | None:
    """Return the pair (base, quote) that trades the two tokens, whichever is sold, or None."""
    for pair in PAIRS:
        if pair in ((token_in, token_out), (token_out, token_in)):
            return pair
    for base, quote in ((token_in, token_out), (token_out, token_in)):
        if quote == LAUNCH_QUOTE and launched(base):
            return base, quote
    return None


def side_of(sell: Token, buy: Token) -> Side:
    """Return on which side of their pair it is to sell one token for another."""
    if launched(buy) and sell == LAUNCH_QUOTE:
        return Side.BUY
    return Side.BUY if (buy.symbol, sell.symbol) in _LISTED else Side.SELL


def launched(token: Token) -> bool:
    """Tell whether a token is none of those that always trade: it has launched, or may yet."""
    return token.symbol not in TOKENS


_LISTED = frozenset((base.symbol, quote.symbol) for base, quote in PAIRS)
