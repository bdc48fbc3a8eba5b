"""What can fail here in ways that whoever typed the command can mend.

Refused            the message says what is missing
├── PortTaken      the port is somebody else's
└── CloudFailed    the embedded cloud, or something in it; `log` tells more
"""

from pathlib import Path


class Refused(Exception):
    """What was asked for can't be done; the message says why."""


class PortTaken(Refused):
    """The port can't be listened at."""


class CloudFailed(Refused):
    """The embedded cloud did not start, or something in it failed; `log` tells more."""

    def __init__(self, reason: str, log: Path) -> None:
        super().__init__(reason)
        self.log = log
