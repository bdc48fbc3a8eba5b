"""A simulation of queue, workers, table and stream: what would happen at 1,000x.

It is fed with what was measured (processor time, calls) and with what AWS documents (writes a
partition, shards, lanes); `docs/scale.md` has what comes out. The same seed gives the same run.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass
from statistics import mean
from typing import Any

from simpy import Environment, Event, Resource, Store

from bench.figures import percentile

Process = Generator[Event, Any, None]
#: Writes that an order can't do without: placed, claimed, built, final. What is written beyond
#: them is written while its transaction lands.
MIN_CHANGES = 4
_LOOKS = 0.001


@dataclass(frozen=True, slots=True)
class Setup:
    """Who works, how long things take (seconds), and what the table and its stream can do."""

    orders: int = 500
    #: Orders a second that come by chance; None: `clients` place one after another.
    rate: float | None = None
    clients: int = 20
    #: Requests that are let in at once; None: any number.
    door: int | None = None
    workers: int = 10
    orders_per_worker: int = 10
    quote: tuple[float, float] = (0.2, 0.4)
    confirm: tuple[float, float] = (0.4, 0.8)
    #: Writes of an order, each of them a change for whoever watches.
    changes: int = 5
    #: Processors that all share; None: each function has its own.
    cores: int | None = None
    #: Processor time an order of the one process that is the embedded cloud: placing, settling,
    #: and a change announced. None of it on AWS.
    cloud_accept: float = 0.0
    cloud_settle: float = 0.0
    cloud_announce: float = 0.0
    accept_cpu: float = 0.004
    settle_cpu: float = 0.011
    #: Processor time of a run of ws_notify, and of each change in it.
    announce_run_cpu: float = 0.002
    announce_cpu: float = 0.003
    call: float = 0.005
    pick_up: float = 0.01
    #: Partitions of the index of open orders, and the writes a second that each takes.
    open_shards: int = 4
    shard_writes: float = 1_000.0
    #: Shards of the stream, batches of one at once, the most in a batch.
    stream_shards: int = 4
    lanes: int = 4
    stream_batch: int = 100
    #: How long the pushes of a batch take, side by side, after one read of who watches.
    push: float = 0.010
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. Seconds, but for the rates and shares."""

    per_s: float
    settle_p50: float
    settle_p99: float
    push_p50: float
    push_p99: float
    longest_queue: int
    orders_in_batch: float
    changes_in_batch: float
    workers_busy: float


