"""What the commands say, and what they say of what they can't do."""

import signal
from pathlib import Path

import pytest

from engine.domain.errors import StoreUnavailable
from engine.domain.terms import OrderType
from local import __main__ as commands
from local import demo, smoke, up
from local.errors import CloudFailed, PortTaken, Refused
from local.signals import Stopped, stop_on_signals

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


def test_the_demo_tells_of_every_type():
    assert set(commands.TYPES) == set(demo.STORIES) == set(OrderType)


def test_what_is_kept_needs_a_port_to_be_found_again_by():
    with pytest.raises(Refused, match="KEEP=1 needs a PORT"):
        up.serve(0, "none", "", keep=True)


@pytest.mark.parametrize(
    ("line", "said", "there_is"),
    [
        ("up --cloud xyz", "CLOUD: invalid choice: 'xyz'", "localstack"),
        ("up --auth xyz", "AUTH: invalid choice: 'xyz'", "api-key"),
        ("up --port=-1", "PORT: '-1' is no port", "0 to 65535"),
        ("up --port 65536", "PORT: '65536' is no port", "0 to 65535"),
        ("key ann --port http", "PORT: 'http' is no port", "0 to 65535"),
        ("cloud --cloud-port http", "CLOUD_PORT: 'http' is no port", "0 to 65535"),
        ("demo --type xyz", "TYPE: invalid choice: 'xyz'", "trailingStop"),
        ("deploy xyz", "ENV: invalid choice: 'xyz'", "containers"),
    ],
)
def test_what_is_not_known_is_named_as_make_does_with_what_there_is(line, said, there_is, capsys):
    with pytest.raises(SystemExit) as ended:
        commands.parser().parse_args(line.split())
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(said)
    assert there_is in complaint


@pytest.mark.parametrize(
    ("line", "name"), [("smoke", "ENGINE_URL"), ("routes stack", "AWS_ENDPOINT_URL")]
)
def test_a_variable_that_is_missing_or_no_address_is_named(line, name, monkeypatch):
    asked = commands.parser().parse_args(line.split())
    monkeypatch.delenv(name, raising=False)
    with pytest.raises(Refused, match=f"{name} is not set"):
        asked.do(asked)
    monkeypatch.setenv(name, "localhost:3000")
    with pytest.raises(Refused, match=f"{name}=localhost:3000 is no address"):
        asked.do(asked)


def test_an_error_says_what_to_do_and_a_bug_stays_a_traceback():
    def said(line: str, error: Exception) -> str | None:
        return commands.told(error, commands.parser().parse_args(line.split()))

    assert (
        said("up", PortTaken("port 1 is taken")) == "port 1 is taken; choose another with PORT=..."
    )
    assert str(said("cloud", PortTaken("taken"))).endswith("CLOUD_PORT=...")
    assert said("up", CloudFailed("it ended", Path("a.log"))) == "it ended\nSee a.log"
    assert (
        said("key ann", StoreUnavailable("the table did not answer")) == "the table did not answer"
    )
    assert said("up", KeyError("a bug")) is None


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
