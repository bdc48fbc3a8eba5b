"""Find the Python that Lambda runs, 3.13, wherever this machine has it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.errors import Refused

NAME = "python3.13"
MISSING = f"no Python 3.13 ({NAME}): put one on the PATH, or name it with PYTHON313=..."


def find(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return a Python 3.13 that starts, None if the machine has none."""
    for candidate in candidates(environment):
        if (executable := starts(candidate)) is not None:
            return executable
    return None


def found(environment: Mapping[str, str] = os.environ) -> Path:
    """Return a Python 3.13 that starts. Raises Refused if the machine has none."""
    if (python := find(environment)) is None:
        raise Refused(MISSING)
    return python


def candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield where a Python 3.13 may be: named, on the PATH, pyenv's, uv's."""
    if named := environment.get("PYTHON313"):
        yield Path(named)
        return
    if on_path := shutil.which(NAME, path=environment.get("PATH")):
        yield Path(on_path)
    home = environment.get("HOME", "")
    pyenv = Path(environment.get("PYENV_ROOT") or f"{home}/.pyenv")
    uv = Path(environment.get("XDG_DATA_HOME") or f"{home}/.local/share") / "uv/python"
    for root, pattern in ((pyenv, "versions/3.13.*"), (uv, "cpython-3.13.*")):
        yield from (each / "bin" / NAME for each in sorted(root.glob(pattern), reverse=True))


def starts(candidate: Path) -> Path | None:
    """Return the real executable behind a candidate, None if it is a shim that leads nowhere."""
    ask = "import sys; print(sys.executable); sys.exit(sys.version_info[:2] != (3, 13))"
    try:
        ran = subprocess.run([candidate, "-Ic", ask], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return Path(ran.stdout.strip()) if ran.returncode == 0 else None
