"""Run the SAM CLI for an environment of samconfig.toml."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import processes
from local.cloud.embedded import ROOT, scrubbed
from local.errors import Refused
from local.places import lambda_python

SAM = ROOT / ".venv-sam/bin/sam"
_ELSEWHERE = {"local", "containers"}
_MACHINES = {"arm64": "aarch64", "AMD64": "x86_64"}


def machine() -> str:
    """Return this machine's architecture as wheels call it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def wheels(config_env: str) -> str:
    """Return what the layer's wheels are for; see layers/common/Makefile.

    The embedded cloud runs functions in its own Python, which has them. LocalStack and `sam local`
    run them in containers of the machine's own architecture.
    """
    return {"local": "none", "containers": machine()}.get(config_env, "aarch64")


def environment(config_env: str, outside: Mapping[str, str]) -> dict[str, str]:
    """Return what `sam` sees: the caller's AWS settings only if the account is meant.

    Raises Refused.
    """
    endpoint = outside.get("AWS_ENDPOINT_URL")
    if config_env not in _ELSEWHERE:
        return {**outside, "SAM_CLI_TELEMETRY": "0"}
    if not endpoint:
        raise Refused(f"{config_env} is not for AWS: set AWS_ENDPOINT_URL to its address")
    return scrubbed(outside) | {"AWS_ENDPOINT_URL": endpoint, "SAM_CLI_TELEMETRY": "0"}


def build_environment(wheels_for: str, outside: Mapping[str, str]) -> dict[str, str]:
    """Return what `sam build` sees, with Python 3.13 first on its path. Raises Refused."""
    path = f"{lambda_python.found(outside).parent}{os.pathsep}{outside.get('PATH', os.defpath)}"
    return {**outside, "PATH": path, "WHEELS": wheels_for, "SAM_CLI_TELEMETRY": "0"}


def sam(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `sam` in the repository; return its exit status."""
    return processes.run([SAM, *arguments], cwd=ROOT, env=environment)


def build(config_env: str, outside: Mapping[str, str] = os.environ) -> int:
    """Build what `config_env` deploys. Raises Refused."""
    seen = build_environment(wheels(config_env), outside)
    return sam(["build", "--config-env", config_env], seen)


def build_to(directory: Path, wheels_for: str, outside: Mapping[str, str] = os.environ) -> None:
    """Build into a directory of its own, from nothing. Raises Refused, CalledProcessError."""
    arguments = ["build", "--no-cached", "--parallel", "--build-dir", str(directory)]
    subprocess.run(
        [SAM, *arguments],
        cwd=ROOT,
        env=build_environment(wheels_for, outside),
        check=True,
        capture_output=True,
    )


def deploy(config_env: str, outside: Mapping[str, str] = os.environ) -> int:
    """Build and deploy. Raises Refused."""
    seen = environment(config_env, outside)
    return build(config_env, outside) or sam(["deploy", "--config-env", config_env], seen)


def destroy(config_env: str, outside: Mapping[str, str] = os.environ) -> int:
    """Delete the stack; `prod` asks first. Raises Refused."""
    sure = [] if config_env == "prod" else ["--no-prompts"]
    seen = environment(config_env, outside)
    return sam(["delete", "--config-env", config_env, *sure], seen)
