"""Turn the wish to stop into an exception, so that everything opened gets closed."""

import signal
from typing import Any, NoReturn


class Stopped(KeyboardInterrupt):
    """Somebody asked this process to stop: Ctrl-C, SIGTERM, or the terminal is gone."""


def stop_on_signals() -> None:
    """Let the first signal raise Stopped, and ignore those that follow: closing takes a moment."""

    def stop(*_: Any) -> NoReturn:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which is how nohup has it
        signals.append(signal.SIGHUP)
    for number in signals:
        signal.signal(number, stop)
