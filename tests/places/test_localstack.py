"""`make up CLOUD=localstack` up to where a real LocalStack would answer.

The embedded cloud stands in for it: it answers the same health check, takes the same deployment,
and says where the APIs are. What LocalStack itself would do was never run; see docs/local.md.
"""

import os
import signal
import subprocess
from pathlib import Path

from local import aws
from local.cloud import ROOT, running_cloud, wait_until_healthy


def test_the_same_template_is_deployed_there_without_the_embedded_clouds_help(
    python313: Path,
) -> None:
    with running_cloud() as cloud:
        wait_until_healthy(cloud.endpoint_url)
        with subprocess.Popen(
            ["make", "--silent", "up", "CLOUD=localstack", "PORT=0"],
            cwd=ROOT,
            env=os.environ | {"AWS_ENDPOINT_URL": cloud.endpoint_url},
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
                gateway = aws.client("apigatewayv2", cloud.endpoint_url)
                kinds = {api["ProtocolType"]: api["ApiId"] for api in gateway.get_apis()["Items"]}
                assert gateway.get_routes(ApiId=kinds["HTTP"])["Items"] == []  # no work-around
            finally:
                os.killpg(process.pid, signal.SIGINT)
    assert "make smoke" in said
