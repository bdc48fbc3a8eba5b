"""A discrete-event simulation of queue, workers, table and stream: what would happen at 1,000x.

It is fed with what was measured (processor time, calls) and with what AWS documents (writes a
partition, shards, lanes); `docs/scale.md` has what comes out. The same seed gives the same run.
"""

import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bench.figures import percentile

#: A process yields seconds to wait, or something to wait for.
Process = Iterator["float | Event"]
#: Writes of an order: placed, claimed, built and submitted, final.
CHANGES = 4
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


class Event:
    """Something that happens once; processes may wait for it."""

    def __init__(self) -> None:
        self.happened = False
        self.waiting: list[Process] = []


class Clock:
    """Runs processes in the order of their times."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Process]] = []
        self._number = count()

    def start(self, process: Process, after: float = 0.0) -> None:
        heapq.heappush(self._due, (self.now + after, next(self._number), process))

    def happen(self, event: Event) -> None:
        event.happened = True
        for process in event.waiting:
            self.start(process)
        event.waiting.clear()

    def run(self) -> None:
        """Run until nothing is due."""
        while self._due:
            self.now, _, process = heapq.heappop(self._due)
            self._step(process)

    def _step(self, process: Process) -> None:
        for wanted in process:
            if isinstance(wanted, Event):
                if wanted.happened:
                    continue
                wanted.waiting.append(process)
            else:
                self.start(process, wanted)
            return


class Station:
    """So many servers, first come first served: when each is free again is all that is kept."""

    def __init__(self, clock: Clock, servers: int) -> None:
        self._clock = clock
        self._free = [0.0] * servers

    def serve(self, seconds: float) -> float:
        """Take a place in the line; return how long it takes to be served from now."""
        begins = max(self._clock.now, heapq.heappop(self._free))
        heapq.heappush(self._free, begins + seconds)
        return begins + seconds - self._clock.now


@dataclass(eq=False)
class Batch:
    """What one lane of the stream has not yet announced."""

    changes: deque[float] = field(default_factory=deque)
    busy: bool = False


class Run:
    """One run of a setup."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.clock = Clock()
        self.dice = random.Random(setup.seed)  # noqa: S311 - the same run for the same seed
        self.cores = Station(self.clock, setup.cores) if setup.cores else None
        self.cloud = Station(self.clock, 1)
        self.door = Station(self.clock, setup.door) if setup.door else None
        self.shards = [Station(self.clock, 1) for _ in range(setup.open_shards)]
        self.lanes = [Batch() for _ in range(setup.stream_shards * setup.lanes)]
        self.queue: deque[tuple[int, float]] = deque()
        self.free = setup.workers
        self.settled: list[tuple[float, float]] = []
        self.pushes: list[float] = []
        self.batches: list[int] = []
        self.announced: list[int] = []
        self.busy = 0.0
        self.longest = 0

    def outcome(self) -> Outcome:
        """Run to the last order's end."""
        setup = self.setup
        if setup.rate is not None:
            self.clock.start(self._arrivals(setup.rate))
        else:
            for client in range(setup.clients):
                self.clock.start(self._client(range(client, setup.orders, setup.clients)))
        self.clock.run()
        last = max(end for _, end in self.settled)
        took = [end - placed for placed, end in self.settled]
        return Outcome(
            per_s=len(self.settled) / last,
            settle_p50=percentile(took, 50),
            settle_p99=percentile(took, 99),
            push_p50=percentile(self.pushes, 50),
            push_p99=percentile(self.pushes, 99),
            longest_queue=self.longest,
            orders_in_batch=sum(self.batches) / len(self.batches),
            changes_in_batch=sum(self.announced) / len(self.announced),
            workers_busy=self.busy / (last * setup.workers),
        )

    def _arrivals(self, rate: float) -> Process:
        for order in range(self.setup.orders):
            yield self.dice.expovariate(rate)
            self.clock.start(self._placed(order, Event()))

    def _client(self, orders: range) -> Process:
        for order in orders:
            accepted = Event()
            self.clock.start(self._placed(order, accepted))
            yield accepted

    def _placed(self, order: int, accepted: Event) -> Process:
        began = self.clock.now
        if self.door:
            yield self.door.serve(self.setup.accept_cpu + 2 * self.setup.call)
        yield self._processor(self.cores, self.setup.accept_cpu)
        yield self._index_write(order)
        self._changed(order)
        yield self._asked(self.setup.cloud_accept) + self.setup.call
        self.clock.happen(accepted)
        self.queue.append((order, began))
        self.longest = max(self.longest, len(self.queue))
        yield self.setup.pick_up
        self._pick_up()

    def _pick_up(self) -> None:
        """Give every free worker a batch, as far as there are orders."""
        while self.free and self.queue:
            most = min(self.setup.orders_per_worker, len(self.queue))
            batch = [self.queue.popleft() for _ in range(most)]
            self.free -= 1
            self.batches.append(most)
            self.clock.start(self._work(batch))

    def _work(self, batch: list[tuple[int, float]]) -> Process:
        began = self.clock.now
        processor = self.cores or Station(self.clock, 1)
        ends = []
        for order, placed in batch:
            end = Event()
            ends.append(end)
            self.clock.start(self._settle(order, placed, processor, end))
        for end in ends:
            yield end
        self.busy += self.clock.now - began
        yield _LOOKS
        self.free += 1
        self._pick_up()

    def _settle(self, order: int, placed: float, processor: Station, end: Event) -> Process:
        """Claim beside the quotes; store the signature; send; wait for the chain; end."""
        third, cloud = self.setup.settle_cpu / 3, self.setup.cloud_settle / 4
        uniform = self.dice.uniform
        quotes = max(uniform(*self.setup.quote), uniform(*self.setup.quote))
        began = self.clock.now
        yield self._processor(processor, third)
        yield self._asked(cloud)
        self._changed(order)
        yield max(0.0, began + quotes - self.clock.now)
        yield self._processor(processor, third)
        yield self._asked(cloud)
        self._changed(order)
        yield self._asked(cloud)
        yield uniform(*self.setup.confirm)
        yield self._processor(processor, third)
        yield self._index_write(order)
        yield self._asked(cloud)
        self._changed(order)
        self.settled.append((placed, self.clock.now))
        self.clock.happen(end)

    def _asked(self, cloud: float) -> float:
        """Return how long a call takes: on AWS always the same, else by how busy the cloud is."""
        if not cloud or self.cores is None:
            return self.setup.call
        return self.setup.call + max(self.cloud.serve(cloud), self.cores.serve(cloud))

    @staticmethod
    def _processor(station: Station | None, seconds: float) -> float:
        return station.serve(seconds) if station else seconds

    def _index_write(self, order: int) -> float:
        """A write that the index can't take yet keeps the table's write waiting."""
        shard = self.shards[order % len(self.shards)]
        return shard.serve(1 / self.setup.shard_writes)

    def _changed(self, order: int) -> None:
        """Put a change into its lane of the stream: an order's changes stay in one."""
        lane = self.lanes[order % len(self.lanes)]
        lane.changes.append(self.clock.now)
        if not lane.busy:
            lane.busy = True
            self.clock.start(self._announce(lane), self.setup.pick_up)

    def _announce(self, lane: Batch) -> Process:
        """Announce batch after batch: one at a time in a lane."""
        setup = self.setup
        while lane.changes:
            most = min(setup.stream_batch, len(lane.changes))
            batch = [lane.changes.popleft() for _ in range(most)]
            self.announced.append(most)
            cpu = setup.announce_run_cpu + setup.announce_cpu * most
            yield self._processor(self.cores, cpu)
            yield self._asked(setup.cloud_announce * most)
            yield setup.push
            self.pushes += [self.clock.now - changed for changed in batch]
        lane.busy = False


def simulated(**setup: Any) -> Outcome:
    """Return what a setup comes to; see Setup for the names."""
    return Run(Setup(**setup)).outcome()
