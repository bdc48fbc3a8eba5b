"""Create and revoke API keys."""

from engine.adapters.aws.keys import DynamoAccess
from engine.adapters.system import SystemChance
from engine.ports.access import Role
from engine.service.identity import new_key
from local.errors import Refused


def create(access: DynamoAccess, account: str, role: Role = Role.TRADER) -> str:
    """Return a new key of an account; it can't be had again. Raises Refused for a bad name."""
    try:
        text, stored = new_key(account, SystemChance(), role)
    except ValueError as error:
        raise Refused(str(error)) from error
    access.add_key(stored)
    return text


def revoke(access: DynamoAccess, key: str) -> None:
    """Revoke a key, given whole or by its id. Raises Refused if there is none."""
    key_id = key.removeprefix("oek_").partition("_")[0]
    if not access.revoke_key(key_id):
        raise Refused(f"there is no key oek_{key_id}_...")
