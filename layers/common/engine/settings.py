"""The environment, read once into one frozen value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from engine.domain.order import Network, Settlement

T = TypeVar("T")


class MissingSetting(RuntimeError):
    """A function asked for a setting that its environment does not have, or not as it must be."""


@dataclass(frozen=True, slots=True)
class SolanaSettings:
    """How a real chain is met; `pools` names the file of pools, None: the layer's own.

    `max_priority_fee` is the most, in lamports, that a transaction pays to be taken sooner.
    `signer_key_id` is the KMS key that signs, which only the worker has, and only when it is live.
    """

    rpc_url: str
    pools: str | None
    signer_key_id: str | None
    max_priority_fee: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator turns; see the template's parameters. Delays are seconds.

    What is None by default only some functions have; `needed` is how they ask for it.
    """

    table_name: str
    order_queue_url: str | None
    dead_letter_queue_url: str | None
    tick_queue_url: str | None
    websocket_api_id: str | None
    websocket_stage: str | None
    simulation_seed: int
    simulated_faults: bool
    quote_delay: tuple[float, float]
    confirm_delay: tuple[float, float]
    chain_fault_rate: float
    order_deadline: timedelta
    tick: timedelta
    min_split_gain_bps: int
    keys_required: bool
    #: The orders that an account may place a minute; 0: as many as it likes.
    orders_per_minute: int
    #: The orders of an account that may rest.
    resting_orders_per_account: int
    #: The stream connections that an account may make a minute; 0: as many as it likes.
    connects_per_minute: int
    #: The least and the most that an order may be worth; 0: no bound.
    order_dollars: tuple[Decimal, Decimal]
    #: How old a reference price may be to trigger anything.
    stale_price: timedelta
    region: str
    #: Where the embedded cloud stands, if that is where we are.
    endpoint_url: str | None
    settlement: Settlement = Settlement.SIMULATED
    #: What the functions' log groups are called, before the functions' names.
    log_groups: str | None = None
    #: Where the secrets of the sources of signals stand; None: there are none.
    signal_path: str | None = None
    #: None in the simulated network.
    solana: SolanaSettings | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the environment. Raises MissingSetting, also for what is not a number."""

        def number(name: str, default: int) -> int:
            text = environment.get(name, "")
            try:
                return int(text) if text else default
            except ValueError:
                raise MissingSetting(f"{name} is not a whole number") from None

        def seconds(minimum: str, maximum: str, *default: int) -> tuple[float, float]:
            return number(minimum, default[0]) / 1000, number(maximum, default[1]) / 1000

        keys_required = environment.get("AUTH", "api-key") != "none"
        settlement, solana = _network(environment, number)
        return cls(
            table_name=needed(environment.get("TABLE_NAME"), "TABLE_NAME"),
            order_queue_url=environment.get("ORDER_QUEUE_URL"),
            dead_letter_queue_url=environment.get("DEAD_LETTER_QUEUE_URL"),
            tick_queue_url=environment.get("TICK_QUEUE_URL"),
            websocket_api_id=environment.get("WEBSOCKET_API_ID"),
            websocket_stage=environment.get("WEBSOCKET_STAGE"),
            simulation_seed=number("SIMULATION_SEED", 0),
            # Nobody moves the prices of a real chain, and no test token trades there.
            simulated_faults=environment.get("SIMULATED_FAULTS", "off") == "on" and not solana,
            quote_delay=seconds("QUOTE_DELAY_MIN_MS", "QUOTE_DELAY_MAX_MS", 200, 400),
            confirm_delay=seconds("CONFIRM_DELAY_MIN_MS", "CONFIRM_DELAY_MAX_MS", 400, 800),
            chain_fault_rate=number("CHAIN_FAULT_PERCENT", 0) / 100,
            order_deadline=timedelta(seconds=number("ORDER_DEADLINE_SECONDS", 120)),
            tick=timedelta(milliseconds=number("TICK_MS", 500)),
            min_split_gain_bps=number("MIN_SPLIT_GAIN_BPS", 5),
            keys_required=keys_required,
            orders_per_minute=number("ORDERS_PER_MINUTE", 100) if keys_required else 0,
            resting_orders_per_account=number("RESTING_ORDERS_PER_ACCOUNT", 200),
            connects_per_minute=number("CONNECTS_PER_MINUTE", 60) if keys_required else 0,
            order_dollars=(
                Decimal(number("MIN_ORDER_USD", 0)),
                Decimal(number("MAX_ORDER_USD", 0)),
            ),
            stale_price=timedelta(seconds=number("STALE_PRICE_SECONDS", 10)),
            region=environment.get("AWS_REGION", ""),
            endpoint_url=environment.get("AWS_ENDPOINT_URL"),
            settlement=settlement,
            log_groups=environment.get("LOG_GROUPS"),
            signal_path=environment.get("SIGNAL_PATH") or None,
            solana=solana,
        )

    @property
    def signs(self) -> bool:
        """Whether new transactions are signed here: live, only where the key is known."""
        live = self.settlement is Settlement.LIVE
        return not live or bool(self.solana and self.solana.signer_key_id)

    @property
    def stream_url(self) -> str:
        """The WebSocket API's address for a page; empty where one door stands before both APIs."""
        if self.endpoint_url or not (self.websocket_api_id and self.websocket_stage):
            return ""
        url = self.connections_url(self.websocket_api_id, self.websocket_stage)
        return url.replace("https:", "wss:", 1)

    def connections_url(self, api_id: str, stage: str) -> str:
        """Return the address below which a WebSocket API's `@connections` stands."""
        if self.endpoint_url:
            return f"{self.endpoint_url.rstrip('/')}/_aws/execute-api/{api_id}/{stage}"
        return f"https://{api_id}.execute-api.{self.region}.amazonaws.com/{stage}"


