"""The zips: what is in them, and that they are the same for the same sources."""

import io
import marshal
import zipfile
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

import pytest

from local.cloud.package import compiled, function_zip, layer_zip


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    package = tmp_path / "common" / "engine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "money.py").write_text("LAMPORTS = 10**9\n")
    (package / "tokens.json").write_text("{}")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "money.cpython-311.pyc").write_bytes(b"stale")
    (tmp_path / "common" / "requirements.txt").write_text("pydantic\n")
    (tmp_path / "common" / ".hidden").write_text("")
    return tmp_path / "common"


def names(data: bytes) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(data)).namelist())


def test_the_layer_holds_its_packages_below_python_and_nothing_else(sources):
    assert names(layer_zip(sources)) == {
        "python/engine/__init__.py",
        cache_from_source("python/engine/__init__.py"),
        "python/engine/money.py",
        cache_from_source("python/engine/money.py"),
        "python/engine/tokens.json",
    }


def test_a_function_is_the_root_of_its_zip(sources):
    assert "money.py" in names(function_zip(sources / "engine"))


def test_the_same_sources_give_the_same_bytes_whatever_their_times(sources):
    once = layer_zip(sources)
    (sources / "engine" / "money.py").touch()
    assert layer_zip(sources) == once


def test_other_sources_give_other_bytes(sources):
    once = layer_zip(sources)
    (sources / "engine" / "money.py").write_text("LAMPORTS = 10**8\n")
    assert layer_zip(sources) != once


def test_bytecode_is_loaded_without_a_look_at_the_source():
    data = compiled(b"x = 1\n", "x.py")
    assert data[:4] == MAGIC_NUMBER
    assert int.from_bytes(data[4:8], "little") == 0b01  # PEP 552: hash-based, unchecked
    namespace: dict[str, object] = {}
    exec(marshal.loads(data[16:]), namespace)  # noqa: S102, S302
    assert namespace["x"] == 1
