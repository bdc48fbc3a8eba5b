"""Guards of the engine, each with a way to break it: the proof has to notice every one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, cast

import pytest

from engine.adapters.aws import orders, subscriptions
from engine.adapters.aws.orders import DynamoOrders, order_item
from engine.adapters.aws.queue import SqsQueue
from engine.adapters.aws.resting import DynamoRestingIndex
from engine.adapters.aws.subscriptions import DynamoSubscriptions
from engine.adapters.aws.table import Item
from engine.adapters.simulated.chain import SimulatedChain
from engine.api.work import Work
from engine.domain.launches import Launch
from engine.domain.order import Order, Status, Transaction
from engine.domain.parts import Plan, share
from engine.domain.terms import Terms
from engine.domain.triggers import AtPrice, Direction, Level, Tick, Trailing, Trigger
from engine.ports.chain import Expired, Landed, Landing, Reverted, Unknown
from engine.ports.prices import PriceRow
from engine.ports.queue import DeadLetter
from engine.ports.subscriptions import Subscription
from engine.service import notification
from engine.service.epochs import Epochs
from engine.service.execution import Execution
from engine.service.identity import Identity
from engine.service.launching import Launching
from engine.service.notification import Delivery, Message, Notification, OrderChanged, Render
from engine.service.parting import Parting
from engine.service.pricing import Priced, Pricing
from engine.service.reconciliation import Reconciliation, Report
from engine.service.revocation import Revocation
from engine.service.triggering import Swept, Triggering

Break = Callable[[pytest.MonkeyPatch], None]


def send_before_the_signature_is_stored(patch: pytest.MonkeyPatch) -> None:
    sign = SimulatedChain.sign

    def signed(self: SimulatedChain, order: Order, *args: Any, **kwargs: Any) -> Transaction:
        transaction = sign(self, order, *args, **kwargs)
        self.send(order, transaction)
        return transaction

    patch.setattr(SimulatedChain, "sign", signed)


def say_submitted_before_the_send(patch: pytest.MonkeyPatch) -> None:
    submit = Execution._submit

    def submitted(self: Execution, order: Order, transaction: Transaction) -> Any:
        told = order if order.sent else self._submitted(order, self.clock.now())
        return submit(self, told, transaction)

    patch.setattr(Execution, "_submit", submitted)


def build_and_submit_in_one_write(patch: pytest.MonkeyPatch) -> None:
    save = DynamoOrders.save

    def saved(self: DynamoOrders, order: Order, *, expected_seq: int) -> None:
        both = order.submit(at=order.updated_at) if order.status is Status.BUILDING else order
        save(self, both, expected_seq=expected_seq)

    patch.setattr(DynamoOrders, "save", saved)


def forget_what_was_sent(patch: pytest.MonkeyPatch) -> None:
    rebuild = Order.rebuild

    def rebuilt(self: Order, **kwargs: Any) -> Order:
        return replace(rebuild(self, **kwargs), tries=(), transaction=None, route=None)

    patch.setattr(Order, "rebuild", rebuilt)


def sign_again_for_every_send(patch: pytest.MonkeyPatch) -> None:
    submit = Execution._submit

    def submitted(self: Execution, order: Order, transaction: Transaction) -> Any:
        valid_for = transaction.expires_at - self.clock.now()
        if valid_for > timedelta(0):
            transaction = self.chain.sign(order, transaction.instructions, valid_for=valid_for)
        return submit(self, order, transaction)

    patch.setattr(Execution, "_submit", submitted)


def write_whatever_the_seq(patch: pytest.MonkeyPatch) -> None:
    def save(self: DynamoOrders, order: Order, *, expected_seq: int) -> None:
        self.table.put(order_item(order))

    patch.setattr(DynamoOrders, "save", save)


def place_over_what_is_there(patch: pytest.MonkeyPatch) -> None:
    def add(self: DynamoOrders, order: Order) -> None:
        self.table.put(order_item(order))

    patch.setattr(DynamoOrders, "add", add)


def claim_whoever_holds_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Order, "held", lambda self, now: False)


def _take_unknown_for(patch: pytest.MonkeyPatch, landing: Landing) -> None:
    look = Execution._landing

    def taken(self: Execution, transaction: Transaction) -> Landing:
        found = look(self, transaction)
        return landing if isinstance(found, Unknown) else found

    patch.setattr(Execution, "_landing", taken)


def take_unknown_for_failed(patch: pytest.MonkeyPatch) -> None:
    _take_unknown_for(patch, Reverted("TIMEOUT", "no answer"))


def rebuild_before_the_expiry(patch: pytest.MonkeyPatch) -> None:
    _take_unknown_for(patch, Expired())


def believe_the_quote_instead_of_the_chain(patch: pytest.MonkeyPatch) -> None:
    confirmed = Execution._confirm

    def confirm(self: Execution, order: Order, landing: Landed) -> Any:
        promised = order.route.amount_out if order.route else 0
        return confirmed(self, order, replace(landing, amount_out=promised))

    patch.setattr(Execution, "_confirm", confirm)


def sign_for_longer_than_the_deadline(patch: pytest.MonkeyPatch) -> None:
    sign = SimulatedChain.sign

    def signed(self: SimulatedChain, *args: Any, valid_for: timedelta) -> Transaction:
        return sign(self, *args, valid_for=timedelta(seconds=90))

    patch.setattr(SimulatedChain, "sign", signed)


def acknowledge_what_is_not_settled(patch: pytest.MonkeyPatch) -> None:
    settle = Work._settle

    def settled(self: Work, record: dict[str, Any]) -> bool:
        settle(self, record)
        return True

    patch.setattr(Work, "_settle", settled)


def count_no_attempts(patch: pytest.MonkeyPatch) -> None:
    claimed = Order.claim

    def claim(self: Order, **kwargs: Any) -> Order:
        *earlier, last = claimed(self, **kwargs).history
        history = (*earlier, replace(last, attempt=1))
        return replace(claimed(self, **kwargs), history=history)

    patch.setattr(Order, "claim", claim)


def owe_no_dead_letter(patch: pytest.MonkeyPatch) -> None:
    fail = Execution._fail

    def failed(
        self: Execution, order: Order, *args: Any, dead_letter: bool = False, **more: Any
    ) -> Any:
        outcome = fail(self, order, *args, **more)
        if dead_letter:
            self.queue.send_dead_letter(DeadLetter(order.order_id, args[0], order.attempts))
        return outcome

    patch.setattr(Execution, "_fail", failed)


def repair_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciliation, "repair", lambda self: Report())


def fail_what_is_late_without_asking_the_chain(patch: pytest.MonkeyPatch) -> None:
    advance = Execution._advance

    def advanced(self: Execution, order: Order) -> Any:
        if order.status is Status.SUBMITTED and self.clock.now() >= order.deadline:
            return self._fail(order, "EXPIRED", "too late")
        return advance(self, order)

    patch.setattr(Execution, "_advance", advanced)


def drop_every_letter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqsQueue, "put_back", SqsQueue.drop)


def forget_a_push_that_failed(patch: pytest.MonkeyPatch) -> None:
    deliver = Notification._deliver

    def delivered(self: Notification, delivery: Delivery, render: Render) -> set[str]:
        deliver(self, delivery, render)
        return set()

    patch.setattr(Notification, "_deliver", delivered)


def show_a_new_watcher_only_how_things_stand(patch: pytest.MonkeyPatch) -> None:
    replayed = notification._replay
    patch.setattr(
        notification,
        "_replay",
        lambda record, order, after, *others: replayed(
            record, order, max(after, order.seq - 1), *others
        ),
    )


def tell_what_is_before_what_was(patch: pytest.MonkeyPatch) -> None:
    replayed = notification._replay
    patch.setattr(notification, "_replay", lambda *of: reversed([*replayed(*of)]))


def tell_a_change_to_whom_the_past_is_due(patch: pytest.MonkeyPatch) -> None:
    changed = Notification._changed

    def told(
        self: Notification, change: OrderChanged, subscription: Subscription, *others: Any
    ) -> Iterator[Message]:
        return changed(self, change, replace(subscription, caught_up=True), *others)

    patch.setattr(Notification, "_changed", told)


def keep_no_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DynamoSubscriptions, "change", lambda self, standing, changed: None)


def take_who_is_connecting_for_gone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Notification, "_may_arrive", lambda self, delivery: False)


def forget_all_watchers_when_one_left(patch: pytest.MonkeyPatch) -> None:
    forget = DynamoSubscriptions.forget_gone

    def forgotten(self: DynamoSubscriptions, gone: set[str], stale: list[Subscription]) -> None:
        beside = self.of([(subscription.topic, subscription.account) for subscription in stale])
        forget(self, gone, [subscription for some in beside.values() for subscription in some])

    patch.setattr(DynamoSubscriptions, "forget_gone", forgotten)


def tell_everybody_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subscriptions, "_row", lambda topic, _: (topic, f"{subscriptions.ROWS}ann"))


def hear_on_by_a_revoked_key(patch: pytest.MonkeyPatch) -> None:
    good = Identity.is_good

    def believed(self: Identity, key_id: str, *, fresh: bool = False) -> bool:
        return good(self, key_id, fresh=True) if fresh else True

    patch.setattr(Identity, "is_good", believed)


def connect_by_a_revoked_key(patch: pytest.MonkeyPatch) -> None:
    good = Identity.is_good

    def believed(self: Identity, key_id: str, *, fresh: bool = False) -> bool:
        return fresh or good(self, key_id)

    patch.setattr(Identity, "is_good", believed)


def leave_a_revoked_key_connected(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Revocation, "close_connections", lambda self, revoked: True)


def ask_between_two_prices(patch: pytest.MonkeyPatch) -> None:
    reached, last = DynamoRestingIndex.reached, dict[tuple[str, Direction], Level]()

    def crossed(self: DynamoRestingIndex, pair: str, level: Level, *, limit: int) -> list[str]:
        found = reached(self, pair, level, limit=limit)
        before, last[pair, level.direction] = last.get((pair, level.direction)), level
        past = reached(self, pair, before, limit=limit) if before else ()
        return [order_id for order_id in found if order_id not in past]

    patch.setattr(DynamoRestingIndex, "reached", crossed)


def write_the_price_before_the_sweep(patch: pytest.MonkeyPatch) -> None:
    sweep = Triggering._sweep

    def swept(self: Triggering, pair: str, price: Decimal, at: datetime, *more: Any) -> Swept:
        version = row.version if (row := self.book.get(pair)) else 0
        self.book.put(PriceRow(pair, Tick.of(price, at), ("raydium",)), expected_version=version)
        return sweep(self, pair, price, at, *more)

    patch.setattr(Triggering, "_sweep", swept)


def wake_whatever_the_row_says(patch: pytest.MonkeyPatch) -> None:
    def save(self: Triggering, order: Order, read: Order) -> None:
        cast("DynamoOrders", self.orders).table.put(order_item(order))

    patch.setattr(Triggering, "_save", save)


def wake_and_tell_nobody(patch: pytest.MonkeyPatch) -> None:
    def item(order: Order) -> Item:
        row = order_item(order)
        if order.waiting is not None:
            row.pop("open", None)
        return row

    patch.setattr(orders, "order_item", item)


def keep_no_watermark(patch: pytest.MonkeyPatch) -> None:
    move = Order.move

    def moved(self: Order, trigger: Trigger, *, at: datetime) -> Order:
        kept = self.waiting.trigger if self.waiting and isinstance(trigger, Trailing) else trigger
        return move(self, kept, at=at)

    patch.setattr(Order, "move", moved)


def hold_a_moved_stop_against_old_prices(patch: pytest.MonkeyPatch) -> None:
    move = Order.move

    def moved(self: Order, trigger: Trigger, *, at: datetime) -> Order:
        since = self.waiting.since if self.waiting else at
        return move(self, trigger, at=since)

    patch.setattr(Order, "move", moved)


def rest_again_at_the_limit_itself(patch: pytest.MonkeyPatch) -> None:
    def missed(self: Terms, *_: Any) -> Trigger:
        assert self.limit_price is not None
        return AtPrice(self.profit_at(self.limit_price))

    patch.setattr(Terms, "missed", missed)


def ignore_a_cancel_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Epochs, "overtook", lambda self, order: False)
    patch.setattr(Epochs, "read_all", lambda self, orders: list(orders))


def let_nothing_expire(patch: pytest.MonkeyPatch) -> None:
    never = datetime(2100, 1, 1, tzinfo=UTC)
    patch.setattr(Order, "expires_at", property(lambda self: never))


def believe_a_stale_price(patch: pytest.MonkeyPatch) -> None:
    prices = Pricing.prices

    def fresh(self: Pricing, pairs: Any) -> list[Priced]:
        return [replace(priced, stale=False) for priced in prices(self, pairs)]

    def tick(self: Triggering, prices: Any) -> Swept:
        self.stale_after = timedelta(days=1)
        return believing(self, prices)

    believing = Triggering.tick
    patch.setattr(Pricing, "prices", fresh)
    patch.setattr(Triggering, "tick", tick)


def begin_a_part_whoever_was_faster(patch: pytest.MonkeyPatch) -> None:
    """So that one slot may begin two."""

    def save(self: Parting, order: Order, read: Order) -> None:
        cast("DynamoOrders", self.orders).table.put(order_item(order))

    patch.setattr(Parting, "_save", save)


def trade_a_part_under_a_new_id(patch: pytest.MonkeyPatch) -> None:
    made, numbers = Order.part_order, count()

    def part_order(self: Order, place: int, lifetime: timedelta) -> Order:
        return replace(made(self, place, lifetime), order_id=f"part-{next(numbers)}")

    patch.setattr(Order, "part_order", part_order)


def end_a_parent_before_its_parts(patch: pytest.MonkeyPatch) -> None:
    stop = Order.stop

    def stopped(self: Order, status: Status, *, at: datetime) -> Order:
        ended = stop(self, status, at=at)
        return ended if ended.final else ended._ended(status, at)

    patch.setattr(Order, "stop", stopped)


def forget_what_was_skipped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Plan, "amount_of", lambda self, number, amount, parts: share(amount, parts, number)
    )


def spend_more_than_the_amount(patch: pytest.MonkeyPatch) -> None:
    sign = SimulatedChain.sign

    def signed(self: SimulatedChain, order: Order, steps: Any, **how: Any) -> Transaction:
        return sign(self, order, [replace(s, amount_in=2 * s.amount_in) for s in steps], **how)

    patch.setattr(SimulatedChain, "sign", signed)


def trade_however_old_the_launch(patch: pytest.MonkeyPatch) -> None:
    wake = Order.wake_at_launch

    def woken(self: Order, launch: Launch, *, at: datetime, deadline: datetime) -> Order:
        return replace(wake(self, launch, at=at, deadline=deadline), deadline=deadline)

    patch.setattr(Order, "wake_at_launch", woken)


def trade_in_any_pool(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("engine.service.quoting.liquidity", lambda pool, quote: 10**18)


def look_for_no_launch_when_placed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Launching, "look", lambda self, order: None)
    patch.setattr(Launching, "repair", lambda self: Swept())


def wake_and_tell_of_no_launch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Launching, "wake", lambda self, mint: Swept())
    patch.setattr(Launching, "repair", lambda self: Swept())


#: Each with a story in which it shows.
BREAKS: dict[Break, str] = {
    send_before_the_signature_is_stored: "a chain that says nothing",
    say_submitted_before_the_send: "a plain order",
    build_and_submit_in_one_write: "a plain order",
    forget_what_was_sent: "a transaction that expired",
    sign_again_for_every_send: "a plain order",
    write_whatever_the_seq: "no venue answers",
    place_over_what_is_there: "one key, many POSTs",
    claim_whoever_holds_it: "a plain order",
    take_unknown_for_failed: "a lost send",
    rebuild_before_the_expiry: "a lost send",
    believe_the_quote_instead_of_the_chain: "a plain order",
    sign_for_longer_than_the_deadline: "a chain that drops everything until the deadline",
    acknowledge_what_is_not_settled: "no venue answers",
    count_no_attempts: "no venue answers",
    owe_no_dead_letter: "no venue answers",
    repair_nothing: "a message that got lost",
    fail_what_is_late_without_asking_the_chain: "a chain that says nothing until the deadline",
    drop_every_letter: "no venue answers",
    forget_a_push_that_failed: "watchers come and go",
    show_a_new_watcher_only_how_things_stand: "watchers come and go",
    tell_what_is_before_what_was: "watchers come and go",
    tell_a_change_to_whom_the_past_is_due: "watchers come and go",
    keep_no_place: "watchers come and go",
    take_who_is_connecting_for_gone: "watchers come and go",
    forget_all_watchers_when_one_left: "watchers come and go",
    tell_everybody_everything: "watchers come and go",
    hear_on_by_a_revoked_key: "a revoked key",
    connect_by_a_revoked_key: "a revoked key",
    leave_a_revoked_key_connected: "a revoked key",
    ask_between_two_prices: "an entry that comes late",
    write_the_price_before_the_sweep: "ticks that die",
    wake_whatever_the_row_says: "two tickers",
    wake_and_tell_nobody: "a limit that is reached",
    keep_no_watermark: "a trailing stop that follows",
    hold_a_moved_stop_against_old_prices: "a trailing stop that follows",
    rest_again_at_the_limit_itself: "a limit that is missed at first",
    ignore_a_cancel_all: "all that rests is cancelled",
    let_nothing_expire: "an order that expires",
    believe_a_stale_price: "a price that is too old",
    begin_a_part_whoever_was_faster: "two tickers in one slot",
    trade_a_part_under_a_new_id: "an order in parts",
    end_a_parent_before_its_parts: "an order in parts, cancelled in the middle of a part",
    forget_what_was_skipped: "an order in parts, out of its band at first",
    spend_more_than_the_amount: "a sniper and its launch",
    trade_however_old_the_launch: "a launch that is told of late",
    trade_in_any_pool: "a launch of too little",
    look_for_no_launch_when_placed: "a sniper and its launch",
    wake_and_tell_of_no_launch: "a sniper and its launch",
}
