"""What can't be decoded, in a queue, a row or a record, stops none of its neighbours."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.aws import orders as rows
from engine.adapters.aws.orders import DynamoOrders, item_order, order_item
from engine.adapters.aws.queue import message_body, read_message
from engine.domain.errors import Undecodable
from engine.domain.order import Order
from engine.ports.queue import WorkMessage
from engine.service.reading import Wanted
from tests.fakes import START, a_life, an_order
from tests.hostile import spoilt_row, spoilt_text
from tests.proof.world import DEAD, ORDERS, World

#: An order that another program has spoilt, at any point of its life.
BAD = a_life(an_order(order_id="bad", account="ann"), at=START)
ROWS = st.sampled_from(BAD).map(order_item).flatmap(spoilt_row)
BODIES = (
    st.sampled_from(BAD)
    .map(lambda order: message_body(WorkMessage(order.order_id, order)))
    .flatmap(spoilt_text)
)


@dataclass
class Neighbourhood:
    """A good order and its watcher beside what can't be decoded, in one world."""

    world: World = field(default_factory=World)
    read: int = 0

    def __post_init__(self) -> None:
        self.good: str = self.world.place(key="good").body["orderId"]
        self.world.connect("subscription", order_id=self.good)

    def write(self, row: dict[str, Any]) -> None:
        self.world.dynamo.do_put_item(Item=row)

    def send(self, queue: str, body: str) -> None:
        self.world.sqs.do_send_message(QueueUrl=queue, MessageBody=body)

    def run(self) -> None:
        """Let every function run for a quarter of an hour, and raise what one of them raises."""
        for _ in range(15):
            self._notify()
            self._work()
            self._notify()
            self.world.engine.reconciliation.repair()
            self.world.clock.advance(60)

    def _work(self) -> None:
        sqs = self.world.sqs
        received = sqs.receive(ORDERS, sqs.visible(ORDERS)[:10], timedelta(seconds=60))
        records = [
            {"messageId": m.message_id, "receiptHandle": m.receipt, "body": m.body}
            for m in received
        ]
        answer = self.world.engine.work.settle_batch({"Records": records})
        again = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in again:
                sqs.do_delete_message(QueueUrl=ORDERS, ReceiptHandle=str(record["receiptHandle"]))

    def _notify(self) -> None:
        records = self.world.dynamo.records[self.read :]
        if records:
            answer = self.world.engine.stream.publish_batch({"Records": records})
            assert answer == {"batchItemFailures": []}
        self.read += len(records)

    def bodies(self) -> list[str]:
        """Return what lies in either queue."""
        return [m.body for queue in (ORDERS, DEAD) for m in self.world.sqs.messages(queue)]

    def check(self) -> None:
        """See that the good order has come to its end as if it were alone."""
        order = self.world.engine.reading.order(self.good, account="ann")
        assert order.status == "confirmed"
        told = [m["seq"] for m in self.world.sockets.heard["subscription"] if "seq" in m]
        assert told[-1] == order.seq
        page, _ = self.world.engine.reading.page("ann", Wanted(), limit=10, cursor=None)
        assert order in page


def _undecodable(row: dict[str, Any]) -> bool:
    try:
        item_order(row)
    except Undecodable:
        return True
    return False


@given(ROWS)
def test_a_row_that_can_not_be_decoded_is_left_alone_and_stops_nobody(row: dict[str, Any]) -> None:
    there = Neighbourhood()
    there.write(row)
    there.send(ORDERS, message_body(WorkMessage("bad")))
    there.send(DEAD, message_body(WorkMessage("bad")))
    there.run()
    there.check()
    if _undecodable(row):
        assert there.world.dynamo.rows["ORDER#bad", "ORDER"] == row
        assert len(there.bodies()) == 2  # of the row, set aside: it is for an operator to look at


@given(BODIES)
def test_a_message_that_can_not_be_decoded_is_kept_and_stops_nobody(body: str) -> None:
    there = Neighbourhood()
    for queue in (ORDERS, DEAD):
        there.send(queue, body)
    there.send(DEAD, message_body(WorkMessage(there.good)))  # of an order that came to a good end
    there.run()
    there.check()
    assert message_body(WorkMessage(there.good)) not in there.bodies()
    try:
        read_message(body)
    except Undecodable:
        assert there.bodies() == [body, body]
        assert body in [letter.body for letter in there.world.sqs.messages(DEAD)]


def _taken_over() -> None:
    """See that an order of a newer version stays as it is, though message and row read well."""
    there = Neighbourhood()
    order = an_order(order_id="bad", account="ann")
    newer = {**order_item(order), "v": {"N": "99"}}
    there.write(newer)
    there.send(ORDERS, message_body(WorkMessage("bad", order)))
    there.run()
    there.check()
    assert there.world.dynamo.rows["ORDER#bad", "ORDER"] == newer
    for use in (there.world.engine.reading.order, there.world.engine.cancelling.cancel):
        with pytest.raises(Undecodable):
            use("bad", account="ann")


def test_a_row_of_a_newer_version_is_never_overwritten_whatever_its_seq() -> None:
    _taken_over()


def write_over_a_newer_version(patch: pytest.MonkeyPatch) -> None:
    def save(self: DynamoOrders, order: Order, *, expected_seq: int) -> None:
        self._put(order, "seq = :seq", seq=expected_seq)

    patch.setattr(DynamoOrders, "save", save)


def take_a_newer_version_for_its_own(patch: pytest.MonkeyPatch) -> None:
    write_over_a_newer_version(patch)
    patch.setattr(rows, "check_version", lambda version: None)


@pytest.mark.parametrize("guard", [write_over_a_newer_version, take_a_newer_version_for_its_own])
def test_the_proof_goes_red_if_the_engine_were_to(
    guard: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    tally: Counter[str],
) -> None:
    guard(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _taken_over()
    tally["broken guards noticed"] += 1
