"""How the console is built: hashed names all the way, and a lock file that names no registry."""

import gzip
import json
import re
from pathlib import Path

import pytest

from engine.domain.terms import OrderType
from local import console
from local.errors import Refused


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Libraries in little, installed already."""
    texts = {
        "preact/dist/preact.mjs": "export const h=1;\n//# sourceMappingURL=preact.mjs.map",
        "preact/hooks/dist/hooks.mjs": 'import{h as n}from"preact";export const useState=n;',
        "htm/dist/htm.module.js": "export default 1;",
        "uplot/dist/uPlot.iife.min.js": "var uPlot=1;",
        "uplot/dist/uPlot.min.css": ".u{}",
    }
    texts |= {f"{name}/LICENSE": f"{name}'s licence" for name in ("preact", "htm", "uplot")}
    for name, text in texts.items():
        (tmp_path / "packages" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "packages" / name).write_text(text)
    monkeypatch.setattr(console, "install", lambda: tmp_path / "packages")
    return tmp_path


def test_every_import_leads_to_a_file_by_its_hash(packages: Path) -> None:
    built = console.build(packages / "static")
    files = {path.stem: gzip.decompress(path.read_bytes()).decode() for path in built.glob("*.gz")}
    modules = {name: text for name, text in files.items() if name.endswith(".js")}
    assert len(modules) > 10
    for name, text in modules.items():
        for imported in re.findall(
            r"""(?:from|import)\s*\(?\s*"(\./[^"]+|preact[^"]*|htm|uplot)\"""", text
        ):
            assert imported.removeprefix("./") in files, name
        assert "sourceMappingURL" not in text
    index = (built / "index.html").read_text()
    assert {
        each.removeprefix("console/") for each in re.findall(r'="(console/\S+)"', index)
    } <= set(files)
    assert "<style" not in index
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=", index)
    assert not re.search(r'modulepreload" href="console/(uplot|chart)', index)  # when looked at


def test_what_changes_has_another_name_and_so_has_what_stands_on_it(packages: Path) -> None:
    def names() -> dict[str, str]:
        built = console.build(packages / "static")
        return {path.name.rpartition("-")[0]: path.name for path in built.glob("*.gz")}

    before = names()
    assert names() == before
    (packages / "packages/htm/dist/htm.module.js").write_text("export default 2;")
    after = names()
    changed = {name for name in before if before[name] != after[name]}
    assert {"htm", "parts", "main"} <= changed
    assert not {"preact", "terms", "engine", "style", "icon"} & changed


def test_the_ticket_has_a_form_for_every_kind_that_the_engine_takes(packages: Path) -> None:
    terms = (console.SOURCE / "terms.js").read_text()
    assert set(OrderType) <= set(re.findall(r"^  (\w+): \{", terms, re.MULTILINE))
    index = (console.build(packages / "static") / "index.html").read_text()
    assert f'<meta name="kinds" content="{" ".join(OrderType)}">' in index


def test_without_npm_it_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(console, "find_spec", lambda _: None)
    with pytest.raises(Refused, match="make console"):
        console.node("npm")


def test_the_lock_file_pins_each_library_by_its_hash_and_names_no_registry() -> None:
    lock = json.loads((console.SOURCE / "package-lock.json").read_text())
    asked = json.loads((console.SOURCE / "package.json").read_text())
    pinned = asked["dependencies"] | asked["devDependencies"]
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages.keys() == {f"node_modules/{name}" for name in pinned}
    for name, version in pinned.items():
        package = packages[f"node_modules/{name}"]
        assert package["version"] == version
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package
