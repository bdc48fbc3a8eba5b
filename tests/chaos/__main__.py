"""Storm the embedded cloud with orders and trouble, then say which promise was broken.

python -m tests.chaos --orders 500 --seed 1 --faults 10
python -m tests.chaos --orders 50 --parents 50 --parts 20
"""

import argparse
import sys

from engine.domain.order import Settlement
from local.signals import stop_on_signals
from local.system import running
from tests.chaos.chain import faults
from tests.chaos.report import parameters, storm, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parents", type=int, default=0, help="orders in parts besides")
    parser.add_argument("--parts", type=int, default=20, help="of each of them")
    parser.add_argument("--faults", type=int, default=10, help="percent, of the chain's doings")
    parser.add_argument("--network", choices=["simulated", "localnet"], default="simulated")
    asked = parser.parse_args()
    stop_on_signals()
    settlement = Settlement.LIVE if asked.network == "localnet" else None
    with running(parameters(asked.faults), settlement=settlement) as system:
        if system.localnet:
            system.localnet.node.faults = faults(asked.faults)
        outcome = storm(system, asked.orders, asked.seed, parents=asked.parents, parts=asked.parts)
    print(table(outcome))
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
