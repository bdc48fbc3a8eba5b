"""What a million orders cost, each watched by one client: counted, times list prices.

The prices are those of us-east-1, without free tiers and discounts for volume; looked up in public
copies of differing age: check them at the pages named.
"""

import random
from dataclasses import dataclass
from enum import Enum
from statistics import mean

from bench.figures import Figures
from bench.stage import Stage
from bench.template import count, memory_gb, series

DATE = "2026-11-22"
REGION = "us-east-1"


class Price(Enum):
    """A price in dollars, what it is for, and the page of aws.amazon.com that has it."""

    WRITE = 0.625, "million write request units", "dynamodb/pricing/on-demand"
    READ = 0.125, "million read request units", "dynamodb/pricing/on-demand"
    WRITE_HOUR = 0.00065, "write capacity unit, an hour", "dynamodb/pricing/provisioned"
    READ_HOUR = 0.00013, "read capacity unit, an hour", "dynamodb/pricing/provisioned"
    INVOCATION = 0.20, "million Lambda requests", "lambda/pricing"
    GB_SECONDS = 13.3334, "million GB-seconds of Lambda on arm64", "lambda/pricing"
    QUEUE = 0.40, "million SQS requests, standard queue", "sqs/pricing"
    HTTP = 1.00, "million requests of an HTTP API", "api-gateway/pricing"
    MESSAGE = 1.00, "million WebSocket messages of up to 32 KB", "api-gateway/pricing"
    MINUTE = 0.25, "million WebSocket connection minutes", "api-gateway/pricing"
    LOGS = 0.50, "GB of logs ingested", "cloudwatch/pricing"
    METRIC = 0.30, "custom metric, a month, of the first 10,000", "cloudwatch/pricing"
    DASHBOARD = 3.00, "dashboard, a month", "cloudwatch/pricing"
    ALARM = 0.10, "alarm of standard resolution, a month", "cloudwatch/pricing"
    COMPOSITE = 0.50, "composite alarm, a month", "cloudwatch/pricing"

    @property
    def dollars(self) -> float:
        return self.value[0]


#: A function has a whole processor at 1,769 MB, and less in proportion.
PROCESSOR_GB = 1769 / 1024
#: What a call takes on AWS, assumed: DynamoDB answers in single-digit milliseconds.
CALL_MS = {"dynamodb": 5.0, "sqs": 10.0, "apigatewaymanagementapi": 10.0}
#: The minutes that a client stays connected.
MINUTES = 1.0
_DRAWS = 20_000
#: Of provisioned capacity, as the template scales it.
USED = 0.7


@dataclass(frozen=True, slots=True)
class Case:
    """How full the batches are, and how an order is watched.

    `changes_per_run` are a run of ws_notify's. `mine`: by one connection that hears of all the
    account's orders; else each order by a connection of its own. `provisioned`: the table's
    capacity is paid by the hour (`TableCapacity`), and the share USED of it is used.
    """

    orders_per_worker: int
    changes_per_run: float = 1.0
    mine: bool = False
    provisioned: bool = False


#: By the name that their figures begin with.
CASES = {
    "ten": Case(10),
    "ten_provisioned": Case(10, provisioned=True),
    "mine": Case(10, mine=True),
    "mine_busy": Case(10, 8, mine=True),
    "one": Case(1),
}