def _network(
    environment: Mapping[str, str], number: Callable[[str, int], int]
) -> tuple[Settlement, SolanaSettings | None]:
    """Return how orders are settled, and how the chain is met if it is a real one.

    Raises MissingSetting unless what trades with money has all that bounds it.
    """
    network = environment.get("NETWORK") or Network.SIMULATED
    if network == Network.SIMULATED:
        return Settlement.SIMULATED, None
    if network != Network.SOLANA:
        raise MissingSetting(f"NETWORK is simulated or solana, not {network!r:.40}")
    settlement = environment.get("SETTLEMENT") or Settlement.PAPER
    if settlement not in (Settlement.PAPER, Settlement.LIVE):
        raise MissingSetting(f"SETTLEMENT is paper or live, not {settlement!r:.40}")
    if settlement == Settlement.LIVE:
        low, high = number("MIN_ORDER_USD", 0), number("MAX_ORDER_USD", 0)
        bounds = {
            "ORDER_DEADLINE_SECONDS": number("ORDER_DEADLINE_SECONDS", 0) > 0,
            "MIN_ORDER_USD": low > 0,
            "MAX_ORDER_USD": high >= max(low, 1),
            "MAX_PRIORITY_FEE_LAMPORTS": number("MAX_PRIORITY_FEE_LAMPORTS", 0) > 0,
        }
        if missing := [name for name, given in bounds.items() if not given]:
            raise MissingSetting(
                f"SETTLEMENT=live trades with money, and refuses to without {', '.join(missing)}"
            )
    solana = SolanaSettings(
        needed(environment.get("SOLANA_RPC_URL") or None, "SOLANA_RPC_URL"),
        environment.get("SOLANA_POOLS") or None,
        environment.get("SIGNER_ID") or None,
        number("MAX_PRIORITY_FEE_LAMPORTS", 0),
    )
    return Settlement(settlement), solana


def needed(value: T | None, name: str) -> T:
    """Return a value that the environment should have under `name`. Raises MissingSetting."""
    if value is None:
        raise MissingSetting(f"the environment has no {name}")
    return value
