"""Run, deploy and operate the system: what the targets of the Makefile call.

python -m local COMMAND --help
"""

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from local.cloud.embedded import ROOT
from local.errors import CloudFailed, PortTaken, Refused
from local.signals import Stopped, stop_on_signals

if TYPE_CHECKING:
    from engine.domain.order import Settlement

QuoteRequest = argparse.Namespace
Command = Callable[[QuoteRequest], int | None]

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


def up(asked: QuoteRequest) -> None:
    """Serve the whole system on one address until stopped."""
    if asked.cloud == "localstack" and asked.network == "localnet":
        raise Refused("NETWORK=localnet runs on the embedded cloud, not on LocalStack")
    if asked.cloud == "localstack":
        from local.places import localstack

        localstack.serve(asked.port, os.environ)
    else:
        from local import up

        up.serve(
            asked.port,
            asked.auth,
            asked.origins,
            watch=asked.watch,
            keep=asked.keep,
            root=asked.root,
            settlement=settlement(asked),
        )


def cloud(asked: QuoteRequest) -> None:
    """Run the embedded cloud alone, for SAM to deploy to."""
    from local.cloud import bare

    bare.serve(asked.cloud_port)


def bridge(asked: QuoteRequest) -> None:
    """Let containers reach the cloud of `make up`."""
    from local import up
    from local.places import bridge

    bridge.serve(up.found(asked.port)["AWS_ENDPOINT_URL"])


def demo(asked: QuoteRequest) -> None:
    """Place an order on an embedded cloud and watch it to the end; move the price if it waits."""
    from local import demo

    demo.demonstrate(asked.type, asked.token_in, asked.token_out, asked.amount, settlement(asked))


def settlement(asked: QuoteRequest) -> "Settlement | None":
    """Return how orders are settled on the local chain, None where the network is simulated."""
    from engine.domain.order import Settlement

    return Settlement(asked.settlement) if asked.network == "localnet" else None


def smoke(_: QuoteRequest) -> None:
    """Place an order at ENGINE_URL and watch it at ENGINE_WS_URL to the end."""
    from local import smoke

    http_url, watch_url = needed("ENGINE_URL"), needed("ENGINE_WS_URL")
    print(smoke.summary(smoke.smoke(http_url, watch_url, os.environ.get("ENGINE_KEY"))))


def routes(asked: QuoteRequest) -> None:
    """Give the stack at AWS_ENDPOINT_URL its HTTP routes, and say where it is."""
    from local.cloud.stack import connect

    stack = connect(needed("AWS_ENDPOINT_URL").rstrip("/"), asked.stack)
    print(f"export ENGINE_URL='{stack.http_url}'\nexport ENGINE_WS_URL='{stack.ws_url}'")


def needed(name: str) -> str:
    """Return the address in a variable of the environment. Raises Refused if there is none."""
    value = os.environ.get(name)
    if not value:
        raise Refused(f"{name} is not set; `make help` and docs/local.md tell more")
    if not re.match(r"(https?|wss?)://[^/]", value):
        raise Refused(f"{name}={value} is no address")
    return value


def console(_: QuoteRequest) -> None:
    """Build the console from its sources and npm's lock file."""
    from local import console

    files = [path.stat().st_size for path in console.build().iterdir()]
    print(f"The console: {len(files)} files, {sum(files) / 1000:.0f} kB as they are sent.")


def sam(asked: QuoteRequest) -> int:
    """Run the SAM CLI, as samconfig.toml says."""
    from local import console
    from local.places import sam

    do = {"build": sam.build, "deploy": sam.deploy, "destroy": sam.destroy}[asked.command]
    if asked.command != "destroy":
        console.build()
    return do(asked.env)


def sam_local(_: QuoteRequest) -> None:
    """Run the functions by `sam local`, or say why not."""
    from local.places import sam_local

    try:
        sam_local.demonstrate(os.environ)
    except sam_local.Skipped as reason:
        print(f"skipped: {reason}")


def sam_template(_: QuoteRequest) -> None:
    """Write the template that `sam local` wants."""
    from local.places import sam_local

    print(os.path.relpath(sam_local.write_template()))


def python313(_: QuoteRequest) -> None:
    """Print the directory of this machine's Python 3.13."""
    from local.places import lambda_python

    print(lambda_python.found().parent)


def key(asked: QuoteRequest) -> None:
    """Make an API key and print it once."""
    from engine.ports.access import Role
    from local.ops import keys, target

    role = Role(asked.role)
    text = keys.create(target.target(asked).access, asked.account, role)
    whose = f"A key of account {asked.account}" + (", an operator's" * (role is Role.OPERATOR))
    print(f"{whose}; it is not shown again:", file=sys.stderr)
    print(text)


def revoke(asked: QuoteRequest) -> None:
    """Revoke an API key, given whole or by its id."""
    from engine.service.identity import BELIEVED
    from local.ops import keys, target

    keys.revoke(target.target(asked).access, asked.key)
    print(f"Revoked; {BELIEVED.seconds} seconds from now it is refused everywhere.")


def trading(asked: QuoteRequest) -> None:
    """Halt or resume the taking of new orders; those under way are finished."""
    from engine.ports.access import TradingState
    from engine.service.acting import SHELL
    from engine.service.limits import BELIEVED
    from local.ops import target

    state = {"halt": TradingState.HALTED, "resume": TradingState.ACTIVE}[asked.command]
    found = target.target(asked)
    found.acting.set_trading(state, asked.reason or _BY_HAND, by=SHELL)
    within = f"everywhere within {BELIEVED.seconds} seconds"
    print(f"Trading on {found.name} is {state.value}, {within}.")


