"""Pack the functions and the layer into zips, the same bytes for the same sources.

Only what is ours goes in. MiniStack runs functions with the Python it runs on itself, whatever
`Runtime` says, so the packages of `layers/common/requirements.txt` come from the environment that
`make` made; wheels for arm64 would not even load here. `sam build` makes the layer for AWS.
"""

import io
import marshal
import zipfile
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can name
_READABLE = 0o644 << 16
_UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: valid whatever the source's time says


def function_zip(directory: Path) -> bytes:
    """Pack a function: its directory is the root of the zip."""
    return _pack(_files(directory))


def layer_zip(directory: Path) -> bytes:
    """Pack the packages of a layer's directory under `python/`, where Lambda looks for them."""
    packages = sorted(marker.parent for marker in directory.glob("*/__init__.py"))
    files: dict[str, bytes] = {}
    for package in packages:
        files |= {f"python/{package.name}/{n}": data for n, data in _files(package).items()}
    return _pack(files)


def compiled(source: bytes, name: str) -> bytes:
    """Return the contents of a `.pyc` that Python loads without a look at the source."""
    code = compile(source, name, "exec", dont_inherit=True)
    return MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)


def _files(root: Path) -> dict[str, bytes]:
    """Read what a directory holds; no caches, no hidden files."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {
        path.as_posix(): (root / path).read_bytes()
        for path in paths
        if not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    }


def _pack(files: dict[str, bytes]) -> bytes:
    bytecode = {
        cache_from_source(name): compiled(data, name)
        for name, data in files.items()
        if name.endswith(".py")
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # stored: every new process unpacks it
        for name, data in sorted((files | bytecode).items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _READABLE
            archive.writestr(entry, data)
    return packed.getvalue()