class Run:
    """One run of a setup."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.env = env = Environment()
        self.dice = random.Random(setup.seed)  # noqa: S311 - the same run for the same seed
        self.cores = Resource(env, setup.cores) if setup.cores else None
        self.cloud = Resource(env)
        self.door = Resource(env, setup.door) if setup.door else None
        self.shards = [Resource(env) for _ in range(setup.open_shards)]
        self.lanes = [Store(env) for _ in range(setup.stream_shards * setup.lanes)]
        self.queue = Store(env)
        self.settled: list[tuple[float, float]] = []
        self.pushes: list[float] = []
        self.batches: list[int] = []
        self.announced: list[int] = []
        self.busy = 0.0
        self.longest = 0

    def outcome(self) -> Outcome:
        """Run until nothing happens any more."""
        setup = self.setup
        for lane in self.lanes:
            self.env.process(self._announce(lane))
        for _ in range(setup.workers):
            self.env.process(self._work())
        if setup.rate is not None:
            self.env.process(self._arrivals(setup.rate))
        else:
            for client in range(setup.clients):
                self.env.process(self._client(range(client, setup.orders, setup.clients)))
        self.env.run()
        last = max(end for _, end in self.settled)
        took = [end - placed for placed, end in self.settled]
        return Outcome(
            per_s=len(self.settled) / last,
            settle_p50=percentile(took, 50),
            settle_p99=percentile(took, 99),
            push_p50=percentile(self.pushes, 50),
            push_p99=percentile(self.pushes, 99),
            longest_queue=self.longest,
            orders_in_batch=mean(self.batches),
            changes_in_batch=mean(self.announced),
            workers_busy=self.busy / (last * setup.workers),
        )

    def _arrivals(self, rate: float) -> Process:
        for order in range(self.setup.orders):
            yield self._after(self.dice.expovariate(rate))
            self.env.process(self._place(order))

    def _client(self, orders: range) -> Process:
        for order in orders:
            yield from self._place(order)

    def _place(self, order: int) -> Process:
        """Store an order and enqueue it; the client has its answer then."""
        setup, began = self.setup, self.env.now
        if self.door:
            yield from self._use(self.door, setup.accept_cpu + 2 * setup.call)
        yield from self._use(self.cores, setup.accept_cpu)
        yield from self._index_write(order)
        self._changed(order)
        yield from self._ask(setup.cloud_accept)
        yield self._after(setup.call)
        self.env.process(self._enqueue(order, began))

    def _enqueue(self, order: int, placed: float) -> Process:
        yield self._after(self.setup.pick_up)
        self.queue.put((order, placed))
        self.longest = max(self.longest, len(self.queue.items))

    def _work(self) -> Process:
        """Settle batch after batch: as many orders as there are, up to the most."""
        processor = self.cores or Resource(self.env)
        while True:
            first = yield self.queue.get()
            batch = [first, *_rest(self.queue, self.setup.orders_per_worker)]
            self.batches.append(len(batch))
            began = self.env.now
            under_way = [self.env.process(self._settle(o, at, processor)) for o, at in batch]
            yield self.env.all_of(under_way)
            self.busy += self.env.now - began
            yield self._after(_LOOKS)

    def _settle(self, order: int, placed: float, processor: Resource) -> Process:
        """Claim beside the quotes; store the signature; send; wait for the chain; end."""
        setup, uniform = self.setup, self.dice.uniform
        third, cloud = setup.settle_cpu / 3, setup.cloud_settle / setup.changes
        quoted = self._after(max(uniform(*setup.quote), uniform(*setup.quote)))
        yield from self._use(processor, third)
        yield from self._write(order, cloud)
        yield quoted
        yield from self._use(processor, third)
        yield from self._write(order, cloud)
        yield from self._ask(cloud)
        for _ in range(setup.changes - MIN_CHANGES):
            self.env.process(self._write(order, cloud))
        yield self._after(uniform(*setup.confirm))
        yield from self._use(processor, third)
        yield from self._index_write(order)
        yield from self._write(order, cloud)
        self.settled.append((placed, self.env.now))

    def _write(self, order: int, cloud: float) -> Process:
        yield from self._ask(cloud)
        self._changed(order)

    def _ask(self, cloud: float) -> Process:
        """Make a call: on AWS it takes always the same, else also as long as the cloud is busy."""
        yield self._after(self.setup.call)
        if cloud and self.cores:
            both = self._use(self.cloud, cloud), self._use(self.cores, cloud)
            yield self.env.all_of([self.env.process(each) for each in both])

    def _index_write(self, order: int) -> Process:
        """A write that the index can't take yet keeps the table's write waiting."""
        shard = self.shards[order % len(self.shards)]
        yield from self._use(shard, 1 / self.setup.shard_writes)

    def _changed(self, order: int) -> None:
        """Put a change into its lane of the stream: an order's changes stay in one."""
        self.lanes[order % len(self.lanes)].put(self.env.now)

    def _announce(self, lane: Store) -> Process:
        """Announce batch after batch: one at a time in a lane."""
        setup = self.setup
        while True:
            idle = not lane.items
            first = yield lane.get()
            if idle:
                yield self._after(setup.pick_up)
            batch = [first, *_rest(lane, setup.stream_batch)]
            self.announced.append(len(batch))
            cpu = setup.announce_run_cpu + setup.announce_cpu * len(batch)
            yield from self._use(self.cores, cpu)
            yield from self._ask(setup.cloud_announce * len(batch))
            yield self._after(setup.push)
            self.pushes += [self.env.now - changed for changed in batch]

    def _use(self, resource: Resource | None, seconds: float) -> Process:
        """Take one's turn at something; without it nobody stands before us."""
        if resource is None:
            yield self._after(seconds)
            return
        with resource.request() as turn:
            yield turn
            yield self._after(seconds)

    def _after(self, seconds: float) -> Event:
        return self.env.timeout(seconds)


def _rest(store: Store, maximum: int) -> list[Any]:
    """Take what else lies in a store, so that it makes `maximum` with what was taken before."""
    taken, store.items[:] = store.items[: maximum - 1], store.items[maximum - 1 :]
    return list(taken)


def simulated(**setup: Any) -> Outcome:
    """Return what a setup comes to; see Setup for the names."""
    return Run(Setup(**setup)).outcome()
