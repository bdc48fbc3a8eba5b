"""Stories of one order's life, and what may become of it when one call goes wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from engine.adapters.simulated.chain import Faults
from engine.domain.order import Order
from engine.domain.terms import Exit, OrderType
from engine.domain.triggers import Side
from tests.fakes import Lazy
from tests.proof.border import Call, Harm
from tests.proof.history import broken
from tests.proof.world import TICKS, World

CONFIRMED = frozenset({"confirmed"})


@dataclass(frozen=True, slots=True)
class Story:
    """What clients do and which faults there are; `usually` is how the orders then end.

    With one call gone wrong they may also end as `otherwise` says: attempts and time are used up.
    When time is short, things go wrong only in its `functions`; none: in all.
    """

    name: str
    tell: Callable[[World], None]
    usually: frozenset[str] = CONFIRMED
    otherwise: frozenset[str] = frozenset()
    world: Callable[[], World] = World
    functions: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Telling:
    """A story as it went, with what broke."""

    story: Story
    harm: str
    world: World
    breaches: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.story} in which {self.harm}:", *self.breaches, "The calls were:"]
        return "\n  ".join([*lines, *map(str, self.world.border.calls)])


def tell(story: Story, harms: Mapping[int, Harm] | None = None) -> Telling:
    """Tell a story with some calls going wrong, let everything run its course, and look."""
    world = story.world()
    world.border.planned.update(harms or {})
    story.tell(world)
    world.settle_down()
    for order_id in world.order_ids:
        world.read(order_id)
    breaches = broken(world.history())
    allowed = story.usually | story.otherwise if harms else story.usually
    for order_id, states in world.states.items():
        if end_of(states[-1]) not in allowed:
            breaches.append(f"{order_id} ended as {end_of(states[-1])}")
    said = " and ".join(f"call {n} {harm}" for n, harm in (harms or {}).items())
    return Telling(story, said or "nothing goes wrong", world, tuple(breaches))


def end_of(order: Order) -> str:
    return order.error.code if order.error else order.status.value


#: A process that dies leaves all that follows undone; it is the first thing to be tried.
DEATHS = (Harm.DIES_BEFORE, Harm.DIES_AFTER)


def points(calls: Iterable[Call], harms: Iterable[Harm] = Harm) -> Iterator[tuple[Call, Harm]]:
    """Return every call with every harm that is to come to it."""
    return product(calls, harms)


def distinct(calls: Iterable[Call]) -> list[Call]:
    """Of a call that a function makes over and over at one stage of the orders, keep the first."""
    kept: dict[tuple[object, ...], Call] = {}
    for call in calls:
        kept.setdefault((call.function, call.operation, call.stage), call)
    return list(kept.values())


def _plain(world: World) -> None:
    world.place()


def _sold(token: str) -> Callable[[World], None]:
    def tell(world: World) -> None:
        world.place(token)

    return tell


def _one_key(world: World) -> None:
    world.place(key="k")
    world.place(key="k", amount="1.0")
    world.deliver()
    world.clock.advance(1)
    world.place(key="k", amount="1.00")
    world.place(key="k", amount="2")


def _watched(world: World) -> None:
    """Ann stays, bob comes back, carol is gone, dave watches all, eve is another account's.

    Gina and hugo leave, hugo while he watches all.
    """
    for client in ("ann", "carol", "dave", "gina", "hugo"):
        world.connect(client)
    world.connect("eve", account="eve")
    for client in ("dave", "hugo"):
        world.watch_all(client)
    order_id = str(world.place(key="k").body.get("orderId"))
    for client in ("ann", "carol", "eve", "gina"):
        world.watch(client, order_id)
    world.notify()
    world.disconnect("carol", noticed=False)
    world.disconnect("hugo")
    world.deliver()
    world.notify(1)
    world.notify(1)
    world.connect("fred", order_id=order_id, seen=9)
    world.connect("bob")
    world.watch("bob", order_id, after_seq=1)
    world.unwatch("gina", order_id)
    world.disconnect("gina")
    while world.notify(1):
        pass


def _revoked(world: World) -> None:
    """Ann's key is revoked while she watches one order, or all, or nothing; bob's is not."""
    order_id = str(world.place(key="k").body.get("orderId"))
    for client in ("ann", "idle"):
        world.connect(client, by="k1")
    world.connect("all", by="k1", order_id=order_id)
    world.connect("bob", by="k2", order_id=order_id)
    world.watch("ann", order_id)
    world.watch_all("all")
    world.notify()
    world.deliver()
    world.revoke("k1")
    while world.notify(2):
        pass
    world.connect("late", by="k1", order_id=order_id)


def _cancelled(world: World) -> None:
    world.connect("ann")
    order_id = str(world.place(key="k").body.get("orderId"))
    world.watch("ann", order_id)
    world.cancel(order_id)
    world.cancel(order_id)
    world.deliver()
    world.cancel(order_id)


def _cancelled_late(world: World) -> None:
    order_id = str(world.place(key="k").body.get("orderId"))
    world.deliver()
    world.cancel(order_id)


def _lost_on_the_way(world: World) -> None:
    world.place()
    world.sqs.messages("https://queues/orders").clear()


def _in(faults: Faults, seconds: int) -> Callable[[World], None]:
    """Return the story of an order placed under some faults, which lasts so many seconds."""

    def story(world: World) -> None:
        world.faults = faults
        world.place()
        world.settle_down(timedelta(seconds=seconds))
        world.faults = Faults()

    return story


def _late(world: World) -> None:
    world.faults = Faults(late=1.0)
    world.place()


def _redriven(world: World) -> None:
    world.place("XFAIL")
    world.settle_down()
    world.redrive()


def _deadly(world: World) -> None:
    """Every worker dies of the message, until SQS moves it; the order has long been confirmed."""
    world.place()
    for n in range(11):
        world.border.harm_next(Harm.DIES_AFTER, 1 if n else 9)
        world.deliver()
        world.clock.advance(60)


def _rests(kind: OrderType, *prices: str, **asked: Any) -> Callable[[World], None]:
    """Place an order at 100, then let the price go from one to the next, each for a while."""

    def tell(world: World) -> None:
        world.move("100")
        world.rest(kind, **asked)
        for price in prices:
            world.settle_down(timedelta(seconds=90))
            world.move(price)

    return tell


def _missed(world: World) -> None:
    """The price is at the limit, and what the pools offer is below it by their fees."""
    world.move("100")
    world.connect("ann")
    world.watch_all("ann")
    world.rest(OrderType.LIMIT, limit_price=Decimal(105))
    world.settle_down()
    world.move("105")
    world.settle_down(timedelta(seconds=10))
    world.move("106")


def _spike(world: World) -> None:
    world.move("100")
    world.rest(OrderType.STOP, stop_price=Decimal(95))
    world.settle_down()
    world.move("94", told=True)
    world.move("100")


def _late_entry(world: World) -> None:
    """One order rests unseen by the index while another is triggered at the same price."""
    world.move("100")
    world.rest(OrderType.TAKE_PROFIT, stop_price=Decimal(105))
    world.settle_down()
    world.dynamo.lagging = True
    world.rest(OrderType.TAKE_PROFIT, stop_price=Decimal(105))
    world.move("106")
    world.tick()
    world.tick()
    world.dynamo.catch_up()


#: Of a tick: prices, two of what expired, the row, two of what is reached, the order, its epoch.
CALLS_UNTIL_IT_WAKES = 9
#: Of a tick: prices, two of what expired, the row, its epoch.
CALLS_UNTIL_A_PART_BEGINS = 6


def _two_tickers(world: World) -> None:
    """One of two tickers is overtaken by the other, and by a worker, as it is about to wake."""
    world.move("100")
    world.rest(OrderType.TAKE_PROFIT, stop_price=Decimal(105))
    world.settle_down()
    world.move("106")
    world.border.harm_next(Harm.OVERLAPS, CALLS_UNTIL_IT_WAKES)
    world.tick_beside()


def _dies_twice(world: World) -> None:
    """The price is at the order's for two ticks, and both die before they wake it."""
    world.move("100")
    world.rest(OrderType.TAKE_PROFIT, stop_price=Decimal(105))
    world.settle_down()
    world.move("106")
    for _ in range(2):
        world.border.harm_next(Harm.DIES_BEFORE, CALLS_UNTIL_IT_WAKES)
        world.tick_beside()
    world.move("100")


