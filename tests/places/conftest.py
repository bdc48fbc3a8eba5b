"""What SAM builds, and an embedded cloud to which SAM itself has deployed it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.cloud.embedded import ROOT
from local.places import lambda_python, sam

STACK = "order-engine-local"


@dataclass(frozen=True)
class Deployed:
    """A stack that `make deploy ENV=local` and `make routes` made on what `make cloud` runs."""

    endpoint_url: str
    http_url: str
    ws_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a shell has in which a newcomer pastes the commands of docs/local.md."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "ENGINE_URL": self.http_url,
            "ENGINE_WS_URL": self.ws_url,
        }


def make(*arguments: str, environment: dict[str, str], good: bool = True) -> str:
    """Run a target of the Makefile; return what it printed."""
    ran = subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ran.returncode == 0) is good, ran.stdout
    return ran.stdout


@pytest.fixture(scope="session")
def python313() -> Path:
    """Return a Python 3.13; there is one in CI, and elsewhere what needs it is skipped."""
    found = lambda_python.find()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(lambda_python.MISSING)
        pytest.skip(lambda_python.MISSING)
    return found


@pytest.fixture(scope="session")
def built(python313: Path) -> Path:
    """Return what `make build` leaves."""
    assert sam.build("default") == 0
    return ROOT / ".aws-sam/build"


@pytest.fixture(scope="session")
def host_layer(python313: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the layer with this machine's wheels, made by the same recipe."""
    target = tmp_path_factory.mktemp("layer")
    subprocess.run(
        ["make", "--silent", "--directory", "layers/common", "build-CommonLayer"],
        cwd=ROOT,
        env=sam.build_environment(sam.machine(), os.environ) | {"ARTIFACTS_DIR": str(target)},
        check=True,
    )
    return target


@contextmanager
def started(*arguments: str, environment: dict[str, str]) -> Iterator[str]:
    """Run a target that serves until stopped; yield what it said until it was up."""
    with subprocess.Popen(
        ["make", "--silent", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            said = ""
            while "Stop it with Ctrl-C" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            yield said
        finally:
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does


@pytest.fixture(scope="session")
def deployed(python313: Path) -> Iterator[Deployed]:
    with started("cloud", "CLOUD_PORT=0", environment={**os.environ}) as said:
        exported = dict(re.findall(r"(AWS_\w+)=(\S+)", said))
        environment = {**os.environ, **exported}
        make("deploy", "ENV=local", environment=environment)
        exported |= re.findall(r"export (\w+)='(.*)'", make("routes", environment=environment))
        yield Deployed(
            exported["AWS_ENDPOINT_URL"], exported["ENGINE_URL"], exported["ENGINE_WS_URL"]
        )
