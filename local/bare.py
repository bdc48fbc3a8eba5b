"""Run the embedded cloud alone, with nothing in it, for `sam deploy` to fill.

python -m local.bare --port 4566
"""

import argparse
import os
import sys

from local import processes
from local.cloud import CloudFailed, PortTaken, running_cloud, wait_until_healthy
from local.signals import Stopped, stop_on_signals
from local.up import port

_BANNER = """\
An empty cloud is up. In another terminal:

  export AWS_ENDPOINT_URL={endpoint_url} AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

Log {log}. Stop it with Ctrl-C."""


def serve(at: int) -> None:
    """Serve until the cloud ends, which it should not, or Stopped is raised."""
    processes.allow_open_files()
    with running_cloud(port=at) as cloud:
        wait_until_healthy(cloud.endpoint_url)
        log = os.path.relpath(cloud.log)
        print(_BANNER.format(endpoint_url=cloud.endpoint_url, log=log), flush=True)
        try:
            cloud.wait()
        except Stopped:
            return
        raise CloudFailed("the embedded cloud ended by itself", cloud.log)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.bare", description=__doc__)
    parser.add_argument("--port", type=port, default=4566, help="0 for a free one; default 4566")
    asked = parser.parse_args()
    stop_on_signals()
    try:
        serve(asked.port)
    except PortTaken as error:
        print(f"{error}; choose another with PORT=...", file=sys.stderr)
        return 1
    except CloudFailed as error:
        print(f"{error}\nSee {os.path.relpath(error.log)}", file=sys.stderr)
        return 1
    except Stopped:  # while it was starting
        return 0
    print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