def _too_old(world: World) -> None:
    """Nobody ticks while the price is at the order's; then no venue tells a price."""
    world.move("100")
    world.rest(OrderType.TAKE_PROFIT, stop_price=Decimal(105))
    world.sqs.messages(TICKS).clear()
    world.move("106", told=True)
    world.blind = True
    world.clock.advance(15)
    world.tick_beside()
    world.blind = False


def _all_cancelled(world: World) -> None:
    world.move("100")
    world.rest(OrderType.TAKE_PROFIT, stop_price=Decimal(105))
    oco = world.rest(
        OrderType.OCO,
        take_profit=Exit(Decimal(110), 100),
        stop_loss=Exit(Decimal(90), 300),
    )
    world.change(str(oco.body.get("orderId")), stop_loss=Exit(Decimal(95), 300))
    world.settle_down()
    world.cancel_all()
    world.move("111")
    world.tick()


def _expired(world: World) -> None:
    world.move("100")
    world.rest(OrderType.STOP, stop_price=Decimal(95), lasts=timedelta(seconds=30))
    world.settle_down()
    world.clock.advance(31)


def _in_parts(*then: Callable[[World, str], None], **asked: Any) -> Callable[[World], None]:
    """Place an order in three parts, one every 30 s, and do something amid each."""

    def tell(world: World) -> None:
        world.move("100")
        world.connect("ann")
        world.watch_all("ann")
        terms = {"parts": 3, "interval_seconds": 30, **asked}
        parent = str(world.rest(OrderType.TWAP, **terms).body.get("orderId"))
        for act in then:
            act(world, parent)

    return tell


