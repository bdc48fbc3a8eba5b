"""Run, deploy and operate the system: what the targets of the Makefile call.

python -m local COMMAND --help
"""

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from local.cloud.embedded import ROOT
from local.errors import CloudFailed, PortTaken, Refused
from local.signals import Stopped, stop_on_signals

Asked = argparse.Namespace
Command = Callable[[Asked], int | None]

#: They serve until they are stopped, so that is how they end well.
_SERVERS = {"up", "cloud", "bridge"}


class Parser(argparse.ArgumentParser):
    """Names what is wrong as `make` does, PORT for --port, in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, re.sub(r"^argument (?:--)?([\w-]+)", _variable, message) + "\n")


def _variable(found: re.Match[str]) -> str:
    return found[1].upper().replace("-", "_")


def port(text: str) -> int:
    """Read a port number. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, which is 0 to 65535")
    return int(text)


def up(asked: Asked) -> None:
    if asked.cloud == "localstack":
        from local.places import localstack

        localstack.serve(asked.port, os.environ)
    else:
        from local import up

        up.serve(asked.port, asked.auth, asked.origins, watch=asked.watch, root=asked.root)


def cloud(asked: Asked) -> None:
    from local.cloud import bare

    bare.serve(asked.cloud_port)


def bridge(asked: Asked) -> None:
    from local import up
    from local.places import bridge

    bridge.serve(up.found(asked.port)["AWS_ENDPOINT_URL"])


def demo(asked: Asked) -> None:
    from local import demo

    demo.demonstrate(
        {
            "type": "market",
            "tokenIn": asked.token_in,
            "tokenOut": asked.token_out,
            "amount": asked.amount,
        }
    )


def smoke(_: Asked) -> None:
    from local import smoke

    http_url, watch_url = needed("ENGINE_URL"), needed("ENGINE_WS_URL")
    print(smoke.summary(smoke.smoke(http_url, watch_url, os.environ.get("ENGINE_KEY"))))


def routes(asked: Asked) -> None:
    from local.cloud.stack import connect

    stack = connect(needed("AWS_ENDPOINT_URL").rstrip("/"), asked.stack)
    print(f"export ENGINE_URL='{stack.http_url}'\nexport ENGINE_WS_URL='{stack.ws_url}'")


def needed(name: str) -> str:
    """Return a variable of the environment. Raises Refused if it is not set."""
    if value := os.environ.get(name):
        return value
    raise Refused(f"{name} is not set; `make help` and docs/local.md tell more")


def sam(asked: Asked) -> int:
    from local.places import sam

    do = {"build": sam.build, "deploy": sam.deploy, "destroy": sam.destroy}[asked.command]
    return do(asked.env)


def sam_local(_: Asked) -> None:
    from local.places import sam_local

    try:
        sam_local.demonstrate(os.environ)
    except sam_local.Skipped as reason:
        print(f"skipped: {reason}")


def sam_template(_: Asked) -> None:
    from local.places import sam_local

    print(os.path.relpath(sam_local.write_template()))


def python313(_: Asked) -> None:
    from local.places import lambda_python

    print(lambda_python.found().parent)


def key(asked: Asked) -> None:
    from local.ops import keys, target

    text = keys.create(target.target(asked).access, asked.account)
    print(f"A key of account {asked.account}; it is not shown again:", file=sys.stderr)
    print(text)


def revoke(asked: Asked) -> None:
    from engine.service.identity import BELIEVED
    from local.ops import keys, target

    keys.revoke(target.target(asked).access, asked.key)
    print(f"Revoked; {BELIEVED.seconds} seconds from now it is refused everywhere.")


def trading(asked: Asked) -> None:
    from engine.ports import TradingState
    from engine.service.limits import BELIEVED
    from local.ops import target

    state = {"halt": TradingState.HALTED, "resume": TradingState.ACTIVE}[asked.command]
    found = target.target(asked)
    found.access.set_trading_state(state)
    within = f"everywhere within {BELIEVED.seconds} seconds"
    print(f"Trading on {found.name} is {state.value}, {within}.")


