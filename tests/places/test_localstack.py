"""`make up CLOUD=localstack` up to where a real LocalStack would answer.

The embedded cloud stands in for it: it answers the same health check, takes the same deployment,
and says where the APIs are. What LocalStack itself would do was never run; see docs/local.md.
"""

import os
from pathlib import Path

from local.cloud import aws
from local.cloud.embedded import running_cloud, wait_until_healthy
from tests.places.conftest import started


def test_the_same_template_is_deployed_there_without_the_embedded_clouds_help(
    python313: Path,
) -> None:
    with running_cloud() as cloud:
        wait_until_healthy(cloud.endpoint_url)
        environment = os.environ | {"AWS_ENDPOINT_URL": cloud.endpoint_url}
        with started("up", "CLOUD=localstack", "PORT=0", environment=environment) as said:
            assert "make smoke" in said
            gateway = aws.client("apigatewayv2", cloud.endpoint_url)
            kinds = {api["ProtocolType"]: api["ApiId"] for api in gateway.get_apis()["Items"]}
            assert gateway.get_routes(ApiId=kinds["HTTP"])["Items"] == []  # no work-around
