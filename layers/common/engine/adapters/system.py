"""The machine's own clock and chance."""

import secrets
import time
from datetime import UTC, datetime
from random import SystemRandom


class SystemClock:
    """The wall clock, in whole milliseconds."""

    def now(self) -> datetime:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class SystemChance:
    """The operating system's randomness: the same in no two processes, also after SnapStart."""

    def uniform(self, low: float, high: float) -> float:
        return SystemRandom().uniform(low, high)

    def token_bytes(self) -> bytes:
        return secrets.token_bytes(16)
