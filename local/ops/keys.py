"""Create and revoke API keys.

python -m local.ops.keys create ACCOUNT [--stack NAME | --port PORT]
python -m local.ops.keys revoke KEY
"""

import argparse
import sys

from engine.adapters.accounts import DynamoAccess
from engine.adapters.system import SystemChance
from engine.domain.errors import StoreUnavailable
from engine.service.identity import BELIEVED, new_key
from local.ops.target import NoTarget, asked_for, target


class NoKey(Exception):
    """There is no such key."""


def create(access: DynamoAccess, account: str) -> str:
    """Return a new key of an account; it can't be had again. Raises ValueError for a bad name."""
    text, stored = new_key(account, SystemChance())
    access.add_key(stored)
    return text


def revoke(access: DynamoAccess, key: str) -> None:
    """Revoke a key, given whole or by its id. Raises NoKey."""
    key_id = key.removeprefix("oek_").partition("_")[0]
    if not access.revoke_key(key_id):
        raise NoKey(f"there is no key oek_{key_id}_...")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.ops.keys", description=__doc__)
    parser.add_argument("what", choices=["create", "revoke"])
    parser.add_argument("whom", metavar="ACCOUNT or KEY")
    asked_for(parser)
    asked = parser.parse_args()
    try:
        access = target(asked).access
        if asked.what == "revoke":
            revoke(access, asked.whom)
            print(f"Revoked; {BELIEVED.seconds} seconds from now it is refused everywhere.")
        else:
            key = create(access, asked.whom)
            print(f"A key of account {asked.whom}; it is not shown again:", file=sys.stderr)
            print(key)
    except (NoKey, NoTarget, StoreUnavailable, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
