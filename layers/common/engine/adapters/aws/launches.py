"""The launches of the last hour, as one row of the table."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from engine.adapters.aws.table import Refused, Table, attribute, key
from engine.adapters.codec import decoding, from_ms, text, to_ms, whole
from engine.domain.errors import QueueUnavailable
from engine.domain.launches import Launch

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_PK, _SK = "LAUNCHES", "LAUNCHES"
#: How long a launch is kept: as long as any sniper may want one to be new.
KEPT = timedelta(hours=1)
#: The most that are kept, of some 120 bytes each; of more, the oldest are forgotten.
MAX_KEPT = 1_000


@dataclass(slots=True, eq=False, repr=False)
class DynamoLaunches:
    """What a table knows of launches."""

    table: Table

    def find(self, awaited: str) -> Launch | None:
        return next((each for each in reversed(self._read()[1]) if each.answers(awaited)), None)

    def since(self, at: datetime) -> Sequence[Launch]:
        return [each for each in self._read()[1] if each.at >= at]

    def add(self, launch: Launch, *, now: datetime) -> Launch:
        while True:
            version, known = self._read()
            for each in known:
                if each.mint == launch.mint:
                    return each
            kept = sorted([*known, launch], key=lambda each: each.at)
            kept = [each for each in kept if each.at > now - KEPT][-MAX_KEPT:]
            if put_versioned(self.table, _PK, _SK, "launches", encode_launches(kept), version):
                return launch

    def _read(self) -> tuple[int, list[Launch]]:
        item = self.table.get(_PK, _SK)
        if item is None:
            return 0, []
        with decoding("the launches"):
            return int(item["version"]["N"]), decode_launches(item["launches"]["S"])


@dataclass(slots=True, eq=False, repr=False)
class SqsLaunchCalls:
    """The ticker's queue, made when it is needed."""

    client: "Callable[[], SQSClient]"
    queue_url: Callable[[], str]

    def launched(self, mint: str, *, delay: int = 0) -> None:
        try:
            self.client().send_message(
                QueueUrl=self.queue_url(),
                MessageBody=json.dumps({"launches": [mint]}),
                DelaySeconds=delay,
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable("the launch was not handed on") from error


def put_versioned(table: Table, pk: str, sk: str, name: str, written: str, version: int) -> bool:
    """Write a row of one text, one version on; tell whether nobody else was first."""
    item = {**key(pk, sk), "version": attribute(version + 1), name: attribute(written)}
    try:
        if version:
            table.put(item, "version = :version", version=version)
        else:
            table.put(item, "attribute_not_exists(pk)")
    except Refused as refused:
        return refused.standing == item  # written by an unanswered call of ours
    return True


def read_launches(body: str) -> frozenset[str]:
    """Return the mints of the launches that a message names. Raises Undecodable."""
    with decoding("a message to the ticker"):
        return frozenset(text(mint) for mint in json.loads(body).get("launches", ()))


def launch_row(launch: Launch) -> list[object]:
    return [launch.mint, launch.symbol, launch.decimals, to_ms(launch.at), launch.source]


def launch_of(row: list[object]) -> Launch:
    mint, symbol, decimals, at, source = row
    return Launch(text(mint), text(symbol), whole(decimals, 0, 18), from_ms(at), text(source))


def encode_launches(launches: Sequence[Launch]) -> str:
    return json.dumps([launch_row(each) for each in launches], separators=(",", ":"))


def decode_launches(written: str) -> list[Launch]:
    return [launch_of(row) for row in json.loads(written)]
