"""What a process makes: AWS's clients, once and only those it needs; after a snapshot all anew."""

import importlib
import pkgutil
import random
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import boto3
import pytest
from snapshot_restore_py import get_after_restore, get_before_snapshot

import engine as package
from engine.bootstrap import engine
from engine.domain.order import Settlement
from engine.settings import MissingSetting, Settings

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "TABLE_NAME": "orders",
    "TICK_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/ticks",
    "ORDER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/orders",
    "WEBSOCKET_API_ID": "abc",
    "WEBSOCKET_STAGE": "live",
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The clients as they are made, in the environment of a function."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    clients: list[Any] = []

    class Session(boto3.Session):
        def client(self, *args: Any, **kwargs: Any) -> Any:
            client: Any = super().client(*args, **kwargs)
            clients.append(client)
            return client

    monkeypatch.setattr(boto3, "Session", Session)
    engine.cache_clear()
    yield clients
    engine.cache_clear()


# Clients


@pytest.mark.parametrize(
    ("function", "services"),
    [
        ("http_api", ["dynamodb", "sqs"]),
        ("work", ["dynamodb", "sqs"]),
        ("sockets", ["dynamodb"]),
        ("stream", ["apigatewaymanagementapi", "dynamodb"]),
        ("reconciliation", ["dynamodb", "sqs"]),
    ],
)
def test_a_function_makes_the_clients_it_needs_once(
    made: list[Any], function: str, services: list[str]
) -> None:
    assert getattr(engine(), function) is getattr(engine(), function)
    assert sorted(client.meta.service_model.service_name for client in made) == services


def test_no_call_waits_longer_or_is_tried_more_often_than_a_function_can_afford(
    made: list[Any],
) -> None:
    assert engine().http_api
    for client in made:
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (1, 3)
        assert config.retries == {"total_max_attempts": 3, "mode": "standard"}


def test_frames_are_answered_by_one_client_an_address(made: list[Any]) -> None:
    push_to = engine().sockets.push_to
    assert push_to("abc", "live") is push_to("abc", "live")
    (_, push) = made
    assert push.meta.endpoint_url == "https://abc.execute-api.eu-west-1.amazonaws.com/live"


# Snapshots


def prepare(function: str) -> None:
    """Import a function and run, as Lambda does, what it wants done before a snapshot."""
    already = len(get_before_snapshot())
    spec = spec_from_file_location(f"{function}_app", ROOT / "functions" / function / "app.py")
    assert spec
    assert spec.loader
    spec.loader.exec_module(module_from_spec(spec))
    hooks: list[Any] = get_before_snapshot()
    for call, args, kwargs in reversed(hooks[already:]):
        call(*args, **kwargs)
    del hooks[already:]


def restore() -> None:
    hooks: list[Any] = get_after_restore()
    for call, args, kwargs in hooks:
        call(*args, **kwargs)


@pytest.mark.parametrize("function", ["execute", "ws_connect"])
def test_a_restored_process_has_made_all_that_it_imports_and_nothing_that_ages(
    made: list[Any], function: str
) -> None:
    """No socket opens in unit tests, so nothing was connected before the snapshot either."""
    prepare(function)
    before, clients = engine(), list(made)
    assert clients
    restore()
    after = engine()
    assert after is not before
    assert set(vars(after)) == {"settings", "adapters"}
    assert after.http_api
    assert not {id(client) for client in made[len(clients) :]} & {id(each) for each in clients}


