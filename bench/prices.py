"""List prices of us-east-1, without free tiers and discounts for volume.

Looked up on 2026-11-22 in public copies of differing age: check them at the pages named.
"""

from dataclasses import dataclass

DATE = "2026-11-22"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Price:
    """A price, what it is for, and the page that has it."""

    dollars: float
    unit: str
    page: str


_DYNAMODB = "aws.amazon.com/dynamodb/pricing/on-demand"
_PROVISIONED = "aws.amazon.com/dynamodb/pricing/provisioned"
_LAMBDA = "aws.amazon.com/lambda/pricing"
_GATEWAY = "aws.amazon.com/api-gateway/pricing"
WRITE = Price(0.625, "million write request units", _DYNAMODB)
READ = Price(0.125, "million read request units", _DYNAMODB)
WRITE_HOUR = Price(0.00065, "write capacity unit, an hour", _PROVISIONED)
READ_HOUR = Price(0.00013, "read capacity unit, an hour", _PROVISIONED)
INVOCATION = Price(0.20, "million Lambda requests", _LAMBDA)
GB_SECONDS = Price(13.3334, "million GB-seconds of Lambda on arm64", _LAMBDA)
QUEUE = Price(0.40, "million SQS requests, standard queue", "aws.amazon.com/sqs/pricing")
HTTP = Price(1.00, "million requests of an HTTP API", _GATEWAY)
MESSAGE = Price(1.00, "million WebSocket messages of up to 32 KB", _GATEWAY)
MINUTE = Price(0.25, "million WebSocket connection minutes", _GATEWAY)
LOGS = Price(0.50, "GB of logs ingested", "aws.amazon.com/cloudwatch/pricing")

ALL = (
    WRITE,
    READ,
    WRITE_HOUR,
    READ_HOUR,
    INVOCATION,
    GB_SECONDS,
    QUEUE,
    HTTP,
    MESSAGE,
    MINUTE,
    LOGS,
)
