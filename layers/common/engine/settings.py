"""The environment, read once into one frozen model."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


class MissingSetting(RuntimeError):
    """A function asked for a setting that its environment does not have."""


@dataclass(slots=True, eq=False, repr=False)
class Settings:
    """What the operator turns; see the template's parameters. Delays are seconds."""

    environment: Mapping[str, str]

    def _text(self, name: str) -> str:
        try:
            return self.environment[name]
        except KeyError:
            raise MissingSetting(f"the environment has no {name}") from None

    def _number(self, name: str, default: int) -> int:
        text = self.environment.get(name, "")
        try:
            return int(text) if text else default
        except ValueError:
            raise MissingSetting(f"{name} is not a whole number") from None

    @property
    def table_name(self) -> str:
        return self._text("TABLE_NAME")

    @property
    def order_queue_url(self) -> str:
        return self._text("ORDER_QUEUE_URL")

    @property
    def dead_letter_queue_url(self) -> str | None:
        return self.environment.get("DEAD_LETTER_QUEUE_URL")

    @property
    def push_endpoint(self) -> str:
        """The address under which `@connections` of the WebSocket API stands."""
        return connections_url(
            self._text("WEBSOCKET_API_ID"), self._text("WEBSOCKET_STAGE"), self.environment
        )

    def push_endpoint_of(self, api_id: str, stage: str) -> str:
        return connections_url(api_id, stage, self.environment)

    @property
    def simulation_seed(self) -> int:
        return self._number("SIMULATION_SEED", 0)

    @property
    def simulated_faults(self) -> bool:
        return self.environment.get("SIMULATED_FAULTS", "off") == "on"

    @property
    def quote_delay(self) -> tuple[float, float]:
        return (
            self._number("QUOTE_DELAY_MIN_MS", 200) / 1000,
            self._number("QUOTE_DELAY_MAX_MS", 400) / 1000,
        )

    @property
    def confirm_delay(self) -> tuple[float, float]:
        return (
            self._number("CONFIRM_DELAY_MIN_MS", 400) / 1000,
            self._number("CONFIRM_DELAY_MAX_MS", 800) / 1000,
        )

    @property
    def chain_fault_rate(self) -> float:
        return self._number("CHAIN_FAULT_PERCENT", 0) / 100

    @property
    def order_deadline(self) -> timedelta:
        return timedelta(seconds=self._number("ORDER_DEADLINE_SECONDS", 120))

    @property
    def keys_required(self) -> bool:
        return self.environment.get("AUTH", "api-key") != "none"

    @property
    def orders_per_minute(self) -> int:
        """The orders that an account may place a minute; 0: as many as it likes."""
        return self._number("ORDERS_PER_MINUTE", 100) if self.keys_required else 0

    @property
    def order_dollars(self) -> tuple[Decimal, Decimal]:
        """The least and the most that an order may be worth; 0: no bound."""
        return (
            Decimal(self._number("MIN_ORDER_USD", 0)),
            Decimal(self._number("MAX_ORDER_USD", 0)),
        )

    @property
    def min_split_gain_bps(self) -> int:
        return self._number("MIN_SPLIT_GAIN_BPS", 5)


def connections_url(api_id: str, stage: str, environment: Mapping[str, str]) -> str:
    """Return the address to push to: AWS's own, or below AWS_ENDPOINT_URL where that is set."""
    endpoint = environment.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint.rstrip('/')}/_aws/execute-api/{api_id}/{stage}"
    return f"https://{api_id}.execute-api.{environment.get('AWS_REGION', '')}.amazonaws.com/{stage}"