def test_a_restored_process_sees_the_settings_and_credentials_of_its_own_time(
    made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare("execute")
    monkeypatch.setenv("TABLE_NAME", "another")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fresh")
    restore()
    assert engine().settings.table_name == "another"
    assert engine().http_api
    signed = made[-1].generate_presigned_url("get_queue_url", Params={"QueueName": "orders"})
    assert "X-Amz-Credential=fresh" in signed


def test_two_processes_of_one_snapshot_draw_different_numbers(made: list[Any]) -> None:
    prepare("execute")
    snapshot = random.getstate()
    restore()
    drawn = random.random(), engine().adapters.chance.token_bytes()
    random.setstate(snapshot)
    restore()
    assert random.random() != drawn[0]
    assert engine().adapters.chance.token_bytes() != drawn[1]


def test_only_what_never_ages_is_kept_outside_the_engine() -> None:
    kept = {
        f"{module.name}.{name}"
        for module in pkgutil.walk_packages(package.__path__, "engine.")
        for name, each in vars(importlib.import_module(module.name)).items()
        if hasattr(each, "cache_clear") and each.__module__ == module.name
    }
    pure = ("engine.market.", "engine.adapters.solana.addresses.")
    arithmetic = {name for name in kept if name.startswith(pure)}
    assert kept - arithmetic == {
        "engine.bootstrap.engine",
        "engine.bootstrap._service_descriptions",
    }


# Settings


def test_settings_are_read_once_and_frozen() -> None:
    environment = {"TABLE_NAME": "orders", "QUOTE_DELAY_MIN_MS": "100", "CHAIN_FAULT_PERCENT": ""}
    settings = Settings.of(environment)
    environment["TABLE_NAME"] = "another"
    assert settings.table_name == "orders"
    assert settings.quote_delay == (0.1, 0.4)
    assert settings.chain_fault_rate == 0
    with pytest.raises(AttributeError):
        settings.table_name = "another"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "the environment has no TABLE_NAME"),
        ({"TABLE_NAME": "t", "MAX_ORDER_USD": "lots"}, "MAX_ORDER_USD is not a whole number"),
    ],
)
def test_a_setting_that_is_missing_or_no_number_is_named(
    environment: dict[str, str], says: str
) -> None:
    with pytest.raises(MissingSetting, match=says):
        Settings.of(environment)


LIVE = {
    "TABLE_NAME": "t",
    "NETWORK": "solana",
    "SETTLEMENT": "live",
    "SOLANA_RPC_URL": "http://127.0.0.1:1",
    "ORDER_DEADLINE_SECONDS": "60",
    "MIN_ORDER_USD": "1",
    "MAX_ORDER_USD": "500",
    "MAX_PRIORITY_FEE_LAMPORTS": "10000",
}


def test_the_network_is_simulated_unless_somebody_says_otherwise() -> None:
    settings = Settings.of({"TABLE_NAME": "t", "SETTLEMENT": "live"})
    assert (settings.settlement, settings.solana) == (Settlement.SIMULATED, None)


def test_a_real_network_is_met_on_paper_unless_somebody_says_otherwise() -> None:
    known = {name: LIVE[name] for name in ("TABLE_NAME", "NETWORK", "SOLANA_RPC_URL")}
    settings = Settings.of(known | {"SIMULATED_FAULTS": "on"})
    assert settings.settlement is Settlement.PAPER
    assert settings.solana is not None
    assert settings.solana.rpc_url == LIVE["SOLANA_RPC_URL"]
    assert not settings.simulated_faults


def test_live_begins_with_all_its_bounds() -> None:
    settings = Settings.of(LIVE | {"SIGNER_ID": "key"})
    assert settings.settlement is Settlement.LIVE
    assert settings.solana is not None
    assert (settings.solana.signer_key_id, settings.solana.max_priority_fee) == ("key", 10_000)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"NETWORK": "mainnet"}, "NETWORK is simulated or solana"),
        ({"SETTLEMENT": "simulated"}, "SETTLEMENT is paper or live"),
        ({"SOLANA_RPC_URL": ""}, "no SOLANA_RPC_URL"),
        ({"ORDER_DEADLINE_SECONDS": ""}, "without ORDER_DEADLINE_SECONDS"),
        ({"MIN_ORDER_USD": "0"}, "without MIN_ORDER_USD"),
        ({"MAX_ORDER_USD": "0"}, "without MAX_ORDER_USD"),
        ({"MAX_PRIORITY_FEE_LAMPORTS": "0"}, "without MAX_PRIORITY_FEE_LAMPORTS"),
    ],
)
def test_live_refuses_to_start_without_what_bounds_it(changed: dict[str, str], says: str) -> None:
    with pytest.raises(MissingSetting, match=says):
        Settings.of(LIVE | changed)


def test_without_keys_nobody_counts_orders() -> None:
    assert Settings.of({"TABLE_NAME": "t", "AUTH": "none"}).orders_per_minute == 0
    assert Settings.of({"TABLE_NAME": "t"}).orders_per_minute == 100
