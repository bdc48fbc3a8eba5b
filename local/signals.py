"""Turn the new order to stop into an exception, so that everything opened gets closed."""

import os
import signal
import time
from threading import Thread, main_thread
from typing import Any, NoReturn

_LOOK_EVERY_SECONDS = 0.25


class Stopped(KeyboardInterrupt):
    """This process is to stop: Ctrl-C, SIGTERM, or its terminal or its owner is gone."""


def stop_on_signals() -> None:
    """Let the first signal raise Stopped, and ignore those that follow: closing takes a moment.

    The end of the process that `OWNER_PID` names, make's, is as good as a signal: who is killed
    by SIGKILL passes none on.
    """

    def stop(*_: Any) -> NoReturn:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which is how nohup has it
        signals.append(signal.SIGHUP)
    for number in signals:
        signal.signal(number, stop)
    if owner := os.environ.pop("OWNER_PID", None):
        Thread(target=_stop_after, args=(int(owner),), name="owner", daemon=True).start()


def _stop_after(owner: int) -> None:
    while os.getppid() == owner:  # an orphan gets another parent at once
        time.sleep(_LOOK_EVERY_SECONDS)
    # To the main thread: a signal that another takes would not wake it.
    signal.pthread_kill(main_thread().ident or 0, signal.SIGTERM)
