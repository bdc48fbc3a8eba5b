"""The command line: what options mean, where settings come from, how failures end."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from oee import settings, terms
from oee.app import app
from oee.terms import Asked, BadTerms
from tests.unit.test_http import World

NOW = datetime(2026, 11, 27, tzinfo=UTC)


KINDS: list[tuple[Asked, dict[str, Any]]] = [
    (Asked(), {"type": "market"}),
    (Asked(slippage="0.5%"), {"type": "market", "slippageBps": 50}),
    (
        Asked(limit="180", reject_if_due=True),
        {"type": "limit", "limitPrice": "180", "ifTriggered": "reject"},
    ),
    (Asked(stop="140"), {"type": "stop", "stopPrice": "140"}),
    (
        Asked(stop="140", limit="138"),
        {"type": "stopLimit", "stopPrice": "140", "limitPrice": "138"},
    ),
    (Asked(take_profit="200"), {"type": "takeProfit", "stopPrice": "200"}),
    (
        Asked(trail="5%", activation="190"),
        {"type": "trailingStop", "trailingBps": 500, "activationPrice": "190"},
    ),
    (
        Asked(take_profit="200", stop="140", stop_slippage="300"),
        {
            "type": "oco",
            "takeProfit": {"price": "200"},
            "stopLoss": {"price": "140", "slippageBps": 300},
        },
    ),
    (
        Asked(twap="12/5m", min_price="9"),
        {"type": "twap", "parts": 12, "intervalSeconds": 300, "minPrice": "9"},
    ),
    (Asked(launch=True, max_age="30s"), {"type": "sniper", "maxAgeSeconds": 30}),
]


@pytest.mark.parametrize(("asked", "body"), KINDS, ids=lambda each: getattr(each, "kind", ""))
def test_options_make_a_kind_of_order(asked: Asked, body: dict[str, Any]) -> None:
    made = terms.order("SOL", "USDC", "1", asked)
    assert made == {"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1"} | body
    if body["type"] != "sniper":
        answer = World().post(made)
        assert (answer.status, answer.body["type"]) == (202, body["type"])


def test_a_mint_is_told_from_a_symbol() -> None:
    mint = "So11111111111111111111111111111111111111112"
    made = terms.order("SOL", mint, "1", Asked(launch=True))
    assert made["mint"] == mint
    assert "tokenOut" not in made


@pytest.mark.parametrize(
    "asked",
    [
        Asked(limit="1", take_profit="2"),
        Asked(trail="5%", stop="1"),
        Asked(twap="3/1m", limit="1"),
        Asked(limit="-1"),
        Asked(limit="nan"),
        Asked(trail="0.001%"),
        Asked(trail="x"),
        Asked(twap="3"),
        Asked(twap="3/x"),
        Asked(expires="2h"),
        Asked(limit="1", expires="2026-11-27T00:00:00"),
        Asked(limit="1", activation="2"),
        Asked(max_age="3s"),
    ],
    ids=str,
)
def test_options_that_say_nothing_are_refused(asked: Asked) -> None:
    with pytest.raises(BadTerms):
        terms.order("SOL", "USDC", "1", asked)


def test_an_expiry_is_a_time_or_how_far_away_it_is() -> None:
    assert terms.expiry("2h", NOW) == "2026-11-27T02:00:00.000Z"
    assert terms.expiry("2026-12-01T00:00:00+01:00") == "2026-12-01T00:00:00+01:00"


def test_a_change_says_prices_in_the_words_they_were_placed_with() -> None:
    assert terms.change("takeProfit", Asked(take_profit="9")) == {"stopPrice": "9"}
    assert terms.change("oco", Asked(take_profit="9")) == {"takeProfit": {"price": "9"}}
    assert terms.change("stop", Asked(stop="9")) == {"stopPrice": "9"}
    for kind, asked in (
        ("stop", Asked(take_profit="9")),
        ("takeProfit", Asked(stop="9")),
        ("stop", Asked()),
    ):
        with pytest.raises(BadTerms):
            terms.change(kind, asked)


def test_settings_are_of_options_then_the_environment_then_the_file(tmp_path: Path) -> None:
    file = tmp_path / "oee/config.toml"
    file.parent.mkdir()
    file.write_text('url = "http://file"\nws_url = "ws://file/live"\nkey = "k"\npatience = 2\n')
    env = {"XDG_CONFIG_HOME": str(tmp_path), "ENGINE_URL": "http://env/"}
    found = settings.read("http://option", None, env)
    assert found.address.url == "http://option"
    found = settings.read(None, None, env)
    assert (found.address.url, found.address.ws_url) == ("http://env", "ws://file/live")
    assert (found.address.key, found.patience) == ("k", 2)
    assert found.sources == {"url": "ENGINE_URL", "ws_url": str(file), "key": str(file)}
    assert "k'" not in repr(found)
    nothing = settings.read(None, None, {"XDG_CONFIG_HOME": str(tmp_path / "no")})
    assert nothing.address.ws_url == "ws://127.0.0.1:3000/live"


@pytest.mark.parametrize("text", ["url = 1", "colour = 'red'", "url", "url = 'ftp://x'"])
def test_a_bad_config_file_is_a_matter_of_usage(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    monkeypatch.setenv("OEE_CONFIG", str(file))
    ran = CliRunner().invoke(app, ["tokens"])
    assert ran.exit_code == 2
    assert "oee: " in ran.stderr


def test_a_config_file_that_is_named_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OEE_CONFIG", "/nowhere/config.toml")
    assert CliRunner().invoke(app, ["tokens"]).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["sell", "SOL", "USDC"],
        ["sell", "SOL", "USDC", "x"],
        ["sell", "SOL", "USDC", "1", "--limit", "1", "--trail", "5"],
        ["show"],
        ["show", "a", "--id", "b"],
        ["orders", "--status", "sleeping"],
        ["watch", "o", "--timeout", "-1"],
        ["ops", "halt"],
        ["dance"],
        ["--url", "here", "tokens"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_two(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


def test_every_command_is_told_of() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    for name in (
        "buy", "sell", "quote", "watch", "orders", "show", "change", "cancel", "cancel-all",
        "prices", "tokens", "ops", "doctor", "--install-completion",
    ):  # fmt: skip
        assert f" {name} " in shown, name
    shown = CliRunner().invoke(app, ["ops", "--help"]).stdout
    for name in ("status", "dead-letters", "redrive", "halt", "resume", "audit"):
        assert f" {name} " in shown, name


def test_the_distribution_asks_for_no_more_than_the_environment_has() -> None:
    import tomllib

    from packaging.requirements import Requirement

    root = Path(__file__).parents[3]
    asked = tomllib.loads((root / "cli/pyproject.toml").read_text())
    pinned = dict(
        line.split(" ")[0].split(";")[0].split("==")
        for line in (root / "requirements.txt").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    )
    needed = [*asked["project"]["dependencies"], *asked["build-system"]["requires"]]
    for each in map(Requirement, needed):
        assert each.specifier.contains(pinned[each.name.replace("_", "-")]), each
    assert json.dumps(asked["project"]["scripts"]) == '{"oee": "oee.app:main"}'
