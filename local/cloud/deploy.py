"""Deploy the stack from a process of its own, which takes boto3's 40 MB with it when it ends.

python -m local.cloud.deploy ENDPOINT_URL TEMPLATE < parameters.json > stack.json
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from local.cloud.embedded import ROOT, Cloud, scrubbed, wait_until_healthy
from local.cloud.stack import Stack
from local.errors import CloudFailed


@contextmanager
def deploying(
    cloud: Cloud, template: Path, parameters: Mapping[str, str]
) -> Iterator[Callable[[], Stack]]:
    """Begin to deploy; the call that this yields waits for the stack, and raises CloudFailed."""
    with subprocess.Popen(
        [sys.executable, "-m", "local.cloud.deploy", cloud.endpoint_url, str(template)],
        cwd=ROOT,
        env=scrubbed(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:

        def finished() -> Stack:
            answer, complaint = child.communicate(json.dumps(dict(parameters)))
            if child.returncode == 0:
                return Stack(**json.loads(answer))
            with cloud.log.open("a") as log:
                log.write(complaint)
            reason = complaint.strip().rpartition("\n")[2]
            raise CloudFailed(f"the stack was not deployed: {reason}", cloud.log)

        try:
            yield finished
        finally:
            child.kill()


def main() -> None:
    from local.cloud.stack import bundle, deploy

    endpoint_url, template = sys.argv[1], Path(sys.argv[2])
    parameters = json.load(sys.stdin)
    packed = bundle(template)
    wait_until_healthy(endpoint_url)
    json.dump(asdict(deploy(endpoint_url, packed, parameters)), sys.stdout)


if __name__ == "__main__":
    main()
