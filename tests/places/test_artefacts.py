"""What `sam build` leaves is small, complete, compiled, and the same whenever it is built."""

import io
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from local.cloud.embedded import ROOT
from local.places import sam

FUNCTIONS = sorted(f"{n}Function" for n in ("Execute", "Worker", "WsConnect", "WsNotify"))
ARTEFACTS = [*FUNCTIONS, "ReconcileFunction", "CommonLayer"]
AARCH64 = 183  # e_machine
PINS = (ROOT / "layers/common/requirements.txt").read_text()
REQUIREMENTS = dict(re.findall(r"^([\w-]+)==(\S+)", PINS, re.MULTILINE))

#: Run by Python 3.13 itself: its own magic number and its own hash of the sources.
VALID = """
import sys, importlib.util as u
from pathlib import Path
for source in Path(sys.argv[1]).rglob("*.py"):
    data = Path(u.cache_from_source(str(source))).read_bytes()
    assert data[:4] == u.MAGIC_NUMBER, source
    assert int.from_bytes(data[4:8], "little") == 0b01, source  # by hash, never checked again
    assert data[8:16] == u.source_hash(source.read_bytes()), source
"""


def files(directory: Path) -> dict[str, bytes]:
    """Return what a directory holds, by path."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def layer(built: Path) -> dict[str, bytes]:
    return files(built / "CommonLayer")


@pytest.mark.parametrize("name", [*FUNCTIONS, "ReconcileFunction"])
def test_a_function_is_its_doorway_and_nothing_else(built, name):
    assert set(files(built / name)) == {"app.py"}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(built / name / "app.py", "app.py")
    assert len(packed.getvalue()) < 20_000


def test_the_layer_is_small(layer):
    assert sum(map(len, layer.values())) < 25_000_000
    assert {path.partition("/")[0] for path in layer} == {"python"}


def test_the_layer_has_nothing_that_lambda_has_or_nobody_runs(layer):
    unwanted = re.compile(r"/(boto3|botocore|tests?|bin|\.\w+)/|/test_\w+\.py|\.pyi$|requirements")
    assert [path for path in layer if unwanted.search(path)] == []


def test_the_layer_has_the_engine_as_it_is_here(layer):
    engine = ROOT / "layers/common/engine"
    assert {
        path.removeprefix("python/engine/"): data
        for path, data in layer.items()
        if path.startswith("python/engine/") and not path.endswith(".pyc")
    } == {
        path: data
        for path, data in files(engine).items()
        if "__pycache__" not in path and not path.endswith(".pyc")
    }


def test_every_source_has_its_bytecode_and_every_bytecode_its_source(layer, built, python313):
    bytecode = {path for path in layer if path.endswith(".pyc")}
    assert bytecode == {
        re.sub(r"([^/]+)\.py$", r"__pycache__/\1.cpython-313.pyc", path)
        for path in layer
        if path.endswith(".py")
    }
    subprocess.run([python313, "-Ic", VALID, built / "CommonLayer"], check=True)


def test_every_requirement_is_there_in_the_version_that_is_pinned(layer):
    there = {
        found[1].replace("_", "-"): found[2]
        for path in layer
        if (found := re.fullmatch(r"python/([\w.]+)-([\d.]+)\.dist-info/METADATA", path))
    }
    assert there == REQUIREMENTS


def test_every_wheel_is_for_python_3_13_on_arm64_and_complete(layer):
    trimmed = re.compile(r"(^|/)(tests/|test_[^/]*\.py$|bin/|__pycache__/)|\.pyi$|\.\./")
    for path, data in layer.items():
        if path.endswith(".dist-info/WHEEL"):
            tags = re.findall(r"^Tag: (\S+)", data.decode(), re.MULTILINE)
            assert any(re.fullmatch(r"py3-none-any|cp313-cp313-.*aarch64", tag) for tag in tags)
        if path.endswith(".dist-info/RECORD"):
            listed = [line.rsplit(",", 2)[0] for line in data.decode().splitlines()]
            missing = [name for name in listed if f"python/{name}" not in layer]
            assert [name for name in missing if not trimmed.search(name)] == []


def test_nothing_is_compiled_to_machine_code_but_for_arm64(layer):
    for path, data in layer.items():
        if data[:4] != b"\x7fELF":
            continue
        assert path.endswith(".cpython-313-aarch64-linux-gnu.so")
        assert int.from_bytes(data[18:20], "little") == AARCH64


def test_the_layer_that_runs_here_differs_in_machine_code_only(layer, host_layer):
    """So what the Runtime Interface Emulator shows of that one holds for the one deployed."""

    def portable(tree: dict[str, bytes]) -> dict[str, bytes]:
        return {
            path: data
            for path, data in tree.items()
            if data[:4] != b"\x7fELF" and not re.search(r"dist-info/(WHEEL|RECORD|sboms/.*)$", path)
        }

    assert portable(files(host_layer)) == portable(layer)


def test_the_same_sources_give_the_same_bytes(built, tmp_path, python313):
    sam.build_to(tmp_path / "again", "aarch64")
    for name in ARTEFACTS:
        assert files(tmp_path / "again" / name) == files(built / name), name
