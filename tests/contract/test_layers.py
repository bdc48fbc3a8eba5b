"""Dependencies point inwards, doorways are doorways, and nothing happens at import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "layers/common/engine"

#: What each part of the engine may import of the others.
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "domain": {"domain"},
    "market": {"domain", "market"},
    "ports": {"domain", "market", "ports"},
    "observability": set(),
    "settings": {"domain"},
    "service": {"domain", "market", "ports", "observability", "service"},
    "adapters": {"domain", "market", "ports", "observability", "adapters"},
    "api": {"domain", "ports", "observability", "service", "adapters", "api"},
    "bootstrap": {"domain", "adapters", "api", "market", "ports", "service", "settings"},
}
STANDARD_ONLY = {"domain", "market", "ports", "settings"}
FUNCTIONS = sorted((ROOT / "functions").glob("*/app.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def _part(path: Path) -> str:
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def _sources() -> list[Path]:
    return sorted(ENGINE.rglob("*.py"))


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ENGINE)))
def test_dependencies_point_inwards(path: Path) -> None:
    part = _part(path)
    for name in _imports(path):
        if name.startswith("engine."):
            assert name.split(".")[1] in MAY_IMPORT[part], f"{part} imports {name}"
        elif part in STANDARD_ONLY:
            assert name.split(".")[0] in _standard(), f"{part} imports {name}"


def _standard() -> frozenset[str]:
    import sys

    return sys.stdlib_module_names


def test_every_function_has_a_doorway() -> None:
    assert [path.parent.name for path in FUNCTIONS] == [
        "console",
        "execute",
        "operate",
        "reconcile",
        "trigger",
        "worker",
        "ws_connect",
        "ws_notify",
    ]


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_doorway_parses_calls_and_answers(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 30
    for name in _imports(path):
        assert name.split(".")[0] not in {"boto3", "botocore", "os"}, name
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.For | ast.While)]


@pytest.mark.parametrize(
    "path", [*_sources(), *FUNCTIONS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_nothing_happens_at_import(path: Path) -> None:
    """Only definitions, constants, and imports; a constant may be computed, not fetched."""
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant), ast.unparse(node)
        elif isinstance(node, ast.If):
            assert ast.unparse(node.test) in {"TYPE_CHECKING", "'LAMBDA_TASK_ROOT' in os.environ"}
        else:
            assert isinstance(node, allowed), ast.unparse(node)


def test_the_environment_is_read_in_one_place() -> None:
    readers = [
        str(path.relative_to(ENGINE)) for path in _sources() if "os.environ" in path.read_text()
    ]
    assert readers == ["__init__.py", "bootstrap.py"]


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ENGINE)))
def test_solders_is_loaded_by_who_builds_a_transaction_only(path: Path) -> None:
    """The simulated network has no such layer, and a real one's other functions need none."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert "solders" not in ast.unparse(node)
