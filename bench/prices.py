"""List prices of us-east-1, without free tiers and discounts for volume.

Looked up on 2026-11-22 in public copies of differing age: check them at the pages named.
"""

from enum import Enum

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

    @property
    def dollars(self) -> float:
        return self.value[0]