def redrive(asked: Asked) -> None:
    from local.ops import redrive, target

    found = target.target(asked)
    print(redrive.told(redrive.queues_of(found).redrive(), found.name))


def parser() -> Parser:
    """Return what reads a command line."""
    whole = Parser(prog="python -m local", description=__doc__)
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, do: Command, help: str) -> Any:  # noqa: A002 - argparse's word
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(do=do)
        return made

    serving = command("up", up, "serve the whole system on one address until stopped")
    serving.add_argument("--cloud", choices=["embedded", "localstack"], default="embedded")
    serving.add_argument("--port", type=port, default=3000, help="0 for a free one")
    serving.add_argument("--auth", choices=["none", "api-key"], default="none")
    serving.add_argument("--origins", default="", help="pages that may call it, by commas")
    serving.add_argument("--watch", action="store_true", help="deploy what changes in the sources")
    serving.add_argument("--root", type=Path, default=ROOT, help="where the sources are")
    bare = command("cloud", cloud, "run the embedded cloud alone, for SAM to deploy to")
    bare.add_argument("--cloud-port", type=port, default=4566, help="0 for a free one")
    bridged = command("bridge", bridge, "let containers reach the cloud of `make up`")
    bridged.add_argument("--port", type=port, default=3000, help="where `make up` serves")
    shown = command("demo", demo, "place an order on an embedded cloud, watch it to the end")
    shown.add_argument("--token-in", default="SOL")
    shown.add_argument("--token-out", default="USDC")
    shown.add_argument("--amount", default="1")
    command("smoke", smoke, "place an order at ENGINE_URL and watch it to the end")
    wired = command("routes", routes, "wire the stack at AWS_ENDPOINT_URL, say where it is")
    wired.add_argument("stack", metavar="STACK")
    for name in ("build", "deploy", "destroy"):
        made = command(name, sam, f"{name} by the SAM CLI, as samconfig.toml says")
        made.add_argument("env", metavar="ENV", choices=("default", "prod", "local", "containers"))
    command("sam-local", sam_local, "run the functions by `sam local`, or say why not")
    command("sam-template", sam_template, "write the template that `sam local` wants")
    command("python313", python313, "print the directory of this machine's Python 3.13")
    operated = [
        command("key", key, "make an API key and print it once"),
        command("revoke", revoke, "revoke an API key, given whole or by its id"),
        command("halt", trading, "take no new orders; those under way are finished"),
        command("resume", trading, "take new orders again"),
        command("redrive", redrive, "move the dead letters back to the order queue"),
    ]
    operated[0].add_argument("account", metavar="ACCOUNT")
    operated[1].add_argument("key", metavar="KEY")
    for each in operated:
        each.add_argument("--stack", default="", help="one on AWS, by the shell's credentials")
        each.add_argument("--port", type=port, default=3000, help="where `make up` serves")
    return whole


def main() -> int:
    asked = parser().parse_args()
    stop_on_signals()
    try:
        return asked.do(asked) or 0
    except Stopped:
        if asked.command not in _SERVERS:
            return 130
        print("Stopped.")
        return 0
    except Exception as error:
        if (said := told(error, asked)) is None:
            raise
        print(said, file=sys.stderr)
        return 1


def told(error: Exception, asked: Asked) -> str | None:
    """Return what to say of an error that whoever asked can mend, None of any other."""
    from subprocess import CalledProcessError

    from botocore.exceptions import BotoCoreError, ClientError

    from engine.domain.errors import StoreUnavailable

    match error:
        case CloudFailed():
            return f"{error}\nSee {os.path.relpath(error.log)}"
        case PortTaken():
            variable = "CLOUD_PORT" if asked.command == "cloud" else "PORT"
            return f"{error}; choose another with {variable}=..."
        case Refused() | StoreUnavailable() | BotoCoreError() | ClientError():
            return str(error)
        case CalledProcessError():
            return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main())
