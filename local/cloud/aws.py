"""Clients of the embedded cloud, deaf to the AWS settings of the machine they run on."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from local.cloud.embedded import REGION

_NOBODY: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_CONFIG = Config(
    proxies={},
    retries={"total_max_attempts": 1},
    read_timeout=120,
    s3={"addressing_style": "path"},
)


def session() -> boto3.Session:
    """Return a session with the embedded cloud's credentials and region."""
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        region_name=REGION,
        botocore_session=botocore.session.Session(session_vars=_NOBODY),
    )


def client(service: Any, endpoint_url: str, of: boto3.Session | None = None) -> Any:
    """Return a boto3 client of `service` at `endpoint_url`."""
    return (of or session()).client(service, endpoint_url=endpoint_url, config=_CONFIG)
