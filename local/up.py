"""Serve the whole system on one address until stopped.

python -m local.up --port 3000 --auth api-key
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from local.cloud import ROOT, STATE, CloudFailed, PortTaken
from local.sam_local import environments
from local.signals import Stopped, stop_on_signals
from local.system import System, running

_BANNER = """\
The order execution engine is up at {url}

  Place an order   curl -s {url}/api/orders/execute -H 'Content-Type: application/json' \\
                     -d '{{"type":"market","tokenIn":"SOL","tokenOut":"USDC","amount":1}}'
  Read it          curl -s {url}/api/orders/ORDER_ID
  Watch it         {ws_url}/api/orders/status/ORDER_ID
                   {ws_url}/live, then {{"action":"subscribe","orderId":"ORDER_ID"}}
  Failures         tokens XFAIL, XSLIP and XDROP, each against USDC

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
        "pid": os.getpid(),
        "cloudPid": system.cloud.group,
        "log": str(system.cloud.log),
    }


@contextmanager
def told(system: System) -> Iterator[Path]:
    """Keep the addresses in `.local/up-PORT.json` while the system runs.

    Beside them, in `.local/sam-PORT.json`, what `sam local --env-vars` is to be given.
    """
    path = STATE / f"up-{system.port}.json"
    variables = STATE / f"sam-{system.port}.json"
    path.write_text(json.dumps(addresses(system), indent=2) + "\n")
    variables.write_text(json.dumps(environments(system.cloud, system.stack), indent=2) + "\n")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        variables.unlink(missing_ok=True)


def serve(at: int, auth: str, *, watch: bool = False, root: Path = ROOT) -> None:
    """Serve until the embedded cloud ends, which it should not, or Stopped is raised.

    With `watch`, what changes in the sources below `root` is deployed meanwhile.
    """
    from local.watch import watching

    parameters = {"Auth": auth}
    with (
        running(parameters, port=at, template=root / "template.yaml") as system,
        told(system) as state,
        watching(system, parameters, root) if watch else nullcontext(),
    ):
        print(
            _BANNER.format(
                url=system.url,
                ws_url=system.ws_url,
                endpoint_url=system.endpoint_url,
                state=os.path.relpath(state),
                log=os.path.relpath(system.cloud.log),
            ),
            flush=True,
        )
        if auth == "api-key":
            from local.ops import keys, target

            key = keys.create(target.embedded(str(system.port)).access, "trader")
            print(_KEYED.format(key=key), flush=True)
        try:
            system.cloud.wait()
        except Stopped:
            return
        raise CloudFailed("the embedded cloud ended by itself", system.cloud.log)


def port(text: str) -> int:
    """Read a port number. Raises ValueError."""
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError(text)
    return number


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.up", description=__doc__)
    parser.add_argument("--port", type=port, default=3000, help="0 for a free one; default 3000")
    parser.add_argument("--auth", choices=["api-key", "none"], default="none")
    parser.add_argument("--watch", action="store_true", help="deploy what changes in the sources")
    parser.add_argument("--root", type=Path, default=ROOT, help="where the sources are")
    asked = parser.parse_args()
    stop_on_signals()
    try:
        serve(asked.port, asked.auth, watch=asked.watch, root=asked.root)
    except PortTaken as error:
        print(f"{error}; choose another with PORT=...", file=sys.stderr)
        return 1
    except CloudFailed as error:
        print(f"{error}\nSee {os.path.relpath(error.log)}", file=sys.stderr)
        return 1
    except Stopped:  # while it was starting
        return 0
    print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
