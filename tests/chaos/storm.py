"""Orders through the front door while processes are killed, messages doubled and watchers drop.

What clients were told goes into a history as it comes; what table, chain and queues hold is read
when all is quiet. `tests/proof/history.py` then says which promise was broken.
"""

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from engine.adapters.aws.orders import item_order
from engine.adapters.aws.queue import message_body
from engine.domain.order import FINAL, Order, Status
from engine.domain.tokens import TOKENS
from engine.ports.queue import WorkMessage
from local.errors import CloudFailed
from local.system import System
from tests.e2e.client import lying, rows_of, until
from tests.proof.history import Answer, Document, Heard, History, Letter, asked_for, steps

#: Who trades, and how likely each is to.
ACCOUNTS = ("ann", "bob", "eve")
#: What is sold for what, how much of it in tokens, and how often.
TRADES = (
    ("SOL", "USDC", (1, 40), 8),
    ("USDC", "SOL", (50, 5_000), 4),
    ("RAY", "SOL", (10, 900), 2),
    ("BONK", "USDC", (100_000, 9_000_000), 2),
    ("XDROP", "USDC", (1, 9), 2),
    ("XSLIP", "USDC", (1, 9), 1),
    ("XFAIL", "USDC", (1, 9), 1),
)
#: The functions whose processes are killed, and how often.
VICTIMS = {"worker": 6, "ws_notify": 2, "execute": 1, "ws_connect": 1, "reconcile": 1, "trigger": 1}
FINALS = {status.value for status in FINAL}
#: How long orders may take to end, and what was told of them to arrive after that.
QUIET_SECONDS, ARRIVAL_SECONDS = 300.0, 60.0


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order that a trader means to place; `copies` is how often it is sent at the same time."""

    account: str
    body: dict[str, Any]
    key: str | None
    copies: int
    watched: bool
    cancelled: bool


def new_orders(count: int, chance: Random, *, simulated: bool = True) -> Iterator[NewOrder]:
    """Yield what is to be placed: mixed tokens, amounts and keys, some sent over and over.

    There are test tokens where the network is simulated.
    """
    trades = [trade for trade in TRADES if simulated or not TOKENS[trade[0]].fault]
    for n in range(count):
        sold, bought, (minimum, maximum), _ = chance.choices(trades, [t[3] for t in trades])[0]
        amount = chance.randint(minimum, maximum)
        key = f"key-{n}" if chance.random() < 0.6 else None
        yield NewOrder(
            account=chance.choice(ACCOUNTS),
            body={
                "type": "market",
                "tokenIn": sold,
                "tokenOut": bought,
                "amount": chance.choice([amount, str(amount), f"{amount}.0"]),
                "slippageBps": chance.choice([50, 100, 300]),
            },
            key=key,
            copies=chance.choice([1, 1, 2, 4]) if key else 1,
            watched=chance.random() < 0.25,
            cancelled=chance.random() < 0.05,
        )


def in_parts(count: int, parts: int, chance: Random) -> Iterator[NewOrder]:
    """Yield orders in parts, one every second or two; a fifth of them is cancelled on its way."""
    for n in range(count):
        yield NewOrder(
            account=chance.choice(ACCOUNTS),
            body={
                "type": "twap",
                "tokenIn": "SOL",
                "tokenOut": "USDC",
                "amount": f"{chance.randint(1, 9)}.{chance.randint(1, 10**9 - 1):09d}",
                "slippageBps": 300,
                "parts": parts,
                "intervalSeconds": chance.choice([1, 2]),
            },
            key=f"parts-{n}",
            copies=chance.choice([1, 2]),
            watched=chance.random() < 0.25,
            cancelled=chance.random() < 0.2,
        )


@dataclass
class Storm:
    """One run; `keys` are the accounts' API keys."""

    system: System
    keys: dict[str, str]
    seed: int
    history: History = field(default_factory=History)
    done: Counter[str] = field(default_factory=Counter)
    #: When everything had ended.
    quiet_since: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.http = {
            account: httpx.Client(
                base_url=self.system.url, headers=self._headers(account), timeout=30
            )
            for account in self.keys
        }
        self.sqs, self.dynamodb = (self.system.client(name) for name in ("sqs", "dynamodb"))
        self.placed: list[tuple[str, str]] = []

    def run(self, orders: int, a_second: float, parents: int = 0, parts: int = 2) -> History:
        """Place `orders` orders, some `a_second`, in all the trouble; return what became of it.

        Before them `parents` orders of so many `parts` are placed.
        """
        chance, simulated = Random(self.seed), self.system.localnet is None
        with (
            ThreadPoolExecutor(16) as traders,
            ThreadPoolExecutor(48) as subscriptions,
            self._listening_to_all(),
        ):
            with self._beside(self.kill), self._beside(self.double), self._beside(self.repair):
                under_way = []
                first = in_parts(parents, parts, chance)
                for new_order in [*first, *new_orders(orders, chance, simulated=simulated)]:
                    under_way.append(traders.submit(self.trade, new_order, subscriptions))
                    time.sleep(chance.expovariate(a_second))
                for trade in under_way:
                    trade.result()
            with self._beside(self.repair):
                self._wait_until_quiet()
        self._read_all()
        for client in self.http.values():
            client.close()
        return self.history

    def trade(self, new_order: NewOrder, subscriptions: ThreadPoolExecutor) -> None:
        """Place an order, again if no answer came and it has a key; perhaps cancel or watch it."""
        with ThreadPoolExecutor(new_order.copies) as at_once:
            answers = list(at_once.map(lambda _: self._place(new_order), range(new_order.copies)))
        for _ in range(4):
            if new_order.key is None or any(answer.status == 202 for answer in answers):
                break
            time.sleep(0.5)
            answers.append(self._place(new_order))
        order_id = next((a.body["orderId"] for a in answers if a.status == 202), None)
        if order_id is None:
            self.done["orders not accepted"] += 1
            return
        with self.lock:
            self.placed.append((new_order.account, order_id))
        if new_order.cancelled:
            if "parts" in new_order.body:  # amid one of them
                time.sleep(1 + int(order_id[:2], 16) / 64)
            self._call(new_order.account, "cancel", "POST", f"/api/orders/{order_id}/cancel")
        if new_order.watched:
            subscriptions.submit(self.watch, new_order.account, order_id).add_done_callback(_raise)

    def _place(self, new_order: NewOrder) -> Answer:
        headers = {"Idempotency-Key": new_order.key} if new_order.key else {}
        return self._call(
            new_order.account,
            "place",
            "POST",
            "/api/orders/execute",
            new_order.body,
            headers,
            new_order.key,
        )

    def _call(
        self,
        account: str,
        call: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        try:
            got = self.http[account].request(method, path, json=body, headers=headers)
        except httpx.HTTPError:
            answer = Answer(call, 0, {}, account, key, body or {})
        else:
            told = got.json() if got.status_code < 300 else {}
            replayed = got.headers.get("idempotent-replayed") == "true"
            answer = Answer(call, got.status_code, told, account, key, body or {}, replayed)
        with self.lock:
            self.history.answers.append(answer)
            self.done[f"{call}: {answer.status or 'no answer'}"] += 1
        return answer

    def watch(self, account: str, order_id: str) -> None:
        """Watch an order to its end, dropping the connection now and then and coming back."""
        chance = Random(f"{self.seed}:{order_id}")
        seq, client = 0, ""
        while not self._all_has_arrived():
            after = seq if chance.random() < 0.5 else 0
            client = f"{order_id[:8]}/{self._number()}"
            drops = chance.randint(1, 3) if chance.random() < 0.4 else None
            query = f"?orderId={order_id}" + (f"&afterSeq={after}" if after else "")
            self._keep(account, client, asked_for(order_id, after))
            seq, ended = self._listen(account, client, query, drops, seq)
            if ended:
                break
            self.done["watchers' connections dropped"] += 1
        with self.lock:  # who has heard no end by now was not told of it
            self.history.stayed.add((client, order_id))

    def _listen(
        self, account: str, client: str, query: str, drops: int | None, seq: int
    ) -> tuple[int, bool]:
        """Listen on one connection; return the highest `seq` and whether the order has ended."""
        try:
            with self._connected(account, query) as socket:
                heard = 0
                while not self._all_has_arrived():
                    message = self._hear(account, client, socket)
                    if message is None or message["type"] == "error":
                        return seq, False
                    seq = max(seq, message["seq"])
                    if message["status"] in FINALS:
                        return seq, True
                    heard += 1
                    if heard == drops:
                        return seq, False
        except (WebSocketException, OSError, TimeoutError):
            time.sleep(0.2)
        return seq, False

    def _connected(self, account: str, query: str) -> ClientConnection:
        return connect(
            f"{self.system.ws_url}/live{query}", additional_headers=self._headers(account)
        )

    def _hear(
        self, account: str, client: str, socket: ClientConnection, seconds: float = 30
    ) -> dict[str, Any] | None:
        """Return the next message and keep it; None if there is none for long."""
        try:
            message: dict[str, Any] = json.loads(socket.recv(timeout=seconds))
        except TimeoutError:
            return None
        self._keep(account, client, message)
        return message

    def _keep(self, account: str, client: str, message: Document) -> None:
        with self.lock:
            self.history.heard.append(Heard(client, account, message))

    @contextmanager
    def _listening_to_all(self) -> Iterator[None]:
        """Let a client of each account hear of all its orders, from before the first."""
        with ExitStack() as open_until_then, ThreadPoolExecutor(len(self.keys)) as listeners:
            sockets = {
                account: open_until_then.enter_context(self._connected(account, ""))
                for account in self.keys
            }
            for socket in sockets.values():
                socket.send(json.dumps({"action": "subscribe", "orders": "mine"}))
            # nobody is told that a subscription stands
            until(lambda: len(self._rows("ACCOUNT#")), lambda rows: rows >= len(sockets))
            listening = [listeners.submit(self._hear_all, *each) for each in sockets.items()]
            try:
                yield
            except BaseException:
                self.quiet_since = -math.inf  # nobody need wait for anything
                raise
            for listener in listening:
                listener.result()

    def _hear_all(self, account: str, socket: ClientConnection) -> None:
        client = f"{account}/all"
        self._keep(account, client, asked_for(None))
        ended: set[str] = set()
        try:
            while not self._all_has_arrived(ended, account):
                message = self._hear(account, client, socket, 0.5)
                if message and message.get("status") in FINALS:
                    ended.add(message["orderId"])
        except WebSocketException:
            self.done["watchers of all that were cut off"] += 1
            return
        with self.lock:
            for whose, order_id in self.placed:
                if whose == account:
                    self.history.stayed.add((client, order_id))

    def _all_has_arrived(self, ended: Collection[str] = (), account: str = "") -> bool:
        """Tell whether no more will come: an account's orders `ended`, or all is long quiet."""
        if self.quiet_since is None:
            return False
        mine = {order_id for whose, order_id in self.placed if whose == account}
        if account and mine <= set(ended):
            return True
        return time.monotonic() > self.quiet_since + ARRIVAL_SECONDS

    def kill(self, stop: threading.Event) -> None:
        """Kill a process of a function about every second."""
        chance = Random(f"{self.seed}:kill")
        while not stop.wait(chance.uniform(0.3, 1.5)):
            function = chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
            processes = self.system.workers(function)
            if not processes:
                continue
            try:
                self.system.cloud.kill_worker(chance.choice(processes))
            except LookupError:  # it has ended meanwhile
                continue
            self.done[f"{function} processes killed"] += 1

    def double(self, stop: threading.Event) -> None:
        """Put messages of orders into the queue again, as old as they were or with the id alone."""
        chance = Random(f"{self.seed}:double")
        while not stop.wait(chance.uniform(0, 0.2)):
            if not self.placed:
                continue
            _, order_id = chance.choice(self.placed[-50:])
            snapshot = self._row(order_id) if chance.random() < 0.5 else None
            body = message_body(WorkMessage(order_id, snapshot))
            stop.wait(chance.uniform(0, 1))  # the snapshot grows old
            for _ in range(chance.choice([1, 1, 2])):
                self.sqs.send_message(QueueUrl=self.system.stack.order_queue, MessageBody=body)
                self.done["messages doubled"] += 1

    def repair(self, stop: threading.Event) -> None:
        """Run the reconciler more often than its schedule does."""
        while not stop.wait(8):
            try:
                report = self.system.invoke("reconcile", {})
            except CloudFailed:  # killed
                self.done["reconciler's runs failed"] += 1
                continue
            self.done["orders settled by the reconciler"] += report["settled"]
            self.done["orders enqueued by the reconciler"] += report["enqueued"]

    def _wait_until_quiet(self) -> None:
        give_up = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < give_up:
            orders = [item_order(row) for row in self._rows("ORDER#") if row["sk"]["S"] == "ORDER"]
            busy = [order for order in orders if not order.final or order.dead_letter_due]
            queued = lying(self.sqs, self.system.stack.order_queue)
            if not busy and not queued and self._letters_are_of_failed(orders):
                break
            time.sleep(1)
        else:
            self.done["seconds too few to get quiet"] = int(QUIET_SECONDS)
        self.quiet_since = time.monotonic()

    def _letters_are_of_failed(self, orders: list[Order]) -> bool:
        good = {o.order_id for o in orders if o.status is not Status.FAILED}
        return not any(letter.order_id in good for letter in self._letters())

    def _read_all(self) -> None:
        """Read what table, chain and queues hold, and every state that an order had."""
        history = self.history
        for record in self._stream():
            new = record["dynamodb"].get("NewImage")
            if new and new["sk"]["S"] == "ORDER":
                order = item_order(new)
                states = history.states.setdefault(order.order_id, [])
                states += steps(states[-1] if states else None, order)
        history.ledger = {
            row["pk"]["S"].removeprefix("TX#"): {
                name: value["S"] for name, value in row.items() if name not in {"pk", "sk"}
            }
            for row in self._rows("TX#")
        }
        if self.system.localnet and self.system.localnet.wallet:
            from tests.chaos.chain import ledger

            history.ledger = ledger(self.system.localnet, history.states)
        history.queued = [None] * lying(self.sqs, self.system.stack.order_queue)
        history.dead_letters = self._letters()
        for account, order_id in self.placed:
            self._call(account, "read", "GET", f"/api/orders/{order_id}")

    def _letters(self) -> list[Letter]:
        """Look at all dead letters and put them back; the reconciler may have some in hand."""
        url = self.system.stack.dead_letter_queue
        found: dict[str, tuple[str, str]] = {}
        give_up = time.monotonic() + 15
        while time.monotonic() < give_up and len(found) < lying(self.sqs, url):
            for message in self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=20
            ).get("Messages", []):
                found[message["MessageId"]] = message["Body"], message["ReceiptHandle"]
        for _, receipt in found.values():
            self.sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0
            )
        return [Letter(json.loads(body).get("orderId")) for body, _ in found.values()]

    def _row(self, order_id: str) -> Order | None:
        key = {"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "ORDER"}}
        answer = self.dynamodb.get_item(
            TableName=self.system.stack.table, Key=key, ConsistentRead=True
        )
        return item_order(answer["Item"]) if "Item" in answer else None

    def _rows(self, prefix: str) -> list[dict[str, Any]]:
        rows = rows_of(self.dynamodb, self.system.stack.table)
        return [row for row in rows if row["pk"]["S"].startswith(prefix)]

    def _stream(self) -> Iterator[dict[str, Any]]:
        """Yield every record of the table's stream, from its beginning."""
        described = self.dynamodb.describe_table(TableName=self.system.stack.table)
        arn = described["Table"]["LatestStreamArn"]
        streams = self.system.client("dynamodbstreams")
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                page = streams.get_records(ShardIterator=iterator)
                if not page["Records"]:
                    break
                yield from page["Records"]
                iterator = page.get("NextShardIterator")

    def _headers(self, account: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[account]}"}

    def _number(self) -> int:
        with self.lock:
            self.done["watchers' connections"] += 1
            return self.done["watchers' connections"]

    @contextmanager
    def _beside(self, work: Callable[[threading.Event], None]) -> Iterator[None]:
        """Run `work` in a thread as long as the block runs; its failure is ours."""
        stop = threading.Event()
        with ThreadPoolExecutor(1) as thread:
            working = thread.submit(work, stop)
            try:
                yield
            finally:
                stop.set()
            working.result()


def _raise(done: Any) -> None:
    if done.exception() is not None:
        raise done.exception()