def redrive(asked: QuoteRequest) -> None:
    """Move the dead letters back to the order queue."""
    from engine.service.acting import SHELL
    from local.ops import redrive, target

    found = target.target(asked)
    move = redrive.queues_of(found).redrive
    moved = found.acting.noted("redrive", asked.reason or None, move, by=SHELL)
    print(redrive.told(moved, found.name))


def story(asked: QuoteRequest) -> None:
    """Tell what happened to an order, function by function, from the logs."""
    from local.ops import story, target

    if not asked.order:
        raise Refused("ORDER is not set: name the order's id")
    found = target.target(asked)
    print(story.told(asked.order, story.events(found, asked.order, insights=bool(asked.stack))))


def signal_source(asked: QuoteRequest) -> None:
    """Make a source of signals and print its secret once; or rotate, retire, revoke."""
    from engine.adapters.aws.signals import BELIEVED_SECONDS
    from local.ops import signals, target

    book = signals.SourceBook.of(target.target(asked))
    within = f"everywhere within {BELIEVED_SECONDS} seconds"
    if asked.revoke or asked.retire:
        (book.revoke if asked.revoke else book.retire)(asked.name)
        what = "It is revoked" if asked.revoke else "Its former secret is refused"
        print(f"{what}, {within}.")
        return
    made = book.rotate(asked.name) if asked.rotate else book.create(asked.name, echoes=asked.echoes)
    print(f"A secret of {asked.name}, good {within}; it is not shown again:", file=sys.stderr)
    print(made.secrets[0])
    if made.authorization and not asked.rotate:
        print("What it may send as `Authorization` instead of signing:", file=sys.stderr)
        print(made.authorization)


def argument(*names: str, **how: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return names, how


_PORT = argument("--port", type=port, default=3000, help="of `make up`; it takes 0 for a free one")
_STACK = argument("--stack", default="", help="one on AWS, by the shell's credentials")
_REASON = argument("--reason", default="", help="for the audit")
_BY_HAND = "by hand"
_NETWORK = (
    argument("--network", choices=["simulated", "localnet"], default="simulated"),
    argument("--settlement", choices=["live", "paper"], default="live", help="on localnet"),
)
_ROLE = argument("--role", choices=["trader", "operator"], default="trader")
_ENV = argument("env", metavar="ENV", choices=("default", "prod", "local", "containers"))

#: Types of orders that the demo has a story of; see `demo.STORIES`.
TYPES = (
    "market",
    "limit",
    "stop",
    "stopLimit",
    "takeProfit",
    "trailingStop",
    "oco",
    "twap",
    "sniper",
)

#: What each command does, and what it is told.
COMMANDS: dict[str, tuple[Command, tuple[Any, ...]]] = {
    "up": (
        up,
        (
            _PORT,
            argument("--cloud", choices=["embedded", "localstack"], default="embedded"),
            argument("--auth", choices=["none", "api-key"], default="none"),
            argument("--origins", default="", help="pages that may call it, by commas"),
            argument("--watch", action="store_true", help="deploy what changes in the sources"),
            argument("--keep", action="store_true", help="keep table and queues for the next one"),
            argument("--root", type=Path, default=ROOT, help="where the sources are"),
            *_NETWORK,
        ),
    ),
    "cloud": (cloud, (argument("--cloud-port", type=port, default=4566),)),
    "bridge": (bridge, (_PORT,)),
    "demo": (
        demo,
        (
            argument("--type", choices=TYPES, default="market"),
            argument("--token-in", default="SOL"),
            argument("--token-out", default="USDC"),
            argument("--amount", default="1"),
            *_NETWORK,
        ),
    ),
    "smoke": (smoke, ()),
    "console": (console, ()),
    "routes": (routes, (argument("stack", metavar="STACK"),)),
    "build": (sam, (_ENV,)),
    "deploy": (sam, (_ENV,)),
    "destroy": (sam, (_ENV,)),
    "sam-local": (sam_local, ()),
    "sam-template": (sam_template, ()),
    "python313": (python313, ()),
    "key": (key, (argument("account", metavar="ACCOUNT"), _ROLE, _STACK, _PORT)),
    "revoke": (revoke, (argument("key", metavar="KEY"), _STACK, _PORT)),
    "signal-source": (
        signal_source,
        (
            argument("name", metavar="NAME"),
            argument("--rotate", action="store_true", help="a new secret; the last one stays good"),
            argument("--retire", action="store_true", help="only the newest secret stays good"),
            argument("--revoke", action="store_true", help="no more signals are taken"),
            argument("--echoes", action="store_true", help="it may send a fixed Authorization"),
            _STACK,
            _PORT,
        ),
    ),
    "halt": (trading, (_REASON, _STACK, _PORT)),
    "resume": (trading, (_REASON, _STACK, _PORT)),
    "redrive": (redrive, (_REASON, _STACK, _PORT)),
    "story": (story, (argument("order", metavar="ORDER"), _STACK, _PORT)),
}


def parser() -> Parser:
    """Return what reads a command line."""
    whole = Parser(prog="python -m local", description=__doc__)
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (do, arguments) in COMMANDS.items():
        made = commands.add_parser(name, help=do.__doc__, description=do.__doc__)
        made.set_defaults(do=do)
        for names, how in arguments:
            made.add_argument(*names, **how)
    return whole


def main() -> int:
    asked = parser().parse_args()
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")  # people read what is printed
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


def told(error: Exception, asked: QuoteRequest) -> str | None:
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
