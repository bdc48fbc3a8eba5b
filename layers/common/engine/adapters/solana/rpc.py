"""A Solana node's JSON-RPC: deadlines, what to do when it has too much to do, what is no answer."""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any

import urllib3

from engine.domain.errors import EngineError
from engine.ports.clock import Clock

#: The most accounts that a node reads at once.
MAX_ACCOUNTS = 100
_TOO_MANY_REQUESTS = 429
#: What a node says when it is asked to wait and not how long.
_PAUSE = 0.2


class NodeUnavailable(EngineError):
    """The node did not answer, or not with what was asked for: nothing is known."""

    code = "NODE_UNAVAILABLE"


class NodeTimeout(NodeUnavailable):
    code = "NODE_TIMEOUT"


class NodeError(NodeUnavailable):
    """The node answered with an error of JSON-RPC, which has a number and data."""

    def __init__(self, number: int, message: str, data: Any) -> None:
        super().__init__(f"{number}: {message:.200}")
        self.number, self.data = number, data


@dataclass(frozen=True, slots=True)
class Account:
    """What lies at an address."""

    owner: str
    lamports: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts by address as they stood in one slot; None where there is none."""

    slot: int
    found: Mapping[str, Account | None]


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A node by its address. Every call raises NodeUnavailable, in `timeout` seconds at the latest.

    Behind an address may stand many nodes, some behind the others: what is read is never older
    than what was read before.
    """

    url: str
    clock: Clock
    timeout: float = 0.9
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=40, retries=False)
    )
    _ids: "count[int]" = field(default_factory=count)
    _slot: int = 0
    _lock: Lock = field(default_factory=Lock)

    def call(self, method: str, *params: Any, timeout: float | None = None) -> Any:
        """Return the result of a method.

        A node that has too much to do is asked again when it says, if that is in time. Raises
        NodeTimeout, NodeError, NodeUnavailable.
        """
        give_up = self.clock.now().timestamp() + (timeout or self.timeout)
        while True:
            left = give_up - self.clock.now().timestamp()
            if left <= 0:
                raise NodeTimeout(f"{method} was not answered in time")
            answer = self._post(method, params, left)
            if answer.status != _TOO_MANY_REQUESTS:
                return answer.result(method)
            pause = answer.retry_after
            if self.clock.now().timestamp() + pause >= give_up:
                raise NodeUnavailable(f"{method}: too many requests, wait {pause} s")
            self.clock.sleep(pause)

    def accounts(
        self,
        addresses: Sequence[str],
        *,
        commitment: str = "confirmed",
        timeout: float | None = None,
    ) -> Accounts:
        """Read up to MAX_ACCOUNTS accounts in one slot, none older than any read before."""
        floor = self._slot
        config: dict[str, Any] = {"encoding": "base64", "commitment": commitment}
        if floor:
            config["minContextSlot"] = floor
        told = self.call("getMultipleAccounts", list(addresses), config, timeout=timeout)
        try:
            slot, values = whole(told["context"]["slot"]), told["value"]
            found = {
                address: None if value is None else _account(value)
                for address, value in zip(addresses, values, strict=True)
            }
        except _MALFORMED as error:
            raise NodeUnavailable(f"getMultipleAccounts: {error!r:.200}") from error
        if slot < floor:
            raise NodeUnavailable(f"the node is at slot {slot}, behind {floor}")
        with self._lock:
            self._slot = max(slot, self._slot)
        return Accounts(slot, found)

    def _post(self, method: str, params: Sequence[Any], left: float) -> "_Answer":
        number = next(self._ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        try:
            answer = self._pool.request(
                "POST",
                self.url,
                body=json.dumps(body, separators=(",", ":")),
                headers={"Content-Type": "application/json"},
                timeout=urllib3.Timeout(total=left),
                redirect=False,
            )
        except urllib3.exceptions.TimeoutError as error:
            raise NodeTimeout(f"{method} was not answered in time") from error
        except urllib3.exceptions.HTTPError as error:
            raise NodeUnavailable(f"{method}: {type(error).__name__}") from error
        return _Answer(number, answer.status, answer.headers.get("Retry-After"), answer.data)


#: What reading an answer that is none may raise.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Answer:
    number: int
    status: int
    said: str | None
    data: bytes

    @property
    def retry_after(self) -> float:
        try:
            return max(0.0, float(self.said or _PAUSE))
        except ValueError:
            return _PAUSE

    def result(self, method: str) -> Any:
        try:
            told = json.loads(self.data)
            if "error" in told:
                error = told["error"]
                raise NodeError(int(error["code"]), str(error["message"]), error.get("data"))
            if told["id"] != self.number:
                raise ValueError("an answer to another question")
            return told["result"]
        except _MALFORMED as error:
            raise NodeUnavailable(
                f"{method}: HTTP {self.status}, no answer of JSON-RPC ({error!r:.80})"
            ) from error


def whole(value: object) -> int:
    """Return what is a whole number of 64 bits. Raises ValueError."""
    if type(value) is not int or not 0 <= value < 1 << 64:
        raise ValueError(f"no whole number: {value!r:.40}")
    return value


def _account(value: Mapping[str, Any]) -> Account:
    text, encoding = value["data"]
    if encoding != "base64":
        raise ValueError(f"not base64 but {encoding!r:.40}")
    data = b64decode(text, validate=True)
    return Account(str(value["owner"]), whole(value["lamports"]), data)
