"""Take signals from outside: who sent it, whether it is new, and what it tells."""

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from engine.domain.errors import SignatureInvalid, UnknownSource
from engine.domain.launches import Launch
from engine.domain.signatures import TOLERANCE, signed_at, signed_headers
from engine.observability import log
from engine.ports.clock import Chance, Clock
from engine.ports.metrics import UNMEASURED, Metric, Metrics
from engine.ports.signals import Replays, Source, Sources
from engine.service.launching import Launching

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
#: The source of what is launched in the simulated market: nobody else has its secret.
SIMULATION = "simulation"


@dataclass(frozen=True, slots=True)
class Signal:
    """A message that its source has sent; `at` is when, None if only its body says so."""

    source: str
    message_id: str
    at: datetime | None


@dataclass(slots=True, eq=False, repr=False)
class Signalling:
    """The use case and what it needs.

    Effects come first, and last the note that they were had: a process that dies in between leaves
    a message that is taken again, and every effect may be had twice.
    """

    sources: Sources
    replays: Replays
    launching: Launching
    clock: Clock
    own_secret: str
    metrics: Metrics = UNMEASURED

    def verified(self, name: str, headers: Mapping[str, str], body: bytes) -> Signal:
        """Return the signal that a request is, before anybody reads its body.

        `headers` have lower-case names; `body` is the raw bytes. Raises UnknownSource,
        SignatureInvalid.
        """
        with self._counted():
            return self._verified(name, headers, body)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except (UnknownSource, SignatureInvalid) as refused:
            self.metrics.record(Metric.SIGNALS_REFUSED, by=refused.code)
            raise

    def _verified(self, name: str, headers: Mapping[str, str], body: bytes) -> Signal:
        source = self._source(name)
        if source is None:
            raise UnknownSource(f"{name:.40}: no signals are taken from there")
        at = signed_at(headers, body, source.secrets, now=self.clock.now())
        if at is not None:
            return Signal(name, headers["webhook-id"], at)
        told = headers.get("authorization", "").encode()
        if source.authorization and hmac.compare_digest(told, source.authorization.encode()):
            return Signal(name, f"sha256:{sha256(body).hexdigest()}", None)
        log.warning("signal refused", extra={"source": name})
        raise SignatureInvalid("not signed by a good secret, or not within five minutes of now")

    def launched(self, signal: Signal, token: Launch) -> bool:
        """Take the news of a launch; tell whether the message was taken before.

        Its time is the earlier of its own and now. Raises SignatureInvalid if only the body says
        when it was sent, and that is not now.
        """
        now = self.clock.now()
        if signal.at is None and abs(now - token.at) > TOLERANCE:
            with self._counted():
                raise SignatureInvalid("its timestamp is not within five minutes of now")
        if self.replays.heard(signal.source, signal.message_id):
            return True
        at = min(token.at, now)
        self.launching.announce(Launch(token.mint, token.symbol, token.decimals, at, signal.source))
        self.replays.note(signal.source, signal.message_id, until=now + 4 * TOLERANCE)
        self.metrics.record(Metric.SIGNALS_ACCEPTED)
        log.info("signal taken", extra={"source": signal.source, "mint": token.mint})
        return False

    def _source(self, name: str) -> Source | None:
        if name == SIMULATION:
            return Source(name, (self.own_secret,))
        return self.sources.find(name) if NAME.fullmatch(name) else None


def new_secret(chance: Chance) -> str:
    """Return a new secret to sign by, 32 bytes."""
    return f"whsec_{b64encode(chance.token_bytes() + chance.token_bytes()).decode()}"


def send_own(
    signalling: Signalling, launch: Launch, encode: Callable[[Launch], str], message_id: str
) -> None:
    """Send the signal of a simulated launch, signed and verified like any other."""
    body = encode(launch).encode()
    at = signalling.clock.now()
    headers = signed_headers(message_id, at, body, signalling.own_secret)
    signalling.launched(signalling.verified(SIMULATION, headers, body), launch)


def launch_text(launch: Launch) -> str:
    """Return the body of a launch's signal."""
    data = {"mint": launch.mint, "symbol": launch.symbol, "decimals": launch.decimals}
    told = {"type": "token.launched", "timestamp": launch.at.isoformat(), "data": data}
    return json.dumps(told, separators=(",", ":"))
