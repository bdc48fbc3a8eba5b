"""Watching the sources: what counts as a change, and when it is acted on."""

import threading
from pathlib import Path

import pytest

from local import watch
from local.errors import CloudFailed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "functions/worker").mkdir(parents=True)
    (tmp_path / "functions/worker/app.py").write_text("")
    (tmp_path / "layers/common/engine").mkdir(parents=True)
    (tmp_path / "layers/common/engine/money.py").write_text("")
    (tmp_path / "template.yaml").write_text("")
    return tmp_path


def test_a_change_a_new_file_and_a_lost_one_are_seen_and_caches_are_not(root):
    before = watch.look(root)
    (root / "template.yaml").write_text("Resources: {}")
    (root / "layers/common/engine/tokens.py").write_text("")
    (root / "functions/worker/app.py").unlink()
    (root / "layers/common/engine/__pycache__").mkdir()
    (root / "layers/common/engine/__pycache__/money.pyc").write_text("")
    (root / "functions/worker/.app.py.swp").write_text("")
    assert watch.changed(before, watch.look(root)) == [
        "functions/worker/app.py",
        "layers/common/engine/tokens.py",
        "template.yaml",
    ]


class Rounds(threading.Event):
    """An event that says "not yet" to each wait, runs the next step meanwhile, and then is set."""

    def __init__(self, *steps) -> None:
        super().__init__()
        self.steps = list(steps)

    def wait(self, timeout: float | None = None) -> bool:
        if not self.steps:
            return True
        self.steps.pop(0)()
        return False


def nothing() -> None:
    pass


def test_what_is_still_being_written_is_deployed_once_and_when_it_is_quiet(root):
    deployed: list[str] = []
    said: list[str] = []

    def write(text: str):
        return lambda: (root / "template.yaml").write_text(text)

    rounds = Rounds(nothing, write("a"), write("ab"), nothing, nothing, nothing)
    watch.watch(
        root,
        lambda: deployed.append((root / "template.yaml").read_text()),
        rounds,
        said.append,
    )
    assert deployed == ["ab"]
    assert said[0].startswith("template.yaml: deployed in ")


def test_what_can_not_be_deployed_is_said_and_the_watch_goes_on(root):
    said: list[str] = []

    def fail() -> None:
        raise CloudFailed("SyntaxError", root)

    rounds = Rounds(lambda: (root / "template.yaml").write_text("x"), nothing, nothing)
    watch.watch(root, fail, rounds, said.append)
    assert said == ["template.yaml: not deployed: SyntaxError"]
