"""What `make demo` and `make up` say."""

import signal

import pytest

from local import smoke
from local.signals import Stopped, stop_on_signals
from local.up import port

CONFIRMED = {
    "tokenIn": "SOL",
    "tokenOut": "USDC",
    "quotes": [
        {
            "venue": "raydium",
            "amountOut": "163.09",
            "price": "163.09",
            "fee": "0.0025",
            "priceImpactBps": 1,
        },
        {"venue": "meteora", "error": "VENUE_TIMEOUT"},
    ],
    "route": {"legs": [{"venue": "raydium"}], "reason": "the only venue that gave a quote"},
    "minAmountOut": "162.28",
    "amountOut": "163.05",
    "executedPrice": "163.05",
    "txHash": "5Kz",
    "error": None,
}


def test_the_summary_names_both_quotes_the_venue_and_why_the_price_and_the_transaction():
    text = smoke.summary(CONFIRMED)
    for said in (
        "raydium: 163.09 USDC",
        "meteora: VENUE_TIMEOUT",
        "the only venue that gave a quote",
        "163.05 USDC per SOL",
        "5Kz",
    ):
        assert said in text


def test_the_summary_of_a_failure_ends_with_its_reason():
    failed = CONFIRMED | {
        "quotes": [],
        "route": None,
        "amountOut": None,
        "txHash": None,
        "error": {"code": "VENUES_UNAVAILABLE", "detail": "no quote"},
    }
    assert smoke.summary(failed) == "  error   VENUES_UNAVAILABLE: no quote"


def test_a_refusal_names_the_fields():
    problem = {
        "code": "INVALID_ORDER",
        "detail": "See amount.",
        "errors": [{"pointer": "/amount", "code": "TOO_SMALL", "detail": "must be above zero"}],
    }
    assert smoke.refusal(problem) == "INVALID_ORDER: /amount must be above zero"
    assert smoke.refusal({"code": "THROTTLED", "detail": "Later."}) == "THROTTLED: Later."


@pytest.mark.parametrize("text", ["-1", "65536", "http"])
def test_a_port_is_a_port(text):
    with pytest.raises(ValueError, match=text):
        port(text)
    assert port("0") == 0


def test_the_first_signal_stops_and_the_next_ones_wait():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        stop_on_signals()
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
