"""Give a stack that SAM deployed to the embedded cloud its HTTP routes, and say where it is.

AWS_ENDPOINT_URL=http://127.0.0.1:4566 python -m local.wire order-engine-local
"""

import argparse
import os
import sys

from local.stack import StackFailed, connect

_SAID = """\
export ENGINE_URL='{http}'
export ENGINE_WS_URL='{ws}'"""


def main() -> int:
    from botocore.exceptions import BotoCoreError, ClientError

    parser = argparse.ArgumentParser(prog="python -m local.wire", description=__doc__)
    parser.add_argument("stack", help="the stack's name")
    asked = parser.parse_args()
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint_url:
        print("AWS_ENDPOINT_URL is not set; on AWS the routes need no help", file=sys.stderr)
        return 2
    try:
        stack = connect(endpoint_url.rstrip("/"), asked.stack)
    except (StackFailed, ClientError, BotoCoreError) as error:
        print(f"{asked.stack}: {error}", file=sys.stderr)
        return 1
    print(_SAID.format(http=stack.http_url, ws=stack.ws_url))
    return 0


if __name__ == "__main__":
    sys.exit(main())