def _amid_a_part(world: World, parent: str) -> None:
    """A part is stored, and no worker has had it."""
    world.tick()


def _cancel(world: World, parent: str) -> None:
    world.cancel(parent)


def _work(world: World, _: str) -> None:
    world.faults = Faults(mute=1.0)
    world.deliver()
    world.faults = Faults()


def _cancel_all_of_it(world: World, _: str) -> None:
    world.cancel_all()


def _outside(world: World, _: str) -> None:
    world.move("80")
    world.tick()
    world.move("100")
    world.clock.advance(30)


def _two_ticks_at_once(world: World, _: str) -> None:
    """Two tickers meet in one slot, one of them as the other is about to write."""
    world.border.harm_next(Harm.OVERLAPS, CALLS_UNTIL_A_PART_BEGINS)
    world.tick_beside()


RESTING = frozenset({"resting"})
CANCELLED = frozenset({"cancelled"})
#: How parts may end also that a crash held up.
LATE = frozenset({"EXPIRED"})


def _waiting(
    name: str,
    tell: Callable[[World], None],
    usually: frozenset[str] = CONFIRMED,
    otherwise: frozenset[str] = frozenset(),
) -> Story:
    functions = frozenset({"execute", "trigger", "reconcile"})
    return Story(name, tell, usually, otherwise, functions=functions)


def _sniped(world: World) -> None:
    """Ann watches hers; bob waits for another token, carol cancels, dave comes after the launch."""
    world.connect("ann")
    order_id = str(world.snipe().body.get("orderId"))
    world.watch("ann", order_id)
    world.snipe("OTHER", account="bob", lasts=timedelta(minutes=5))
    world.cancel(str(world.snipe(account="carol").body.get("orderId")), account="carol")
    world.launch()
    world.snipe(account="dave")


def _sniped_in_vain(world: World) -> None:
    world.snipe(min_liquidity_usd=Decimal(200_000))
    world.launch()


def _sniped_late(world: World) -> None:
    """Nobody heeds the signal for two minutes."""
    world.snipe()
    world.launch()
    world.clock.advance(120)


