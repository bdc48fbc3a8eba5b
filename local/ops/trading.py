"""Stop and resume the taking of new orders; what is under way is finished.

python -m local.ops.trading halt [--stack NAME | --port PORT]
python -m local.ops.trading resume
"""

import argparse
import sys

from engine.domain.errors import StoreUnavailable
from engine.ports import TradingState
from engine.service.limits import BELIEVED
from local.ops.target import NoTarget, asked_for, target

_STATES = {"halt": TradingState.HALTED, "resume": TradingState.ACTIVE}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.ops.trading", description=__doc__)
    parser.add_argument("what", choices=_STATES)
    asked_for(parser)
    asked = parser.parse_args()
    try:
        found = target(asked)
        found.access.set_trading_state(_STATES[asked.what])
    except (NoTarget, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    state = _STATES[asked.what].value
    print(f"Trading on {found.name} is {state}, everywhere within {BELIEVED.seconds} seconds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
