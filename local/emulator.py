"""Run MiniStack on an inherited listening socket until standard input ends.

Standard input is a pipe held by the process that started this one, so it ends whenever that
process does, also by SIGKILL: no emulator and no Lambda worker outlives its owner.

    python -m local.emulator LISTENING_FD SCRATCH_DIRECTORY
"""

import asyncio
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from local.processes import allow_open_files

MAX_WEBSOCKET_MESSAGE = 128 * 1024  # API Gateway's


def end_with_owner(scratch: Path) -> None:
    """Wait for the end of standard input, then end the workers, the scratch files and this."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    runtime = sys.modules.get("ministack.core.lambda_runtime")
    if runtime is not None:
        runtime.reset()  # ends and reaps the workers, so that none is left a zombie
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)  # its own group; stragglers included


def serve(fd: int) -> None:
    """Serve MiniStack on the listening socket `fd`."""
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
    asyncio.run(hypercorn_serve(app, config))


def main() -> None:
    fd, scratch = int(sys.argv[1]), Path(sys.argv[2])
    os.set_inheritable(fd, False)
    allow_open_files()
    threading.Thread(target=end_with_owner, args=(scratch,), daemon=True).start()
    serve(fd)


if __name__ == "__main__":
    main()