STORIES = (
    Story("a plain order", _plain),
    Story(
        "no venue answers",
        _sold("XFAIL"),
        frozenset({"VENUES_UNAVAILABLE"}),
        frozenset({"ATTEMPTS_EXHAUSTED"}),
    ),
    Story("watchers come and go", _watched),
    Story("a revoked key", _revoked),
    Story("a lost send", _sold("XDROP")),
    Story("a cancelled order", _cancelled, frozenset({"cancelled"}), CONFIRMED),
    Story("one key, many POSTs", _one_key),
    Story("a plain order, all answers late", _plain, world=lambda: World(background=Lazy())),
    Story("an order with one venue down", _plain, world=lambda: World(away=frozenset({"raydium"}))),
    Story("a price that moved", _sold("XSLIP"), frozenset({"SLIPPAGE_EXCEEDED"})),
    Story("an order cancelled too late", _cancelled_late, otherwise=frozenset({"cancelled"})),
    Story("a message that got lost", _lost_on_the_way, otherwise=frozenset({"EXPIRED"})),
    Story("a message that kills its workers", _deadly, otherwise=frozenset({"EXPIRED"})),
    Story(
        "a dead letter moved back",
        _redriven,
        frozenset({"VENUES_UNAVAILABLE"}),
        frozenset({"ATTEMPTS_EXHAUSTED"}),
    ),
    Story("a chain that lands late", _late),
    Story(
        "a transaction that expired", _in(Faults(drop=1.0), 61), otherwise=frozenset({"EXPIRED"})
    ),
    Story(
        "a chain that drops everything until the deadline",
        _in(Faults(drop=1.0), 121),
        frozenset({"EXPIRED"}),
    ),
    Story("a chain that says nothing", _in(Faults(mute=1.0), 30), otherwise=frozenset({"EXPIRED"})),
    Story("a chain that says nothing until the deadline", _in(Faults(mute=1.0), 121)),
    _waiting("a limit that is reached", _rests(OrderType.LIMIT, "106", limit_price=Decimal(105))),
    _waiting("a limit that is missed at first", _missed),
    _waiting(
        "a trailing stop that follows",
        _rests(OrderType.TRAILING_STOP, "110", "99.9", trailing_bps=500),
    ),
    _waiting(
        "a stop-limit that is a limit in between",
        _rests(OrderType.STOP_LIMIT, "94", "97", stop_price=Decimal(95), limit_price=Decimal(96)),
    ),
    _waiting(
        "an oco, bought",
        _rests(
            OrderType.OCO,
            "111",
            "89",
            side=Side.BUY,
            take_profit=Exit(Decimal(90), 100),
            stop_loss=Exit(Decimal(110), 300),
        ),
    ),
    _waiting("a price that was gone at once", _spike),
    # Whoever sleeps while the index lags lets it lag for minutes: nobody finds what is open.
    _waiting("an entry that comes late", _late_entry, otherwise=frozenset({"EXPIRED"})),
    _waiting("two tickers", _two_tickers),
    _waiting("ticks that die", _dies_twice, RESTING, CONFIRMED),
    _waiting("a price that is too old", _too_old),
    _waiting("all that rests is cancelled", _all_cancelled, CANCELLED, CONFIRMED | RESTING),
    Story(
        "a sniper and its launch",
        _sniped,
        CONFIRMED | CANCELLED | frozenset({"expired"}),
        # What dies costs a minute, which is as old as a launch may be.
        frozenset({"LAUNCH_TOO_OLD", "ATTEMPTS_EXHAUSTED", "resting"}),
    ),
    Story(
        "a launch of too little",
        _sniped_in_vain,
        frozenset({"LIQUIDITY_TOO_LOW"}),
        frozenset({"LAUNCH_TOO_OLD", "resting"}),
    ),
    Story(
        "a launch that is told of late",
        _sniped_late,
        frozenset({"LAUNCH_TOO_OLD"}),
        # Who sleeps as it is launched lets others heed it in time.
        CONFIRMED | frozenset({"resting"}),
    ),
    _waiting("an order that expires", _expired, frozenset({"expired"})),
    _waiting("an order in parts", _in_parts(), otherwise=LATE),
    _waiting("two tickers in one slot", _in_parts(_two_ticks_at_once), otherwise=LATE),
    _waiting(
        "an order in parts, cancelled before a part's worker",
        _in_parts(_amid_a_part, _cancel),
        CANCELLED,
        CONFIRMED | LATE,
    ),
    _waiting(
        "an order in parts, cancelled in the middle of a part",
        _in_parts(_amid_a_part, _work, _cancel),
        CANCELLED | CONFIRMED,
        LATE,
    ),
    _waiting(
        "an order in parts, cancelled with all",
        _in_parts(_amid_a_part, _work, _cancel_all_of_it),
        CANCELLED | CONFIRMED,
        LATE,
    ),
    _waiting(
        "an order in parts, out of its band at first",
        _in_parts(_outside, min_price=Decimal(90)),
        otherwise=LATE,
    ),
)