def batch_ms(orders: int, seed: int = 1) -> float:
    """Return the mean simulated time of the slowest of so many orders, in milliseconds."""
    dice = random.Random(seed)  # noqa: S311 - a mean

    def one() -> float:
        quotes = max(dice.uniform(200, 400), dice.uniform(200, 400))
        return quotes + dice.uniform(400, 800)

    return mean(max(one() for _ in range(orders)) for _ in range(_DRAWS // orders))


def cost(stage: Stage) -> Figures:
    """Return dollars for a million orders in every case, and what no code can make less.

    Raises Failed.
    """
    life, request, overhead = stage.results.needed("life", "request", "overhead")
    messages = overhead["messages"]
    figures: Figures = {"messages": messages}
    for name, case in CASES.items():
        lived = {**life, **life["mine"]} if case.mine else life
        heard = lived["pushes"] if case.mine else messages
        lines = of_million(case, {**lived, "pushes": heard}, request)
        figures |= {f"{name}_{what}_usd": round(usd, 2) for what, usd in lines.items()}
        figures[f"{name}_usd"] = round(sum(lines.values()), 2)
    asked = messages * Price.MESSAGE.dollars + Price.HTTP.dollars + Price.QUEUE.dollars
    figures["asked_usd"] = round(asked, 2)
    figures["order_writes_usd"] = round(life["order_write_units"] * Price.WRITE.dollars, 2)
    figures["batch_of_ten_ms"] = round(batch_ms(10))
    figures["batch_of_one_ms"] = round(batch_ms(1))
    return figures | standing()


def standing() -> Figures:
    """Return what is watched and what that costs a month, however many orders there are."""
    watched = {
        Price.METRIC: len(series()),
        Price.DASHBOARD: count("AWS::CloudWatch::Dashboard"),
        Price.ALARM: count("AWS::CloudWatch::Alarm"),
        Price.COMPOSITE: count("AWS::CloudWatch::CompositeAlarm"),
    }
    dollars = sum(price.dollars * many for price, many in watched.items())
    told = {f"{price.name.lower()}s": many for price, many in watched.items()}
    return {**told, "watching_month_usd": round(dollars, 2)}


def of_million(case: Case, life: Figures, request: Figures) -> dict[str, float]:
    """Return the dollars of a million orders, by what they are paid for."""
    runs = {
        "execute": life["execute_runs"],
        "worker": 1 / case.orders_per_worker,
        "ws_connect": life["ws_connect_runs"],
        "ws_notify": life["ws_notify_runs"] / case.changes_per_run,
    }
    writes = sum(life[f"{f}_write_units"] for f in runs)
    reads = sum(life[f"{f}_read_units"] for f in runs)
    logs = sum(life[f"{f}_log_bytes"] for f in ("execute", "ws_connect"))
    logs += life["ten_worker_log_bytes" if case.orders_per_worker > 1 else "worker_log_bytes"]
    logs += life["ws_notify_log_bytes"] / life["ws_notify_runs"] * runs["ws_notify"]
    logs += life["access_log_bytes"]
    seconds = _seconds(case, life, request, runs["ws_notify"])
    gb_seconds = sum(took * memory_gb(f) for f, took in seconds.items())
    connected = 0.0 if case.mine else MINUTES
    by_the_hour = 1e6 / 3600 / USED  # units an hour that serve a million of them
    write, read = (
        (Price.WRITE_HOUR.dollars * by_the_hour, Price.READ_HOUR.dollars * by_the_hour)
        if case.provisioned
        else (Price.WRITE.dollars, Price.READ.dollars)
    )
    return {
        "dynamodb": writes * write + reads * read,
        "lambda_time": gb_seconds * Price.GB_SECONDS.dollars,
        "lambda_requests": sum(runs.values()) * Price.INVOCATION.dollars,
        "sqs": (1 + 2 / case.orders_per_worker) * Price.QUEUE.dollars,
        "http_api": Price.HTTP.dollars,
        "websocket": life["pushes"] * Price.MESSAGE.dollars + connected * Price.MINUTE.dollars,
        "logs": logs * 1e6 / 1e9 * Price.LOGS.dollars,
    }


def _seconds(case: Case, life: Figures, request: Figures, told: float) -> dict[str, float]:
    """Return how long each function runs for one order: processor time, and waiting.

    `told` is how often `ws_notify` runs: each time it reads once who watches, and pushes to all
    clients at once.
    """
    many = case.orders_per_worker
    settle = request["settle_ten_ms" if many > 1 else "settle_ms"] * many
    waits = batch_ms(many) + life["worker_waits"] * CALL_MS["dynamodb"]
    announce = request["announce_ms" if case.changes_per_run == 1 else "announce_ten_ms"]
    telling = CALL_MS["dynamodb"] + CALL_MS["apigatewaymanagementapi"]
    connecting = 0.0 if case.mine else request["connect_ms"] + request["disconnect_ms"]
    milliseconds = {
        "execute": slowed("execute", request["place_ms"]) + _waited("execute", life),
        "worker": (slowed("worker", settle) + waits) / many,
        "ws_connect": slowed("ws_connect", connecting) + _waited("ws_connect", life),
        "ws_notify": slowed("ws_notify", announce) * life["ws_notify_runs"] + telling * told,
    }
    return {function: took / 1000 for function, took in milliseconds.items()}


def slowed(function: str, cpu_ms: float) -> float:
    """Return how long so much processor time takes with the function's share of a processor."""
    return cpu_ms * max(1.0, PROCESSOR_GB / memory_gb(function))


def _waited(function: str, life: Figures) -> float:
    """Return the milliseconds that a function's calls for one order take, one after another."""
    calls: dict[str, float] = life[f"{function}_operations"]
    return sum(CALL_MS[name.partition(".")[0]] * count for name, count in calls.items())
