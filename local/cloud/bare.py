"""Run the embedded cloud alone, with nothing in it, for `sam deploy` to fill."""

import os

from local import processes
from local.cloud.embedded import running_cloud, wait_until_healthy
from local.errors import CloudFailed

_BANNER = """\
An empty cloud is up. In another terminal:

  export AWS_ENDPOINT_URL={endpoint_url} AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

Log {log}. Stop it with Ctrl-C."""


def serve(at: int) -> None:
    """Serve until the cloud ends, which it should not. Raises PortTaken, CloudFailed."""
    processes.allow_open_files()
    with running_cloud(port=at) as cloud:
        wait_until_healthy(cloud.endpoint_url)
        log = os.path.relpath(cloud.log)
        print(_BANNER.format(endpoint_url=cloud.endpoint_url, log=log), flush=True)
        cloud.wait()
        raise CloudFailed("the embedded cloud ended by itself", cloud.log)
