"""Run MiniStack on an inherited listening socket until standard input ends.

Standard input is a pipe held by the process that started this one, so it ends whenever that
process does, also by SIGKILL: no emulator and no Lambda worker outlives its owner.

    python -m local.cloud.emulator LISTENING_FD SCRATCH_DIRECTORY
"""

import asyncio
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from local.door.origins import refusal
from local.processes import allow_open_files

MAX_WEBSOCKET_MESSAGE = 128 * 1024  # API Gateway's
DEEP = 500  # brackets; frames that the engine takes have two
CONTAINERS_NAME = "host.docker.internal"  # what containers call this machine

#: An ASGI application: of a scope, and what receives and sends its messages.
App = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]


def unnested(app: App) -> App:
    """Return `app` with each frame that is nested too deep cut to one that is no JSON either.

    MiniStack reads a frame to route it, and closes the connection over one that it can't; API
    Gateway hands both to `$default`.
    """

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def received() -> Any:
            message = await receive()
            text = message.get("text") or ""
            if text.count("[") + text.count("{") > DEEP:
                return {**message, "text": text[:1] * 2}
            return message

        await app(scope, received if scope["type"] == "websocket" else receive, send)

    return answer


def guarded(app: App) -> App:
    """Return `app` for programs only: MiniStack lets any page in a browser read its answer.

    What the front door passes on it has judged itself, and says so by a header that no page can
    set: the browser asks for leave first, with a request of that page's origin.
    """

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in {"http", "websocket"}:
            sent = {name.lower(): text.decode("latin-1") for name, text in scope["headers"]}
            origin = None if b"x-forwarded-host" in sent else sent.get(b"origin")
            if refusal(sent.get(b"host", ""), origin, names={CONTAINERS_NAME}):
                await receive()
                await _refuse(scope["type"], send)
                return
        await app(scope, receive, send)

    return answer


async def _refuse(kind: str, send: Any) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close"})  # not accepted yet: a 403
        return
    await send({"type": "http.response.start", "status": HTTPStatus.FORBIDDEN, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def end_with_owner(scratch: Path, shut_down: Callable[[], object]) -> None:
    """Wait for the end of standard input, then end the workers, the scratch files and this.

    A cloud that is kept is shut down, since MiniStack stores it then: one service after another.
    What a table has and a queue has not, or the other way round, `reconcile` repairs as it does
    after any crash.
    """
    while os.read(sys.stdin.fileno(), 4096):
        pass
    runtime = sys.modules.get("ministack.core.lambda_runtime")
    if runtime is not None:
        runtime.reset()  # ends and reaps the workers, so that none is left a zombie
    if os.environ.get("PERSIST_STATE") == "1":
        shut_down()  # then `main` ends the rest
    else:
        end(scratch)


def end(scratch: Path) -> None:
    """End everything that is left: the process group is its own, stragglers included."""
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


async def serve(fd: int, scratch: Path) -> None:
    """Serve MiniStack on the listening socket `fd` until it is shut down."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{fd}"]
    config.loglevel = "WARNING"
    config.backlog = 1024
    config.keep_alive_timeout = 600
    config.keep_alive_max_requests = sys.maxsize  # closing one in use would fail a request
    config.websocket_max_message_size = MAX_WEBSOCKET_MESSAGE
    config.graceful_timeout = 1.0
    shut_down = asyncio.Event()
    ask = partial(asyncio.get_running_loop().call_soon_threadsafe, shut_down.set)
    threading.Thread(target=end_with_owner, args=(scratch, ask), daemon=True).start()
    await hypercorn_serve(guarded(unnested(app)), config, shutdown_trigger=shut_down.wait)


def main() -> None:
    fd, scratch = int(sys.argv[1]), Path(sys.argv[2])
    os.set_inheritable(fd, False)
    allow_open_files()
    asyncio.run(serve(fd, scratch))
    end(scratch)


if __name__ == "__main__":
    main()
