"""Serve the whole system on one address until stopped."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.cloud.embedded import ROOT, STATE
from local.errors import CloudFailed, Refused
from local.places.sam_local import environments
from local.system import WARM, System, running

if TYPE_CHECKING:
    from engine.domain.order import Settlement

_BANNER = """\
The order execution engine is up at {url}

  Look at it       {url}/ in a browser
  Place an order   curl -s {url}/api/orders/execute -H 'Content-Type: application/json' \\
                     -d '{{"type":"market","tokenIn":"SOL","tokenOut":"USDC","amount":1}}'
  Read it          curl -s {url}/api/orders/ORDER_ID
  Watch it         {ws_url}/api/orders/status/ORDER_ID
                   {ws_url}/live, then {{"action":"subscribe","orderId":"ORDER_ID"}}
  {besides}

  AWS_ENDPOINT_URL={endpoint_url}
  Addresses        {state}
  Log              {log}

Stop it with Ctrl-C.
"""
_KEYED = """\
Callers need an API key. Here is one, of account trader; it is not shown again:
  {key}
Send it as `Authorization: Bearer KEY`; `make key ACCOUNT=name` makes another.
"""


def addresses(system: System) -> dict[str, Any]:
    """Return what other programs need to know of a running system."""
    return {
        "http": system.url,
        "ws": system.ws_url,
        "AWS_ENDPOINT_URL": system.endpoint_url,
        "httpApi": system.stack.http_url,
        "webSocketApi": system.stack.ws_url,
        "stack": system.stack.name,
        "table": system.stack.table,
        "orderQueue": system.stack.order_queue,
        "deadLetterQueue": system.stack.dead_letter_queue,
        "functions": dict(system.stack.functions),
        "outputs": dict(system.stack.outputs),
        "chain": system.localnet.url if system.localnet else None,
        "wallet": system.localnet.wallet if system.localnet else None,
        "pid": os.getpid(),
        "cloudPid": system.cloud.group,
        "log": str(system.cloud.log),
    }


@contextmanager
def told(system: System) -> Iterator[Path]:
    """Keep the addresses in `.local/up-PORT.json`, locked, while the system runs.

    Beside them, in `.local/sam-PORT.json`, what `sam local --env-vars` is to be given.
    """
    path = STATE / f"up-{system.port}.json"
    variables = STATE / f"sam-{system.port}.json"
    variables.write_text(json.dumps(environments(system.cloud, system.stack), indent=2) + "\n")
    beside = path.with_suffix(".part")
    try:
        with beside.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(addresses(system), indent=2) + "\n")
            file.flush()
            beside.replace(path)  # so that nobody reads it before it is locked and whole
            yield path
    finally:
        path.unlink(missing_ok=True)
        variables.unlink(missing_ok=True)


def found(port: int, state: Path = STATE) -> dict[str, Any]:
    """Return the addresses of the system that runs at `port`. Raises Refused if none does.

    A killed one leaves its file behind, but no lock: that ends with the process.
    """
    try:
        with (state / f"up-{port}.json").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                told: dict[str, Any] = json.load(file)
                return told
    except FileNotFoundError:
        pass
    raise Refused(f"nothing is up at port {port}: run make up, or name a stack with STACK=...")


def _besides(system: System) -> str:
    chain = system.localnet
    if chain is None:
        return "Failures         tokens XFAIL, XSLIP and XDROP, each against USDC"
    whose = f"the wallet {chain.wallet}" if chain.wallet else "on paper: nothing is signed"
    return f"Chain            {chain.url} (JSON-RPC), {whose}"


def serve(
    at: int,
    auth: str,
    origins: str,
    *,
    watch: bool = False,
    keep: bool = False,
    root: Path = ROOT,
    settlement: "Settlement | None" = None,
) -> None:
    """Serve until the embedded cloud ends, which it should not.

    With `watch`, what changes in the sources below `root` is deployed meanwhile. With `keep`, table
    and queues are as they were when the last one at this port that kept them ended. With a
    `settlement` it trades on a chain of this machine.
    Raises PortTaken, CloudFailed, Refused.
    """
    from local import console
    from local.watch import watching

    if keep and not at:
        raise Refused("KEEP=1 needs a PORT: what is kept is found again by it")
    if keep and settlement:
        raise Refused("KEEP=1 is of no use with NETWORK=localnet: the chain begins anew each time")
    kept = STATE / f"kept-{at}" if keep else None
    parameters = {"Auth": auth, "AllowedOrigins": origins}
    try:
        console.build()
    except Refused as reason:
        print(f"No console: {reason}", flush=True)
    with (
        running(
            parameters,
            port=at,
            warm=WARM | {"console": 1},
            template=root / "template.yaml",
            kept=kept,
            settlement=settlement,
        ) as system,
        told(system) as state,
        watching(system, root) if watch else nullcontext(),
    ):
        print(
            _BANNER.format(
                url=system.url,
                ws_url=system.ws_url,
                endpoint_url=system.endpoint_url,
                state=os.path.relpath(state),
                log=os.path.relpath(system.cloud.log),
                besides=_besides(system),
            ),
            flush=True,
        )
        if auth == "api-key":
            from engine.adapters.aws.keys import DynamoAccess
            from local.ops import keys

            key = keys.create(DynamoAccess(system.table), "trader")
            print(_KEYED.format(key=key), flush=True)
        system.cloud.wait()
        raise CloudFailed("the embedded cloud ended by itself", system.cloud.log)
