"""Where the engine is: options, else the environment, else a config file, else this machine.

The file is TOML with `url`, `ws_url`, `key` and `patience` (seconds).
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oee.client.address import LOCAL, Address

_KNOWN = {"url": str, "ws_url": str, "key": str, "patience": int | float}


class BadSettings(Exception):
    """They say something that can't be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was found, and where (`sources`, by name)."""

    address: Address
    patience: float
    file: Path
    sources: Mapping[str, str]


def config_file(environment: Mapping[str, str]) -> Path:
    """Return where the config file is, if there is one."""
    if named := environment.get("OEE_CONFIG"):
        return Path(named)
    home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "oee/config.toml"


def read(
    url: str | None = None,
    ws_url: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings. Raises BadSettings."""
    env = os.environ if environment is None else environment
    file = config_file(env)
    written = _written(file, required="OEE_CONFIG" in env)
    found: dict[str, str] = {}
    sources: dict[str, str] = {}
    given = {"url": url, "ws_url": ws_url}
    for name, variable in (
        ("url", "ENGINE_URL"),
        ("ws_url", "ENGINE_WS_URL"),
        ("key", "ENGINE_KEY"),
    ):
        asked = given.get(name), env.get(variable), written.get(name)
        for value, source in zip(asked, ("option", variable, str(file)), strict=True):
            if value:
                found[name], sources[name] = str(value), source
                break
    try:
        address = Address(found.get("url", LOCAL), found.get("ws_url", ""), found.get("key"))
    except ValueError as error:
        raise BadSettings(str(error)) from None
    return Settings(address, float(written.get("patience", 30)), file, sources)


def _written(file: Path, *, required: bool) -> dict[str, str | float]:
    try:
        written = tomllib.loads(file.read_text())
    except FileNotFoundError:
        if required:
            raise BadSettings(f"{file} is not there") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{file}: {error}") from None
    for name, value in written.items():
        if name not in _KNOWN:
            raise BadSettings(f"{file}: {name!r} is unknown; known are {', '.join(_KNOWN)}")
        if not isinstance(value, _KNOWN[name]) or isinstance(value, bool):
            raise BadSettings(f"{file}: {name} can't be {value!r}")
    return written
