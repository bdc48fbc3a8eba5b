"""Orders on the chain of this machine: from a POST to what has landed, and what a quote costs."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from bench.client import timed, watched
from bench.figures import ROOT, Figures, ms, spread
from bench.lambdas import unpacked
from bench.stage import Stage
from engine.adapters.solana.pools import listings
from engine.adapters.solana.rpc import Node
from engine.adapters.solana.venues import SHARED, PoolBook
from engine.adapters.system import SystemClock
from engine.domain.order import Settlement
from engine.settings import needed
from local.places import lambda_python
from local.system import running
from tests.e2e.client import Trader

ORDERS, QUOTES, STARTS = 60, 100, 11
#: Slots so short that nobody waits for one: what is left is ours.
NO_DELAY = 0.01
#: What the functions' environment calls the template's parameters.
_NAMES = {
    "Network": "NETWORK",
    "Settlement": "SETTLEMENT",
    "SolanaRpcUrl": "SOLANA_RPC_URL",
    "SolanaPools": "SOLANA_POOLS",
    "SignerKeyId": "SIGNER_ID",
    "MinOrderUsd": "MIN_ORDER_USD",
    "MaxPriorityFeeLamports": "MAX_PRIORITY_FEE_LAMPORTS",
}


def localnet(stage: Stage) -> Figures:
    """POST to `confirmed` where no slot is waited for, a quote of both venues, a cold worker."""
    stage.close()
    with (
        running(settlement=Settlement.LIVE, log_level="WARNING") as system,
        Trader(system) as trader,
    ):
        chain = needed(system.localnet, "the chain")
        chain.node.slot_seconds = NO_DELAY
        stage.tell(f"{ORDERS} orders")
        whole = [watched(trader)[1] for _ in range(ORDERS + 5)][5:]
        stage.tell(f"{QUOTES} quotes")
        quotes = quoted(chain.parameters)
        stage.tell(f"{STARTS} starts")
        settings = {name: chain.parameters[key] for key, name in _NAMES.items()}
        settings["AWS_ENDPOINT_URL_KMS"] = system.endpoint_url
        settings["ORDER_DEADLINE_SECONDS"] = "120"
        starts = started(settings)
    return {
        **spread(whole),
        **spread(quotes, "quote_"),
        "start_ms": ms(starts[1]),
        "start_ratio": round(starts[1] / starts[0], 2),
        **layer_size(),
    }


def quoted(parameters: Mapping[str, str]) -> list[float]:
    """Return the seconds that reading both venues' pools of a pair takes, one after another."""
    clock = SystemClock()
    book = PoolBook(
        Node(parameters["SolanaRpcUrl"], clock), clock, listings(parameters["SolanaPools"])
    )
    taken = []
    for _ in range(QUOTES):
        time.sleep(SHARED.total_seconds())  # what was read is shared no longer
        taken.append(timed(lambda: book.of_pair("SOL/USDC")))
    return taken[1:]


def started(settings: Mapping[str, str]) -> tuple[float, float]:
    """Return the CPU seconds of a cold worker's first order, simulated and on the chain."""
    with unpacked() as simulated, unpacked(Settlement.LIVE, settings) as real:
        taken = [(simulated.first("worker"), real.first("worker")) for _ in range(STARTS)]
    one, other = zip(*taken[1:], strict=True)
    return median(one), median(other)


def layer_size() -> Figures:
    """Build the layer of Solana as SAM does, for Lambda's processor; return its sizes in MB."""
    with TemporaryDirectory(prefix="layer-") as name:
        directory = Path(name)
        command = ["make", "--silent", "-C", str(ROOT / "layers/solana"), "build-SolanaLayer"]
        where = [f"ARTIFACTS_DIR={directory}", f"PYTHON={lambda_python.found()}"]
        subprocess.run([*command, *where], check=True)
        files = [path for path in directory.rglob("*") if path.is_file()]
        with ZipFile(directory / "layer.zip", "w", ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(directory))
        unpacked_bytes = sum(path.stat().st_size for path in files)
        packed = (directory / "layer.zip").stat().st_size
    return {"layer_mb": round(packed / 1e6, 1), "layer_unpacked_mb": round(unpacked_bytes / 1e6, 1)}
